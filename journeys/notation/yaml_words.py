"""What is wrong with a text that is no YAML, in the words of people who write journeys."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

import yaml

from journeys.notation.unreadable import Unreadable, lines_of
from journeys.notation.yaml_layout import Line, misplaced, without_field

QUOTES = "Put the value in quotes."
SIGNS: Mapping[str, str] = {
    "{": "`{` begins an object in YAML.",
    "[": "`[` begins a list in YAML.",
    "@": "`@` cannot begin a value in YAML.",
    "`": "a backtick cannot begin a value in YAML.",
    "%": "`%` cannot begin a value in YAML.",
    "*": "`*` at the beginning of a value copies another one, which is not done here.",
    "&": "`&` at the beginning of a value names it to be copied, which is not done here.",
    "!": "`!` at the beginning of a value names its type, which is not done here.",
    "|": "`|` begins a text of several lines, and is alone in its line.",
    ">": "`>` begins a text of several lines, and is alone in its line.",
    ",": "`,` cannot begin a value in YAML.",
    "?": "`?` cannot begin a value in YAML.",
    "}": "this `}` closes nothing.",
    "]": "this `]` closes nothing.",
}
"""What a sign means where a value begins with it."""


class _Case(NamedTuple):
    """Where the reader stumbled, and what it was reading since when. Columns are from 0."""

    line: Line
    column: int
    since: Line
    since_column: int
    reading: str

    @property
    def letter(self) -> str:
        """What stands where the reader stumbled; nothing at the end of a line."""
        return self.line.words[self.column : self.column + 1]

    @property
    def in_brackets(self) -> bool:
        return "flow" in self.reading

    def here(self, message: str, hint: str = QUOTES) -> Unreadable:
        return self.line.flaw(self.column, message, hint)

    def there(self, message: str, hint: str = QUOTES) -> Unreadable:
        return self.since.flaw(self.since_column, message, hint)


def explain(text: str, error: yaml.MarkedYAMLError, last: yaml.ScalarEvent | None) -> Unreadable:
    """The reader's *error* about *text*: which line, what is wrong with it and what to do.

    *last*: the last value that was read before.
    """
    case = _case(text, error)
    asked = (ask(case) for words, ask in _CASES.items() if words in (error.problem or ""))
    ways = (
        _tab(case),
        _goes_on(case),
        _quotes_over_lines(text, case, last),
        _sign_of_value(case),
        _after_quotes(case),
        *asked,
    )
    return next(filter(None, ways), None) or case.here(*_NOBODY_KNOWS)


_NOBODY_KNOWS = (
    "this does not fit what is above it.",
    "Look at the spaces at the beginning of the line, at quotes and at brackets.",
)


def sign_before(text: str, line: int, column: int) -> Unreadable:
    """A value that begins with ``{{``, as templates do: to YAML it is an object within an object."""
    place = Line(text, line)
    return place.flaw(column, SIGNS["{"], _in_quotes(place) if place.value == column else QUOTES)


def _case(text: str, error: yaml.MarkedYAMLError) -> _Case:
    line, column = _place(text, error.problem_mark or error.context_mark)
    since, since_column = _place(text, error.context_mark or error.problem_mark)
    return _Case(line, column, since, since_column, reading=error.context or "")


def no_field(text: str) -> Unreadable:
    """A text that is one value, and no object."""
    lines = [line for line in Line(text, len(lines_of(text))).above() if not line.words.startswith("---")]
    found = (flaw for line in reversed(lines) if (flaw := without_field(line)))
    return next(found, None) or lines[-1].flaw(0, "there is no field in it.", "Write name: value, one in each line.")


class _Mark(Protocol):
    """What PyYAML's own marks and those of libyaml have in common."""

    line: int
    column: int


def _place(text: str, mark: _Mark | None) -> tuple[Line, int]:
    lines = lines_of(text)
    if mark is None:
        return Line(text, 0), 0
    if mark.line >= len(lines):  # behind the end of a text that does not end with a new line
        return Line(text, len(lines) - 1), len(lines[-1])
    return Line(text, mark.line), mark.column


def _tab(case: _Case) -> Unreadable | None:
    blank = re.match(r"\s*(?:-\s+)*", case.line.words)
    if not blank or "\t" not in blank[0] or case.column > blank.end():
        return None
    begins = "a tab follows the dash." if "-" in blank[0] else "this line begins with a tab."
    return case.line.flaw(blank[0].index("\t"), begins, "YAML is indented with spaces: replace the tab.")


def _goes_on(case: _Case) -> Unreadable | None:
    """A condition of several lines of which the next one begins as far out as its field."""
    if not case.line.words.strip().startswith(("&&", "||")) or case.in_brackets:
        return None
    return case.here("this line goes on with the one above it.", "Indent it by more than the field that it belongs to.")


def _no_blank(case: _Case) -> Unreadable:
    """``{with:}``: a colon with nothing after it, within brackets."""
    return case.here("nothing follows the colon.", "Write a value after it, or leave the field out.")


def _quotes_over_lines(text: str, case: _Case, last: yaml.ScalarEvent | None) -> Unreadable | None:
    """Quotes that were closed by those of a later line: what follows them there is what the reader stumbles at."""
    if last is None or last.style not in ("'", '"'):
        return None
    (first, column), (end, _) = _place(text, last.start_mark), _place(text, last.end_mark)
    if first.number == end.number or end.number != case.line.number:
        return None
    return first.flaw(column, *_not_closed(last.style))


def _not_closed(opening: str) -> tuple[str, str]:
    closing = {"{": "}", "[": "]"}.get(opening, opening)
    return f"the {opening} that opens here is not closed.", f"Write {closing} where it ends."


def _sign_of_value(case: _Case) -> Unreadable | None:
    """What the value of the line begins with, where that is the reason."""
    value = case.line.words[case.line.value :].strip()
    if value.startswith("```"):
        return case.here("this is no part of the definition.", "Remove the line, and the one like it at the end.")
    if case.column < case.line.value or "quoted" in case.reading:
        return None
    if value.startswith(("{{", "{%")) or (value[:1] in {*"@`%*&!|>,?"} and not case.in_brackets):
        return case.line.flaw(case.line.value, SIGNS[value[0]], _in_quotes(case.line))
    return None


def _after_quotes(case: _Case) -> Unreadable | None:
    """More of a value after quotes that ended too early."""
    value = case.line.words[case.line.value :].strip()
    quote = value[:1]
    if quote not in {*"'\""} or value.count(quote) < 2 or case.column <= case.line.value:
        return None
    if case.in_brackets or "quoted" in case.reading:
        return None
    return case.here(f"the value that begins with {quote} ends before this.", f"Write {_again(value)}")


def _again(value: str) -> str:
    """A value of which only a part was in quotes, all in quotes."""
    quote = value[0]
    if value.endswith(quote):
        value = value[1:-1].replace("''", "'") if quote == "'" else value[1:-1].replace('\\"', '"')
    return quoted(value)


def _in_quotes(line: Line) -> str:
    return f"Put the value in quotes: {quoted(line.words[line.value :].strip())}"


def quoted(value: str) -> str:
    """*value* in quotes, as YAML reads it back."""
    if '"' not in value and "\\" not in value:
        return f'"{value}"'
    return "'" + value.replace("'", "''") + "'"


def _colon(case: _Case) -> Unreadable | None:
    """A colon where no field can be named: in the middle of a value, or because the line above reads on."""
    before = case.line.words[: case.column]
    if case.line.has_field and case.column >= case.line.value:
        return case.here("a colon with a space after it begins a new field.", _in_quotes(case.line))
    if "{" in before or "[" in before:
        return case.here("a colon with a space after it begins a new field.")
    above = next(case.line.above(), None)
    return (above and without_field(above)) or misplaced(case.line)


def _no_key(case: _Case) -> Unreadable | None:
    """No field where one of an object is expected."""
    if case.letter in ("}", "]"):
        return case.here(SIGNS[case.letter], "Remove it, or put the value in quotes.")
    if case.column > case.line.start:
        return None
    if found := (None if case.line.has_dash else without_field(case.line)) or misplaced(case.line):
        return found
    if not case.line.has_dash:
        return None
    hint = "A list stands below a field of its own, such as steps:"
    return case.here("a list begins here, among the fields of an object.", hint)


def _no_dash(case: _Case) -> Unreadable | None:
    if re.match(r"\s*-\S", case.line.words):
        return case.here("after the dash goes a space.", "Write - before what belongs to the list.")
    if case.column == case.since_column:
        hint = "All that belongs to a list begins with a dash."
        return case.here("this line stands in a list and has no dash.", hint)
    return without_field(case.line) or misplaced(case.line)


def _no_colon(case: _Case) -> Unreadable | None:
    return without_field(case.since)


def _open_quote(case: _Case) -> Unreadable:
    return case.there(*_not_closed(case.since.words[case.since_column : case.since_column + 1]))


def _open_bracket(case: _Case) -> Unreadable:
    opening = case.since.words[case.since_column : case.since_column + 1]
    message, hint = _not_closed(opening)
    if case.line.number > case.since.number and case.letter in ("{", "["):
        return case.here("a comma is missing before this.", "Write one at the end of the line above.")
    if case.line.number > case.since.number or not case.letter:
        return case.there(message, hint)
    if condition := _CONDITION.search(case.line.words[: case.column]):
        message = "within { } a condition with brackets, commas or quotes in it is no plain text."
        return case.here(message, f"Put all of it in single quotes, {condition[1]}: '…', or on a line of its own.")
    if expression := _EXPRESSION.search(case.line.words[: case.column]):
        message = "within { } an expression with brackets, commas or quotes in it is no plain text."
        return case.here(message, f"Put all of it in single quotes, {expression[1]}: '…', or on a line of its own.")
    return case.here("a comma, or the end of the list or object, is missing before this.", "Put texts in quotes.")


_EXPRESSION = re.compile(r"\b(?:with|set)\s*:\s*\{(?:.*,)?\s*(\w+)\s*:\s+[^,]*$")
_CONDITION = re.compile(r"\b(when|where|becomes)\s*:\s+[^,]*$")


def _no_value(case: _Case) -> Unreadable | None:
    if case.letter in SIGNS:
        return case.here(SIGNS[case.letter])
    return _last_bracket(case) if case.in_brackets else None


def _last_bracket(case: _Case) -> Unreadable | None:
    """The nearest bracket before the end of the text, which is where the reader stumbled."""
    for line in (case.line, *case.line.above()):
        if (column := max(line.words.rfind("{"), line.words.rfind("["))) >= 0:
            return line.flaw(column, *_not_closed(line.words[column]))
    return None


def _sign(case: _Case) -> Unreadable | None:
    return case.here(SIGNS[case.letter]) if case.letter in SIGNS else None


def _block(case: _Case) -> Unreadable | None:
    sign = case.since.words[case.since_column : case.since_column + 1]
    return case.there(SIGNS[sign]) if sign in SIGNS else None


def _escape(case: _Case) -> Unreadable:
    hint = r"Write \\ for \, or put the value in single quotes."
    return case.here(r"\ begins a special character in double quotes, and this is none.", hint)


def _list_in_line(case: _Case) -> Unreadable:
    return case.here("a list does not begin in the line of its field.", "Begin a new line with - below the field.")


def _percent(case: _Case) -> Unreadable:
    return case.here("`%` cannot begin a line in YAML.")


def _second(case: _Case) -> Unreadable:
    return case.here("something follows the end of the definition.", "Write one definition in each file.")


def _deep(case: _Case) -> Unreadable:
    return case.here("it is nested too deeply.", "")


# What libyaml says, in parts of its sentences, and who knows what is behind it.
_CASES: Mapping[str, Callable[[_Case], Unreadable | None]] = {
    "mapping values are not allowed": _colon,
    "mapping keys are not allowed": _sign,
    "did not find expected key": _no_key,
    "found unexpected ':'": _no_blank,
    "did not find expected '-' indicator": _no_dash,
    "could not find expected ':'": _no_colon,
    "found unexpected end of stream": _open_quote,
    "found unexpected document indicator": _open_quote,
    "did not find expected ',' or": _open_bracket,
    "did not find expected node content": _no_value,
    "found unknown escape character": _escape,
    "did not find expected hexdecimal number": _escape,
    "found invalid Unicode character escape code": _escape,
    "found character that cannot start any token": _sign,
    "block sequence entries are not allowed": _list_in_line,
    "did not find expected comment or line break": _block,
    "indentation indicator": _block,
    "directive": _percent,
    "non-alphabetical": _percent,
    "incompatible YAML document": _percent,
    "did not find expected <document start>": _second,
    "exceeded maximum nesting depth": _deep,
}
