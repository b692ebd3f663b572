"""Runs that are parked, over HTTP: they are shown, and one request tells them to try again."""

from __future__ import annotations

import pytest

from journeys.walk.diary import Held
from store.lifecycle import hold, lock_run
from tests.api.door import Door, problem

REPAIR = "/v1/journeys/abandoned-cart/repair"
STEP = "initial-reminder"
WHY = "the content cannot be filled in: line 1: divided_by: can't divide by 0."
PARKED = {"step": STEP, "why": WHY, "count": 1, "since": "2026-11-24T09:00:00Z"}
REPAIRED = {
    "journey": "abandoned-cart",
    "count": 1,
    "parked": [PARKED],
    "instead": None,
    "spread": "15 minutes",
    "to_go": 0,
    "dry_run": False,
}


@pytest.fixture
async def run(live: Door) -> str:
    """A run that is parked."""
    id: str = (await live.event("e1"))["decisions"][0]["run"]
    held = Held(until=None, why=WHY, by="park")
    await live.store.write(lambda connection: hold(connection, lock_run(connection, id), held, live.clock.now))
    live.clock.nudges = 0
    return id


async def test_a_run_that_is_parked_says_so_and_is_a_problem(live: Door, run: str) -> None:
    (listed,) = (await live.get("/v1/runs", held="true"))["runs"]
    seen = await live.get(f"/v1/runs/{run}")
    (found,) = (await live.get("/v1/problems"))["problems"]

    assert listed["id"] == run
    assert seen["held"] == listed["held"] == {"by": "park", "since": PARKED["since"], "until": None, "why": WHY}
    assert (found["kind"], found["name"], found["count"]) == ("runs parked", "abandoned-cart", 1)
    assert found["help"].startswith(f"Mend what the reason names, then: sojourn repair abandoned-cart --step {STEP}.")


async def test_it_is_repaired_and_the_relay_hears_of_it(live: Door, run: str) -> None:
    answer = await live.post(REPAIR, {"step": STEP})

    assert answer == REPAIRED
    assert live.clock.nudges == 1
    assert (await live.get(f"/v1/runs/{run}"))["held"]["by"] == "release"
    entry = (await live.get("/v1/audit", what="journey/abandoned-cart"))["entries"][0]
    assert (entry["did"], entry["by"], entry["detail"]) == ("runs repaired", "root", {"count": 1, "step": STEP})


async def test_a_dry_run_only_says_what_it_would_do(live: Door, run: str) -> None:
    answer = await live.post(REPAIR, {"dry_run": True, "instead": "go on"})

    assert answer == REPAIRED | {"dry_run": True, "instead": "go on"}
    assert (await live.get(f"/v1/runs/{run}"))["held"]["by"] == "park"


async def test_where_nothing_is_parked_nothing_changes(live: Door) -> None:
    assert (await live.post(REPAIR))["count"] == 0

    problem(await live.http.post("/v1/journeys/nothing/repair"), 404, "unknown")
    refused = problem(await live.http.post(REPAIR, json={"since": "yesterday", "instead": "skip"}), 422, "invalid")
    assert [error["path"] for error in refused["errors"]] == ["since", "instead"]
