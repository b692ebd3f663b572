"""Sources that CEL cannot read: what it stumbled at, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from journeys.language.cel_source import What
from journeys.language.scopes import ROOTS
from journeys.problems import Flaw


class Place:
    """A place in a source: CEL's line from 1 and column from 1, both in characters."""

    def __init__(self, source: str, line: int, column: int) -> None:
        lines = source.split("\n")
        self.words = f"column {column}" if len(lines) == 1 else f"line {line}, column {column}"
        text = lines[line - 1] if line <= len(lines) else ""
        self.before, self.after = text[: column - 1], text[column - 1 :]


def syntax_flaw(error: str, place: Place, what: What) -> Flaw | None:
    """The flaw of one of CEL's errors of syntax; None where it is none."""
    if found := _MISSING.search(error):
        return Flaw(path="", message=f'"{found[1]}" is missing ({place.words}).')
    if found := _UNREADABLE.search(error):
        return _not_understood(found[1].strip(), place, what)
    if found := _RESERVED.match(error):
        hint = _IF[what] if found[1] == "if" else ""
        return Flaw(path="", message=f'"{found[1]}" is not understood here ({place.words}).', hint=hint)
    for part, (message, hint) in _OTHERS.items():
        if part in error:
            return Flaw(path="", message=f"{message} ({place.words}).", hint=hint)
    return None


_IF: Mapping[What, str] = {
    "condition": "Write only what must hold, without if.",
    "expression": "Write event.vip ? 'yes' : 'no' for if.",
}
_MISSING = re.compile(r"Syntax error: missing '(.+?)' at ")
_UNREADABLE = re.compile(r"Syntax error: (?:.*? input|token recognition error at:) '(.*?)'(?: expecting .*)?$")
_RESERVED = re.compile(r"reserved identifier: (\w+)")
_OTHERS: Mapping[str, tuple[str, str]] = {
    "Syntax error": ("this is not understood", ""),
    "int literal": ("this number is too large", ""),
    "double literal": ("this number is too large", ""),
    "string literal": ("this text cannot be read", r"\ begins a special character; write \\ for \."),
    "bytes literal": ("this text cannot be read", r"\ begins a special character; write \\ for \."),
    "has() argument": ("has asks for an attribute", "Write it as has(event.coupon)."),
    "variable name must be": ("this asks each member of a list by a name", "Write it as list.all(x, x > 0)."),
}

_END = "<EOF>"
_OPEN = re.compile(r"""^(?:"[^"]*|'[^']*)$""")


def _not_understood(found: str, place: Place, what: What) -> Flaw:
    if found == _END:
        return Flaw(path="", message=f"the {what} ends too early ({place.words}).")
    found = found.removesuffix(r"\n").strip()
    if place.after[:1] in ("'", '"') and _OPEN.match(place.after.rstrip()):
        return Flaw(path="", message=f"the text that begins with {place.after[0]} is not closed ({place.words}).")
    shown = found if found[:1] in ("'", '"') and len(found) > 1 else f'"{found}"'
    return Flaw(
        path="",
        message=f"{shown} is not understood here ({place.words}).",
        hint=next(_hints(found, place.before.rstrip()), ""),
    )


class _Spelling(NamedTuple):
    """What other languages write, and what it is here. *before*: what stands right before what CEL stumbled at."""

    before: str
    found: str
    hint: str


_SPELLINGS = (
    _Spelling("==", "=", "Write == for ===."),
    _Spelling("!=", "=", "Write != for !==."),
    _Spelling("<", ">", "Write != for <>."),
    _Spelling("not", "", "Write ! for not."),
    _Spelling("", "and", "Write && for and."),
    _Spelling("", "or", "Write || for or."),
    _Spelling("", "not", "Write ! for not."),
    _Spelling("", "is", "Write == for is."),
    _Spelling("", "equals", "Write == for equals."),
    _Spelling("", "=", "Write == for =."),
    _Spelling("", "=>", "Write >= for =>."),
    _Spelling("", "&", "Write && for &."),
    _Spelling("", "|", "Write || for |."),
    _Spelling("", "like", "Write .contains('…') for like."),
    _Spelling("", "between", "Join two comparisons with &&."),
    _Spelling("", "#", "Remarks begin with //."),
    _Spelling("", ";", "Leave it out."),
    _Spelling("", "then", "Write only what must hold."),
    _Spelling("", "}", "Attributes are named without braces, such as event.total."),
    _Spelling("", "$", "Attributes are named without signs, such as event.total."),
)
_UNITS = re.compile(r"(day|hour|minute|second|week)s?")
_METHODS = frozenset({"contains", "startswith", "endswith", "matches"})
_CURLY = frozenset("“”„«»‘’")


def _hints(found: str, before: str) -> Iterator[str]:
    """What may help, the best first."""
    word = found.lower()
    for spelling in _SPELLINGS:
        if before.lower().endswith(spelling.before) and spelling.found in ("", word):
            yield spelling.hint
    if found == "," and re.search(r"\bin\s*\([^)]*$", before):
        yield 'A list goes in brackets: in ["a", "b"].'
    if before[-1:].isdigit() and _UNITS.fullmatch(word):
        yield "A duration is written in hours, minutes or seconds: duration('48h')."
    if found[:1] in _CURLY:
        yield f"Write \" or ' for {found[0]}."
    if word in _METHODS:
        yield f"It goes after a dot: {_last(before)}.{found}('…')."
    if before.endswith(ROOTS) and found.isidentifier():
        yield f"Write {_last(before)}.{found}."
    if before[-1:].isdigit() and (found == "," or not found.isascii() or found.isupper()):
        yield "Write numbers alone, such as 1000.50."
    if "\\" in found:
        yield r"\ begins a special character; write \\ for \."
    if before.endswith(("'", '"')):
        yield 'A text with quotes in it goes in the other ones, such as "it\'s".'


def _last(before: str) -> str:
    return re.split(r"[\s(!&|]", before)[-1]
