"""Waits until local times and dates, previewed around every change of clocks: when the message after them would go."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from journeys.clearance.policy import NO_POLICY
from journeys.dates import Dated
from journeys.language.moments import Until, UntilDate, UntilInstant, UntilTimeOfDay
from journeys.walk.paths import every_path
from journeys.walk.preview import preview
from journeys.walk.script import Happening
from journeys.walk.timeline import PreviewRun
from tests.samples import CUSTOMER, abandoned_cart, version

EMAIL = {"id": "hello", "email": "initial-email-reminder", "to": "customer.email"}
SYDNEY = "Australia/Sydney"
OSLO, NEW_YORK, ANGELES = "Europe/Oslo", "America/New_York", "America/Los_Angeles"
NINE = {"until": "09:00"}
THE_DAY_BEFORE = {"until": "event.ends_at", "before": "1 day", "at": "09:00"}
BIRTHDAY = {"until": "customer.born_on", "yearly": True, "at": "09:00"}


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def played(
    wait: object, entered: str, zone: str | None = None, ends_at: str | None = None, house: str = "UTC", **more: object
) -> PreviewRun:
    """A run that waits and then sends, for a customer of that zone. *more*: attributes of hers, or the journey's."""
    journey: dict[str, object] = {
        "start": {"trigger": "trial-started"},
        "steps": [{"id": "pause", "wait": wait}, EMAIL],
    }
    journey |= {name: more.pop(name) for name in ("time_zone", "steps") if name in more}
    cart: dict[str, object] = {"total": 60, "cart_id": "c1", "ends_at": ends_at}
    customer: dict[str, Any] = {**CUSTOMER, "time_zone": zone, **more}
    timeline = preview(
        version(abandoned_cart(**journey)),
        [Happening.model_validate({"trigger": "trial-started", "attributes": cart})],
        customer,
        started_at=utc(entered),
        policy=NO_POLICY.model_copy(update={"time_zone": house}),
    )
    return timeline.runs[0]


def sent(wait: object, entered: str, zone: str, ends_at: str | None = None, born_on: str | None = None) -> datetime:
    (send,) = played(wait, entered, zone, ends_at, born_on=born_on).sends
    return send.at


@pytest.mark.parametrize(
    ("wait", "zone", "entered", "at"),
    [
        pytest.param({"until": "02:30"}, OSLO, "2027-03-27T12:00Z", "2027-03-28T01:00Z", id="in-the-gap-of-spring"),
        pytest.param({"until": "02:30"}, OSLO, "2026-10-24T12:00Z", "2026-10-25T00:30Z", id="the-first-in-autumn"),
        pytest.param({"until": "02:30"}, OSLO, "2026-10-25T00:30Z", "2026-10-26T01:30Z", id="not-the-second-in-autumn"),
        pytest.param({"until": "02:30"}, OSLO, "2026-10-25T01:10Z", "2026-10-26T01:30Z", id="after-the-second-02:10"),
        pytest.param(NINE, OSLO, "2027-03-27T08:00Z", "2027-03-28T07:00Z", id="a-day-of-23-hours"),
        pytest.param(NINE, OSLO, "2026-10-24T07:00Z", "2026-10-25T08:00Z", id="a-day-of-25-hours"),
        pytest.param(NINE, SYDNEY, "2026-04-04T00:00Z", "2026-04-04T23:00Z", id="autumn-in-the-south"),
        pytest.param({"until": "02:30"}, SYDNEY, "2026-10-03T12:00Z", "2026-10-03T16:00Z", id="spring-south"),
        pytest.param(
            {"until": "02:15"}, "Australia/Lord_Howe", "2026-10-03T12:00Z", "2026-10-03T15:30Z", id="half-hour"
        ),
        pytest.param(NINE, "Asia/Kathmandu", "2026-01-01T09:00Z", "2026-01-02T03:15Z", id="of-other-minutes"),
        pytest.param(NINE, "Pacific/Apia", "2011-12-29T20:00Z", "2011-12-30T10:00Z", id="a-day-that-was-left-out"),
        pytest.param({"until": "09:00", "on": "weekdays"}, OSLO, "2026-01-02T08:00Z", "2026-01-05T08:00Z", id="monday"),
        pytest.param(
            {"until": "09:00", "on": "weekdays"}, NEW_YORK, "2026-01-03T01:00Z", "2026-01-05T14:00Z", id="friday"
        ),
        pytest.param({"until": "09:00", "on": ["thu"]}, OSLO, "2026-01-01T08:00Z", "2026-01-08T08:00Z", id="in-a-week"),
        pytest.param(NINE, OSLO, "2026-01-01T08:00Z", "2026-01-02T08:00Z", id="strictly-later"),
        pytest.param(NINE, OSLO, "2026-01-01T07:59:59Z", "2026-01-01T08:00Z", id="in-a-second"),
    ],
)
def test_the_next_time_of_day(wait: object, zone: str, entered: str, at: str) -> None:
    assert sent(wait, entered, zone) == utc(at)


