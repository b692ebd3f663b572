"""Waits: so long, or until a moment, with arms for those who are in time and for those who are late."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter

from journeys.problems import Invalid
from journeys.reading import read_journey
from journeys.steps import AnyStep, Step
from journeys.steps.uses import DateUse, DurationUse, InstantUse
from journeys.walk.script import DEFAULT_START
from tests.samples import ABANDONED_CART, abandoned_cart
from workflows.run_input import RunInput

ADAPTER: TypeAdapter[Step] = TypeAdapter(AnyStep)
DAY = timedelta(days=1)
EMAIL = {"id": "hello", "email": "initial-email-reminder", "to": "customer.email"}
BEFORE = {"until": "event.ends_at", "before": "3 days", "at": "09:00"}
INSTANT = {"until": "2030-12-01T09:00:00+01:00"}


def wait(wait: object, **arms: object) -> Step:
    return ADAPTER.validate_python({"id": "pause", "wait": wait, **arms})


@pytest.mark.parametrize(
    ("written", "words", "longest"),
    [
        ("36 hours", "waits 1 day 12 hours", timedelta(hours=36)),
        ({"until": "09:00", "on": "weekdays"}, "waits until 09:00 on weekdays", 8 * DAY),
        (INSTANT, "waits until 1 Dec 2030 08:00 UTC", 365 * DAY),
        (BEFORE, "waits until 3 days before event.ends_at, at 09:00", 365 * DAY),
        ({"until": "event.ends_at", "after": "30 days"}, "waits until 30 days after event.ends_at", 395 * DAY),
        (
            {"until": "customer.born_on", "yearly": True},
            "waits until the next anniversary of customer.born_on",
            365 * DAY,
        ),
    ],
    ids=str,
)
def test_a_wait_says_what_it_waits_for(written: object, words: str, longest: timedelta) -> None:
    step = wait(written)

    assert (step.words, step.longest) == (words, longest)
    assert (step.moment is None) == isinstance(written, str)
    assert step.shortest == (longest if isinstance(written, str) else timedelta(0))
    assert ADAPTER.validate_python(step.model_dump(mode="json", by_alias=True, exclude_defaults=True)) == step


@pytest.mark.parametrize("until", [BEFORE, INSTANT], ids=["a-date", "an-instant"])
def test_it_has_arms_where_either_is_written(until: dict[str, str]) -> None:
    assert wait(until).arms == ()
    assert wait(until, then=[], late=[]).arms == ()
    assert [(arm.name, len(arm.steps)) for arm in wait(until, then=[EMAIL]).arms] == [("then", 1), ("late", 0)]
    assert [(arm.name, len(arm.steps)) for arm in wait(until, late=[EMAIL]).arms] == [("then", 0), ("late", 1)]


@pytest.mark.parametrize(
    ("written", "never_late"), [("1 day", "a wait of 1 day"), ({"until": "09:00"}, "a wait until 09:00")], ids=str
)
@pytest.mark.parametrize("arm", ["then", "late"])
def test_what_is_never_late_has_no_arms(written: object, never_late: str, arm: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_journey({**_written(), "steps": [{"id": "pause", "wait": written, arm: [EMAIL]}]})

    (flaw,) = refused.value.flaws
    assert flaw.path == f"steps[0].{arm}"
    assert f"{never_late} is never late" in flaw.message


def test_what_it_uses_says_where_it_is_written() -> None:
    uses = list(wait({**BEFORE, "yearly": True}).uses)

    assert uses == [DateUse("wait.until", "event.ends_at", yearly=True), DurationUse("wait.before", 3 * DAY)]
    assert [type(use) for use in wait(INSTANT).uses] == [InstantUse]
    assert list(wait({"until": "09:00"}).uses) == []
    assert list(wait("1 day").uses) == [DurationUse("wait", DAY)]


def test_a_wait_of_so_long_is_kept_and_told_as_before() -> None:
    journey = abandoned_cart()
    told = RunInput(id="r", version=1, steps=journey.steps, started_at=DEFAULT_START).model_dump_json()

    assert '{"id":"pause","wait":"1 day"}' in told
    assert journey.hash == "4db6b1644cb343b4"


def test_the_journey_s_zone_is_of_its_meaning() -> None:
    assert abandoned_cart(time_zone="Europe/Oslo").hash != abandoned_cart().hash


def _written() -> dict[str, Any]:
    return read_journey(ABANDONED_CART).model_dump(mode="json", by_alias=True, exclude_unset=True)
