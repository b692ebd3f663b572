"""Durations as people write them: ``1 day``, ``36 hours``, ``1 day 12 hours``, ``P1DT12H``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from journeys.models import Expected, when_written
from journeys.nearest import did_you_mean

LONGEST = timedelta(days=365_000)
"""A thousand years: a calendar ends in the year 9999, and nothing may lead beyond it."""

EXAMPLES = ("1 day", "36 hours", "1 day 12 hours", "P1DT12H")

DURATION = "Duration"
"""What the schema of a duration is called."""

_MICROSECONDS = {
    "week": 604_800_000_000,
    "day": 86_400_000_000,
    "hour": 3_600_000_000,
    "minute": 60_000_000,
    "second": 1_000_000,
}
_SHORT = {
    "w": "week",
    "d": "day",
    "h": "hour",
    "hr": "hour",
    "m": "minute",
    "min": "minute",
    "s": "second",
    "sec": "second",
}


def _in_any_case(unit: str) -> str:
    letters = "".join(f"[{letter.upper()}{letter}]" for letter in unit)
    return f"{letters}[Ss]?" if len(unit) > 1 else letters


_N = r"[0-9]+(\.[0-9]+)?"
_UNIT = f"({'|'.join(map(_in_any_case, (*_MICROSECONDS, *_SHORT)))})"
_IN_WORDS = rf"{_N}\s*{_UNIT}\s*((,\s*|and\s+)?{_N}\s*{_UNIT}\s*)*"
_ISO_8601 = f"[Pp]({_N}[Ww])?({_N}[Dd])?([Tt]({_N}[Hh])?({_N}[Mm])?({_N}[Ss])?)?"
FORM = rf"^\s*({_IN_WORDS}|{_ISO_8601})\s*$"
"""For editors: what every duration matches, and most that is none does not, such as a bare number or a month."""


def parse(text: str) -> timedelta:
    """Read a duration in words or in ISO 8601, exact to the microsecond.

    Raises ValueError, saying what was found and what was expected.
    """
    written = text.strip()
    _refuse_what_is_no_length_of_time(written)
    parts = _iso_parts(written) if written[:1] in ("P", "p") else _worded_parts(written)
    return _total(parts, written)


def say(duration: timedelta) -> str:
    """The one canonical way to write *duration*; ``parse`` reads it back exactly."""
    if duration < timedelta():
        return f"-{say(-duration)}"
    minutes, seconds = divmod(duration.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{duration.microseconds:06d}".rstrip("0").rstrip(".")
    counts = [
        (str(duration.days), "day"),
        (str(hours), "hour"),
        (str(minutes), "minute"),
        (f"{seconds}{fraction}", "second"),
    ]
    said = [f"{count} {unit}" if count == "1" else f"{count} {unit}s" for count, unit in counts if count != "0"]
    return " ".join(said) or "0 seconds"


def _read(value: object) -> timedelta:
    if isinstance(value, str):
        return parse(value)
    if not isinstance(value, timedelta):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        shown = value if number else "nothing" if value is None else "this"
        raise ValueError(f"{shown} is not a duration: {_LIKE}")
    if value < timedelta():
        raise ValueError(f'"{say(value)}" is negative: {_FORWARD}')
    return value


def _no_longer_than_a_calendar(duration: timedelta) -> timedelta:
    if duration > LONGEST:
        raise ValueError(f'"{say(duration)}" is too long: the longest duration is {say(LONGEST)}')
    return duration


Duration = Annotated[
    timedelta,
    BeforeValidator(_read),
    when_written(_no_longer_than_a_calendar),
    PlainSerializer(say, return_type=str),
    WithJsonSchema({"type": "string", "title": DURATION, "examples": list(EXAMPLES)}),
    Expected("a duration such as 1 day"),
]
"""A pydantic field that reads text (or a timedelta, never a bare number) and writes ``say``'s text."""


_LIKE = 'write it with its unit, such as "1 day", "36 hours" or "P1DT12H"'
_FORWARD = "a duration only goes forward"
_LONGEST_TEXT = 200

_CALENDAR = {"month": 30, "mo": 30, "year": 365, "yr": 365, "y": 365}