@pytest.mark.parametrize(
    ("wait", "zone", "ends_at", "at"),
    [
        pytest.param(THE_DAY_BEFORE, OSLO, "2026-03-30T00:30+02:00", "2026-03-29T07:00Z", id="a-calendar-day"),
        pytest.param(THE_DAY_BEFORE, OSLO, "2026-06-10T20:00-08:00", "2026-06-10T07:00Z", id="the-day-where-she-is"),
        pytest.param(
            {"until": "event.ends_at", "before": "1 day"},
            OSLO,
            "2026-03-29T12:00+02:00",
            "2026-03-28T10:00Z",
            id="24-hours",
        ),
        pytest.param(
            {"until": "event.ends_at", "after": "2 days", "at": "18:00"},
            NEW_YORK,
            "2026-03-07T02:00Z",
            "2026-03-08T22:00Z",
            id="after-over-a-change",
        ),
    ],
)
def test_around_a_date_of_the_event(wait: object, zone: str, ends_at: str, at: str) -> None:
    assert sent(wait, "2026-01-01T09:00Z", zone, ends_at) == utc(at)


@pytest.mark.parametrize(
    ("wait", "zone", "born_on", "entered", "at"),
    [
        pytest.param(BIRTHDAY, OSLO, "2000-02-29", "2027-01-01T09:00Z", "2027-02-28T08:00Z", id="no-leap-year"),
        pytest.param(BIRTHDAY, OSLO, "2000-02-29", "2028-01-01T09:00Z", "2028-02-29T08:00Z", id="a-leap-year"),
        pytest.param(BIRTHDAY, OSLO, "1990-01-01", "2026-01-01T07:59Z", "2026-01-01T08:00Z", id="today"),
        pytest.param(BIRTHDAY, OSLO, "1990-01-01", "2026-01-01T08:00Z", "2026-01-01T08:00Z", id="this-very-instant"),
        pytest.param(BIRTHDAY, OSLO, "1990-01-01", "2026-01-01T08:00:01Z", "2027-01-01T08:00Z", id="next-year"),
        pytest.param(
            {"until": "customer.born_on", "before": "1 day", "at": "09:00"},
            ANGELES,
            "2026-03-01",
            "2026-01-01T09:00Z",
            "2026-02-28T17:00Z",
            id="a-date-without-a-time",
        ),
        pytest.param(
            {"until": "customer.born_on"},
            ANGELES,
            "2026-03-01",
            "2026-01-01T09:00Z",
            "2026-03-01T08:00Z",
            id="midnight",
        ),
    ],
)
def test_a_date_of_the_customer(wait: object, zone: str, born_on: str, entered: str, at: str) -> None:
    assert sent(wait, entered, zone, born_on=born_on) == utc(at)


@pytest.mark.parametrize(
    ("zones", "at", "why"),
    [
        ({"zone": OSLO, "time_zone": NEW_YORK, "house": ANGELES}, "08:00", "Europe/Oslo of customer.time_zone"),
        ({"time_zone": NEW_YORK, "house": ANGELES}, "14:00", "America/New_York of the journey"),
        ({"house": ANGELES}, "17:00", "America/Los_Angeles of the house"),
        ({}, "09:00", "UTC"),
        (
            {"zone": "Moon/Base", "time_zone": NEW_YORK},
            "14:00",
            "customer.time_zone names no zone that is known, so America/New_York of the journey",
        ),
        (
            {"zone": "Moon/Base", "time_zone": "Mars/Base", "house": ANGELES},
            "17:00",
            "customer.time_zone and the journey name no zone that is known, so America/Los_Angeles of the house",
        ),
    ],
    ids=["hers", "the-journey-s", "the-house-s", "utc", "nobody-knows-hers", "nobody-knows-either"],
)
def test_whose_zone_it_is_and_the_diary_says_so(zones: dict[str, str], at: str, why: str) -> None:
    run = played(NINE, "2026-01-01T00:00Z", **zones)

    assert run.sends[0].at == utc(f"2026-01-01T{at}Z")
    assert run.diary[0].why == f"until 09:00: 1 Jan 2026 {at} UTC; {why}"
    assert run.diary[1].why == f"waited until 1 Jan 2026 {at} UTC"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "event.ends_at is missing"),
        ({"ends_at": "0000-00-00"}, "event.ends_at is 0000-00-00, which is no date"),
        ({"ends_at": "9999-12-31T00:00:00Z"}, "event.ends_at is after 2200"),
        (
            {"ends_at": "2026-01-01T08:00:00Z"},
            "until event.ends_at: 1 Jan 2026 08:00 UTC, which had passed; UTC",
        ),
    ],
    ids=["missing", "no-date", "too-far", "passed"],
)
def test_who_is_late_goes_on_at_once_and_the_diary_says_why(given: dict[str, str], why: str) -> None:
    run = played({"until": "event.ends_at"}, "2026-01-01T09:00Z", **given)

    assert [(line.did, line.step, line.why) for line in run.diary[:2]] == [
        ("entered", "pause", why),
        ("passed", "pause", "late: it does not wait"),
    ]
    assert run.sends[0].at == utc("2026-01-01T09:00Z")


