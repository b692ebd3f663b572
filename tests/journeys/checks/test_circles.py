"""Journeys that start one another: what their definitions show of it."""

from __future__ import annotations

from typing import Any

import pytest

from journeys.checks.circles import check_circles
from journeys.definition import Journey
from tests.samples import abandoned_cart

HELLO = {"id": "hello", "email": "initial-email-reminder", "to": "customer.email"}
PAUSE = {"id": "pause", "wait": "7 days"}


def raising(trigger: str) -> dict[str, Any]:
    return {"id": f"raises-{trigger}", "raise": trigger}


def asking(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"id": "asks", "if": {"trigger": "purchase-completed", "within": "1 day"}, "then": list(steps)}


def journey(name: str, start: str, *steps: dict[str, Any], where: str | None = None) -> Journey:
    return abandoned_cart(journey=name, start={"trigger": start, "where": where}, goal=None, exit=[], steps=list(steps))


def told(journey: Journey, *live: Journey) -> tuple[list[str], list[str]]:
    """The circles that are flaws, and those that are warnings, each with its place."""
    found = check_circles(journey, {other.journey: other for other in live})
    assert all(each.hint for each in (*found.flaws, *found.warnings))
    return tuple(
        [f"{each.path}: {each.message.partition(': ')[2]}" for each in these] for these in (found.flaws, found.warnings)
    )  # type: ignore[return-value]


def test_a_journey_that_raises_its_own_start_is_a_flaw() -> None:
    assert told(journey("a", "x", HELLO, PAUSE, raising("x"))) == (
        ["steps[2].raise: a → a. The last start would be refused."],
        [],
    )


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([asking(), raising("x")], id="after-a-question"),
        pytest.param([asking(raising("x"))], id="within-an-arm"),
        pytest.param(
            [{"id": "end", "branch": [{"arm": "a", "when": "true", "then": [{"id": "e", "end": "x"}]}]}, raising("x")],
            id="after-an-arm-that-ends",
        ),
    ],
)
def test_where_something_may_come_in_between_it_is_a_warning(steps: list[dict[str, Any]]) -> None:
    flaws, warnings = told(journey("a", "x", *steps))

    assert flaws == []
    assert [warning.partition(": ")[2] for warning in warnings] == ["a → a."]


def test_a_start_with_a_condition_makes_it_a_warning() -> None:
    assert told(journey("a", "x", raising("x"), where="event.total > 0")) == ([], ["steps[0].raise: a → a."])


def test_a_circle_through_other_journeys_is_named() -> None:
    first, second, third = (
        journey("a", "x", raising("y")),
        journey("b", "y", raising("z")),
        journey("c", "z", raising("x")),
    )

    assert told(first, second, third) == (["steps[0].raise: a → b → c → a. The last start would be refused."], [])
    assert told(first, second) == ([], [])


def test_the_shortest_sure_circle_is_named_before_a_shorter_one_that_may_be_left() -> None:
    first = journey("a", "x", raising("y"))
    perhaps, surely = journey("b", "y", asking(raising("x"))), journey("c", "y", HELLO, raising("z"))
    back = journey("d", "z", raising("x"))

    assert told(first, perhaps, surely, back)[0] == ["steps[0].raise: a → c → d → a. The last start would be refused."]


def test_what_is_live_by_its_own_name_is_not_what_counts() -> None:
    assert told(journey("a", "x", HELLO), journey("a", "x", raising("x"))) == ([], [])


def test_a_circle_of_others_is_not_told_here() -> None:
    assert told(journey("a", "x", raising("y")), journey("b", "y", raising("z")), journey("c", "z", raising("y"))) == (
        [],
        [],
    )


def test_each_raise_that_closes_a_circle_is_told() -> None:
    twice = journey("a", "x", raising("x"), PAUSE, raising("x") | {"id": "again"})

    assert [flaw.partition(":")[0] for flaw in told(twice)[0]] == ["steps[0].raise", "steps[2].raise"]


@pytest.mark.parametrize(
    ("where", "closes"),
    [
        pytest.param(None, True, id="any-change"),
        pytest.param("customer.country == 'NO'", True, id="of-what-is-set"),
        pytest.param("before.country != 'NO'", True, id="of-what-it-was"),
        pytest.param("customer.language == 'nb'", False, id="of-something-else"),
    ],
)
def test_a_change_that_may_start_its_own_journey_is_a_warning(where: str | None, closes: bool) -> None:
    tag = {"id": "tag", "set": {"country": "'NO'"}}

    flaws, warnings = told(journey("a", "customer-changed", tag, where=where))

    assert flaws == []
    assert warnings == (["steps[0].set: a → a."] if closes else [])
