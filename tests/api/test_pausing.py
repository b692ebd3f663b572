"""A journey that is paused and resumed, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.door import Door, problem

JOURNEY = "/v1/journeys/abandoned-cart"
SINCE = "2026-11-24T09:00:00Z"


def waits(messages: int = 0, starts: int = 0) -> dict[str, Any]:
    return {"since": SINCE, "waiting_messages": messages, "waiting_starts": starts}


@pytest.fixture
async def paused(live: Door) -> Door:
    await live.post(f"{JOURNEY}/pause")
    live.clock.nudges = 0
    return live


async def test_a_journey_is_paused_and_says_so(live: Door) -> None:
    answer = await live.post(f"{JOURNEY}/pause")

    expected = {"journey": "abandoned-cart", "paused": waits(), "active": 0, "in_flight": 0}
    assert answer == expected | {"changed": True, "dry_run": False}
    journey = await live.get(JOURNEY)
    assert (journey["state"], journey["paused"], journey["versions"][0]["state"]) == ("paused", waits(), "paused")
    assert (await live.post(f"{JOURNEY}/pause")) == expected | {"changed": False, "dry_run": False}
    entry = (await live.get("/v1/audit", what="journey/abandoned-cart"))["entries"][0]
    assert (entry["did"], entry["by"]) == ("journey paused", "root")


async def test_a_start_waits_and_tells_so(paused: Door) -> None:
    cart = {"trigger": "abandoned-cart", "customer": "ada", "attributes": {"total": 60}}
    receipt = await paused.post("/v1/events", {"id": "e1", **cart})

    (decision,) = receipt["decisions"]
    assert (decision["did"], decision["why"], decision["run"]) == ("waiting", "the journey is paused", None)
    assert (await paused.get(JOURNEY))["paused"] == waits(starts=1)
    await paused.post(f"{JOURNEY}/resume", {"catch_up": {"over": "30 minutes"}})
    made = (await paused.get("/v1/events/e1"))["decisions"]
    assert [decision["did"] for decision in made] == ["waiting", "started"]


async def test_it_is_resumed_and_the_relay_hears_of_it(paused: Door) -> None:
    answer = await paused.post(f"{JOURNEY}/resume")

    expected = {"journey": "abandoned-cart", "paused": waits(), "catch_up": "now", "spread": "15 minutes"}
    assert answer == expected | {"held": None, "to_go": 0, "dry_run": False}
    assert paused.clock.nudges == 1
    journey = await paused.get(JOURNEY)
    assert (journey["state"], journey["paused"]) == ("live", None)
    assert (await paused.post(f"{JOURNEY}/resume"))["paused"] is None


async def test_dry_runs_only_say_what_they_would_do(live: Door) -> None:
    assert (await live.post(f"{JOURNEY}/pause", {"dry_run": True}))["changed"] is True
    assert (await live.get(JOURNEY))["state"] == "live"
    await live.post(f"{JOURNEY}/pause")
    answer = await live.post(f"{JOURNEY}/resume", {"catch_up": {"over": "1 hour"}, "dry_run": True})
    assert (answer["catch_up"], answer["spread"], answer["dry_run"]) == ({"over": "1 hour"}, "1 hour", True)
    assert (await live.get(JOURNEY))["state"] == "paused"


@pytest.mark.parametrize(
    ("catch_up", "path"),
    [("later", "catch_up"), ("30 minutes", "catch_up"), ({"over": "soon"}, "catch_up.over"), ({}, "catch_up.over")],
)
async def test_how_it_catches_up_is_told_where_it_is_written_otherwise(
    paused: Door, catch_up: object, path: str
) -> None:
    answer = problem(await paused.http.post(f"{JOURNEY}/resume", json={"catch_up": catch_up}), 422, "invalid")

    (error,) = answer["errors"]
    assert error["path"] == path
    if path == "catch_up":
        assert "now, skip or how long it takes: {over: 30 minutes}" in error["message"]


async def test_what_cannot_be_paused_says_why(live: Door) -> None:
    draft = {"start": "abandoned-cart", "steps": [{"id": "w", "wait": "1 hour"}]}
    await live.put("/v1/journeys/draft", draft)
    refused = problem(await live.http.post("/v1/journeys/draft/pause"), 409, "conflict")
    assert refused["detail"] == 'Journey "draft" is a draft: there is nothing to pause.'
    problem(await live.http.post("/v1/journeys/nothing/resume"), 404, "unknown")
    wrong = problem(await live.http.post(f"{JOURNEY}/pause", json={"catch_up": "now"}), 422, "invalid")
    assert wrong["errors"][0]["path"] == "catch_up"
