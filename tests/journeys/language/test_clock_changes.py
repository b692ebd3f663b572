"""Changes of the clock: how far clocks are ahead of UTC, and until when, in every zone of the table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.language.clock_changes import EPOCH, SECOND, steady
from journeys.language.zones import known_zone, zone_names

HOUR = 3_600


def zone(name: str) -> ZoneInfo:
    found = known_zone(name)
    assert found is not None
    return found


def second(instant: str) -> int:
    return (datetime.fromisoformat(instant).astimezone(UTC) - EPOCH) // SECOND


def ahead(place: ZoneInfo, at: int) -> int:
    offset = (EPOCH + at * SECOND).astimezone(place).utcoffset()
    assert offset is not None
    return offset // SECOND


CHANGES = [
    ("Europe/Oslo", "2026-03-29T01:00Z", HOUR, 2 * HOUR),
    ("Europe/Oslo", "2026-10-25T01:00Z", 2 * HOUR, HOUR),
    ("Australia/Lord_Howe", "2026-10-03T15:30Z", 21 * HOUR // 2, 11 * HOUR),
    ("America/St_Johns", "2010-03-14T03:31Z", -7 * HOUR // 2, -5 * HOUR // 2),
    ("Asia/Kathmandu", "1985-12-31T18:30Z", 11 * HOUR // 2, 23 * HOUR // 4),
    ("Pacific/Apia", "2011-12-30T10:00Z", -10 * HOUR, 14 * HOUR),
    ("Antarctica/Troll", "2026-03-29T01:00Z", 0, 2 * HOUR),
]


@pytest.mark.parametrize(("name", "instant", "before", "after"), CHANGES, ids=str)
def test_clocks_are_steady_up_to_the_second_of_a_change(name: str, instant: str, before: int, after: int) -> None:
    change = second(instant)

    assert steady(zone(name), change - 1) == (change, before)
    assert steady(zone(name), change).ahead == after


# Ramadan in Morocco and the autumn of Gaza, where changes are the closest together, are among these.
TRICKY = ("Africa/Casablanca", "Asia/Gaza", "America/Noronha", "Pacific/Apia", "Australia/Lord_Howe", "UTC")


@given(
    st.one_of(st.sampled_from(TRICKY), st.sampled_from(sorted(zone_names()))).map(zone),
    st.integers(second("1900-01-01T00:00Z"), second("2200-01-01T00:00Z")),
)
def test_clocks_show_the_same_offset_for_as_long_as_is_said(place: ZoneInfo, at: int) -> None:
    until, found = steady(place, at)

    assert at < until <= at + 366 * 24 * HOUR
    assert {ahead(place, each) for each in [*range(at, until, 5 * HOUR), until - 1]} == {found}


def test_changes_on_the_last_day_of_what_is_worked_out_at_once_are_known() -> None:
    at_once, day = 366 * 24 * HOUR, 24 * HOUR
    ends = [n * at_once for n in range(1, 130)]
    places = [(place, end) for place in map(zone, sorted(zone_names())) for end in ends]
    changing = [(place, end) for place, end in places if ahead(place, end - day) != ahead(place, end - 1)]

    assert changing
    assert all(end - day < steady(place, end - day).until < end for place, end in changing)
    assert all(steady(place, end - 1).ahead == ahead(place, end - 1) for place, end in changing)


@pytest.mark.parametrize("name", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Oslo"])
@pytest.mark.parametrize("at", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_the_calendar_may_end(name: str, at: datetime) -> None:
    assert abs(steady(zone(name), (at - EPOCH) // SECOND).ahead) < timedelta(days=1) // SECOND
