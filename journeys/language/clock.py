"""What clocks and calendars show: times of day and days of the week, as people write them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from journeys.models import Expected
from journeys.nearest import nearest

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
GROUPS = {
    "every day": frozenset(range(7)),
    "weekdays": frozenset(range(5)),
    "weekends": frozenset({5, 6}),
}
EVERY_DAY = GROUPS["every day"]


def parse_time(text: str) -> time:
    """Read ``09:00`` or ``09:00:30``. Raises ValueError, saying what to write instead."""
    if is_time(text):
        return time.fromisoformat(text)
    raise ValueError(f'"{_short(text)}" is no time of day: {_instead(text.strip().lower())}')


def is_time(text: str) -> bool:
    """Whether *text* is a time of day as it is written."""
    return _TIME.fullmatch(text) is not None


def say_time(at: time) -> str:
    """The one way to write a time of day: ``09:00``, with seconds only where there are any."""
    return f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}"


def parse_date(text: str) -> date:
    """Read ``2026-12-24``. Raises ValueError, saying what to write instead."""
    if not _DATE.fullmatch(text.strip()):
        raise ValueError(f'"{_short(text)}" is no date: {_instead_of_date(text.strip())}')
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f'"{_short(text)}" is no date: the calendar has no such day') from None


def is_like_a_date(text: str) -> bool:
    """Whether *text* is meant as a date, well written or not, or as an instant, and not as a time of day."""
    return _LIKE_A_DATE.match(text) is not None


def say_instant(at: datetime) -> str:
    """An instant (UTC) with its year, for people: ``1 Dec 2026 08:00 UTC``."""
    return f"{at.day} {at:%b} {at.year} {say_time(at.time())} UTC"


def clock(at: datetime, said_at: datetime) -> str:
    """A time (UTC) for people who know when it is *said*: ``24 Nov 09:00``, with the year where it is another one.

    Seconds are shown only where there are any. Where nobody knows when it was said, use say_instant().
    """
    year = "" if at.year == said_at.year else f" {at.year}"
    return f"{at.day} {at:%b}{year} {say_time(at.time())}"


def parse_days(written: object) -> frozenset[int]:
    """Read ``weekdays``, ``weekends``, ``every day``, a day or a list of days; Monday is 0. Raises ValueError."""
    match written:
        case str() if written in GROUPS:
            return GROUPS[written]
        case str():
            return frozenset({_day(written)})
        case list() | tuple():
            return _listed(written)
        case frozenset() if written and written <= EVERY_DAY:
            return written
        case _:
            raise ValueError(f"{_shown(written)} is no day: {_LIKE_DAYS}")


def write_days(days: frozenset[int]) -> str | list[str]:
    """The one way to write *days*: ``weekdays``, or a list in the order of the week."""
    group = next((name for name, members in GROUPS.items() if members == days), None)
    return group or [DAYS[day] for day in sorted(days)]


def say_days(days: frozenset[int]) -> str:
    """*days* within a sentence: ``on weekdays``, ``on Monday and Thursday``; nothing for every day."""
    if days == EVERY_DAY:
        return ""
    written = write_days(days)
    if isinstance(written, str):
        return f"on {written}"
    *first, last = [_IN_FULL[DAYS.index(day)] for day in written]
    return f"on {', '.join(first)} and {last}" if first else f"on {last}"


def day_named(text: str) -> str | None:
    """The day that *text*, in small letters, calls otherwise: ``monday``, ``tues.`` or ``fridays``."""
    bare = text.removesuffix(".")
    named = (day for day, name in zip(DAYS, _IN_FULL, strict=True) if f"{name.lower()}s".startswith(bare))
    return next(named, None) if len(bare) >= 3 else None


def _read_time(value: object) -> time:
    match value:
        case str():
            return parse_time(value)
        case time(tzinfo=None, microsecond=0):
            return value.replace(fold=0)
        case int() if not isinstance(value, bool) and 0 <= value <= 23:
            raise ValueError(f'{value} is no time of day: write "{value:02}:00"')
        case _:
            raise ValueError(f'{_shown(value)} is no time of day: write it in quotes, such as "09:00"')


TimeOfDay = Annotated[
    time,
    BeforeValidator(_read_time),
    PlainSerializer(say_time, return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "title": "Time of day",
            "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$",
            "examples": ["09:00"],
        }
    ),
    Expected('a time of day such as "09:00"'),
]
"""A pydantic field that reads ``09:00`` or ``09:00:30``: what the clocks of some zone show."""


def _read_date(value: object) -> date:
    match value:
        case str():
            return parse_date(value)
        case date() if not isinstance(value, datetime):
            return value
        case _:
            raise ValueError(f"{_shown(value)} is no date: {_LIKE_A_DAY}")


Date = Annotated[
    date,
    BeforeValidator(_read_date),
    WithJsonSchema({"type": "string", "title": "Date", "format": "date", "examples": ["2026-12-24"]}),
    Expected("a date such as 2026-12-24"),
]
"""A pydantic field that reads ``2026-12-24``: a day of the calendar, wherever somebody is."""

Days = Annotated[
    frozenset[int],
    BeforeValidator(parse_days),
    PlainSerializer(write_days, return_type=str | list[str]),
    WithJsonSchema(
        {
            "title": "Days",
            "anyOf": [
                {"type": "string", "enum": [*GROUPS, *DAYS]},
                {"type": "array", "items": {"type": "string", "enum": list(DAYS)}, "minItems": 1, "uniqueItems": True},
            ],
        }
    ),
    Expected("weekdays, weekends, every day, or a list of days such as [mon, thu]"),
]
"""A pydantic field that reads days of the week. Monday is 0; never empty."""


_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?")
_WITH_OFFSET = re.compile(r"([0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)\s*(?:z|utc|gmt|[-+−][0-9].*|[a-z]+/[a-z_/]+)")
_LOOSE = re.compile(
    r"([0-9]{1,2})(?:[:.h ]?([0-9]{2}))?(?:[:.]([0-9]{2}))?(?:[.,][0-9]+)?\s*(?:([ap])\.?m\.?|h|uhr|o'clock)?"
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LIKE_A_DATE = re.compile(
    r"\s*(?:[0-9]{1,4}[-/.][0-9]{1,2}[-/.]|[0-9]{1,2}[-/][0-9]{1,2}\s*$|[0-9]{8}\b|"
    r".*\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b)",
    re.IGNORECASE,
)
_LIKE_A_DAY = "write the year, the month and the day, such as 2026-12-24"
_CALLED = {"noon": "12:00", "midday": "12:00", "midnight": "00:00"}
_LIKE_TIME = 'write two digits for the hour and two for the minute, such as "09:00"'


def _instead(text: str) -> str:
    if text.startswith("24:00"):
        return 'midnight is "00:00", when the day begins'
    if found := _WITH_OFFSET.fullmatch(text):
        bare = _meant(found[1]) or "09:00"
        return f'it is what the customer\'s own clock shows, so write it without a zone or an offset: "{bare}"'
    if meant := _meant(text):
        return f'write "{meant}"'
    if re.fullmatch(r"[0-9]{2}:[0-9]{2}(:[0-9]{2})?", text):
        return "hours go from 00 to 23, minutes and seconds from 00 to 59"
    return _LIKE_TIME


def _instead_of_date(text: str) -> str:
    if found := re.match(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]", text):
        return f"it is an instant, and days are those of the customer's own calendar, so write {found[1]} alone"
    if found := re.fullmatch(r"([0-9]{4})[-/.]?([0-9]{1,2})[-/.]?([0-9]{1,2})", text):
        return f"write {found[1]}-{found[2]:0>2}-{found[3]:0>2}"
    return _LIKE_A_DAY


def _meant(text: str) -> str | None:
    """The time of day that *text* means in some other notation: ``9am``, ``9.30``, ``0900``, ``noon``."""
    if text in _CALLED:
        return _CALLED[text]
    if not (found := _LOOSE.fullmatch(text)):
        return None
    hour, minute, second, half = int(found[1]), int(found[2] or 0), int(found[3] or 0), found[4]
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    return say_time(time(hour, minute, second))


_IN_FULL = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_LIKE_DAYS = "write weekdays, weekends, every day, or a list such as [mon, thu]"
_ALSO_CALLED = {
    **dict.fromkeys(("daily", "everyday", "all", "any", "always", "all days", "each day"), "every day"),
    **dict.fromkeys(("workdays", "working days", "business days", "business"), "weekdays"),
}


def _listed(written: Iterable[object]) -> frozenset[int]:
    days: set[int] = set()
    for each in written:
        if isinstance(each, str) and each in GROUPS:
            raise ValueError(f'"{each}" stands alone, in no list: write on: {each}, or name each day')
        day = _day(each)
        if day in days:
            raise ValueError(f'"{each}" is there twice: name each day once')
        days.add(day)
    if not days:
        raise ValueError(f"there is no day in it: {_LIKE_DAYS}")
    return frozenset(days)


def _day(written: object) -> int:
    if isinstance(written, str) and written in DAYS:
        return DAYS.index(written)
    if not isinstance(written, str):
        raise ValueError(f"{_shown(written)} is no day: {_LIKE_DAYS}")
    text = written.strip().lower()
    if several := _several(text):
        raise ValueError(f'"{_short(written)}" is no day: write {several}')
    near = _ALSO_CALLED.get(text) or day_named(text) or _near(text)
    raise ValueError(f'"{_short(written)}" is no day: ' + (f'did you mean "{near}"?' if near else _LIKE_DAYS))


def _several(text: str) -> str:
    """How to write the several days that *text* names: ``mon, thu`` or ``mon-fri``; nothing where it does not."""
    between = re.fullmatch(r"([a-z]+)\s*(?:-|–|to)\s*([a-z]+)", text)
    named = between.groups() if between else re.split(r"\s*(?:,|;|&|\+|/|\sand\s|\s)\s*", text)
    days = [DAYS.index(day) for name in named if (day := day_named(name))]
    if len(days) < 2 or len(days) != len(named):
        return ""
    if between:
        first, last = days
        days = [(first + n) % 7 for n in range((last - first) % 7 + 1)]
    written = write_days(frozenset(days))
    return written if isinstance(written, str) else f"[{', '.join(written)}]"


def _near(text: str) -> str | None:
    by_name = {name: name for name in (*GROUPS, *DAYS)} | dict(zip(map(str.lower, _IN_FULL), DAYS, strict=True))
    return by_name.get(nearest(text, by_name) or "")


def _shown(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return _short(str(value)) if not isinstance(value, int) or value.bit_length() <= 200 else "this number"
        case None:
            return "nothing"
        case str():
            return f'"{_short(value)}"'
        case _:
            return "this"


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
