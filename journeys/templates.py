"""Templates: Liquid over ``event.…`` and ``customer.…``, checked when made ready, bounded when rendered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache

from liquid import BoundTemplate
from liquid.exceptions import LiquidError
from liquid.output import LimitedStringIO
from liquid.static_analysis import Variable

from journeys.liquid_bounds import LARGEST_VALUE, BoundedContext, BoundedEnvironment
from journeys.problems import Flaw, did_you_mean

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
    used = (".".join(map(str, variable.segments[:2])) for variable in _variables(_parse(source, html=False)))
    return frozenset(name for name in used if name.startswith(tuple(f"{root}." for root in ROOTS)))


def render(source: str, values: Values, *, html: bool = False, now: datetime | None = None) -> str:
    """Fill in a template; what is missing is left empty. In *html*, values are escaped.

    *now* is what ``{{ "now" | date: "%Y" }}`` tells. Raises TemplateError; bounded in time and memory.
    """
    template = _parse(source, html=html)
    context = BoundedContext(template, _plain(values), source, now)
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


def _plain(values: Values) -> dict[str, dict[str, object]]:
    """Whole numbers without their point: 40.0 is 40 to a reader."""
    return {
        root: {
            name: int(value) if isinstance(value, float) and value.is_integer() else value
            for name, value in named.items()
        }
        for root, named in values.items()
    }


def _told(error: Exception, source: str) -> TemplateError:
    if not isinstance(error, LiquidError):
        nested = isinstance(error, RecursionError)
        return TemplateError("it is nested too deeply" if nested else f"it cannot be rendered ({error})")
    if isinstance(error.__cause__, RecursionError):
        return TemplateError("it is nested too deeply")
    line = _line(source, error.token.start_index) if error.token and error.token.start_index >= 0 else None
    return TemplateError(str(error.message).rstrip("."), line, _hint(str(error.message)))


def _hint(message: str) -> str:
    if re.search(r"unexpected tag '(include|render)'", message):
        return "A template cannot include others."
    return ""


def _line(source: str, position: int) -> int:
    return source.count("\n", 0, position) + 1


def _variables(template: BoundTemplate) -> Iterable[Variable]:
    found = template.analyze(include_partials=False).globals
    return (variable for variables in found.values() for variable in variables)


def _unknown_filters(template: BoundTemplate, source: str) -> Iterator[TemplateError]:
    known = template.env.filters
    for name, places in template.analyze(include_partials=False).filters.items():
        if name not in known:
            line = _line(source, places[0].index)
            yield TemplateError(f'there is no filter "{name}"', line, did_you_mean(name, known))


def _unknown_names(template: BoundTemplate, source: str) -> Iterator[TemplateError]:
    for variable in _variables(template):
        root, *rest = variable.segments
        line = _line(source, variable.span.index)
        if root not in ROOTS:
            yield TemplateError(f"{variable} is neither under event. nor under customer.", line, _where(str(root)))
        elif not rest or not isinstance(rest[0], str):
            yield TemplateError(f"{variable} does not name one attribute", line, f"Write it like {root}.name.")


def _where(root: str) -> str:
    if root in ("now", "today"):
        return 'For the time, write {{ "now" | date: "%Y" }}.'
    return f"Write event.{root} or customer.{root}." if re.fullmatch(r"[a-z]\w*", root) else ""
