"""Publishing refuses moments that nobody could wait for, with all reasons at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from journeys.checks.review import Catalogue
from journeys.problems import Invalid
from journeys.publishing import check, warn
from store.journeys import publish, put_journey
from store.store import Store
from tests.samples import abandoned_cart, catalogue
from tests.shop import CHANNELS, Shop, by_us

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
EMAIL = {"id": "mail", "email": "initial-email-reminder", "to": "customer.email"}
TRIAL = {"trigger": "trial-started"}


def dated() -> Catalogue:
    """The catalogue of somebody whose customers have times as well."""
    known = catalogue()
    return replace(known, customer={**known.customer, "seen_at": "time?", "score": "number?"})


def flaws_of(wait: object, **changes: Any) -> list[str]:
    changes = {"steps": [{"id": "pause", "wait": wait}, EMAIL], "start": TRIAL, **changes}
    return [str(flaw) for flaw in check(abandoned_cart(**changes), dated(), now=NOW)]


@pytest.mark.parametrize(
    "wait",
    [
        {"until": "09:00", "on": "weekdays"},
        {"until": "2026-11-24T12:00:01Z"},
        {"until": "event.ends_at", "before": "3 days", "at": "09:00"},
        {"until": "customer.seen_at", "after": "1 day"},
    ],
    ids=str,
)
def test_a_moment_that_comes_may_be_published(wait: object) -> None:
    assert flaws_of(wait) == []


@pytest.mark.parametrize(
    ("wait", "said"),
    [
        (
            {"until": "2026-11-24T12:00:00Z"},
            (
                "steps[0].wait.until: 24 Nov 2026 12:00 UTC has passed: everybody would be late. "
                "Give a later time, or leave it out."
            ),
        ),
        (
            {"until": "event.ends_on"},
            'steps[0].wait.until: no attribute "event.ends_on". Did you mean "event.ends_at"?',
        ),
        (
            {"until": "event.total"},
            "steps[0].wait.until: event.total is a number; a time or a date is expected.",
        ),
        (
            {"until": "customer.email", "yearly": True},
            "steps[0].wait.until: customer.email is a text; a time or a date is expected.",
        ),
        (
            {"until": "event.ends_at", "before": "0 days"},
            "steps[0].wait.before: found 0 seconds; expected more than nothing, such as 1 day.",
        ),
        (
            {"until": "event.ends_at", "after": "0 hours"},
            "steps[0].wait.after: found 0 seconds; expected more than nothing, such as 1 day.",
        ),
    ],
    ids=str,
)
def test_a_moment_that_nobody_can_wait_for_is_refused(wait: object, said: str) -> None:
    assert flaws_of(wait) == [said]


@pytest.mark.parametrize(
    ("expires", "said"),
    [
        ({"at": "event.ends_at"}, []),
        ({"at": "event.ends_at", "before": "2 hours"}, []),
        (
            {"at": "event.ends_at", "before": "0 hours"},
            ["steps[0].expires.before: found 0 seconds; expected more than nothing, such as 1 day."],
        ),
        (
            {"at": "event.total"},
            ["steps[0].expires.at: event.total is a number; a time or a date is expected."],
        ),
        (
            {"at": "ends_at"},
            [
                (
                    'steps[0].expires.at: "ends_at" is not a reference: '
                    "write event. or customer. and a name, such as event.cart_id."
                )
            ],
        ),
    ],
    ids=str,
)
def test_the_date_at_which_a_message_expires_is_checked(expires: dict[str, str], said: list[str]) -> None:
    assert flaws_of(None, steps=[{**EMAIL, "expires": expires}]) == said


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("Europe/Oslo", []),
        ("Europe/Olso", ['time_zone: there is no time zone "Europe/Olso". Did you mean "Europe/Oslo"?']),
        (
            "UTC+1",
            [
                (
                    'time_zone: there is no time zone "UTC+1". '
                    "Name a place, such as Europe/Oslo: an offset or an abbreviation knows nothing of summer time."
                )
            ],
        ),
        ("europe/oslo", ['time_zone: there is no time zone "europe/oslo". Did you mean "Europe/Oslo"?']),
    ],
)
def test_the_journey_s_zone_is_one_that_there_is(zone: str, said: list[str]) -> None:
    assert flaws_of({"until": "09:00"}, time_zone=zone) == said


def test_a_yearly_date_is_warned_of_where_nobody_enters_twice() -> None:
    def warned(yearly: bool, **start: str) -> list[str]:
        wait = {"until": "customer.seen_at", "yearly": yearly}
        journey = abandoned_cart(steps=[{"id": "pause", "wait": wait}, EMAIL], start={**TRIAL, **start})
        return [flaw.path for flaw in warn(journey, dated())]

    assert warned(yearly=True, repeat="never") == ["steps[0].wait.until"]
    assert warned(yearly=True) == warned(yearly=False, repeat="never") == []


async def test_an_instant_is_held_against_the_clock_when_it_is_published(store: Store) -> None:
    shop = Shop(store, NOW)
    await shop.stock()
    await put_journey(
        store, abandoned_cart(steps=[{"id": "p", "wait": {"until": "2026-11-24T11:00:00Z"}}, EMAIL]), by_us(NOW)
    )

    with pytest.raises(Invalid) as refused:
        await publish(store, "abandoned-cart", by_us(NOW), CHANNELS)

    assert [flaw.path for flaw in refused.value.flaws] == ["steps[0].wait.until"]
