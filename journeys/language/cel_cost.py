"""What a source may cost each time it is asked, worked out from its shape and from the size of what it reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from journeys.language.attributes import LONGEST_TEXT
from journeys.language.cel_patterns import pattern_size
from journeys.language.cel_sent import LONGEST_OUTCOME
from journeys.language.cel_source import What
from journeys.language.cel_tree import Call, Constant, Items, Loop, Name, Node, Part
from journeys.language.scopes import Kind, Scope
from journeys.problems import Flaw

MOST_WORK = 10_000_000
"""Bytes gone through, where every text is as long as one may be: far more than an ordinary event has."""
_SECONDS = 5e-9
"""For each of them. Measured, at worst."""
MOST_TURNS = 10_000
"""CEL itself gives up on a condition that goes through lists more often."""
LARGEST_PATTERN = 100
"""Steps of a pattern's machine. One that large takes 40 ms for the longest text, at worst."""

_EACH_CALL = 100


@dataclass(frozen=True, slots=True)
class Size:
    """How large a value may be: the bytes of a text, or the items of a list and the size of each."""

    count: int = 0
    item: Size | None = None

    @property
    def weight(self) -> int:
        """All of it, what is inside included."""
        return self.count * (1 + self.item.weight) if self.item else self.count


_PLAIN = Size()


def flaws_of_cost(root: Node, scope: Scope, what: What) -> list[Flaw]:
    """Why a source may cost too much, in words; nothing where it may not."""
    meter = _Meter({name: _size(kind) for name, kind in scope.items()}, what)
    meter.read(root, {}, 1)
    return meter.flaws()


def _size(kind: Kind) -> Size:
    match kind:
        case "number" | "boolean" | "time":
            return _PLAIN
        case "outcomes":
            return Size(1, Size(LONGEST_OUTCOME))  # sent is never gone through, only looked up in
        case _:
            return Size(LONGEST_TEXT)


class _Meter:
    """Goes through a tree once, and adds up what each part may cost, as often as it may be asked."""

    def __init__(self, attributes: Mapping[str, Size], what: What) -> None:
        self._attributes = attributes
        self._what = what
        self._work = 0
        self._turns = 0
        self._patterns: list[Flaw] = []

    def flaws(self) -> list[Flaw]:
        if self._patterns:
            return self._patterns
        if self._turns > MOST_TURNS:
            message = (
                f"the {self._what} may go through lists {self._turns} times for one event; at most {MOST_TURNS} go."
            )
            return [Flaw(path="", message=message, hint="Use shorter lists, or fewer within each other.")]
        if self._work > MOST_WORK:
            message = (
                f"the {self._what} may take up to {self._work * _SECONDS:,.2f} s for one event; "
                f"at most {MOST_WORK * _SECONDS} s go."
            )
            hint = f"A text has up to {LONGEST_TEXT} bytes. Join and compare long texts less often."
            return [Flaw(path="", message=message, hint=hint)]
        return []

    def read(self, node: Node, names: Mapping[str, Size], times: int) -> Size:
        """Count what it costs to work out *node* so many times, and return how large its value may be."""
        self._work += times
        match node:
            case Constant(text=text):
                return Size(len((text or "").encode()))
            case Name(name=name):
                return names.get(name) or self._attributes.get(name, _PLAIN)
            case Part(of=of):
                return self.read(of, names, times).item or _PLAIN
            case Items(items=items):
                return Size(len(items), _largest(self.read(item, names, times) for item in items))
            case Call():
                return self._call(node, names, times)
            case Loop():
                return self._loop(node, names, times)

    def _call(self, call: Call, names: Mapping[str, Size], times: int) -> Size:
        sizes = [self.read(argument, names, times) for argument in call.arguments]
        self._work += times * (_EACH_CALL + sum(size.weight for size in sizes))
        match call.function, sizes:
            case "matches", [text, _]:
                self._work += times * text.count * self._pattern(call.arguments[1])
            case "contains", [text, part]:
                self._work += times * text.count * part.count // 500  # measured: it compares many at once
            case "_+_", [left, right]:
                return Size(left.count + right.count, _largest(size.item for size in sizes))
            case "_?_:_", [_, *either]:
                return _largest(either) or _PLAIN
            case "_[_]", [whole, _]:
                return whole.item or _PLAIN
            case (("string" | "bytes" | "dyn"), [whole]):
                return Size(whole.count * 4 + 50, whole.item)
            case _:
                pass
        return _PLAIN

    def _pattern(self, pattern: Node) -> int:
        """The size of a pattern, which must be written out: one from data could be anything."""
        if not isinstance(pattern, Constant) or pattern.text is None:
            message = "matches takes a pattern that is written out; here it comes from data."
            hint = "Write it in quotes, such as matches('^A-[0-9]+$'), or use contains, startsWith or endsWith."
            self._patterns.append(Flaw(path="", message=message, hint=hint))
            return 1
        size = pattern_size(pattern.text)
        if size > LARGEST_PATTERN:
            shown = pattern.text if len(pattern.text) <= 40 else f"{pattern.text[:39]}…"
            message = f"matches('{shown}') is too large a pattern: {size} steps, at most {LARGEST_PATTERN} go."
            self._patterns.append(Flaw(path="", message=message, hint="Repeat less, or list words with in [...]."))
        return size

    def _loop(self, loop: Loop, names: Mapping[str, Size], times: int) -> Size:
        over = self.read(loop.over, names, times)
        first = self.read(loop.first, names, times)
        turns = times * over.count
        self._turns += turns
        # What was gathered so far is added to in place, so that it costs nothing to go on with.
        inside = {**names, **dict.fromkeys(loop.variables, over.item or _PLAIN), loop.total: first}
        self.read(loop.goes_on, inside, turns)
        step = self.read(loop.step, inside, turns)
        grown = Size(first.count + over.count * max(0, step.count - first.count), step.item or first.item)
        return self.read(loop.result, {**names, loop.total: grown}, times)


def _largest(sizes: Iterable[Size | None]) -> Size | None:
    """What is at least as large as each of *sizes*; None where there is none."""
    found = [size for size in sizes if size is not None]
    if not found:
        return None
    return Size(max(size.count for size in found), _largest(size.item for size in found))
