"""Quiet times by the clocks of customers: over midnight, on days and dates, and over every change of the clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from journeys.clearance.policy import Policy, QuietTime
from journeys.clearance.quiet import HORIZON, Quiet, applying, asked_of, next_quiet, quiet_time
from journeys.language.clock import EVERY_DAY
from journeys.language.zones import Zone, known_zone, zone_names, zone_of
from journeys.models import LAST
from journeys.reading import plain

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
RULES = TypeAdapter(tuple[QuietTime, ...])


def rules_of(written: str) -> tuple[QuietTime, ...]:
    """Such as ``{from: "21:00", to: "08:00"}``, of several one in each line."""
    return RULES.validate_python(plain("\n".join(f"- {line.strip()}" for line in written.strip().splitlines())))


def place(name: str) -> Zone:
    return zone_of([("customer.time_zone", name)])


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def asked(written: str, at: str, where: str = "Europe/Oslo") -> Quiet | None:
    return quiet_time(rules_of(written), place(where), utc(at))


def until(written: str, at: str, where: str = "Europe/Oslo") -> datetime | None:
    found = asked(written, at, where)
    return found and found.until


# --- one question each -----------------------------------------------------------------------------

NIGHT = '{from: "21:00", to: "08:00"}'
FRIDAYS = '{on: [fri], from: "22:00", to: "06:00"}'
WEEKEND = '{on: [sat]}\n{on: [sun], from: "00:00", to: "12:00"}'
TO_HALF_PAST_TWO = '{from: "21:00", to: "02:30"}'
FROM_HALF_PAST_TWO = '{from: "02:30", to: "02:45"}'

TABLE = [
    # over midnight, in summer and in winter
    (NIGHT, "2026-06-03T18:59:59.999Z", None),
    (NIGHT, "2026-06-03T19:00Z", "2026-06-04T06:00Z"),
    (NIGHT, "2026-06-04T05:59:59.999Z", "2026-06-04T06:00Z"),
    (NIGHT, "2026-06-04T06:00Z", None),
    (NIGHT, "2026-01-07T20:00Z", "2026-01-08T07:00Z"),
    # a night belongs to the day on which it begins: Saturday 05:00 is quiet, Friday 05:00 is not
    (FRIDAYS, "2026-06-06T03:00Z", "2026-06-06T04:00Z"),
    (FRIDAYS, "2026-06-05T03:00Z", None),
    (FRIDAYS, "2026-06-05T20:00Z", "2026-06-06T04:00Z"),
    (FRIDAYS, "2026-06-06T20:00Z", None),
    ('{on: [sun], from: "22:00", to: "06:00"}', "2026-06-08T03:00Z", "2026-06-08T04:00Z"),
    ('{from: "21:00", to: "00:00"}', "2026-06-03T20:00Z", "2026-06-03T22:00Z"),
    # within a day, and whole days
    ('{from: "12:00", to: "13:30"}', "2026-06-03T10:00Z", "2026-06-03T11:30Z"),
    ("{on: [sun]}", "2026-06-06T22:00Z", "2026-06-07T22:00Z"),
    ("{on: weekends}", "2026-06-06T10:00Z", "2026-06-07T22:00Z"),
    ("{on: [sun, mon]}", "2026-06-07T10:00Z", "2026-06-08T22:00Z"),
    # what touches or overlaps is one
    (WEEKEND, "2026-06-06T10:00Z", "2026-06-07T10:00Z"),
    (f"{NIGHT}\n{{on: [sun]}}", "2026-06-06T20:00Z", "2026-06-08T06:00Z"),
    (f"{NIGHT}\n{{from: 2026-12-24, to: 2026-12-26}}", "2026-12-23T21:00Z", "2026-12-27T07:00Z"),
    # dates: both included, whole days of the customer
    ("{from: 2026-05-01, to: 2026-05-01}", "2026-04-30T21:59:59Z", None),
    ("{from: 2026-05-01, to: 2026-05-01}", "2026-04-30T22:00Z", "2026-05-01T22:00Z"),
    ("{from: 2026-05-01, to: 2026-05-01}", "2026-05-01T22:00Z", None),
    (
        "{from: 2026-05-01, to: 2026-05-03}\n{from: 2026-05-03, to: 2026-05-09}",
        "2026-05-01T10:00Z",
        "2026-05-09T22:00Z",
    ),
    # dates on days: the Sundays of Advent
    ("{from: 2026-11-29, to: 2026-12-24, on: [sun]}", "2026-12-06T10:00Z", "2026-12-06T23:00Z"),
    ("{from: 2026-11-29, to: 2026-12-24, on: [sun]}", "2026-12-07T10:00Z", None),
    ("{from: 2026-11-29, to: 2026-12-24, on: [sun]}", "2026-12-27T10:00Z", None),
    # spring: from 02:00 the clock jumps to 03:00, which is where a night ends that would have ended between
    (NIGHT, "2026-03-28T21:00Z", "2026-03-29T06:00Z"),
    (TO_HALF_PAST_TWO, "2026-03-28T23:00Z", "2026-03-29T01:00Z"),
    ('{from: "02:10", to: "02:50"}', "2026-03-29T00:59:59Z", None),
    ('{from: "02:10", to: "02:50"}', "2026-03-29T01:00Z", None),
    ('{from: "02:30", to: "04:00"}', "2026-03-29T01:00Z", "2026-03-29T02:00Z"),
    # autumn: from 03:00 it goes back to 02:00, and what is quiet by the clocks is quiet twice
    (NIGHT, "2026-10-24T21:00Z", "2026-10-25T07:00Z"),
    ('{from: "21:00", to: "03:00"}', "2026-10-24T21:00Z", "2026-10-25T02:00Z"),
    (TO_HALF_PAST_TWO, "2026-10-24T21:00Z", "2026-10-25T00:30Z"),
    (TO_HALF_PAST_TWO, "2026-10-25T00:45Z", None),
    (TO_HALF_PAST_TWO, "2026-10-25T01:00Z", "2026-10-25T01:30Z"),
    (FROM_HALF_PAST_TWO, "2026-10-25T00:40Z", "2026-10-25T00:45Z"),
    (FROM_HALF_PAST_TWO, "2026-10-25T01:40Z", "2026-10-25T01:45Z"),
    ("{on: [sun]}", "2026-10-25T10:00Z", "2026-10-25T23:00Z"),
]


@pytest.mark.parametrize(("written", "at", "expected"), TABLE, ids=lambda value: str(value).replace("\n", " "))
def test_it_is_quiet_where_the_clocks_show_what_a_rule_says(written: str, at: str, expected: str | None) -> None:
    assert until(written, at) == (None if expected is None else utc(expected))


ELSEWHERE = [
    # half an hour back, half an hour ahead
    ("Australia/Lord_Howe", '{from: "21:00", to: "01:45"}', "2026-04-04T14:00Z", "2026-04-04T14:45Z"),
    ("Australia/Lord_Howe", '{from: "21:00", to: "01:45"}', "2026-04-04T15:00Z", "2026-04-04T15:15Z"),
    ("Australia/Lord_Howe", '{from: "21:00", to: "02:15"}', "2026-10-03T15:00Z", "2026-10-03T15:30Z"),
    # a quarter of an hour that was never
    ("Asia/Kathmandu", '{from: "21:00", to: "00:10"}', "1985-12-31T18:00Z", "1985-12-31T18:30Z"),
    # a day that was never: Thursday, then Saturday
    ("Pacific/Apia", "{on: [thu]}", "2011-12-30T09:00Z", "2011-12-30T10:00Z"),
    ("Pacific/Apia", "{on: [thu, sat]}", "2011-12-30T09:00Z", "2011-12-31T10:00Z"),
    ("Pacific/Apia", "{from: 2011-12-30, to: 2011-12-30}", "2011-12-30T10:00Z", None),
    ("Pacific/Apia", '{on: [fri], from: "22:00", to: "06:00"}', "2011-12-30T10:00Z", "2011-12-30T16:00Z"),
    # midnight that was never
    ("America/Sao_Paulo", "{on: [sat]}", "2018-11-03T12:00Z", "2018-11-04T03:00Z"),
]


@pytest.mark.parametrize(("where", "written", "at", "expected"), ELSEWHERE, ids=str)
def test_it_is_so_wherever_clocks_are_changed(where: str, written: str, at: str, expected: str | None) -> None:
    assert until(written, at, where) == (None if expected is None else utc(expected))


@pytest.mark.parametrize(
    ("written", "at", "again"),
    [
        (NIGHT, "2026-06-03T20:00Z", "2026-06-04T19:00Z"),
        (WEEKEND, "2026-06-06T10:00Z", "2026-06-12T22:00Z"),
        ("{from: 2026-05-01, to: 2026-05-01}", "2026-05-01T10:00Z", None),
        (
            "{from: 2026-05-01, to: 2026-05-01}\n{from: 2026-05-08, to: 2026-05-08}",
            "2026-05-01T10:00Z",
            "2026-05-07T22:00Z",
        ),
        ("{from: 2026-05-01, to: 2026-05-01}\n{from: 2026-05-09, to: 2026-05-09}", "2026-05-01T10:00Z", None),
        (TO_HALF_PAST_TWO, "2026-10-24T21:00Z", "2026-10-25T01:00Z"),
    ],
)
def test_the_next_quiet_time_is_told_within_a_week(written: str, at: str, again: str | None) -> None:
    found = asked(written, at)

    assert found is not None
    assert found.again == (None if again is None else utc(again))


# --- why -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "at", "said"),
    [
        (NIGHT, "2026-06-03T20:00Z", "quiet time 21:00–08:00 (by customer.time_zone)"),
        (
            '{channels: text, from: "21:00", to: "08:00"}\n{channels: [text, push], from: "21:00", to: "08:00"}',
            "2026-06-03T20:00Z",
            "quiet time 21:00–08:00 (by customer.time_zone)",
        ),
        (f"{NIGHT}\n{FRIDAYS}", "2026-06-03T20:00Z", "quiet time 21:00–08:00 (by customer.time_zone)"),
        (
            WEEKEND,
            "2026-06-06T10:00Z",
            "quiet time on Saturday and 00:00–12:00 on Sunday (by customer.time_zone)",
        ),
        (
            "{from: 2026-05-01, to: 2026-05-01}\n{from: 2026-05-02, to: 2026-05-08}",
            "2026-05-01T10:00Z",
            "quiet time 2026-05-01 and 2026-05-02 to 2026-05-08 (by customer.time_zone)",
        ),
        (
            "{from: 2026-11-29, to: 2026-12-24, on: weekends}",
            "2026-12-06T10:00Z",
            "quiet time 2026-11-29 to 2026-12-24 on weekends (by customer.time_zone)",
        ),
        (
            "\n".join(f"{{on: [{day}]}}" for day in ("mon", "tue", "wed", "thu", "fri", "sat")),
            "2026-06-01T10:00Z",
            "quiet time on Monday, on Tuesday, on Wednesday, on Thursday, on Friday and 1 more (UTC)",
        ),
        (
            "{}",
            "2026-06-03T20:00Z",
            "quiet time at all times (by customer.time_zone), with no end within 400 days",
        ),
    ],
)
def test_the_reason_names_each_rule_that_makes_the_quiet_time(written: str, at: str, said: str) -> None:
    found = quiet_time(rules_of(written), zone_of([]) if "(UTC)" in said else place("Europe/Oslo"), utc(at))

    assert found is not None
    assert found.why == said


def test_the_reason_tells_no_value_of_a_customer() -> None:
    where = zone_of([("customer.time_zone", "at Ada's"), ("the house", "Europe/Oslo")])

    found = quiet_time(rules_of('{where: customer.city == "Bergen"}'), where, utc("2026-06-03T20:00Z"))

    assert found is not None
    assert "Ada" not in found.why
    assert "Bergen" not in found.why
    assert "Europe/Oslo of the house" in found.why


# --- which rules apply -----------------------------------------------------------------------------

POLICY = Policy.model_validate(
    {
        "quiet": [
            {"channels": "text", "from": "21:00", "to": "08:00"},
            {"on": "sun"},
            {"purpose": ["commercial", "transactional"], "from": "02:00", "to": "03:00"},
            {"channels": "text", "where": 'customer.country == "FR"', "from": "20:00", "to": "10:00"},
        ]
    }
)
NIGHTS, SUNDAYS, OF_ALL, IN_FRANCE = POLICY.quiet


def of_customer(**attributes: object) -> tuple[list[QuietTime], list[str]]:
    return applying(POLICY, "text", "commercial", asked_of({"country": "text?"}, attributes))


def test_a_rule_applies_to_its_channels_and_purposes() -> None:
    def never_asked(where: str) -> None:
        raise AssertionError(where)

    assert applying(POLICY, "email", "commercial", never_asked) == ([SUNDAYS, OF_ALL], [])  # type: ignore[arg-type]
    assert applying(POLICY, "email", "transactional", never_asked) == ([OF_ALL], [])  # type: ignore[arg-type]


def test_a_rule_applies_to_those_for_whom_its_condition_holds() -> None:
    assert of_customer(country="FR") == ([NIGHTS, SUNDAYS, OF_ALL, IN_FRANCE], [])
    assert of_customer(country="NO") == ([NIGHTS, SUNDAYS, OF_ALL], [])


def test_a_rule_whose_condition_meets_a_missing_attribute_does_not_apply_and_that_is_said() -> None:
    note = 'quiet time 20:00–10:00 does not apply: customer.country == "FR" cannot be told: customer.country is missing'
    assert of_customer() == ([NIGHTS, SUNDAYS, OF_ALL], [note])


# --- bounds ----------------------------------------------------------------------------------------


def test_without_rules_nothing_is_quiet() -> None:
    assert quiet_time([], place("Europe/Oslo"), utc("2026-06-03T20:00Z")) is None


def test_what_leaves_no_time_at_all_is_asked_again_at_the_horizon() -> None:
    at = utc("2026-06-03T20:00:00.5Z")

    found = quiet_time(rules_of('{from: "08:00", to: "20:00"}\n{from: "20:00", to: "08:00"}'), place("UTC"), at)

    assert found is not None
    assert found.until == utc("2026-06-03T20:00Z") + HORIZON
    assert found.again is None


@pytest.mark.parametrize("name", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_the_calendar_may_end(name: str) -> None:
    rules, the_end = rules_of(NIGHT), LAST - HOUR
    always = quiet_time(rules_of("{}"), place(name), the_end)

    assert always is not None
    assert always.until == LAST
    assert quiet_time(rules_of("{}"), place(name), LAST) is None
    assert all((quiet_time(rules, place(name), the_end - n * HOUR) or always).until <= LAST for n in range(48))


# --- against wall clocks, minute by minute ---------------------------------------------------------


def is_quiet(rules: Sequence[QuietTime], where: ZoneInfo, at: datetime) -> bool:
    """The same told another way: by what the clocks show at one instant."""
    shown = at.astimezone(where)
    return any(_is_within(rule, shown.date(), shown.time()) for rule in rules)


def _is_within(rule: QuietTime, day: date, at: time) -> bool:
    today, yesterday = day.weekday() in rule.on, (day.weekday() - 1) % 7 in rule.on
    match rule.from_, rule.to:
        case date() as first, date() as last:
            return today and first <= day <= last
        case time() as begins, time() as ends:
            if begins < ends:
                return today and begins <= at < ends
            return (today and at >= begins) or (yesterday and at < ends)
        case _:
            return today


def instants(begins: datetime, ends: datetime) -> Iterator[datetime]:
    """Every minute of up to nine days; of a longer time every hour, and each minute of its last three hours."""
    step = MINUTE if ends - begins <= 9 * DAY else HOUR
    for n in range((ends - begins) // step + 1):
        if (at := begins + n * step) < ends:
            yield at
    yield from (at for n in range(1, 181) if (at := ends - n * MINUTE) >= begins)


CHANGES = [
    *[("Europe/Oslo", "2026-03-29T01:00Z"), ("Europe/Oslo", "2026-10-25T01:00Z")],
    *[("America/New_York", "2026-03-08T07:00Z"), ("America/New_York", "2026-11-01T06:00Z")],
    *[("Australia/Lord_Howe", "2026-04-04T15:00Z"), ("Australia/Lord_Howe", "2026-10-03T15:30Z")],
    *[("Asia/Kathmandu", "1985-12-31T18:30Z"), ("America/St_Johns", "2010-03-14T03:31Z")],
    *[("Pacific/Apia", "2011-12-30T10:00Z"), ("Pacific/Kwajalein", "1993-08-21T12:00Z")],
    *[("Africa/Casablanca", "2026-02-15T02:00Z"), ("Africa/Casablanca", "2026-03-22T02:00Z")],
    *[("America/Sao_Paulo", "2018-11-04T03:00Z"), ("Antarctica/Troll", "2026-10-25T01:00Z")],
    *[("Asia/Gaza", "2040-10-20T00:00Z"), ("Asia/Pyongyang", "2018-05-04T15:00Z")],
]


def zone(name: str) -> ZoneInfo:
    found = known_zone(name)
    assert found is not None
    return found


def around(change: tuple[str, str]) -> st.SearchStrategy[tuple[str, datetime]]:
    minutes = st.integers(-3 * 24 * 60, 3 * 24 * 60).map(lambda n: n * MINUTE)
    return st.builds(lambda by: (change[0], utc(change[1]) + by), minutes)


ANY_TIME = st.datetimes(datetime(1975, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001
    lambda at: at.replace(second=0, microsecond=0, tzinfo=UTC)
)
ASKED = st.one_of(st.sampled_from(CHANGES).flatmap(around), st.tuples(st.sampled_from(sorted(zone_names())), ANY_TIME))
CLOCKS = st.one_of(
    st.integers(0, 24 * 60 - 1),
    st.integers(0, 18).map(lambda n: n * 15),  # changes are made at night
    st.sampled_from([0, 8 * 60, 12 * 60, 20 * 60, 22 * 60]),
).map(lambda minute: time(minute // 60, minute % 60))
DAYS = st.one_of(st.just(EVERY_DAY), st.frozensets(st.integers(0, 6), min_size=1))


@st.composite
def cases(draw: st.DrawFn) -> tuple[tuple[QuietTime, ...], str, datetime]:
    """Rules that lie around the instant at which they are asked about."""
    where, at = draw(ASKED)
    today = at.astimezone(zone(where)).date()

    def rule() -> QuietTime:
        shape, on = draw(st.sampled_from(["times", "times", "dates", "days"])), draw(DAYS)
        if shape == "times":
            begins = draw(CLOCKS)
            return QuietTime(from_=begins, to=draw(CLOCKS.filter(lambda ends: ends != begins)), on=on)
        if shape == "dates":
            first = today + draw(st.integers(-12, 12)) * DAY
            return QuietTime(from_=first, to=first + draw(st.integers(0, 20)) * DAY, on=on)
        return QuietTime(on=on)

    within = draw(st.timedeltas(timedelta(), MINUTE - timedelta(microseconds=1)))
    return (
        tuple(rule() for _ in range(draw(st.integers(1, 4)))),
        where,
        at + draw(st.sampled_from([timedelta(), within])),
    )


@given(cases())
@example((rules_of(TO_HALF_PAST_TWO), "Europe/Oslo", utc("2026-10-24T23:30Z")))
@example((rules_of('{on: [thu, sat]}\n{from: "00:00", to: "00:30"}'), "Pacific/Apia", utc("2011-12-29T23:30Z")))
def test_until_is_the_first_instant_at_which_the_clocks_show_nothing_quiet(
    case: tuple[tuple[QuietTime, ...], str, datetime],
) -> None:
    rules, name, at = case
    clocks, minute = zone(name), at.replace(second=0, microsecond=0)

    found = quiet_time(rules, place(name), at)

    assert (found is not None) == is_quiet(rules, clocks, at)
    begins = next_quiet(rules, place(name), at)
    if found is None:
        assert not any(is_quiet(rules, clocks, each) for each in instants(minute, begins or at + 7 * DAY) if each >= at)
        assert begins is None or is_quiet(rules, clocks, begins)
        return
    assert begins == at.replace(microsecond=0)
    assert all(is_quiet(rules, clocks, each) for each in instants(minute, found.until))
    if found.until == at.replace(microsecond=0) + HORIZON:
        return
    assert not is_quiet(rules, clocks, found.until)
    assert is_quiet(rules, clocks, found.until - SECOND)
    again = found.again or found.until + 7 * DAY
    assert not any(is_quiet(rules, clocks, each) for each in instants(found.until, again))
    assert found.again is None or is_quiet(rules, clocks, found.again)