_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_BARE = re.compile(rf"[+-]?{_NUMBER}")
_DATE = re.compile(r"[0-9]{1,4}-[0-9]{1,2}-[0-9]{1,4}")
_NEGATIVE = re.compile(r"-\s*[0-9pP]")
_PART = re.compile(rf"(?:^|,\s*|and\s+|\s*)({_NUMBER})\s*([a-zA-Z]+)\s*")
_TRAILING_NUMBER = re.compile(rf".*\s({_NUMBER})")
_ISO_CALENDAR = re.compile(rf"P(?:{_NUMBER}[YMWD])*?{_NUMBER}([YM]).*", re.IGNORECASE)
_ISO = re.compile(
    rf"P(?=.*[0-9])(?:({_NUMBER})W)?(?:({_NUMBER})D)?(?:T(?=[0-9])(?:({_NUMBER})H)?(?:({_NUMBER})M)?(?:({_NUMBER})S)?)?",
    re.IGNORECASE,
)


def _refuse_what_is_no_length_of_time(text: str) -> None:
    if len(text) > _LONGEST_TEXT:
        raise ValueError(f'"{text[:20]}…" is {len(text)} characters long: {_LIKE}')
    if _BARE.fullmatch(text):
        raise ValueError(f'"{text}" has no unit: {_LIKE}')
    if _DATE.match(text):
        raise ValueError(f'"{text}" is a date, not a duration: {_LIKE}')
    if _NEGATIVE.search(text):
        raise ValueError(f'"{text}" is negative: {_FORWARD}')


def _worded_parts(text: str) -> list[tuple[str, str]]:
    parts: list[tuple[str, str]] = []
    position = 0
    while found := _PART.match(text, position):
        parts.append((found[1], _unit(found[2], text)))
        position = found.end()
    if position < len(text) or not parts:
        raise ValueError(_why_not(text))
    return parts


def _why_not(text: str) -> str:
    if comma := re.fullmatch(r"([0-9]+),([0-9]+)(\s*[a-zA-Z]+)", text):
        return f'"{text}" has a comma where a point goes: write {comma[1]}.{comma[2]}{comma[3]}'
    if unit := _only_a_unit(text.lower()):
        return f'"{text}" has no number: write {unit}'
    if text.lower() in ("tomorrow", "next day", "tonight"):
        return f'"{text}" is a moment, no duration: write a time of day, such as {{until: "09:00"}}'
    if trailing := _TRAILING_NUMBER.fullmatch(text):
        return f'"{text}": {trailing[1]} has no unit: {_LIKE}'
    return f'"{text}" is not a duration: {_LIKE}'


def _only_a_unit(word: str) -> str:
    """What is meant by a unit alone: ``1 day`` by ``day``, ``30 days`` by ``month``."""
    singular = word.removesuffix("s")
    if singular in _CALENDAR and len(word) > 2:
        return f"{_CALENDAR[singular]} days"
    return f"1 {singular}" if singular in _MICROSECONDS else ""


def _unit(word: str, text: str) -> str:
    # Two letters are no plural: "ms" must not pass for minutes.
    singular = word.lower() if len(word) < 3 else word.lower().removesuffix("s")
    unit = _SHORT.get(singular, singular)
    if unit in _CALENDAR:
        raise ValueError(_no_fixed_length(unit, text))
    if unit not in _MICROSECONDS:
        if word.lower() in ("business", "working", "work", "week-days", "weekdays", "workdays"):
            raise ValueError(f'"{text}": only moments know days of the week, such as {{until: "09:00", on: weekdays}}')
        units = [f"{known}s" for known in _MICROSECONDS]
        raise ValueError(f'"{text}": there is no unit "{word}". {did_you_mean(word.lower(), units)}')
    return unit


def _iso_parts(text: str) -> list[tuple[str, str]]:
    if calendar := _ISO_CALENDAR.fullmatch(text):
        raise ValueError(_no_fixed_length({"Y": "year", "M": "month"}[calendar[1].upper()], text))
    found = _ISO.fullmatch(text)
    if not found:
        raise ValueError(_why_not(text))
    return [(count, unit) for count, unit in zip(found.groups(), _MICROSECONDS, strict=True) if count is not None]


def _no_fixed_length(unit: str, text: str) -> str:
    name = "month" if unit.startswith("mo") else "year"
    return f'"{text}": a {name} has no fixed length; write days, such as {_CALENDAR[unit]} days'


def _total(parts: Iterable[tuple[str, str]], text: str) -> timedelta:
    seen: set[str] = set()
    microseconds = Decimal()
    for count, unit in parts:
        if unit in seen:
            raise ValueError(f'"{text}" says {unit}s twice: write each unit once')
        seen.add(unit)
        microseconds += Decimal(count) * _MICROSECONDS[unit]
    if microseconds > _LONGEST:
        raise ValueError(f'"{text}" is too long: the longest duration is {say(LONGEST)}')
    return timedelta(microseconds=int(microseconds.to_integral_value()))


_LONGEST = Decimal(timedelta.max // timedelta(microseconds=1))
