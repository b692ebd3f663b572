"""The virtual clock: who would get what and when, before anything is published."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from journeys.walk.preview import DEFAULT_START, Happening, Timeline, preview
from tests.samples import CONTENTS, CUSTOMER, abandoned_cart, version

CART = {"trigger": "abandoned-cart", "attributes": {"cart_id": "c1", "total": 60}}


def play(*lines: dict[str, Any], customer: dict[str, object] | None = None, **changes: object) -> Timeline:
    script = [Happening.model_validate(line) for line in (CART, *lines)]
    return preview(version(abandoned_cart(**changes)), script, customer or CUSTOMER, contents=CONTENTS)


def sends(timeline: Timeline, run: int = 0) -> list[tuple[str, timedelta, str]]:
    return [(sent.step, sent.at - timeline.started_at, sent.outcome) for sent in timeline.runs[run].sends]


def test_who_does_nothing_gets_all_three_a_day_apart() -> None:
    timeline = play()

    assert sends(timeline) == [
        ("initial-reminder", timedelta(0), "accepted"),
        ("second-reminder", timedelta(days=1), "accepted"),
        ("final-reminder", timedelta(days=2), "accepted"),
    ]
    assert timeline.runs[0].ended == "completed"
    assert timeline.runs[0].ended_at == DEFAULT_START + timedelta(days=2)


def test_an_open_ends_the_journey_at_once() -> None:
    timeline = play({"at": "3 hours", "message": "initial-reminder", "is": "opened"})

    assert [step for step, *_ in sends(timeline)] == ["initial-reminder"]
    assert timeline.runs[0].ended_at == DEFAULT_START + timedelta(hours=3)


def test_a_purchase_counts_for_the_goal_and_exits() -> None:
    timeline = play({"at": "36 hours", "trigger": "purchase-completed"})

    run = timeline.runs[0]
    assert [step for step, *_ in sends(timeline)] == ["initial-reminder", "second-reminder"]
    assert (run.ended, run.why, run.goal_met_at) == ("exited", "exit: purchase-completed", run.ended_at)
    assert [decision.did for decision in timeline.events[1].decisions] == ["goal met", "exited"]


def test_messages_are_shown_as_they_would_read() -> None:
    timeline = play()

    first = timeline.runs[0].sends[0]
    assert first.parts["subject"] == "Your cart is waiting, Ada"
    assert first.parts["text"] == "You left 60 in your cart. No more of these: https://journeys.example.com/u/sample"
    assert first.to == "ada@example.com"


def test_a_missing_address_blocks_the_message_and_the_run_goes_on() -> None:
    timeline = play(customer={"email": "ada@example.com", "push_token": "token"})

    assert [outcome for *_, outcome in sends(timeline)] == ["accepted", "blocked", "accepted"]
    assert timeline.runs[0].sends[1].reason == "customer.phone is missing"


def test_the_same_event_twice_is_one_run() -> None:
    timeline = play({**CART, "id": "line-1"})

    assert len(timeline.runs) == 1
    assert timeline.events[1].decisions == ()


def test_the_diary_tells_the_story() -> None:
    diary = play({"at": "3 hours", "message": "initial-reminder", "is": "opened"}).runs[0].diary

    assert [(entry.step, entry.did, entry.arm, entry.why) for entry in diary] == [
        ("initial-reminder", "entered", None, ""),
        ("initial-reminder", "passed", None, "accepted"),
        ("opened", "entered", None, ""),
        ("opened", "passed", "yes", "opened"),
    ]
    assert [entry.n for entry in diary] == [0, 1, 2, 3]


def test_an_event_that_starts_nothing_says_why() -> None:
    start = {"trigger": "abandoned-cart", "where": "event.total > 50"}
    line = {"trigger": "abandoned-cart", "attributes": {"total": 40}}

    timeline = preview(version(abandoned_cart(start=start)), [Happening.model_validate(line)], CUSTOMER)

    assert timeline.runs == ()
    assert timeline.events[0].decisions[0].did == "ignored"
    assert "event.total is 40" in timeline.events[0].decisions[0].why


def test_an_interaction_with_what_was_not_sent_is_an_error_in_the_script() -> None:
    with pytest.raises(ValueError, match="it was not sent by then"):
        play({"at": "3 hours", "message": "second-reminder", "is": "clicked"})


@pytest.mark.parametrize(
    "line",
    [
        pytest.param({"at": "1 day"}, id="neither"),
        pytest.param({"trigger": "a", "message": "b", "is": "opened"}, id="both"),
        pytest.param({"message": "b"}, id="half"),
    ],
)
def test_a_line_of_the_script_is_a_trigger_or_an_interaction(line: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"trigger|message"):
        Happening.model_validate(line)


def test_a_wait_of_four_hundred_days_ends_to_the_second() -> None:
    timeline = play(
        steps=[
            {"id": "w", "wait": "400 days"},
            {"id": "m", "email": "initial-email-reminder", "to": "customer.email"},
        ]
    )

    assert sends(timeline) == [("m", timedelta(days=400), "accepted")]


def test_the_clock_starts_where_it_is_told() -> None:
    at = datetime(2027, 2, 28, 12, tzinfo=UTC)

    timeline = preview(version(), [Happening.model_validate(CART)], CUSTOMER, started_at=at)

    assert timeline.runs[0].sends[0].at == at
