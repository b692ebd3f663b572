"""What an earlier release gave to activities, and Temporal still keeps, is taken as a visit of today."""

from __future__ import annotations

import json
from base64 import b64decode
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter
from temporalio.testing import ActivityEnvironment

from activities.deliver import Deliver
from activities.inputs import GivenBy01
from activities.reconcile import Reconcile
from journeys.interactions import INTERACTIONS
from journeys.walk.diary import Delivery
from journeys.walk.world import Visit
from store.runs import get_run
from store.store import Store
from tests.ledger import Ledger, Silent
from tests.shop import NOON, Shop, visit

HISTORIES = Path(__file__).parents[1] / "histories" / "0.1.0"
GIVEN: TypeAdapter[Visit | GivenBy01] = TypeAdapter(Visit | GivenBy01)


def recorded(history: str) -> list[dict[str, Any]]:
    """What ``deliver`` was given in a recorded history."""
    events = json.loads((HISTORIES / f"{history}.json").read_text())["events"]
    scheduled = [event.get("activityTaskScheduledEventAttributes") for event in events]
    return [
        json.loads(b64decode(attributes["input"]["payloads"][0]["data"]))
        for attributes in scheduled
        if attributes and attributes["activityType"]["name"] == "deliver"
    ]


@pytest.mark.parametrize("payload", recorded("nobody-reacts"), ids=lambda payload: str(payload["step"]))
def test_what_a_release_recorded_is_understood(payload: dict[str, Any]) -> None:
    given = GIVEN.validate_python(payload)

    assert isinstance(given, GivenBy01)
    assert (given.step, given.following) == (payload["step"], payload["following"])
    at = given.visit(NOON)
    assert (at.message.kind, at.position.lines, at.unwritten) == (payload["kind"], payload["n"], given.entries)


async def test_a_message_that_an_earlier_release_asked_for_goes_out(store: Store) -> None:
    shop, ledger = Shop(store), Ledger()
    await shop.stock()
    await shop.publish()
    run = await shop.start()
    told = {"run": run, "step": "initial-reminder", "kind": "email", "following": "opened", "now": NOON, "n": 1}

    given = GIVEN.validate_python({**told, "to": "customer.email"})
    delivery = await ActivityEnvironment().run(Deliver(store, dict.fromkeys(INTERACTIONS, ledger)).deliver, given)

    assert isinstance(delivery, Delivery)
    assert (delivery.outcome, ledger.steps) == ("accepted", ["initial-reminder"])
    assert (await get_run(store, run)).sends[0].content == "initial-email-reminder"


async def test_a_doubt_that_an_earlier_release_asked_about_is_settled(store: Store) -> None:
    shop, ledger = Shop(store), Ledger(Silent(took=True))
    await shop.stock()
    await shop.publish()
    run = await shop.start()
    channels = dict.fromkeys(INTERACTIONS, ledger)
    await ActivityEnvironment().run(Deliver(store, channels, call=timedelta(seconds=0.5)).deliver, visit(run))

    told = {"run": run, "step": "initial-reminder", "kind": "email", "following": "opened", "n": 1, "repeats": False}
    delivery = await ActivityEnvironment().run(Reconcile(store, channels).reconcile, GIVEN.validate_python(told))

    assert isinstance(delivery, Delivery)
    assert delivery.outcome == "accepted"
    assert (await get_run(store, run)).step == "opened"


async def test_a_visit_goes_to_temporal_without_what_the_store_has() -> None:
    at = visit("abandoned-cart/ada/k3v9")
    sent = at.model_copy(
        update={"position": at.position.model_copy(update={"sent": {"x": Delivery(outcome="accepted", at=NOON)}})}
    )

    told = json.loads(sent.model_dump_json())

    assert set(told["position"]) == {"step", "since"}
    assert GIVEN.validate_python(told) == at
