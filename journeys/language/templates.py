"""Templates: Liquid over ``event.…`` and ``customer.…``, checked when made ready, bounded when rendered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from functools import lru_cache
from typing import TypeGuard

from liquid import BoundTemplate
from liquid.exceptions import LiquidError
from liquid.output import LimitedStringIO
from liquid.static_analysis import Variable

from journeys.language.liquid_bounds import LARGEST_VALUE, BoundedContext, BoundedEnvironment
from journeys.language.liquid_numbers import Number
from journeys.problems import Flaw

ROOTS = ("event", "customer")
Values = Mapping[str, Mapping[str, object]]
"""``{"event": {"cart_id": "c1"}, "customer": {"first_name": "Ada"}}``"""


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


def check(source: str) -> list[Flaw]:
    """What is wrong with a template: the first syntax error, or all unknown filters and names."""
    try:
        template = _parse(source, html=False)
    except TemplateError as error:
        return [error.flaw]
    found = sorted([*_unknown_filters(template, source), *_unknown_names(template, source)], key=lambda e: e.line or 0)
    return [error.flaw for error in found]


def names(source: str) -> frozenset[str]:
    """The attributes a template uses, such as ``event.cart_id``. Raises TemplateError for a syntax error."""
    paths = [variable.segments for variable in _variables(_parse(source, html=False))]
    return frozenset(f"{root}.{rest[0]}" for root, *rest in paths if root in ROOTS and _is_plain(rest))


def render(source: str, values: Values, *, html: bool = False, now: datetime | None = None) -> str:
    """Fill in a template; what is missing is left empty. In *html*, values are escaped.

    *now* is what ``{{ "now" | date: "%Y" }}`` tells. Raises TemplateError; bounded in time and memory.
    """
    template = _parse(source, html=html)
    context = BoundedContext(template, _with_numbers(values), source, now)
    buffer = LimitedStringIO(LARGEST_VALUE)
    try:
        template.render_with_context(context, buffer)
    except Exception as error:  # noqa: BLE001 - filters raise what Python's own functions raise
        raise _told(error, source) from None
    return buffer.getvalue()


def render_line(source: str, values: Values, *, now: datetime | None = None) -> str:
    """Fill in a template for one line, such as a subject: nothing can start a header of its own."""
    return _BREAKS.sub(" ", render(source, values, now=now)).strip()


_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


@lru_cache(maxsize=2)
def _environment(*, html: bool) -> BoundedEnvironment:
    return BoundedEnvironment(html=html)


@lru_cache(maxsize=64)
def _parse(source: str, *, html: bool) -> BoundTemplate:
    try:
        return _environment(html=html).from_string(source)
    except Exception as error:  # noqa: BLE001 - deep nesting, for one, is a RecursionError
        raise _told(error, source) from None


def _with_numbers(values: Values) -> dict[str, dict[str, object]]:
    """The values with their numbers as templates calculate with them."""
    return {
        root: {name: Number.of(value) if _is_number(value) else value for name, value in named.items()}
        for root, named in values.items()
    }


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _told(error: Exception, source: str) -> TemplateError:
    if isinstance(error, RecursionError) or isinstance(error.__cause__, RecursionError):
        return TemplateError("it is nested too deeply")
    if not isinstance(error, LiquidError):
        return TemplateError(f"it cannot be rendered ({error})")
    message = str(error.message).rstrip(".").replace("found end of expression", "found the end")
    return TemplateError(message, _line(source, error.token.start_index) if error.token else None, _hint(message))


def _hint(message: str) -> str:
    if re.search(r"unexpected tag '(include|render)'", message):
        return "A template cannot include others."
    return ""


def _line(source: str, position: int) -> int:
    # The library's token for the end of a template has no position.
    return source.count("\n", 0, position if position >= 0 else len(source)) + 1


def _variables(template: BoundTemplate) -> Iterable[Variable]:
    found = template.analyze(include_partials=False).globals
    return (variable for variables in found.values() for variable in variables)


def _unknown_filters(template: BoundTemplate, source: str) -> Iterator[TemplateError]:
    known = template.env.filters
    for name, places in template.analyze(include_partials=False).filters.items():
        if name not in known:
            line = _line(source, places[0].index)
            near = get_close_matches(name, known, n=1)
            hint = "Values in HTML are always escaped." if name == "safe" else ""
            yield TemplateError(f'there is no filter "{name}"', line, f'Did you mean "{near[0]}"?' if near else hint)


def _unknown_names(template: BoundTemplate, source: str) -> Iterator[TemplateError]:
    for variable in _variables(template):
        root, *rest = variable.segments
        line = _line(source, variable.span.index)
        if root not in ROOTS:
            message = f'"{variable}" does not start with event. or customer., which is all a template sees'
            yield TemplateError(message, line, _where(str(root), str(variable)))
        elif not _is_plain(rest):
            yield TemplateError(f"{variable} does not name one attribute", line, f"Write it like {root}.name.")


def _is_plain(rest: Sequence[object]) -> bool:
    return bool(rest) and isinstance(rest[0], str)


def _where(root: str, variable: str) -> str:
    if root in ("now", "today"):
        return 'For the time, write {{ "now" | date: "%Y" }}.'
    if near := get_close_matches(root, ROOTS, n=1):
        return f'Did you mean "{near[0]}{variable.removeprefix(root)}"?'
    return f"Write event.{root} or customer.{root}." if variable == root else ""
