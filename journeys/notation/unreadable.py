"""Text that cannot be read, with the line that it is about and a mark below the place."""

from __future__ import annotations

import re
from functools import lru_cache

from journeys.problems import Flaw

# All that the reader of YAML counts as the end of a line.
_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_WIDTH = 100
_BEFORE = 60


class Unreadable(ValueError):
    """A text is no YAML or JSON, or none that is read here."""

    def __init__(self, flaw: Flaw) -> None:
        self.flaw = flaw
        super().__init__(str(flaw))


def unreadable(text: str, line: int, column: int, message: str, hint: str = "") -> Unreadable:
    """What is wrong at a *line* and *column* of *text*, both from 0."""
    lines = lines_of(text)
    line = min(line, len(lines) - 1)
    flaw = Flaw(path="", message=f"line {line + 1}: {message}", hint=hint, excerpt=_excerpt(lines[line], line, column))
    return Unreadable(flaw)


@lru_cache(maxsize=2)  # who looks for what is wrong goes through the same text line by line
def lines_of(text: str) -> tuple[str, ...]:
    """The lines of *text*, without their ends."""
    return tuple(_LINE_END.split(text))


def place_of(text: str, offset: int) -> tuple[int, int]:
    """The line and the column, both from 0, of a character of *text*."""
    before = _LINE_END.split(text[:offset])
    return len(before) - 1, len(before[-1])


def _excerpt(line: str, number: int, column: int) -> str:
    first = max(0, min(column, len(line)) - _BEFORE)
    before, rest = line[first:column], line[column : first + _WIDTH]
    label = f"{number + 1} | "
    return f"{label}{_plain(before + rest)}\n{' ' * (len(label) + len(_plain(before)))}^"


def _plain(text: str) -> str:
    """As it can be shown with a mark below it: nothing that moves what follows."""
    return "".join(letter if letter.isprintable() else "?" for letter in text.replace("\t", "    "))
