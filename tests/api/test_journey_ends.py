"""How journeys and runs end, over HTTP: each says before what it would do, and the relay hears of it."""

from __future__ import annotations

import pytest

from tests.api.door import Door, problem

NAME = "/v1/journeys/abandoned-cart"
WHY = {"reason": "a test order"}


async def started(door: Door) -> str:
    run: str = (await door.event("cart-1"))["decisions"][0]["run"]
    door.clock.nudges = 0
    return run


async def test_a_journey_is_completed_published_stopped_and_archived(live: Door) -> None:
    await started(live)
    one = {"journey": "abandoned-cart", "inside": [{"version": 1, "runs": 1}], "runs": 1, "in_flight": 0, "waiting": 0}
    finishing = one | {"parked": 0}

    would = await live.post(f"{NAME}/complete", {"dry_run": True})
    did = await live.post(f"{NAME}/complete")

    assert would == finishing | {"changed": True, "dry_run": True}
    assert did == finishing | {"changed": True, "dry_run": False}
    journey = await live.get(NAME)
    assert (journey["state"], journey["closed_at"]) == ("completing", "2026-11-24T09:00:00Z")
    refused = problem(await live.http.post(f"{NAME}/archive"), 409, "conflict")
    assert "1 run is under way, 1 in version 1" in refused["detail"]

    await live.post(f"{NAME}/publish")
    assert (await live.post(f"{NAME}/stop", {"version": 2}))["version"] == 2
    assert (await live.get(NAME))["state"] == "completing"
    assert (await live.post(f"{NAME}/stop"))["runs"] == 1

    assert await live.post(f"{NAME}/archive") == {
        "journey": "abandoned-cart",
        "archived": True,
        "changed": True,
        "dry_run": False,
    }
    assert (await live.get("/v1/journeys"))["journeys"] == []
    [archived] = (await live.get("/v1/journeys", archived=True))["journeys"]
    assert (archived["state"], archived["archived_at"]) == ("stopped", "2026-11-24T09:00:00Z")
    problem(await live.http.post(f"{NAME}/publish"), 409, "conflict")
    await live.post(f"{NAME}/archive", {"archived": False})
    assert (await live.post(f"{NAME}/publish"))["version"] == 3


async def test_a_run_is_cancelled_and_the_relay_hears_of_it(live: Door) -> None:
    run = await started(live)

    assert (await live.post(f"/v1/runs/{run}/cancel", WHY | {"dry_run": True}))["changed"]
    answer = await live.post(f"/v1/runs/{run}/cancel", WHY)

    assert (answer["run"], answer["ended"], answer["changed"], answer["dry_run"]) == (run, "cancelled", True, False)
    assert live.clock.nudges > 0
    view = await live.get(f"/v1/runs/{run}")
    assert (view["ended"], view["ended_by"], view["why"]) == ("cancelled", "operator", "a test order")
    assert not (await live.post(f"/v1/runs/{run}/cancel", WHY))["changed"]


async def test_all_runs_of_a_customer_are_cancelled(live: Door) -> None:
    await started(live)

    answer = await live.post("/v1/customers/ada/cancel", WHY | {"journey": "abandoned-cart"})

    inside = [{"journey": "abandoned-cart", "runs": 1}]
    done = {"runs": 1, "in_flight": 0, "waiting": 0, "dry_run": False}
    assert answer == {"customer": "ada", "inside": inside, **done}
    assert live.clock.nudges > 0


@pytest.mark.parametrize(
    ("path", "body", "wrong"),
    [
        ("/v1/journeys/abandoned-cart/stop", {"version": 0}, "version"),
        ("/v1/journeys/abandoned-cart/stop", {"version": "2"}, "version"),
        ("/v1/journeys/abandoned-cart/complete", {"dry-run": True}, "dry-run"),
        ("/v1/journeys/abandoned-cart/archive", {"archived": "no"}, "archived"),
        ("/v1/runs/abandoned-cart/ada/k3v9x2mq/cancel", {}, "reason"),
        ("/v1/runs/abandoned-cart/ada/k3v9x2mq/cancel", {"reason": "  "}, "reason"),
        ("/v1/customers/ada/cancel", WHY | {"dry_run": 1}, "dry_run"),
    ],
)
async def test_what_is_asked_wrongly_is_told(live: Door, path: str, body: dict[str, object], wrong: str) -> None:
    answer = problem(await live.http.post(path, json=body), 422, "invalid")

    assert [error["path"] for error in answer["errors"]] == [wrong]


async def test_what_there_is_not_is_told(live: Door) -> None:
    problem(await live.http.post("/v1/runs/abandoned-cart/ada/k3v9x2mq/cancel", json=WHY), 404, "unknown")
    problem(await live.http.post("/v1/customers/nobody/cancel", json=WHY), 404, "unknown")
    problem(await live.http.post(f"{NAME}/stop", json={"version": 7}), 404, "unknown")
