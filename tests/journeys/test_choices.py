"""Which arm a step takes, and the reason that the diary keeps: clauses and shares, and nobody's values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from journeys.ab_tests import AS_BEFORE, BY_LOT
from journeys.choices import choose
from journeys.known import Known
from journeys.steps import Step
from journeys.walk.diary import Choice
from journeys.walk.lots import StagedLots
from tests.samples import CUSTOMER, abandoned_cart, version

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def known(step: dict[str, Any], **more: Any) -> Known:
    """What is known of ada, who abandoned a cart of 60, at a journey's only step."""
    facts = Known(
        version=version(abandoned_cart(steps=[step])),
        run="abandoned-cart/ada/1",
        customer_id="ada",
        trigger="abandoned-cart",
        event={"cart_id": "c1", "total": 60},
        customer=CUSTOMER,
        now=NOON,
        sent={},
    )
    return replace(facts, **more)


def chosen(step: dict[str, Any], lots: StagedLots | None = None, **more: Any) -> Choice:
    facts = known(step, **more)
    [read] = facts.version.journey.steps
    assert isinstance(read, Step)
    choice = choose(read, facts, lots or StagedLots())
    assert choice is not None
    return choice


def branch(*conditions: str) -> dict[str, Any]:
    return {"id": "tier", "branch": [{"arm": f"arm-{n}", "when": when} for n, when in enumerate(conditions)]}


@pytest.mark.parametrize(
    ("conditions", "arm", "why"),
    [
        pytest.param(["event.total > 50"], "arm-0", "event.total > 50 holds", id="it-holds"),
        pytest.param(["event.total > 60", "event.total > 10", "true"], "arm-1", "event.total > 10 holds", id="first"),
        pytest.param(["event.total > 60"], "otherwise", "no condition holds", id="none"),
        pytest.param(['customer.first_name == "Ada"'], "arm-0", 'customer.first_name == "Ada" holds', id="customer"),
        pytest.param(['customer.id == "ada"'], "arm-0", 'customer.id == "ada" holds', id="their-id"),
        pytest.param(
            ['now < timestamp("2026-11-24T12:00:01Z")'],
            "arm-0",
            'now < timestamp("2026-11-24T12:00:01Z") holds',
            id="the-time",
        ),
        pytest.param(
            ['event.coupon == "X"', "event.total > 10"],
            "arm-1",
            'event.total > 10 holds; event.coupon == "X" cannot be told: event.coupon is missing',
            id="what-is-missing-is-told",
        ),
        pytest.param(
            ['event.coupon == "X"', 'sent["hello"] == "accepted"'],
            "otherwise",
            'no condition holds; event.coupon == "X" cannot be told: event.coupon is missing; '
            'sent["hello"] == "accepted" cannot be told: sent["hello"] is missing',
            id="nothing-was-sent",
        ),
        pytest.param(
            ['event.coupon == "X"'] * 60,
            "otherwise",
            "; ".join(
                [
                    "no condition holds",
                    *['event.coupon == "X" cannot be told: event.coupon is missing'] * 3,
                    "57 more cannot be told",
                ]
            ),
            id="very-many",
        ),
    ],
)
def test_a_branch_takes_the_first_arm_whose_condition_holds(conditions: list[str], arm: str, why: str) -> None:
    assert chosen(branch(*conditions)) == Choice(arm=arm, why=why)


@pytest.mark.parametrize(
    ("became", "arm"),
    [({"hello": "blocked"}, "arm-0"), ({"hello": "failed"}, "arm-0"), ({"hello": "accepted"}, "arm-1")],
)
def test_a_branch_asks_what_became_of_a_message(became: dict[str, str], arm: str) -> None:
    step = branch('sent["hello"] in ["blocked", "failed"]', 'sent["hello"] == "accepted"')

    assert chosen(step, sent=became).arm == arm


def test_no_value_is_in_the_reason() -> None:
    steps = [
        branch("event.total > 50.5"),
        branch("event.total > 99.5"),
        branch('customer.first_name.startsWith("A")'),
        branch('customer.last_name == "L"'),
    ]

    said = " ".join(chosen(step).why for step in steps)

    assert [value for value in ("60", *CUSTOMER.values(), "Ada") if value in said] == []


