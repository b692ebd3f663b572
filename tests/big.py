"""The largest journey that may be written: a megabyte, as many steps as go, on as many levels as go, sixty arms."""

from __future__ import annotations

import json
from typing import Any

from journeys.definition import Journey
from journeys.steps import DEEPEST, MOST_STEPS
from tests.samples import abandoned_cart

ARMS = 60
LONG = 1_130
Written = dict[str, Any]


def big_steps() -> list[Written]:
    """A wait of ten years, sixty arms, a series, questions within questions, and many steps with long conditions."""
    steps: list[Written] = [
        {"id": "ten-years", "wait": "3650 days"},
        {"id": "sixty", "await": {"within": "1 hour", "arms": _arms(ARMS - 1), "otherwise": [_step("otherwise", 1)]}},
        {
            "id": "series",
            "until": _visit(0) | {"within": "300 days"},
            "steps": [_step(f"series-{n}", n) for n in range(100)],
            "then": [_step("left", 1)],
        },
        *_nested(DEEPEST - 1),
    ]
    room = MOST_STEPS - json.dumps(steps).count('"id":')
    return [*steps, *(_step(f"step-{n}", n) for n in range(room))]


def big_journey(**changes: object) -> Journey:
    """The journey of these steps."""
    return abandoned_cart(steps=big_steps(), exit=[], **changes)


def _arms(number: int) -> list[Written]:
    return [
        {"arm": f"arm-{n}", **_event(n), "then": [_step(f"arm-{n}-{m}", m) for m in range(1, 4)]} for n in range(number)
    ]


def _nested(levels: int) -> list[Written]:
    steps: list[Written] = [_step("innermost", 1)]
    for level in range(levels, 0, -1):
        steps = [{"id": f"level-{level}", "if": _visit(level), "then" if level % 2 else "else": steps}]
    return steps


def _step(id: str, n: int) -> Written:
    match n % 6:
        case 0 | 2:
            return {"id": id, "if": _visit(n)}
        case 1 | 3:
            return {"id": id, "push": "final-push-notification", "to": "customer.push_token"}
        case _:
            return {"id": id, "wait": "1 hour"}


def _visit(n: int) -> Written:
    return {**_event(n), "within": "1 hour"}


def _event(n: int) -> Written:
    where = f"event.city == 'city {n} '"
    return {"trigger": "store-visit", "where": where[:-1] + "x" * (LONG - len(where)) + where[-1]}
