"""What is said of expressions that give the wrong type, or that were meant as a text or a time."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from journeys.language.attributes import AttributeType
from journeys.language.cel_words import TEXTS, name_type
from journeys.language.scopes import ROOTS
from journeys.problems import Flaw

KINDS: Mapping[str, AttributeType] = {
    "STRING": "text",
    "DOUBLE": "number",
    "INT": "number",
    "UINT": "number",
    "BOOL": "boolean",
    "TIMESTAMP": "time",
}
"""The type of attribute that keeps what CEL gives."""

EXPECTED: Mapping[str, str] = {
    "text": "text",
    "number": "a number",
    "boolean": "true or false",
    "time": "a time",
    "date": "a date",
}
"""What an attribute of a type takes, in words."""


def flaws_of_type(gives: str, expected: AttributeType | None, source: str) -> list[Flaw]:
    """What is wrong with the type of what *source* gives: no attribute keeps it, or not the one that is set."""
    if gives not in KINDS:
        message = f"the expression gives {name_type(gives)}, which no attribute keeps."
        return [Flaw(path="", message=message, hint=_INSTEAD.get(re.split("[(<]", gives)[0], ""))]
    kind = KINDS[gives]
    if expected is None or fits(kind, expected):
        return []
    message = f"the expression gives {name_type(gives)}, {EXPECTED[expected]} is expected."
    if expected == "text" and not re.search(r"[a-z]", source):
        return [Flaw(path="", message=message, hint=a_text(source))]
    return [Flaw(path="", message=message, hint=_CONVERTED.get((kind, expected), "").format(source.strip()))]


def fits(kind: str, expected: str) -> bool:
    """Whether what is of one type may be kept as another: a date is written as a text."""
    return kind == expected or (kind, expected) == ("text", "date")


_INSTEAD = {
    "DURATION": "Write it as a number, such as (event.ends_at - now).getHours().",
    "LIST": "Name one of its members, such as list[0].",
    "MAP": "Name one of its members, such as map['key'].",
    "DYN": "Say which type it is: string(…), double(…), bool(…) or timestamp(…).",
    "NULL": "Leave the attribute out.",
    "BYTES": "Leave out the b before the quotes.",
}
_CONVERTED: Mapping[tuple[str, str], str] = {
    ("number", "text"): "Write string({}).",
    ("boolean", "text"): "Write {} ? 'yes' : 'no'.",
    ("time", "text"): "Write string({}).",
    ("text", "number"): "Write double({}).",
    ("boolean", "number"): "Write {} ? 1 : 0.",
    ("text", "boolean"): "Compare it with something, such as {} == 'yes'.",
    ("number", "boolean"): "Compare it with something, such as {} > 50.",
    ("time", "boolean"): "Compare it with something, such as {} < now.",
    ("text", "time"): "Write timestamp({}).",
}

_DAY = re.compile(r"\d{4}-\d\d?-\d\d?")
_TIME = re.compile(rf"{_DAY.pattern}[T ][\d:.]+\s*(Z|[+-][\d:]+)?")
_CALCULATING = re.compile(r"""["'(\[{?]|&&|\|\||[=!<>]=|[<>]""")
_TEXT = re.compile(r"[^\W\d_]|\d:\d|^\+\d")
_YES_OR_NO = frozenset({"yes", "no", "on", "off", "y", "n"})


def flaw_of_bare_time(source: str, expected: AttributeType | None) -> Flaw | None:
    """The flaw of a time without quotes: to CEL ``2026-03-01`` is 2022, a number less two others."""
    found = source.strip()
    if _TIME.fullmatch(found):
        hint = f"A time is written 'timestamp(\"{found}\")'."
    elif _DAY.fullmatch(found):
        time = f"'timestamp(\"{found}T09:00:00Z\")'"
        hint = f"A time is written {time}." if expected == "time" else f"{a_text(found, 'date')} A time is {time}."
    else:
        return None
    return Flaw(path="", message=f"{found} is not understood.", hint=hint)


def flaw_of_bare_text(source: str, scope: Collection[str], expected: AttributeType | None) -> Flaw | None:
    """What is wrong with words that were meant as a text, and have no quotes of their own."""
    words = source.strip()
    named = set(re.findall(r"\w+", words))
    if not _TEXT.search(words) or _CALCULATING.search(words) or named & {*ROOTS, *scope, "sent", "now"}:
        return None
    if expected == "boolean" and words.lower() in _YES_OR_NO:
        return Flaw(path="", message=f'there is no "{words}".', hint="Write true or false.")
    if words.isidentifier():
        return None  # it may be an attribute that is mistyped
    return Flaw(path="", message=f"{_short(words)} is not understood.", hint=a_text(words))


def a_text(words: str, what: str = "text") -> str:
    """How *words* are written as a text."""
    return TEXTS.format(what, _short(words.strip()))


def _short(words: str) -> str:
    return words if len(words) <= 60 else f"{words[:59]}…"