def test_a_wait_until_this_very_instant_is_in_time() -> None:
    run = played({"until": "event.ends_at"}, "2026-01-01T09:00Z", ends_at="2026-01-01T10:00:00+01:00")

    assert run.diary[1].why == "waited until 1 Jan 2026 09:00 UTC"


@pytest.mark.parametrize(
    ("ends_at", "outcome", "why"),
    [
        (
            "2026-01-01T16:00Z",
            "accepted",
            "to be sent until 2 hours before event.ends_at: 1 Jan 2026 14:00 UTC; UTC",
        ),
        ("2026-01-01T15:00Z", "blocked", "to be sent until 2 hours before event.ends_at: 1 Jan 2026 13:00 UTC; UTC"),
        (None, "accepted", "event.ends_at is missing, so it never expires"),
    ],
    ids=["in-time", "too-late", "missing"],
)
def test_a_message_expires_before_a_date(ends_at: str | None, outcome: str, why: str) -> None:
    expires = {"at": "event.ends_at", "before": "2 hours"}
    steps = [{"id": "pause", "wait": "4 hours"}, {**EMAIL, "expires": expires}]

    run = played(None, "2026-01-01T09:00Z", ends_at=ends_at, steps=steps)

    assert [send.outcome for send in run.sends] == [outcome]
    assert (run.diary[2].did, run.diary[2].step, run.diary[2].why) == ("entered", "hello", why)


@pytest.mark.parametrize(
    ("until", "at"),
    [
        pytest.param(UntilDate(until="event.ends_at", before=timedelta(days=2)), "2026-01-09T09:00Z", id="scaled"),
        pytest.param(
            UntilDate(until="event.ends_at", before=timedelta(days=2), at=time(9)), "2026-01-08T09:00Z", id="calendar"
        ),
        pytest.param(UntilDate(until="event.ends_at"), "2026-01-10T09:00Z", id="the-date"),
        pytest.param(UntilTimeOfDay(until=time(8)), "2026-01-02T08:00Z", id="a-time-of-day"),
        pytest.param(UntilInstant(until=utc("2026-05-01T09:00Z")), "2026-05-01T09:00Z", id="an-instant"),
    ],
)  # fmt: skip
def test_the_pace_of_a_run_scales_lengths_of_time_alone(until: Until, at: str) -> None:
    half = Dated(abandoned_cart(), {"ends_at": "2026-01-10T09:00:00Z"}, CUSTOMER, day=timedelta(hours=12))

    assert half.moment(until, utc("2026-01-01T09:00Z")).at == utc(at)


def test_on_every_path_a_date_is_now_or_in_a_year_and_whoever_is_late_goes_on_at_once() -> None:
    until = {"id": "then", "wait": {"until": "event.ends_at"}, "then": [EMAIL], "late": [{**EMAIL, "id": "late-hello"}]}
    steps = [{"id": "morning", "wait": NINE}, until]

    paths = every_path(abandoned_cart(steps=steps, start={"trigger": "trial-started"})).paths

    told = {path.choices[0].arm: path.messages[0] for path in paths}
    week, year = timedelta(days=8), timedelta(days=365)
    assert (told["then"].earliest, told["then"].latest) == (timedelta(0), week + year)
    assert (told["late"].step, told["late"].earliest, told["late"].latest) == ("late-hello", timedelta(0), week)
