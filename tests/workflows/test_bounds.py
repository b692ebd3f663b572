"""What may be written can be handed to a run, read by it, and walked to its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from journeys.steps import DEEPEST, MOST_STEPS, depth, every_step
from journeys.walk.preview import preview
from journeys.walk.script import Happening
from tests.samples import abandoned_cart, version
from workflows.client import DATA_CONVERTER
from workflows.run_input import RunInput

MOST_BYTES = 2 * 1024 * 1024
"""Of one payload: Temporal refuses more."""


def _deepest() -> list[dict[str, Any]]:
    """As many steps as go, on as many levels as go, each with all that it can have."""
    name = "x" * 50
    question = {"trigger": "store-visit", "where": f"event.city == '{'y' * 200}'", "within": "9 days 9 hours 9 minutes"}
    each = MOST_STEPS // DEEPEST
    steps: list[dict[str, Any]] = [{"id": f"a-{number}-{name}", "wait": "1 day"} for number in range(each)]
    for level in range(1, DEEPEST):
        asks = {"id": f"b{level}-{name}", "if": question, ("then" if level % 2 else "else"): steps}
        steps = [*({"id": f"a{level}-{number}-{name}", "wait": "1 day"} for number in range(each - 1)), asks]
    return steps


def test_the_deepest_journey_is_read_by_its_run_and_walked_to_its_end() -> None:
    journey = abandoned_cart(steps=_deepest(), exit=[])
    assert (depth(journey.steps), sum(1 for _ in every_step(journey.steps))) == (DEEPEST, MOST_STEPS)
    dumped = journey.model_dump(mode="json", by_alias=True, include={"steps"})
    given = RunInput.model_validate({**dumped, "id": "r", "started_at": datetime(2026, 1, 1, tzinfo=UTC)})

    payloads = DATA_CONVERTER.payload_converter.to_payloads([given])
    [read] = DATA_CONVERTER.payload_converter.from_payloads(payloads, [RunInput])
    [run] = preview(version(journey), [_cart()], {}).runs

    assert read == given
    assert len(payloads[0].data) < MOST_BYTES
    assert run.ended == "completed"
    assert run.ended_at
    assert run.ended_at - run.entered_at > timedelta(days=19)


def _cart() -> Happening:
    return Happening(trigger="abandoned-cart", attributes={"cart_id": "c", "total": 1})
