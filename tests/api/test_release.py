"""A journey that the brake holds, over HTTP: it says so, and one request lets it go."""

from __future__ import annotations

import pytest

from store.brake import hold_journey
from tests.api.door import Door, problem

RELEASE = "/v1/journeys/abandoned-cart/release"
WHY = "the brake: more than 5 people entered within 1 hour"
HELD = {"since": "2026-11-24T09:00:00Z", "why": WHY, "waiting": 0}


@pytest.fixture
async def held(live: Door) -> Door:
    await live.store.write(
        lambda connection: hold_journey(connection, "abandoned-cart", WHY, let_go_at=None, now=live.clock.now)
    )
    live.clock.nudges = 0
    return live


async def test_a_journey_that_is_held_says_so(held: Door) -> None:
    journey = await held.get("/v1/journeys/abandoned-cart")

    assert (journey["state"], journey["held"], journey["versions"][0]["state"]) == ("held", HELD, "held")


async def test_it_is_let_go_and_the_relay_hears_of_it(held: Door) -> None:
    answer = await held.post(RELEASE)

    assert answer == {
        "journey": "abandoned-cart",
        "held": HELD,
        "paused": None,
        "spread": "15 minutes",
        "to_go": 0,
        "dry_run": False,
    }
    assert held.clock.nudges == 1
    journey = await held.get("/v1/journeys/abandoned-cart")
    assert (journey["state"], journey["held"]) == ("live", None)
    entry = (await held.get("/v1/audit", what="journey/abandoned-cart"))["entries"][0]
    assert (entry["did"], entry["by"], entry["detail"]) == ("journey released", "root", HELD)


async def test_a_dry_run_only_says_what_it_would_do(held: Door) -> None:
    answer = await held.post(RELEASE, {"dry_run": True})

    assert (answer["held"], answer["dry_run"]) == (HELD, True)
    assert (await held.get("/v1/journeys/abandoned-cart"))["state"] == "held"


async def test_one_that_is_not_held_stays_as_it_is(live: Door) -> None:
    assert (await live.post(RELEASE))["held"] is None

    problem(await live.http.post("/v1/journeys/nothing/release"), 404, "unknown")
    refused = problem(await live.http.post(RELEASE, json={"dry-run": True}), 422, "invalid")
    assert refused["errors"][0]["path"] == "dry-run"


async def test_a_dry_run_that_is_asked_for_in_the_address_releases_nothing(live: Door) -> None:
    answer = problem(await live.http.post(f"{RELEASE}?dry_run=true"), 422, "invalid")

    assert [(error["path"], error["hint"]) for error in answer["errors"]] == [
        ("dry_run", "Leave it out; what this takes goes into its body.")
    ]


async def test_a_query_that_is_mistyped_is_told(live: Door) -> None:
    answer = problem(await live.http.get("/v1/runs?helt=true"), 422, "invalid")

    assert [(error["path"], error["hint"]) for error in answer["errors"]] == [("helt", 'Did you mean "held"?')]
