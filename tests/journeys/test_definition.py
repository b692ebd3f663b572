"""The definition: one model for YAML and JSON, with an identity that is its meaning."""

from __future__ import annotations

import sys
from types import FrameType

import pytest

from journeys.definition import run_id, send_id
from journeys.reading import read_journey, write
from journeys.steps import every_step
from tests.samples import ABANDONED_CART, abandoned_cart


def test_yaml_and_json_are_the_same_model() -> None:
    journey = read_journey(ABANDONED_CART)

    as_json = journey.model_dump_json(by_alias=True, exclude_unset=True)

    assert journey == read_journey(as_json)
    assert journey == read_journey(write(journey))


def test_a_round_trip_keeps_what_was_written_and_adds_nothing() -> None:
    journey = read_journey(ABANDONED_CART)

    written = write(journey)

    assert "then: []" in written
    assert "overlap" not in written
    assert write(read_journey(written)) == written


def test_a_journey_listens_to_its_start_goal_exits_and_questions() -> None:
    expected = {"abandoned-cart", "purchase-completed", "email-opened"}

    assert expected == abandoned_cart().triggers


def test_a_journey_listens_to_all_triggers_that_start_it() -> None:
    journey = abandoned_cart(start={"trigger": ["abandoned-cart", "store-visit"]}, goal=None, exit=[])

    assert journey.start.triggers == ("abandoned-cart", "store-visit")
    assert journey.triggers == {"abandoned-cart", "store-visit", "email-opened"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param({"title": "a"}, {"title": "b"}, id="title"),
        pytest.param(
            {"start": {"trigger": "abandoned-cart"}},
            {"start": {"trigger": "abandoned-cart", "repeat": "immediately"}},
            id="a-default-spelled-out",
        ),
        pytest.param(
            {"goal": {"trigger": "purchase-completed", "within": "1 day"}},
            {"goal": {"trigger": "purchase-completed", "within": "24 hours"}},
            id="another-spelling-of-a-duration",
        ),
        pytest.param(
            {"start": {"trigger": "abandoned-cart"}}, {"start": {"trigger": ["abandoned-cart"]}}, id="a-list-of-one"
        ),
        pytest.param(
            {"start": {"trigger": "abandoned-cart", "from": "2026-11-23T01:00:00+01:00"}},
            {"start": {"trigger": "abandoned-cart", "from": "2026-11-23T00:00:00Z"}},
            id="another-spelling-of-an-instant",
        ),
    ],
)
def test_the_same_meaning_has_the_same_hash(one: dict[str, object], other: dict[str, object]) -> None:
    assert abandoned_cart(**one).hash == abandoned_cart(**other).hash


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"goal": None}, id="goal"),
        pytest.param({"start": {"trigger": "abandoned-cart", "overlap": "parallel"}}, id="overlap"),
        pytest.param({"exit": []}, id="exit"),
        pytest.param({"steps": [{"id": "pause", "wait": "1 day"}]}, id="steps"),
    ],
)
def test_another_meaning_has_another_hash(change: dict[str, object]) -> None:
    assert abandoned_cart().hash != abandoned_cart(**change).hash


def test_steps_are_listed_in_the_order_they_are_written() -> None:
    steps = [step.id for step in every_step(abandoned_cart().steps)]

    assert steps == ["initial-reminder", "opened", "second-reminder", "pause", "final-reminder"]


def test_ids_are_readable_and_the_same_for_the_same_event() -> None:
    run = run_id("abandoned-cart", "ada", "api", "evt-1")

    assert run == run_id("abandoned-cart", "ada", "api", "evt-1")
    assert run != run_id("abandoned-cart", "ada", "api", "evt-2")
    assert run.startswith("abandoned-cart/ada/")
    assert send_id(run, "initial-reminder") != send_id(run, "second-reminder")


def test_a_trigger_alone_stands_for_the_start_the_goal_and_the_exits() -> None:
    steps = [{"id": "pause", "wait": "1 day"}]
    by_name = {
        "journey": "j",
        "start": "cart",
        "goal": "bought",
        "exit": ["bought", {"trigger": "gone"}],
        "steps": steps,
    }
    whole = {
        "journey": "j",
        "start": {"trigger": "cart"},
        "goal": {"trigger": "bought"},
        "exit": [{"trigger": "bought"}, {"trigger": "gone"}],
        "steps": steps,
    }

    assert read_journey(by_name) == read_journey(whole)
    assert read_journey(by_name).hash == read_journey(whole).hash
    assert read_journey({**by_name, "exit": "bought"}).exit == read_journey({**by_name, "exit": ["bought"]}).exit


def test_the_triggers_of_many_questions_are_found_in_one_walk() -> None:
    asked = [
        step
        for n in range(150)
        for step in (
            {"id": f"mail{n}", "email": "initial-email-reminder", "to": "customer.email"},
            {"id": f"opened{n}", "if": {"message": f"mail{n}", "is": "opened", "within": "1 day"}},
        )
    ]
    journey = abandoned_cart(steps=asked)
    seen = 0

    def count(frame: FrameType, event: str, _: object) -> None:
        nonlocal seen
        seen += event == "call" and frame.f_code.co_name in ("every_step", "message_in", "message")

    sys.setprofile(count)
    try:
        found = journey.run_triggers
    finally:
        sys.setprofile(None)

    assert "email-opened" in found
    assert seen <= 20 * len(asked)  # not once for each of the others
