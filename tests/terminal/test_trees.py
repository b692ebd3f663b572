"""A journey as a tree: every step and every arm, where they belong."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given, settings

from api.steps_examples import JOURNEYS
from journeys.definition import Journey
from journeys.reading import read_journey
from journeys.steps import every_step
from terminal.trees import tree
from tests.random_journeys import journeys


def drawn(journey: Journey) -> str:
    return "\n".join(line.plain for line in tree(journey)) + "\n"


def journey(*steps: dict[str, Any], **more: Any) -> Journey:
    return read_journey({"journey": "j", "start": "cart", "steps": list(steps), **more})


def test_it_looks_like_the_whiteboard() -> None:
    text = {"text": "reminder", "to": "customer.phone"}
    asked = {"trigger": "bought", "within": "1 day"}
    branch = [{"arm": "gold", "when": 'customer.tier ==\n "gold"', "then": [{"id": "thanks", **text}]}]
    deep = {"id": "tier", "branch": branch, "otherwise": [{"id": "enough", "end": "not gold"}]}
    start = {"trigger": "cart", "where": "event.total > 50", "repeat": {"after": "7 days"}}

    picture = drawn(
        journey(
            {"id": "hello", "email": "welcome", "to": "customer.email"},
            {"id": "bought", "if": asked, "then": [], "else": [{"id": "nudge", **text}, deep]},
            {"id": "pause", "wait": "2 days"},
            title="Welcome",
            start=start,
            goal="bought",
            exit=["bought", {"trigger": "left", "where": "event.for_ever"}],
        )
    )

    assert picture == dedent(
        """\
        Welcome  j

        ● enters  trigger cart, where event.total > 50, repeat after 7 days
        ├─ hello  sends email welcome
        ├─ bought  waits for bought, at most 1 day
        │  ├─ ◇ yes  bought
        │  └─ ◇ no
        │     ├─ nudge  sends text reminder
        │     └─ tier  looks for gold
        │        ├─ ◇ gold  customer.tier == "gold"
        │        │  └─ thanks  sends text reminder
        │        └─ ◇ otherwise
        │           └─ enough  ends: not gold
        ├─ pause  waits 2 days
        ✓ completed
        ★ goal    trigger bought
        ■ exits   trigger bought
        ■ exits   trigger left, where event.for_ever
        """
    )


@pytest.mark.parametrize("title", JOURNEYS)
def test_every_type_of_step_is_drawn_with_its_arms(title: str) -> None:
    shown = read_journey(JOURNEYS[title])

    picture = drawn(shown)

    for step in every_step(shown.steps):
        assert f"─ {step.id}  {step.words}\n" in picture
        for arm in step.arms:
            assert f"─ ◇ {arm.name}" in picture
            assert step.condition_of(arm.name) in picture


def test_arms_say_when_they_are_taken() -> None:
    pictures = "".join(drawn(read_journey(shown)) for shown in JOURNEYS.values())

    for said in (
        "◇ replied  replied yes or ja",
        "◇ visited  store-visit",
        '◇ moved  customer.country == "NO"',
        "◇ large  event.total > 100",
        "◇ held-out  10%",
        "◇ first  the first 1000",
        "◇ meanwhile\n",
    ):
        assert said in pictures


def test_arms_that_ask_alike_say_what_tells_them_apart() -> None:
    arms = [
        {"arm": "oslo", "trigger": "store-visit", "where": 'event.city == "Oslo"'},
        {"arm": "bergen", "trigger": "store-visit", "where": 'event.city\n== "Bergen"'},
        {"arm": "sale", "message": "hello", "is": "clicked", "link": "https://shop.example.com/sale"},
        {"arm": "news", "message": "hello", "is": "clicked", "link": "https://shop.example.com/news"},
    ]

    hello = {"id": "hello", "email": "welcome", "to": "customer.email"}
    picture = drawn(journey(hello, {"id": "asks", "await": {"within": "1 day", "arms": arms}}))

    assert '◇ oslo  store-visit, where event.city == "Oslo"\n' in picture
    assert '◇ bergen  store-visit, where event.city == "Bergen"\n' in picture
    assert "◇ sale  clicked https://shop.example.com/sale\n" in picture
    assert "◇ news  clicked https://shop.example.com/news\n" in picture


@settings(max_examples=100, deadline=None)
@given(journey=journeys())
def test_every_step_and_arm_has_a_line_of_its_own(journey: Journey) -> None:
    lines = drawn(journey).splitlines()

    steps = list(every_step(journey.steps))
    assert sum("─ ◇ " in line for line in lines) == sum(len(step.arms) for step in steps)
    assert sum("─ " in line and "─ ◇ " not in line for line in lines) == len(steps)


def test_the_deepest_journey_is_drawn() -> None:
    steps: list[dict[str, Any]] = [{"id": "end", "wait": "1 day"}]
    for number in range(49):
        steps = [{"id": f"s{number}", "until": {"trigger": "t", "within": "1 day"}, "steps": steps}]

    assert len(drawn(journey(*steps)).splitlines()) == 50 + 3 * 49 + 4
