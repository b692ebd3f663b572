"""Attributes: the typed facts that an event or a customer carries, how they are declared and checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import islice
from typing import Annotated, Literal, TypeVar, cast, get_args

from pydantic import AfterValidator, WithJsonSchema

from journeys.models import Expected
from journeys.nearest import did_you_mean, nearest
from journeys.problems import Flaw
from journeys.storable import MOST_FLAWS, unstorable, unstorable_number

AttributeType = Literal["text", "number", "boolean", "time", "date"]
Declaration = Annotated[
    Literal["text", "number", "boolean", "time", "date", "text?", "number?", "boolean?", "time?", "date?"],
    Expected("text, number, boolean, time or date, with a ? after it where it may be missing"),
]
"""The type of an attribute; with a question mark it may be missing or null."""

Value = Annotated[
    str | bool | int | float | None,
    Expected("text, a number, true, false or null; lists and objects are not taken"),
]
"""What an attribute holds. A time is written as text, such as "2026-11-24T09:00:00Z", and a date too: "2026-03-01"."""

Attributes = dict[str, Value]

LONGEST_TEXT = 32_768
"""Bytes in UTF-8: no more than an event has, so that what a condition may cost can be known before it is asked."""

FIRST_YEAR, LAST_YEAR = 1900, 2200
"""Of a date. Earlier and later ones are what some program writes for a day that it does not know."""

Anything = TypeVar("Anything")

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_REFERENCE = re.compile(rf"(event|customer)\.({_NAME.pattern})")

# CEL reads these as words of its own even after a dot, so no condition could ever name such an attribute.
_CEL_WORDS = frozenset({"in", "true", "false", "null"})


def _like(text: str) -> str:
    """*text* as an attribute's name, where it can be one: ``cart_total`` of ``cartTotal``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text.strip().rstrip("?"))
    meant = re.sub(r"[\s.-]+", "_", words).lower()
    return meant if _NAME.fullmatch(meant) and len(meant) <= 60 else "cart_id"


def _name(text: str) -> str:
    root, _, name = text.partition(".")
    if root in ("event", "customer") and _NAME.fullmatch(name):
        raise ValueError(f'"{text}" goes without its root here: {name}')
    if _NAME.fullmatch(text.removesuffix("?")) and text.endswith("?"):
        raise ValueError(f'"{text}" has its question mark after the name: it goes after the type, such as text?')
    if not _NAME.fullmatch(text):
        raise ValueError(f'"{text}" cannot name an attribute: use small letters, digits and _, such as {_like(text)}')
    if text in _CEL_WORDS:
        raise ValueError(f'"{text}" is no attribute name: conditions have another meaning for it')
    return text


AttributeName = Annotated[
    str,
    AfterValidator(_name),
    # A pattern by itself would say something of the values only: patternProperties.
    WithJsonSchema({"type": "string", "allOf": [{"pattern": rf"^{_NAME.pattern}$"}]}),
    Expected("small letters, digits and _, such as cart_id"),
]
Schema = Mapping[AttributeName, Declaration]
"""What a trigger or the customers of a house declare: ``{"total": "number", "coupon": "text?"}``."""


def types(schema: Mapping[str, str]) -> dict[str, AttributeType]:
    """Each attribute's type, without the question mark."""
    return {name: _type(declared) for name, declared in schema.items()}


def declaration_of(value: object) -> Declaration:
    """What the first value of an attribute that nobody has declared makes of it: of that type, and never required."""
    match value:
        case bool():
            return "boolean?"
        case int() | float():
            return "number?"
        case _:
            return "text?"


def say_type(kind: AttributeType) -> str:
    """What an attribute of this type holds, in words."""
    return _EXPECTED[kind]


def merged(attributes: Mapping[str, Value], given: Mapping[str, Value]) -> Attributes:
    """The attributes with those that are *given* in their place. What is given as null is gone."""
    return {name: value for name, value in {**attributes, **given}.items() if value is not None}


def under(root: str, named: Mapping[str, Anything]) -> dict[str, Anything]:
    """The same mapping with its names as conditions write them: ``total`` is ``event.total``."""
    return {f"{root}.{name}": value for name, value in named.items()}


def reference(text: str) -> tuple[str, str]:
    """Split ``event.cart_id`` into its root, event or customer, and its name; else ValueError."""
    if found := _REFERENCE.fullmatch(text):
        return found[1], found[2]
    raise ValueError(f'"{text}" is not a reference: write event. or customer. and a name, such as event.cart_id')


def nearest_attribute(name: str, known: Iterable[str]) -> str | None:
    """The attribute of customers that *name* was meant to be. Anybody may declare one, so it is much alike or new."""
    return nearest(name, known, alike=0.7)


def how_to_declare(name: str, kind: AttributeType) -> str:
    """How an attribute is declared that customers do not have."""
    return f"{{attribute: {name}, type: {kind}}} in a file to apply, or PUT /v1/customer-attributes/{name}."


def meant_by(name: str, known: Iterable[str], kind: AttributeType = "text") -> str:
    """A hint for a reference that is not known: the nearest one of its root, or what there is and how to declare it.

    The shared ``customer.`` does not make two names alike. *kind*: what would do in its place.
    """
    root, _, rest = name.partition(".")
    there = sorted(known)
    siblings = {other.removeprefix(f"{root}."): other for other in there if other.startswith(f"{root}.")}
    look = nearest_attribute if root == "customer" else nearest
    if near := look(rest, siblings) or look(rest.rpartition(".")[2], siblings):
        return f'Did you mean "{siblings[near]}"?'
    hint = f"There is: {', '.join(siblings.values() or there)}." if there else "There is none yet."
    can_be_declared = root == "customer" and siblings and _NAME.fullmatch(rest)
    return f"{hint} Or declare it: {how_to_declare(rest, kind)}" if can_be_declared else hint


