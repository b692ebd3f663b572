"""Liquid that cannot run away: every render has a budget of work, every value a largest size.

The library's own limits leave gaps, each of them found by trying. Loops one after the other are not added up,
``replace`` and ``join`` build their result before anything is measured, a range such as ``(1..9999999999)`` may
be walked through outside of any loop, and its lexer takes quadratic time on what is opened and never closed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TextIO, cast

from liquid import BoundTemplate, Environment, RenderContext
from liquid.ast import Node
from liquid.builtin.expressions import FilteredExpression, TernaryFilteredExpression
from liquid.builtin.expressions.filtered import Filter
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.builtin.filters.misc import date as liquid_date
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.echo_tag import EchoNode
from liquid.exceptions import (
    FilterArgumentError,
    FilterError,
    LiquidError,
    LiquidSyntaxError,
    LoopIterationLimitError,
    ResourceLimitError,
)
from liquid.expression import Expression
from liquid.filter import with_context
from liquid.stringify import to_liquid_string
from liquid.token import TOKEN_EOF, Token
from liquid.undefined import is_undefined
from liquid.utils import ReadOnlyChainMap

from journeys.language import liquid_blank, liquid_numbers

LONGEST_SOURCE = 200_000
LARGEST_VALUE = 200_000
MOST_WORK = 20_000_000
"""About a second, counted in characters, so that the same render always ends the same way."""


class BoundedEnvironment(Environment):
    """Liquid's standard tags and filters, without other templates and without a way around escaping."""

    loop_iteration_limit = 10_000
    output_stream_limit = LARGEST_VALUE
    local_namespace_limit = LARGEST_VALUE
    context_depth_limit = 30

    def __init__(self, *, html: bool) -> None:
        super().__init__(autoescape=html)
        for tag in ("include", "render"):
            del self.tags[tag]
        del self.filters["safe"]
        self.filters |= {"date": _date, **liquid_numbers.FILTERS}

    def from_string(self, source: str, *args: Any, **kwargs: Any) -> BoundTemplate:
        """Parse within bounds. Raises LiquidError."""
        _refuse_slow_source(source)
        template = super().from_string(source, *args, **kwargs)
        for part in (*nodes(template), *expressions(template)):
            if ours := _REPLACED.get(type(part)):
                part.__class__ = ours
        return template


class BoundedContext(RenderContext):
    """One render and what it has spent. A turn of a loop costs as much as the whole source is long.

    *holes* are attributes that were missing where something was to be written.
    """

    __slots__ = ("_spent", "_turn", "_turns", "holes", "missed", "now")

    def __init__(
        self, template: BoundTemplate, values: Mapping[str, object], source: str, now: datetime | None
    ) -> None:
        super().__init__(template, globals=values)
        self.now = now
        # Without the library's own "now" and "today", which read the wall clock.
        self.scope = ReadOnlyChainMap(self.locals, self.globals, self.counters)
        self._turn = len(source)
        self._turns = 0
        self._spent = 0
        self.missed: set[str] = set()
        self.holes: set[str] = set()

    def spend(self, amount: int) -> None:
        self._spent += amount + 10
        if self._spent > MOST_WORK:
            raise ResourceLimitError("the template does too much work", token=None)

    def admit(self, size: int) -> None:
        """Take in a value of this size, or one about to get it."""
        if size > LARGEST_VALUE:
            raise ResourceLimitError("a value in the template grows too large", token=None)
        self.spend(size)

    def get(self, path: list[object], *args: Any, **kwargs: Any) -> object:
        value = super().get(path, *args, **kwargs)
        self.admit(_size(value))
        if (value is None or value == "" or is_undefined(value)) and len(path) > 1 and path[0] in self.globals:
            self.missed.add(f"{path[0]}.{path[1]}")
        return value

    def get_item(self, obj: Any, key: Any) -> Any:  # noqa: ANN401 - the library's
        # A missing event.size is missing, not the number of attributes.
        if isinstance(obj, Mapping):
            return obj[key]
        return super().get_item(obj, int(key) if isinstance(key, Decimal) else key)

    def assign(self, key: str, val: Any) -> None:  # noqa: ANN401 - the library's
        self.spend(len(self.locals))
        super().assign(key, val)

    def filter(self, name: str, token: Token | None) -> Callable[..., object]:
        apply = super().filter(name, token)

        def bounded(left: object, *args: object, **kwargs: object) -> object:
            if name in _GROWTH:
                self.admit(_GROWTH[name](left, *args))
            try:
                result = apply(left, *args, **kwargs)
            except Exception as error:  # filters raise what Python's own functions raise, in Python's words
                if isinstance(error, LiquidError) and not isinstance(error.__cause__, TypeError):
                    raise
                raise FilterError(f"{name} cannot be applied to what it is given", token=token) from None
            self.admit(_size(result))
            return result

        return bounded

    def raise_for_loop_limit(self, length: int = 1) -> None:
        self._turns += length
        if self._turns > BoundedEnvironment.loop_iteration_limit:
            raise LoopIterationLimitError("the template's loops turn too often", token=None)
        self.spend(length * self._turn)


