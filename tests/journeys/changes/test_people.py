"""How many people stand before a change, at it and behind it."""

from __future__ import annotations

from typing import Any

import pytest

from journeys.changes.changes import changes
from journeys.changes.people import Standing, Ways
from tests.samples import abandoned_cart, version

HELLO = {"id": "hello", "email": "initial-email-reminder", "to": "customer.email"}
VISIT = {"trigger": "store-visit", "within": "1 day"}


def pause(id: str, wait: str = "1 day") -> dict[str, Any]:
    return {"id": id, "wait": wait}


OLD = [
    pause("first"),
    {"id": "asks", "if": VISIT, "then": [pause("came")], "else": [pause("stayed"), pause("gone")]},
    {"id": "series", "until": VISIT, "steps": [pause("inner"), pause("innermost")]},
    pause("last"),
]
INSIDE = {"first": 1, "asks": 2, "came": 4, "stayed": 8, "inner": 16, "innermost": 32, "last": 64}

CHANGES: dict[str, tuple[list[dict[str, Any]], str, Standing]] = {
    "a wait in an arm": (
        [OLD[0], OLD[1] | {"else": [pause("stayed", "2 days"), pause("gone")]}, *OLD[2:]],
        "stayed",
        Standing(before=1 + 2, at=8, behind=4 + 16 + 32 + 64),
    ),
    "a limit of steps that are walked": (
        [*OLD[:2], OLD[2] | {"until": VISIT | {"within": "2 days"}}, OLD[3]],
        "series",
        Standing(before=1 + 2 + 4 + 8, at=16 + 32, behind=64),
    ),
    "a step that is gone": ([*OLD[:3]], "last", Standing(before=63, at=64)),
    "a step between": (
        [*OLD[:2], pause("between"), *OLD[2:]],
        "between",
        Standing(before=1 + 2 + 4 + 8, behind=16 + 32 + 64),
    ),
    "a step at the end": ([*OLD, pause("end")], "end", Standing(before=127)),
    "a step that is put first": ([pause("early"), *OLD], "early", Standing(behind=127)),
    "a step behind one that is gone": (
        [OLD[0], OLD[1] | {"else": [pause("new")]}, *OLD[2:]],
        "new",
        Standing(before=1 + 2, behind=4 + 8 + 16 + 32 + 64),
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_people_stand_before_a_change_at_it_or_behind_it(case: str) -> None:
    steps, changed, standing = CHANGES[case]
    old, new = (version(abandoned_cart(steps=written)) for written in (OLD, steps))

    (change,) = (change for change in changes(old.journey, new.journey) if change.step == changed)

    assert Ways(old, new, {}).standing(change, INSIDE) == standing


def test_a_change_of_the_journey_is_at_no_step() -> None:
    old, new = version(abandoned_cart(steps=OLD)), version(abandoned_cart(steps=OLD, time_zone="Europe/Oslo"))
    (change,) = changes(old.journey, new.journey)

    assert Ways(old, new, {}).standing(change, INSIDE) is None


def test_a_step_of_another_name_is_where_it_was() -> None:
    old = version(abandoned_cart(steps=OLD))
    new = version(abandoned_cart(steps=[*OLD[:3], pause("end")]))
    names = {"last": "end"}
    (change,) = changes(old.journey, new.journey, names)

    assert Ways(old, new, names).standing(change, INSIDE) == Standing(before=63, at=64)
