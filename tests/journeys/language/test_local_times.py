"""Local times: which instant it is when clocks somewhere show this or that, around every kind of change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from journeys.language.clock import parse_days, parse_time
from journeys.language.local_times import anniversary, at_local, moment, next_local, usable_date
from journeys.language.moments import Moment, Until, UntilDate, UntilInstant, UntilTimeOfDay
from journeys.language.zones import Zone, known_zone, zone_names, zone_of
from journeys.models import LAST
from journeys.walk.pace import at_pace

SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def zone(name: str) -> ZoneInfo:
    found = known_zone(name)
    assert found is not None
    return found


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def as_it_is(duration: timedelta) -> timedelta:
    return duration


def wait(
    until: Until,
    *,
    entered: datetime = NOW,
    value: object = None,
    where: str = "Europe/Oslo",
    scale: Callable[[timedelta], timedelta] = as_it_is,
) -> Moment:
    values = {until.until: value} if isinstance(until, UntilDate) else {}
    return moment(until, entered, values, zone_of([("the journey", where)]), scale)


# --- the instant of a local time -------------------------------------------------------------------

LOCAL = [
    # Oslo: the clock jumps from 02:00 to 03:00, and goes back from 03:00 to 02:00
    ("Europe/Oslo", "2026-01-15", "09:00", "2026-01-15T08:00Z"),
    ("Europe/Oslo", "2026-07-15", "09:00", "2026-07-15T07:00Z"),
    ("Europe/Oslo", "2026-03-29", "01:59:59", "2026-03-29T00:59:59Z"),
    ("Europe/Oslo", "2026-03-29", "02:00", "2026-03-29T01:00Z"),
    ("Europe/Oslo", "2026-03-29", "02:30", "2026-03-29T01:00Z"),
    ("Europe/Oslo", "2026-03-29", "02:59:59", "2026-03-29T01:00Z"),
    ("Europe/Oslo", "2026-03-29", "03:00", "2026-03-29T01:00Z"),
    ("Europe/Oslo", "2026-03-29", "03:30", "2026-03-29T01:30Z"),
    ("Europe/Oslo", "2026-10-25", "01:59:59", "2026-10-24T23:59:59Z"),
    ("Europe/Oslo", "2026-10-25", "02:00", "2026-10-25T00:00Z"),
    ("Europe/Oslo", "2026-10-25", "02:59:59", "2026-10-25T00:59:59Z"),
    ("Europe/Oslo", "2026-10-25", "03:00", "2026-10-25T02:00Z"),
    ("Europe/Oslo", "2026-05-01", "00:00", "2026-04-30T22:00Z"),
    # New York
    ("America/New_York", "2026-03-08", "02:30", "2026-03-08T07:00Z"),
    ("America/New_York", "2026-11-01", "01:30", "2026-11-01T05:30Z"),
    # south of the equator it is the other way round
    ("Australia/Sydney", "2026-10-04", "02:30", "2026-10-03T16:00Z"),
    ("Australia/Sydney", "2026-04-05", "02:30", "2026-04-04T15:30Z"),
    ("Pacific/Auckland", "2026-09-27", "02:30", "2026-09-26T14:00Z"),
    ("America/Santiago", "2026-09-06", "00:30", "2026-09-06T04:00Z"),
    # half hours and quarters
    ("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:30Z"),
    ("Australia/Lord_Howe", "2026-10-04", "02:30", "2026-10-03T15:30Z"),
    ("Australia/Lord_Howe", "2026-04-05", "01:45", "2026-04-04T14:45Z"),
    ("Australia/Lord_Howe", "2026-04-05", "02:00", "2026-04-04T15:30Z"),
    ("Asia/Kathmandu", "2026-06-01", "09:00", "2026-06-01T03:15Z"),
    ("Asia/Kolkata", "2026-06-01", "09:00", "2026-06-01T03:30Z"),
    ("Pacific/Chatham", "2026-06-01", "09:00", "2026-05-31T20:15Z"),
    # two hours at once
    ("Antarctica/Troll", "2026-03-29", "02:30", "2026-03-29T01:00Z"),
    # midnight that is not there
    ("America/Sao_Paulo", "2018-11-04", "00:00", "2018-11-04T03:00Z"),
    ("Asia/Beirut", "2026-03-29", "00:00", "2026-03-28T22:00Z"),
    # rules that changed
    ("Europe/Istanbul", "2015-12-01", "09:00", "2015-12-01T07:00Z"),
    ("Europe/Istanbul", "2016-12-01", "09:00", "2016-12-01T06:00Z"),
    ("Asia/Kathmandu", "1985-06-01", "09:00", "1985-06-01T03:30Z"),
    ("Asia/Kathmandu", "1986-01-01", "00:10", "1985-12-31T18:30Z"),
    ("Asia/Pyongyang", "2016-01-01", "09:00", "2016-01-01T00:30Z"),
    ("Asia/Pyongyang", "2019-01-01", "09:00", "2019-01-01T00:00Z"),
    ("America/Sao_Paulo", "2019-12-01", "09:00", "2019-12-01T12:00Z"),
    # days that were left out
    ("Pacific/Apia", "2011-12-29", "23:59:59", "2011-12-30T09:59:59Z"),
    ("Pacific/Apia", "2011-12-30", "00:00", "2011-12-30T10:00Z"),
    ("Pacific/Apia", "2011-12-30", "09:00", "2011-12-30T10:00Z"),
    ("Pacific/Apia", "2011-12-30", "23:59:59", "2011-12-30T10:00Z"),
    ("Pacific/Apia", "2011-12-31", "00:00", "2011-12-30T10:00Z"),
    ("Pacific/Kwajalein", "1993-08-21", "09:00", "1993-08-21T12:00Z"),
    # a day that came twice
    ("Pacific/Kwajalein", "1969-09-30", "09:00", "1969-09-29T22:00Z"),
    # leap day, and the zone without changes
    ("Europe/Oslo", "2028-02-29", "09:00", "2028-02-29T08:00Z"),
    ("UTC", "2026-03-29", "02:30", "2026-03-29T02:30Z"),
]


@pytest.mark.parametrize(("where", "day", "at", "instant"), LOCAL, ids=lambda value: value)
def test_a_local_time_is_an_instant(where: str, day: str, at: str, instant: str) -> None:
    found = at_local(date.fromisoformat(day), parse_time(at), zone(where))

    assert found == utc(instant)
    assert found.tzinfo is UTC


ZONES = st.sampled_from(sorted(zone_names())).map(zone)
LOCAL_TIMES = st.datetimes(datetime(1900, 1, 1), datetime(2200, 12, 31)).map(  # noqa: DTZ001
    lambda local: local.replace(microsecond=0)
)
INSTANTS = st.datetimes(datetime(1900, 1, 2), datetime(2200, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001


def near_a_change(place: ZoneInfo) -> st.SearchStrategy[datetime]:
    """Local times within some hours of a change of the clocks of *place*, if it has any in these years."""
    days = [datetime(year, 1, 1, tzinfo=UTC) + n * DAY for year in (1969, 1993, 2011, 2018, 2026) for n in range(365)]
    changes = [
        (day.astimezone(place) + half * 12 * HOUR).replace(tzinfo=None)
        for day in days
        for half in range(2)
        if day.astimezone(place).utcoffset() != (day + DAY).astimezone(place).utcoffset()
    ]
    offsets = st.integers(-26 * 60, 26 * 60).map(lambda minutes: timedelta(minutes=minutes))
    return st.builds(lambda at, by: at + by, st.sampled_from(changes), offsets) if changes else LOCAL_TIMES


TRICKY = st.sampled_from(
    [
        *("Europe/Oslo", "America/New_York", "Australia/Sydney", "Australia/Lord_Howe", "America/Sao_Paulo"),
        *("Pacific/Apia", "Pacific/Kwajalein", "Antarctica/Troll", "Africa/Casablanca", "Europe/Dublin", "Asia/Gaza"),
    ]
).map(zone)
PLACES_AND_TIMES = st.one_of(
    st.tuples(ZONES, LOCAL_TIMES),
    TRICKY.flatmap(lambda place: st.tuples(st.just(place), near_a_change(place))),
)


def shown(instant: datetime, place: ZoneInfo) -> datetime:
    """What clocks show then."""
    return instant.astimezone(place).replace(tzinfo=None)


@given(PLACES_AND_TIMES)
def test_clocks_show_what_was_asked_or_have_just_jumped_over_it(asked: tuple[ZoneInfo, datetime]) -> None:
    place, local = asked

    instant = at_local(local.date(), local.time(), place)

    if shown(instant, place) == local:
        assert instant.astimezone(place).fold == 0
    else:
        assert shown(instant - SECOND, place) < local < shown(instant, place)


@given(PLACES_AND_TIMES, st.integers(0, 27 * 3600).map(lambda seconds: timedelta(seconds=seconds)))
def test_a_later_local_time_is_no_earlier_instant(asked: tuple[ZoneInfo, datetime], by: timedelta) -> None:
    place, local = asked
    later = local + by

    assert at_local(local.date(), local.time(), place) <= at_local(later.date(), later.time(), place)


# --- the next one ----------------------------------------------------------------------------------

NEXT = [
    # strictly later
    ("Europe/Oslo", "2026-06-01T07:00Z", "09:00", "every day", "2026-06-02T07:00Z"),
    ("Europe/Oslo", "2026-06-01T06:59:59.999999Z", "09:00", "every day", "2026-06-01T07:00Z"),
    ("Europe/Oslo", "2026-06-01T07:00:00.000001Z", "09:00", "every day", "2026-06-02T07:00Z"),
    # the day is that of the zone: in Tokyo it is Saturday already, in Los Angeles still Friday
    ("Asia/Tokyo", "2026-06-05T20:00Z", "09:00", "weekdays", "2026-06-08T00:00Z"),
    ("America/Los_Angeles", "2026-06-06T05:00Z", "23:00", "weekdays", "2026-06-06T06:00Z"),
    ("America/Los_Angeles", "2026-06-06T06:00Z", "23:00", "weekdays", "2026-06-09T06:00Z"),
    ("Europe/Oslo", "2026-06-05T07:00Z", "09:00", "weekdays", "2026-06-08T07:00Z"),
    ("Europe/Oslo", "2026-06-05T07:00Z", "09:00", "weekends", "2026-06-06T07:00Z"),
    ("Europe/Oslo", "2026-06-01T07:00Z", "09:00", ["mon"], "2026-06-08T07:00Z"),
    ("Europe/Oslo", "2026-06-01T07:00Z", "09:00", ["mon", "thu"], "2026-06-04T07:00Z"),
    # spring: at the end of the gap, and never again on that day
    ("Europe/Oslo", "2026-03-28T12:00Z", "02:30", "every day", "2026-03-29T01:00Z"),
    ("Europe/Oslo", "2026-03-29T01:00Z", "02:30", "every day", "2026-03-30T00:30Z"),
    ("Europe/Oslo", "2026-03-28T08:00Z", "09:00", "every day", "2026-03-29T07:00Z"),
    # autumn: the first of the two; the second 02:10 is not before 02:30 again
    ("Europe/Oslo", "2026-10-25T00:10Z", "02:30", "every day", "2026-10-25T00:30Z"),
    ("Europe/Oslo", "2026-10-25T01:10Z", "02:30", "every day", "2026-10-26T01:30Z"),
    ("Europe/Oslo", "2026-10-25T00:30Z", "02:30", "every day", "2026-10-26T01:30Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:10Z", "01:45", "every day", "2026-04-05T15:15Z"),
    # the day that Samoa left out was a Friday
    ("Pacific/Apia", "2011-12-29T20:00Z", "09:00", "every day", "2011-12-30T10:00Z"),
    ("Pacific/Apia", "2011-12-29T20:00Z", "09:00", ["fri"], "2011-12-30T10:00Z"),
    ("Pacific/Apia", "2011-12-30T10:00Z", "09:00", "every day", "2011-12-30T19:00Z"),
    ("Pacific/Apia", "2011-12-30T10:00Z", "09:00", ["fri"], "2012-01-05T19:00Z"),
    # leap day, and the turn of a year
    ("Europe/Oslo", "2028-02-28T12:00Z", "09:00", "every day", "2028-02-29T08:00Z"),
    ("Europe/Oslo", "2026-12-31T23:30Z", "00:15", "every day", "2027-01-01T23:15Z"),
]


@pytest.mark.parametrize(("where", "entered", "at", "on", "instant"), NEXT, ids=str)
def test_the_next_one_is_strictly_later(where: str, entered: str, at: str, on: object, instant: str) -> None:
    assert next_local(utc(entered), parse_time(at), parse_days(on), zone(where)) == utc(instant)


def test_two_waits_until_the_same_time_are_a_day_apart() -> None:
    until = UntilTimeOfDay(until=time(9))

    first = wait(until, entered=utc("2026-06-01T05:00Z")).at
    assert first == utc("2026-06-01T07:00Z")

    assert wait(until, entered=first).at == utc("2026-06-02T07:00Z")


TIMES = st.times().map(lambda at: at.replace(microsecond=0))
SOME_DAYS = st.frozensets(st.integers(0, 6), min_size=1)
PLACES_AND_INSTANTS = PLACES_AND_TIMES.map(
    lambda asked: (asked[0], at_local(asked[1].date(), asked[1].time(), asked[0]))
)


@given(PLACES_AND_INSTANTS, TIMES, SOME_DAYS)
def test_the_next_one_is_the_first_of_all_that_are_later(
    entry: tuple[ZoneInfo, datetime], at: time, days: frozenset[int]
) -> None:
    place, entered = entry
    around = [shown(entered, place).date() + n * DAY for n in range(-3, 12)]

    found = next_local(entered, at, days, place)

    assert found > entered
    assert found == min(
        instant for day in around if day.weekday() in days and (instant := at_local(day, at, place)) > entered
    )
    assert next_local(found - SECOND, at, days, place) == found


@given(PLACES_AND_INSTANTS, st.timedeltas(timedelta(), timedelta(days=9)), TIMES, SOME_DAYS)
def test_who_enters_later_does_not_go_on_earlier(
    entry: tuple[ZoneInfo, datetime], by: timedelta, at: time, days: frozenset[int]
) -> None:
    place, entered = entry

    assert next_local(entered, at, days, place) <= next_local(entered + by, at, days, place)


@pytest.mark.parametrize("where", ["UTC", "Pacific/Auckland", "America/Los_Angeles"])
@pytest.mark.parametrize("entered", [LAST, LAST - HOUR, datetime.max.replace(tzinfo=UTC)])
def test_at_the_end_of_the_calendar_it_is_the_last_moment(where: str, entered: datetime) -> None:
    assert next_local(entered, time(9), frozenset({0}), zone(where)) == LAST


def test_no_day_is_no_next_one() -> None:
    with pytest.raises(ValueError, match="no day is named"):
        next_local(NOW, time(9), frozenset(), zone("UTC"))


# --- instants --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entered", "late", "why"),
    [
        ("2026-12-01T07:59:59Z", False, "until 1 Dec 2026 08:00 UTC"),
        ("2026-12-01T08:00:00Z", False, "until 1 Dec 2026 08:00 UTC"),
        ("2026-12-01T08:00:00.000001Z", True, "until 1 Dec 2026 08:00 UTC, which had passed"),
    ],
)
def test_this_very_instant_is_in_time(entered: str, late: bool, why: str) -> None:
    until = UntilInstant(until=utc("2026-12-01T09:00+01:00"))

    assert wait(until, entered=utc(entered)) == Moment(at=utc("2026-12-01T08:00Z"), late=late, why=why)


# --- dates of the event and the customer -----------------------------------------------------------

EVENT = "event.ends_at"
ONE_DAY_BEFORE = UntilDate(until=EVENT, before=DAY)
THE_DAY_BEFORE = UntilDate(until=EVENT, before=DAY, at=time(9))
NIGHTS_BEFORE = UntilDate(until=EVENT, before=2 * DAY, at=time(2, 30))
THE_DAY_AFTER = UntilDate(until=EVENT, after=DAY, at=time(9))

DATES = [
    # around a change of the clocks, days of the calendar are not 24 hours
    (THE_DAY_BEFORE, utc("2026-03-30T00:30+02:00"), "Europe/Oslo", "2026-03-29T07:00Z"),
    (ONE_DAY_BEFORE, utc("2026-03-30T00:30+02:00"), "Europe/Oslo", "2026-03-28T22:30Z"),
    (THE_DAY_AFTER, utc("2026-10-24T23:30+02:00"), "Europe/Oslo", "2026-10-25T08:00Z"),
    (NIGHTS_BEFORE, utc("2026-03-31T12:00+02:00"), "Europe/Oslo", "2026-03-29T01:00Z"),
    (NIGHTS_BEFORE, utc("2026-10-27T12:00+01:00"), "Europe/Oslo", "2026-10-25T00:30Z"),
    # a day is that day in the customer's zone, whatever it is in UTC
    (THE_DAY_BEFORE, date(2026, 3, 1), "America/Los_Angeles", "2026-02-28T17:00Z"),
    (THE_DAY_BEFORE, "2026-03-01", "America/Los_Angeles", "2026-02-28T17:00Z"),
    (THE_DAY_BEFORE, date(2026, 3, 1), "Pacific/Kiritimati", "2026-02-27T19:00Z"),
    (THE_DAY_BEFORE, date(2028, 3, 1), "Europe/Oslo", "2028-02-29T08:00Z"),
    (UntilDate(until=EVENT), date(2026, 3, 1), "America/Los_Angeles", "2026-03-01T08:00Z"),
    (UntilDate(until=EVENT), date(2018, 11, 4), "America/Sao_Paulo", "2018-11-04T03:00Z"),
    (UntilDate(until=EVENT, at=time(9)), date(2011, 12, 30), "Pacific/Apia", "2011-12-30T10:00Z"),
    (THE_DAY_BEFORE, date(2011, 12, 31), "Pacific/Apia", "2011-12-30T10:00Z"),
    (ONE_DAY_BEFORE, date(2026, 3, 30), "Europe/Oslo", "2026-03-28T22:00Z"),
    # an offset of its own: the local day of that instant in the customer's zone
    (THE_DAY_BEFORE, utc("2026-06-10T20:00-08:00"), "Europe/Oslo", "2026-06-10T07:00Z"),
    (THE_DAY_BEFORE, "2026-06-10T20:00:00-08:00", "Europe/Oslo", "2026-06-10T07:00Z"),
    (THE_DAY_BEFORE, "2026-06-11T04:00:00Z", "America/Los_Angeles", "2026-06-09T16:00Z"),
    # without before, after and at it is the instant itself
    (UntilDate(until=EVENT), utc("2026-06-10T20:00-08:00"), "Europe/Oslo", "2026-06-11T04:00Z"),
    (UntilDate(until=EVENT, at=time(9)), utc("2026-06-10T20:00Z"), "Europe/Oslo", "2026-06-10T07:00Z"),
    (UntilDate(until=EVENT, before=90 * timedelta(minutes=1)), utc("2026-06-10T20:00Z"), "UTC", "2026-06-10T18:30Z"),
    (UntilDate(until=EVENT, after=36 * HOUR), utc("2026-06-10T20:00Z"), "UTC", "2026-06-12T08:00Z"),
    # the second of two equal local times is itself
    (UntilDate(until=EVENT), utc("2026-10-25T01:30Z"), "Europe/Oslo", "2026-10-25T01:30Z"),
    # seconds, and half-hour zones
    (UntilDate(until=EVENT, at=time(9, 0, 30)), date(2026, 6, 1), "Asia/Kathmandu", "2026-06-01T03:15:30Z"),
]


@pytest.mark.parametrize(("until", "value", "where", "instant"), DATES)
def test_a_date_is_an_instant(until: UntilDate, value: object, where: str, instant: str) -> None:
    found = wait(until, value=value, where=where, entered=utc("2000-01-01T00:00Z"))

    assert (found.at, found.late) == (utc(instant), False)


def test_a_date_that_has_passed_is_late() -> None:
    value = utc("2026-06-10T12:00Z")
    at = utc("2026-06-09T07:00Z")

    assert not wait(THE_DAY_BEFORE, value=value, entered=at).late
    assert wait(THE_DAY_BEFORE, value=value, entered=at + SECOND) == Moment(
        at=at,
        late=True,
        why="until 1 day before event.ends_at, at 09:00: 9 Jun 2026 07:00 UTC, which had passed; "
        "Europe/Oslo of the journey",
    )


def test_the_zone_is_named() -> None:
    zones = zone_of([("customer.time_zone", "Nowhere"), ("the journey", "Europe/Oslo")])

    found = moment(UntilTimeOfDay(until=time(9), on=parse_days("weekdays")), NOW, {}, zones, as_it_is)

    assert found.why == (
        "until 09:00 on weekdays: 1 Jan 2026 08:00 UTC; "
        "customer.time_zone names no zone that is known, so Europe/Oslo of the journey"
    )


UNUSABLE = [
    (None, "is missing"),
    ("", "is missing"),
    (0, "is 0, which is no date"),
    (0.0, "is 0, which is no date"),
    ("0", "is 0, which is no date"),
    ("0000-00-00", "is 0000-00-00, which is no date"),
    ("0000-00-00 00:00:00", "is 0000-00-00, which is no date"),
    ("0000-00-00T00:00:00Z", "is 0000-00-00, which is no date"),
    (False, "is no date"),
    (True, "is no date"),
    (1_764_576_000, "is no date"),
    ("1764576000", "is no date"),
    ("1 March 2026", "is no date"),
    ("2026-02-29", "is no date"),
    ("--03-01", "is no date"),
    ("2026-03-01T09:00:00", "has no offset, so it is not one moment"),
    (datetime(2026, 3, 1), "has no offset, so it is not one moment"),  # noqa: DTZ001
    ("1899-12-31", "is before 1900"),
    (date(1, 1, 1), "is before 1900"),
    (datetime.min.replace(tzinfo=UTC), "is before 1900"),
    ("9999-12-31", "is after 2200"),
    (date(2201, 1, 1), "is after 2200"),
    (datetime.max.replace(tzinfo=UTC), "is after 2200"),
    ("2201-01-01T00:00:00Z", "is after 2200"),
    (["2026-03-01"], "is no date"),
]


@pytest.mark.parametrize(("value", "why"), UNUSABLE, ids=repr)
@pytest.mark.parametrize("yearly", [False, True])
def test_a_date_that_cannot_be_used_is_late_and_says_why(value: object, why: str, yearly: bool) -> None:
    until = UntilDate(until="customer.birthday", yearly=yearly, at=time(9))

    assert wait(until, value=value) == Moment(at=None, late=True, why=f"customer.birthday {why}")


@pytest.mark.parametrize("value", [date(1900, 1, 1), date(1970, 1, 1), date(2200, 12, 31), "1970-01-01T00:00:00Z"])
def test_dates_from_1900_to_2200_are_taken(value: object) -> None:
    assert wait(UntilDate(until=EVENT), value=value).at is not None


def test_a_value_that_is_not_there_at_all_is_missing() -> None:
    found = moment(UntilDate(until=EVENT), NOW, {}, zone_of([]), as_it_is)

    assert found == Moment(at=None, late=True, why="event.ends_at is missing")


ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.dates(), st.datetimes(),
    st.datetimes(timezones=st.timezones()), st.dates().map(str), st.datetimes(timezones=st.timezones()).map(str),
    st.lists(st.integers()), st.binary(),
)  # fmt: skip


@given(ANYTHING, st.booleans(), st.sampled_from([None, time(9)]), INSTANTS)
@example("1985-04-17", True, None, NOW)
def test_whatever_the_value_a_run_goes_on_and_the_words_do_not_tell_it(
    value: object, yearly: bool, at: time | None, entered: datetime
) -> None:
    found = wait(UntilDate(until="customer.birthday", yearly=yearly, at=at), value=value, entered=entered)
    other = usable_date(value)

    assert found.late == (found.at is None or found.at < entered)
    assert (found.at is None) == isinstance(other, str)
    assume(len(str(value)) > 3 and not isinstance(value, bool))
    assert str(value) not in found.why or str(value).startswith("0000-00-00")


# --- every year ------------------------------------------------------------------------------------

BIRTHDAY = UntilDate(until="customer.birthday", yearly=True, at=time(9))
A_YEAR_ON = UntilDate(until="customer.birthday", yearly=True, at=time(9), after=400 * DAY)
A_MONTH_ON = UntilDate(until="customer.birthday", yearly=True, at=time(9), after=30 * DAY)
YEARS_ON = UntilDate(until="customer.birthday", yearly=True, at=time(9), after=1200 * DAY)
EACH_YEAR = UntilDate(until="customer.birthday", yearly=True)
BY_NIGHT = UntilDate(until="customer.birthday", yearly=True, at=time(2, 30))
BEFORE_IT = UntilDate(until="customer.birthday", yearly=True, at=time(9), before=7 * DAY)

YEARLY = [
    # born on a leap day
    (BIRTHDAY, date(2000, 2, 29), "2027-01-10T00:00Z", "2027-02-28T08:00Z"),
    (BIRTHDAY, date(2000, 2, 29), "2028-01-10T00:00Z", "2028-02-29T08:00Z"),
    (BIRTHDAY, date(2000, 2, 29), "2027-02-28T08:00:01Z", "2028-02-29T08:00Z"),
    (BIRTHDAY, date(2000, 2, 29), "2100-01-10T00:00Z", "2100-02-28T08:00Z"),
    # never a birthday of 1990 that is late
    (BIRTHDAY, date(1990, 6, 1), "2026-01-01T00:00Z", "2026-06-01T07:00Z"),
    (BIRTHDAY, date(1990, 6, 1), "2026-06-01T06:59:59Z", "2026-06-01T07:00Z"),
    (BIRTHDAY, date(1990, 6, 1), "2026-06-01T07:00Z", "2026-06-01T07:00Z"),
    (BIRTHDAY, date(1990, 6, 1), "2026-06-01T07:00:00.000001Z", "2027-06-01T07:00Z"),
    # a week before: over the turn of the year; and where that has passed, that of the year after
    (BEFORE_IT, date(1990, 1, 3), "2026-06-01T00:00Z", "2026-12-27T08:00Z"),
    (BEFORE_IT, date(1990, 1, 3), "2026-12-28T00:00Z", "2027-12-27T08:00Z"),
    (BEFORE_IT, date(2000, 2, 29), "2027-01-01T00:00Z", "2027-02-21T08:00Z"),
    # long after it
    (A_YEAR_ON, date(1990, 6, 1), "2026-01-01T00:00Z", "2026-07-06T07:00Z"),
    (A_YEAR_ON, date(1990, 6, 1), "2026-07-07T00:00Z", "2027-07-06T07:00Z"),
    (A_MONTH_ON, date(1990, 12, 20), "2026-01-05T00:00Z", "2026-01-19T08:00Z"),
    (YEARS_ON, date(1990, 6, 1), "2026-01-01T00:00Z", "2026-09-13T07:00Z"),
    # without a time it is when that day begins, or the same time of the day
    (EACH_YEAR, date(1990, 6, 1), "2026-01-01T00:00Z", "2026-05-31T22:00Z"),
    (EACH_YEAR, utc("2020-01-15T12:30Z"), "2026-06-01T00:00Z", "2027-01-15T12:30Z"),
    (EACH_YEAR, utc("2020-01-15T23:30Z"), "2026-06-01T00:00Z", "2027-01-15T23:30Z"),
    (EACH_YEAR, utc("2020-07-15T12:30Z"), "2026-06-01T00:00Z", "2026-07-15T12:30Z"),
    # the day itself is the first, however far ahead it is
    (BIRTHDAY, date(2030, 6, 1), "2026-01-01T00:00Z", "2030-06-01T07:00Z"),
    # on the day of a change of the clocks
    (BY_NIGHT, date(1990, 3, 29), "2026-01-01T00:00Z", "2026-03-29T01:00Z"),
]


@pytest.mark.parametrize(("until", "value", "entered", "instant"), YEARLY)
def test_yearly_is_the_next_anniversary(until: UntilDate, value: object, entered: str, instant: str) -> None:
    found = wait(until, value=value, entered=utc(entered))

    assert (found.at, found.late) == (utc(instant), False)


def test_without_yearly_a_birthday_of_long_ago_is_late() -> None:
    assert wait(UntilDate(until="customer.birthday", at=time(9)), value=date(1990, 6, 1)).late


@pytest.mark.parametrize("year", [2027, 2100, 2026])
def test_the_leap_day_is_the_28th_in_other_years(year: int) -> None:
    assert anniversary(date(2000, 2, 29), year) == date(year, 2, 28)


DAY_COUNTS = st.integers(1, 1200).map(timedelta)


@given(
    st.dates(date(1900, 1, 1), date(2200, 12, 31)),
    INSTANTS,
    st.one_of(st.just({}), st.fixed_dictionaries({"before": DAY_COUNTS}), st.fixed_dictionaries({"after": DAY_COUNTS})),
    st.none() | TIMES,
    TRICKY,
)
def test_of_all_anniversaries_it_is_the_first_that_has_not_passed(
    born: date, entered: datetime, shift: dict[str, timedelta], at: time | None, place: ZoneInfo
) -> None:
    until = UntilDate.model_validate({"until": "customer.birthday", "yearly": True, "at": at, **shift})
    once = UntilDate.model_validate({"until": "customer.birthday", "at": at, **shift})
    where = Zone(place.key, place, "")
    # Later years are no date that somebody can have, so the oracle ends where those begin.
    years = range(born.year, 2201)

    def of(each: UntilDate, day: date) -> Moment:
        return moment(each, entered, {"customer.birthday": day}, where, as_it_is)

    ahead = [found.at for year in years if not (found := of(once, anniversary(born, year))).late]
    found = of(until, born)

    assert found.at is not None
    assert not found.late
    assert found.at >= entered
    if ahead:
        assert found.at == ahead[0]


# --- pace ------------------------------------------------------------------------------------------

FIVE_SECONDS_A_DAY = timedelta(seconds=5)


def quick(duration: timedelta) -> timedelta:
    return at_pace(duration, FIVE_SECONDS_A_DAY)


@pytest.mark.parametrize(
    ("until", "value", "instant"),
    [
        # lengths of time go at the run's pace
        (UntilDate(until=EVENT, before=3 * DAY), utc("2026-01-02T00:00Z"), "2026-01-01T23:59:45Z"),
        (UntilDate(until=EVENT, after=3 * DAY), utc("2026-01-02T00:00Z"), "2026-01-02T00:00:15Z"),
        (UntilDate(until=EVENT, before=DAY), date(2026, 6, 1), "2026-05-31T21:59:55Z"),
        # days of the calendar, times of day and instants do not
        (UntilDate(until=EVENT, before=3 * DAY, at=time(9)), utc("2026-06-10T12:00Z"), "2026-06-07T07:00Z"),
        (UntilDate(until=EVENT), utc("2026-01-02T00:00Z"), "2026-01-02T00:00Z"),
        (UntilTimeOfDay(until=time(9)), None, "2026-01-01T08:00Z"),
        (UntilInstant(until=utc("2026-12-01T08:00Z")), None, "2026-12-01T08:00Z"),
    ],
)
def test_pace_scales_lengths_of_time_alone(until: Until, value: object, instant: str) -> None:
    assert wait(until, value=value, scale=quick).at == utc(instant)


# --- the ends of the calendar ----------------------------------------------------------------------


@pytest.mark.parametrize("at", [None, time(9)])
@pytest.mark.parametrize("after", [None, 365_000 * DAY])
@pytest.mark.parametrize("where", ["UTC", "Pacific/Auckland", "America/Los_Angeles"])
def test_after_the_last_anniversary_there_is_the_last_moment(
    at: time | None, after: timedelta | None, where: str
) -> None:
    until = UntilDate(until="customer.birthday", yearly=True, after=after, at=at)

    assert wait(until, value=date(1990, 6, 1), entered=utc("9999-12-01T00:00Z"), where=where).at == LAST


def test_the_last_anniversary_of_all_is_waited_for() -> None:
    found = wait(BIRTHDAY, value=date(1990, 6, 1), entered=utc("9999-01-02T00:00Z"))

    assert found.at == utc("9999-06-01T07:00Z")


@pytest.mark.parametrize(
    ("until", "instant"),
    [
        (UntilDate(until=EVENT, before=365_000 * DAY), datetime.min.replace(tzinfo=UTC)),
        (UntilDate(until=EVENT, after=365_000 * DAY), LAST),
    ],
)
def test_a_slow_pace_does_not_lead_beyond_the_calendar(until: UntilDate, instant: datetime) -> None:
    found = wait(until, value=date(2026, 6, 1), scale=lambda duration: duration * 100)

    assert found.at == instant