SPLIT = {
    "id": "half",
    "split": [{"arm": "a", "share": "45%"}, {"arm": "b", "share": "45%"}, {"arm": "held-out", "share": "10%"}],
}


def arms_of(step: dict[str, Any], *, customers: int = 0, runs: int = 0) -> list[str]:
    """What so many customers take with one run each, or ada in so many runs."""
    lots, facts = StagedLots(), known(step)
    [read] = facts.version.journey.steps
    people = [replace(facts, customer_id=f"customer-{n}", run=f"run-{n}") for n in range(customers)]
    people += [replace(facts, run=f"run-{n}") for n in range(runs)]
    choices = [choose(read, each, lots) for each in people]
    return [choice.arm for choice in choices if choice]


def test_a_split_shares_people_out() -> None:
    arms = arms_of(SPLIT, customers=1000)

    assert 400 < arms.count("a") < 500
    assert 400 < arms.count("b") < 500
    assert 70 < arms.count("held-out") < 130
    assert chosen(SPLIT).why == "by lot, with a share of 45%"


def test_the_same_person_always_goes_the_same_way_unless_it_is_drawn_for_each_run() -> None:
    assert len(set(arms_of(SPLIT, runs=50))) == 1
    assert set(arms_of({**SPLIT, "by": "run"}, runs=50)) == {"a", "b", "held-out"}


def test_the_order_of_arms_moves_nobody() -> None:
    assert arms_of({**SPLIT, "split": SPLIT["split"][::-1]}, customers=200) == arms_of(SPLIT, customers=200)


def test_places_by_number_come_first_and_the_rest_go_by_shares_or_otherwise() -> None:
    first = {"arm": "pilot", "first": 3}

    by_number = arms_of({"id": "half", "split": [first, {"arm": "next", "first": 2}]}, customers=7)
    mixed = arms_of({"id": "half", "split": [*SPLIT["split"], first]}, customers=60)

    assert by_number == ["pilot"] * 3 + ["next"] * 2 + ["otherwise"] * 2
    assert mixed[:3] == ["pilot"] * 3
    assert mixed[3:] == arms_of(SPLIT, customers=60)[3:]


def test_who_has_a_place_keeps_it() -> None:
    lots, step = StagedLots(), {"id": "half", "split": [{"arm": "pilot", "first": 1}]}

    taken = [chosen(step, lots, customer_id=who, run=who) for who in ("ada", "bob", "ada")]

    assert taken == [
        Choice(arm="pilot", why="one of the first 1"),
        Choice(arm="otherwise", why="all places are taken"),
        Choice(arm="pilot", why="one of the first 1"),
    ]


TEST: dict[str, Any] = {
    "id": "subject",
    "test": {
        "winner": {"by": "goal", "after": "2 weeks"},
        "arms": [{"arm": "plain", "share": "50%"}, {"arm": "witty", "share": "50%"}],
        "default": "plain",
    },
}


def test_on_the_virtual_clock_a_test_ends_with_its_default() -> None:
    lots = StagedLots()

    taken = [chosen(TEST, lots, now=NOON + days * DAY, run=f"run-{days}") for days in (0, 13, 14)]

    assert taken == [
        Choice(arm="witty", why=BY_LOT),
        Choice(arm="witty", why=AS_BEFORE),
        Choice(arm="plain", why="the default of a test that ended on 2026-12-08 at 12:00 UTC"),
    ]


def test_the_end_of_a_test_keeps_the_pace_of_the_run() -> None:
    lots = StagedLots()
    second = timedelta(seconds=1)

    taken = [
        chosen(TEST, lots, now=NOON + seconds * second, run=f"run-{seconds}", day=second).arm for seconds in (0, 13, 14)
    ]

    assert taken == ["witty", "witty", "plain"]


def test_what_does_not_choose_is_refused() -> None:
    with pytest.raises(TypeError, match='the step "pause" chooses nothing: it waits 1 day'):
        chosen({"id": "pause", "wait": "1 day"})
