"""Lines that do not fit together: indented otherwise than their neighbours, without a colon, without a dash."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from journeys.notation.unreadable import Unreadable, lines_of, unreadable

_FIELD = re.compile(r"""(?:"[^"]*"\s*|'[^']*'\s*|[^\s:'"{}\[\]#-][^:#]*):(?:\s+|$)""")
_INDENT = re.compile(r" *(?:- +)*")
_SPACES = re.compile(r" *")
_NO_SPACE_AFTER_DASH = re.compile(r" *-(?=[A-Za-z_{\"'])")
_NO_SPACE_AFTER_COLON = re.compile(r" *(?:- +)*([A-Za-z_][\w-]*):(?=\S)")
_BLOCK = re.compile(r":\s+[|>][-+0-9]*\s*$")
_COLUMNS = "Fields of one object begin below each other, and so do the dashes of one list."


class Line(NamedTuple):
    """A line of a text. *start*: the column at which its first field or value begins, after dashes."""

    text: str
    number: int

    @property
    def words(self) -> str:
        return lines_of(self.text)[self.number]

    @property
    def start(self) -> int:
        return _end(_INDENT, self.words)

    @property
    def spaces(self) -> int:
        """How many spaces it is indented by."""
        return _end(_SPACES, self.words)

    @property
    def value(self) -> int:
        """The column at which the value of its first field begins, or its value where it has no field."""
        found = _FIELD.match(self.words, self.start)
        return found.end() if found else self.start

    @property
    def has_dash(self) -> bool:
        return self.words.startswith("-", self.spaces)

    @property
    def has_field(self) -> bool:
        return bool(_FIELD.match(self.words, self.start))

    @property
    def begins_a_block(self) -> bool:
        """Whether the lines below it are one text."""
        return bool(_BLOCK.search(self.words))

    def above(self) -> Iterator[Line]:
        """The lines above that have something in them, the nearest first."""
        lines = lines_of(self.text)
        for number in range(self.number - 1, -1, -1):
            if lines[number].strip() and not lines[number].lstrip().startswith("#"):
                yield Line(self.text, number)

    def flaw(self, column: int, message: str, hint: str) -> Unreadable:
        return unreadable(self.text, self.number, column, message, hint)


def without_field(line: Line) -> Unreadable | None:
    """What is wrong with a line that should have a field in it, and has none."""
    words = line.words.strip()
    if dash := _NO_SPACE_AFTER_DASH.match(line.words):
        return line.flaw(dash.end(), "after the dash goes a space.", f"Write - {words[1:]}")
    if line.has_field:
        return None
    if colon := _NO_SPACE_AFTER_COLON.match(line.words):
        rest = line.words[colon.end() :].strip()
        return line.flaw(colon.end(), "after the colon goes a space.", f"Write {colon[1]}: {rest}")
    if (above := next(line.above(), None)) and above.begins_a_block:
        return line.flaw(line.spaces, "this text is not indented.", "Indent it more than the field that it belongs to.")
    hint = "A field is written as name: value. A text that goes on for several lines is indented more than its field."
    return line.flaw(line.start, "this line names no field.", hint) if words[:1].isalnum() else None


def misplaced(line: Line) -> Unreadable | None:
    """A line that is indented otherwise than those it can belong to."""
    if not (near := list(_neighbours(line))):
        return None
    own = line.spaces
    nearest = min(near, key=lambda other: abs(_column(line, other) - own))
    if (other := _column(line, nearest)) == own:
        return None
    message = f"this line is indented by {_count(own)}, line {nearest.number + 1} by {other}."
    return line.flaw(own, message, _COLUMNS)


def _neighbours(line: Line) -> Iterator[Line]:
    """The lines above that this one could belong to: the nearest, and each that it lies within."""
    narrowest = None
    for other in line.above():
        if line.has_dash and not other.has_dash:
            continue
        if narrowest is None or _column(line, other) < narrowest:
            narrowest = _column(line, other)
            yield other


def _column(line: Line, other: Line) -> int:
    return other.spaces if line.has_dash else other.start


def _count(spaces: int) -> str:
    return "1 space" if spaces == 1 else f"{spaces} spaces"


def _end(pattern: re.Pattern[str], words: str) -> int:
    found = pattern.match(words)
    return found.end() if found else 0