class BoundedRange(RangeLiteral):
    """A range like ``(1..10)`` that is measured before anything walks through it."""

    __slots__ = ()

    def evaluate(self, context: RenderContext) -> range:
        found = super().evaluate(context)
        if isinstance(context, BoundedContext):
            context.admit(_size(found))
        return found


class Output(OutputNode):
    """``{{ … }}`` that notices what is missing in it."""

    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return _write(self.expression, cast(BoundedContext, context), buffer)


class Echo(EchoNode):
    """``{% echo … %}``, the same way."""

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return _write(self.expression, cast(BoundedContext, context), buffer)


def _write(expression: Expression, context: BoundedContext, buffer: TextIO) -> int:
    context.missed.clear()
    text = to_liquid_string(expression.evaluate(context), context.autoescape)
    # A default fills what would be a hole.
    if not text or not any(each.name == "default" for each in filters(expression)):
        context.holes |= context.missed
    return buffer.write(text)


def nodes(template: BoundTemplate) -> Iterator[Node]:
    """Every node of a template, however deep."""
    context = RenderContext(template)
    waiting: list[Node] = list(template.nodes)
    while waiting:
        node = waiting.pop()
        waiting.extend(node.children(context, include_partials=False))
        yield node


def expressions(template: BoundTemplate) -> Iterator[Expression]:
    """Every expression in a template, however deep."""
    waiting = [expression for node in nodes(template) for expression in node.expressions()]
    while waiting:
        expression = waiting.pop()
        waiting.extend(expression.children())
        yield expression


def filters(expression: Expression) -> list[Filter]:
    """The filters of one expression, in the order in which they are written."""
    match expression:
        case FilteredExpression(filters=found):
            return found or []
        case TernaryFilteredExpression(left=left, filters=found, tail_filters=last):
            return [*(left.filters or []), *(found or []), *(last or [])]
        case _:
            return []


@with_context
def _date(value: object, form: str, *, context: BoundedContext) -> object:
    """Liquid's date filter in UTC, with "now" being the render's own time. What is no date stays as it is."""
    if value in ("now", "today"):
        if context.now is None:
            raise FilterArgumentError(f'there is no "{value}" here', token=None)
        value = context.now
    try:
        return liquid_date(_moment(value), form, environment=context.env)
    except (OverflowError, OSError, ValueError):
        return value


def _moment(value: object) -> Any:  # noqa: ANN401 - the library's
    if isinstance(value, int | Decimal) or (isinstance(value, str) and value.isdecimal()):
        return datetime.fromtimestamp(int(value), UTC)
    return value


def _size(value: object) -> int:
    match value:
        case str():
            return len(value)
        case int():
            return value.bit_length()
        case Decimal():
            return len(value.as_tuple().digits) + abs(value.adjusted())
        case list() | tuple():
            return sum(50 + _size(item) for item in value)
        case range():
            return max(0, value.stop - value.start)
        case _:
            return 1


def _size_replaced(text: object, old: object = "", new: object = "", *_: object) -> int:
    return len(str(text)) + str(text).count(str(old)) * len(str(new))


def _size_joined(items: object, separator: object = " ", *_: object) -> int:
    return _size(items) + (len(items) * len(str(separator)) if isinstance(items, list | tuple | range) else 0)


def _comparisons(items: object, *_: object) -> int:
    return len(items) ** 2 if isinstance(items, list | tuple | range) else 0


_REPLACED: Mapping[type, type] = {
    RangeLiteral: BoundedRange,
    OutputNode: Output,
    EchoNode: Echo,
    **liquid_blank.REPLACED,
}

_GROWTH: Mapping[str, Callable[..., int]] = {"replace": _size_replaced, "join": _size_joined, "uniq": _comparisons}

_LONG_START = re.compile(r"\{(?:\{|%)-?\s{50}|\{%-?\s*\w{1,19}\s{50}|\{%-?\s*\w{20}")
_OPENED_AND_CLOSED = (
    (re.compile(r"\{\{"), re.compile(r"\}\}"), 3),  # a few may stand inside {% raw %} or quotes
    (re.compile(r"\{%"), re.compile(r"%\}"), 3),
    (re.compile(r"\{%-?\s*raw\s*-?%\}"), re.compile(r"\{%-?\s*endraw\s*-?%\}"), 0),
    (re.compile(r"\{%-?\s*doc\s*-?%\}"), re.compile(r"\{%-?\s*enddoc\s*-?%\}"), 0),
)


def _refuse_slow_source(source: str) -> None:
    if len(source) > LONGEST_SOURCE:
        raise _syntax(f"the template is longer than {LONGEST_SOURCE} characters", source, 0)
    if long := _LONG_START.search(source):
        raise _syntax("a tag starts with too many blanks or too long a name", source, long.start())
    for opening, closing, allowed in _OPENED_AND_CLOSED:
        closed = max((found.end() for found in closing.finditer(source)), default=0)
        unclosed = list(opening.finditer(source, closed))
        if len(unclosed) > allowed:
            raise _syntax(f"{unclosed[0][0]} is never closed", source, unclosed[0].start())


def _syntax(message: str, source: str, position: int) -> LiquidSyntaxError:
    return LiquidSyntaxError(message, token=Token(TOKEN_EOF, "", position, source))