def is_too_long(text: str) -> bool:
    """Whether *text* has more bytes than an attribute may have."""
    return len(text) > LONGEST_TEXT // 4 and len(text.encode(errors="surrogatepass")) > LONGEST_TEXT


def check_attributes(schema: Mapping[str, str], attributes: Mapping[str, object]) -> list[Flaw]:
    """What is wrong with *attributes*, each flaw with the attribute as its path. The first MOST_FLAWS."""
    return list(islice(flaws_of_attributes(schema, attributes), MOST_FLAWS))


def flaws_of_attributes(schema: Mapping[str, str], attributes: Mapping[str, object]) -> Iterator[Flaw]:
    """The same one by one: to look for the name that was meant takes time."""
    for name in attributes:
        if name not in schema:
            yield Flaw(path=name, message="this attribute is not declared.", hint=did_you_mean(name, schema))
    for name, declared in schema.items():
        if message := _wrong(declared, name, attributes):
            yield Flaw(path=name, message=message)


def typed(schema: Mapping[str, str], attributes: Mapping[str, object]) -> dict[str, object]:
    """The declared attributes as conditions take them: times are aware UTC datetimes, numbers are floats.

    Dates stay texts: all of one form, they compare as the days do.
    What is missing or null is left out. What would not pass the check stays as it is.
    """
    return {
        name: _typed(_type(declared), attributes[name])
        for name, declared in schema.items()
        if attributes.get(name) is not None
    }


@lru_cache(maxsize=1024)
def _type(declared: str) -> AttributeType:
    bare = declared.removesuffix("?")
    if bare not in get_args(AttributeType):
        raise ValueError(f'there is no attribute type "{declared}". {did_you_mean(bare, get_args(AttributeType))}')
    return cast(AttributeType, bare)


def _wrong(declared: str, name: str, attributes: Mapping[str, object]) -> str:
    value = attributes.get(name)
    if value is not None:
        return _wrong_value(_type(declared), value)
    if declared.endswith("?"):
        return ""
    found = "null was found" if name in attributes else "it is missing"
    return f"{found}, {_EXPECTED[_type(declared)]} is required."


_EXPECTED: Mapping[AttributeType, str] = {
    "text": "text",
    "number": "a number",
    "boolean": "true or false",
    "time": 'a time such as "2026-11-24T09:00:00Z"',
    "date": 'a day such as "2026-03-01"',
}


def _wrong_value(expected: AttributeType, value: object) -> str:
    match expected, value:
        case "text", str():
            return _wrong_text(value)
        case "number", int() | float() if not isinstance(value, bool):
            return unstorable_number(value)
        case "boolean", bool():
            return ""
        case "time", str() | datetime():
            return _wrong_time(value)
        case "date", str():
            return wrong_date(value)
        case "date", int() | float() if value == 0 and not isinstance(value, bool):
            return _NO_DAY.format("0")
        case _:
            return f"{_show(value)} was found, {_EXPECTED[expected]} was expected.{_mended(expected, value)}"


def _mended(expected: AttributeType, value: object) -> str:
    match expected, value:
        case "text", bool() | int() | float():
            return " Put it in quotes."
        case "number", str() if re.fullmatch(r"-?\d+(\.\d+)?", value):
            return " Write it without quotes."
        case "boolean", "true" | "false":
            return " Write it without quotes."
        case _:
            return ""


def _wrong_text(text: str) -> str:
    if is_too_long(text):
        return f"this text is too long: at most {LONGEST_TEXT} bytes are kept."
    return unstorable(text)


def _wrong_time(value: str | datetime) -> str:
    try:
        moment = _moment(value)
    except ValueError:
        return f"{_show(value)} was found, {_EXPECTED['time']} was expected."
    except OverflowError:
        return f"{_show(value)} was found, a time between the years 1 and 9999 in UTC was expected."
    if moment is None:
        return f"{_show(value)} has no offset, so it is not one moment: add Z or an offset such as +02:00."
    return ""


def wrong_date(text: str) -> str:
    """What is wrong with a day that is written as *text*; nothing where it is one."""
    if text.strip() in ("0", "0000-00-00"):
        return _NO_DAY.format(_show(text))
    try:
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return f"{_show(text)} was found, and there is no such day."
    if day is None:
        why = ": a date has no time of day." if _DAY.match(text) else "."
        return f"{_show(text)} was found, {_EXPECTED['date']} was expected{why}"
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        return f"{_show(text)} was found, a day from {FIRST_YEAR} to {LAST_YEAR} was expected."
    return ""


_NO_DAY = "{} was found, which is no day: leave the attribute out where the day is not known."
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _moment(value: str | datetime) -> datetime | None:
    """The moment in UTC, or None when the offset is missing."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return None if moment.utcoffset() is None else moment.astimezone(UTC)


def _typed(expected: AttributeType, value: object) -> object:
    if expected in ("text", "boolean", "date") or _wrong_value(expected, value):
        return value
    return _moment(value) if isinstance(value, str | datetime) else float(cast(float, value))


def _show(value: object) -> str:
    """The value as JSON would show it, shortened."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'"{_short(value)}"'
        case datetime():
            return value.isoformat()
        case list() | tuple():
            return "a list"
        case Mapping():
            return "an object"
        case int() if value.bit_length() > 200:
            return "a number too large"
        case _:
            return _short(str(value))


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
