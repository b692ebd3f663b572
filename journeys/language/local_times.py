"""The instant that a local time is: which moment in UTC it is when clocks somewhere show this or that."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import assert_never
from zoneinfo import ZoneInfo

from journeys.language.attributes import FIRST_YEAR, LAST_YEAR
from journeys.language.clock import say_instant
from journeys.language.moments import Moment, Until, UntilDate, UntilInstant, UntilTimeOfDay, say_until
from journeys.language.zones import Zone
from journeys.models import LAST


def moment(
    until: Until,
    entered: datetime,
    values: Mapping[str, object],
    zone: Zone,
    scale: Callable[[timedelta], timedelta],
) -> Moment:
    """Until when a run waits that enters at *entered*. Computed once, and kept.

    *values*: attributes by their references, such as ``customer.birthday``: times, dates, or either as text.
    *scale*: how long a duration really lasts. It is asked for ``before`` and ``after`` where they are lengths of time;
    with ``at`` they are days of the calendar, which go at no other pace, as times of day and instants do not.
    """
    match until:
        case UntilTimeOfDay():
            at = next_local(entered, until.until, until.on, zone.zone)
        case UntilInstant():
            at = until.until
        case UntilDate():
            value = usable_date(values.get(until.until))
            if isinstance(value, str):
                return Moment(at=None, late=True, why=f"{until.until} {value}")
            at = _of_date(until, value, entered, zone.zone, scale)
        case _:
            assert_never(until)
    late = at < entered
    passed = ", which had passed" if late else ""
    if isinstance(until, UntilInstant):
        return Moment(at=at, late=late, why=f"{say_until(until)}{passed}")
    return Moment(at=at, late=late, why=f"{say_until(until)}: {say_instant(at)}{passed}; {zone.why}")


def at_local(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The instant (UTC) at which clocks in *zone* show *at* on *day*.

    Where they show it twice it is the first; where they never do, the first instant after the gap. Raises
    OverflowError beyond the calendar.
    """
    asked = datetime.combine(day, at.replace(fold=0), zone)
    instant = asked.astimezone(UTC)
    shown = instant.astimezone(zone)
    return instant if shown.replace(tzinfo=None) == asked.replace(tzinfo=None) else _after_gap(asked)


def next_local(entered: datetime, at: time, days: frozenset[int], zone: ZoneInfo) -> datetime:
    """The first instant (UTC) strictly later than *entered* at which clocks in *zone* show *at* on one of *days*.

    Monday is 0. At the very end of the calendar it is the last moment that there is.
    """
    if not days:
        raise ValueError("no day is named, so there is no next one")
    try:
        today = entered.astimezone(zone).date()
        ahead = (today + timedelta(days=n) for n in count())
        instants = (at_local(day, at, zone) for day in ahead if day.weekday() in days)
        return min(next(instant for instant in instants if instant > entered), LAST)
    except OverflowError:
        return LAST


def anniversary(day: date, year: int) -> date:
    """*day* in another *year*; the 29th of February is the 28th where there is none."""
    try:
        return day.replace(year=year)
    except ValueError:
        return day.replace(year=year, day=28)


def usable_date(value: object) -> date | str:
    """*value* as an aware datetime, or as a date where it has no time; or as words why it is neither.

    A time is kept as it is, whatever its offset. The words follow the name of the attribute, and tell no value of
    anybody's: ``is missing``, ``is before 1900``.
    """
    if value is None or value == "":
        return "is missing"
    if (value == 0 and value is not False) or value == "0":
        return "is 0, which is no date"
    if isinstance(value, str) and value.startswith("0000-00-00"):
        return "is 0000-00-00, which is no date"
    found = _parsed(value.strip()) if isinstance(value, str) else value
    if not isinstance(found, date):
        return "is no date"
    if isinstance(found, datetime) and found.utcoffset() is None:
        return "has no offset, so it is not one moment"
    if found.year < FIRST_YEAR:
        return f"is before {FIRST_YEAR}"
    return f"is after {LAST_YEAR}" if found.year > LAST_YEAR else found


def _parsed(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else datetime.fromisoformat(text)
    except ValueError:
        return None


_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _after_gap(asked: datetime) -> datetime:
    """The first instant after the gap in which *asked*, a local time, lies."""
    # Counted from the offset before the gap it lies after it, and the other way round: see PEP 495.
    after = asked.replace(fold=0, microsecond=0).astimezone(UTC)
    before = asked.replace(fold=1, microsecond=0).astimezone(UTC)
    seconds = range((after - before) // timedelta(seconds=1))

    def has_changed(second: int) -> bool:
        at = before + timedelta(seconds=second)
        return at.astimezone(asked.tzinfo).utcoffset() != before.astimezone(asked.tzinfo).utcoffset()

    return before + timedelta(seconds=bisect_left(seconds, True, key=has_changed))


def _of_date(
    until: UntilDate, value: date, entered: datetime, zone: ZoneInfo, scale: Callable[[timedelta], timedelta]
) -> datetime:
    local = value.astimezone(zone) if isinstance(value, datetime) else datetime.combine(value, time())
    by = _shift(until, scale if until.at is None else _as_it_is)
    if isinstance(value, datetime) and until.at is None and not until.yearly:
        return _moved(value.astimezone(UTC), by)

    def on(day: date) -> datetime:
        try:
            if until.at is not None:
                return min(at_local(day + by, until.at, zone), LAST)
            return _moved(at_local(day, local.time(), zone), by)
        except OverflowError:
            return LAST

    if not until.yearly:
        return on(local.date())
    # A moment of two years ago has passed, unless it comes long after its day.
    since = entered.year - 2 - max(by.days, 0) // 365
    return next((at for day in _anniversaries(local.date(), since) if (at := on(day)) >= entered), LAST)


def _shift(until: UntilDate, scale: Callable[[timedelta], timedelta]) -> timedelta:
    nothing = timedelta()
    after = nothing if until.after is None else scale(until.after)
    return after - (nothing if until.before is None else scale(until.before))


def _as_it_is(duration: timedelta) -> timedelta:
    return duration


def _anniversaries(day: date, since: int) -> Iterator[date]:
    """*day*, and then the same in each year from *since* on, as long as there is a calendar."""
    return (anniversary(day, year) for year in range(max(day.year, since), LAST.year + 1))


def _moved(at: datetime, by: timedelta) -> datetime:
    try:
        return min(at + by, LAST)
    except OverflowError:
        return LAST if by > timedelta() else datetime.min.replace(tzinfo=UTC)
