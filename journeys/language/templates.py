"""Templates: Liquid over ``event.…`` and ``customer.…``, bounded when rendered; template_check says what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TypeGuard

from liquid import BoundTemplate
from liquid.exceptions import LiquidError
from liquid.output import LimitedStringIO
from liquid.static_analysis import Variable

from journeys.language.liquid_bounds import LARGEST_VALUE, BoundedContext, BoundedEnvironment
from journeys.language.liquid_numbers import Number
from journeys.language.liquid_words import in_words
from journeys.problems import Flaw

ROOTS = ("event", "customer")
Values = Mapping[str, Mapping[str, object] | str]
"""``{"event": {"cart_id": "c1"}, "customer": {"first_name": "Ada"}}``, and texts such as ``unsubscribe_url``."""


class TemplateError(ValueError):
    """A template that cannot be read or rendered; *line* counts from 1, None where it is not known."""

    def __init__(self, message: str, line: int | None = None, hint: str = "") -> None:
        self.message = message
        self.line = line
        self.hint = hint
        super().__init__(str(self.flaw))

    @property
    def flaw(self) -> Flaw:
        """The same as a flaw, its line being part of the message."""
        where = f"line {self.line}: " if self.line else ""
        return Flaw(path="", message=f"{where}{self.message}.", hint=self.hint)


def names(source: str) -> frozenset[str]:
    """The attributes a template uses, such as ``event.cart_id``. Raises TemplateError for a syntax error."""
    paths = [variable.segments for variable in variables(parse(source))]
    return frozenset(f"{root}.{rest[0]}" for root, *rest in paths if root in ROOTS and names_one(rest))


def uses(source: str, name: str) -> bool:
    """Whether a template uses a name that is no attribute, such as ``unsubscribe_url``; not where it cannot be read."""
    return readable(source) and any(variable.segments == [name] for variable in variables(parse(source)))


def readable(source: str) -> bool:
    """Whether a template has no syntax error."""
    try:
        parse(source)
    except TemplateError:
        return False
    return True


def render(source: str, values: Values, *, html: bool = False, now: datetime | None = None) -> str:
    """Fill in a template; what is missing is left empty. In *html*, values are escaped.

    *now* is what ``{{ "now" | date: "%Y" }}`` tells. Raises TemplateError; bounded in time and memory.
    """
    return fill_in(source, values, html=html, now=now)[0]


def fill_in(
    source: str, values: Values, *, html: bool = False, now: datetime | None = None
) -> tuple[str, frozenset[str]]:
    """As render(), and the attributes that were missing where something was to be written: ``customer.first_name``."""
    template = parse(source, html=html)
    context = BoundedContext(template, with_numbers(values), source, now)
    buffer = LimitedStringIO(LARGEST_VALUE)
    try:
        template.render_with_context(context, buffer)
    except Exception as error:  # noqa: BLE001 - filters raise what Python's own functions raise
        raise told(error, source) from None
    return buffer.getvalue(), frozenset(context.holes)


def render_line(source: str, values: Values, *, now: datetime | None = None) -> str:
    """Fill in a template for one line, such as a subject: nothing can start a header of its own."""
    return _BREAKS.sub(" ", render(source, values, now=now)).strip()


_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


@lru_cache(maxsize=2)
def _environment(*, html: bool) -> BoundedEnvironment:
    return BoundedEnvironment(html=html)


@lru_cache(maxsize=64)
def parse(source: str, *, html: bool = False) -> BoundTemplate:
    """The template. Raises TemplateError where it cannot be read."""
    try:
        return _environment(html=html).from_string(source)
    except Exception as error:  # noqa: BLE001 - deep nesting, for one, is a RecursionError
        raise told(error, source) from None


def with_numbers(values: Values) -> dict[str, object]:
    """The values with their numbers as templates calculate with them."""
    return {
        root: named
        if isinstance(named, str)
        else {name: Number.of(value) if _is_number(value) else value for name, value in named.items()}
        for root, named in values.items()
    }


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def told(error: Exception, source: str) -> TemplateError:
    """What a failure of the library or of a filter means, in words of ours."""
    if isinstance(error, RecursionError) or isinstance(error.__cause__, RecursionError):
        return TemplateError("it is nested too deeply")
    if not isinstance(error, LiquidError):
        return TemplateError(f"it cannot be rendered ({error})")
    message, hint = in_words(str(error.message).rstrip(".").replace("found end of expression", "found the end"))
    return TemplateError(message, line_of(source, error.token.start_index) if error.token else None, hint)


def line_of(source: str, position: int) -> int:
    """The line of a position in a template, counted from 1."""
    # The library's token for the end of a template has no position.
    return source.count("\n", 0, position if position >= 0 else len(source)) + 1


def variables(template: BoundTemplate) -> Iterable[Variable]:
    """What a template reads that it has not assigned itself."""
    found = template.analyze(include_partials=False).globals
    return (variable for variables in found.values() for variable in variables)


def names_one(rest: Sequence[object]) -> bool:
    """Whether what follows ``event`` or ``customer`` names one attribute."""
    return bool(rest) and isinstance(rest[0], str)
