"""Runs over HTTP: lists page by page, and all there is to see of one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.api.door import Door, event, problem


async def start(door: Door, *customers: str) -> list[str]:
    runs = []
    for customer in customers:
        door.clock.now += timedelta(seconds=1)
        receipt = await door.post("/v1/events", event(f"e-{customer}", customer=customer))
        runs.append(receipt["decisions"][0]["run"])
    return runs


async def test_runs_come_page_by_page_the_latest_first(live: Door) -> None:
    started = await start(live, "a", "b", "c", "d", "e")
    pages, before = [], dict[str, str]()

    while True:
        page = await live.get("/v1/runs", limit=2, **before)
        pages.append([run["id"] for run in page["runs"]])
        if page["next"] is None:
            break
        before = {"before": page["next"]}

    a, b, c, d, e = started
    assert pages == [[e, d], [c, b], [a]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"customer": "a"}, ["a"]),
        ({"journey": "abandoned-cart"}, ["c", "b", "a"]),
        ({"journey": "other"}, []),
        ({"active": "true"}, ["c", "a"]),
        ({"active": "false"}, ["b"]),
        ({"active": "true", "customer": "b"}, []),
        ({"held": "true"}, []),
        ({"held": "false", "active": "true"}, ["c", "a"]),
        ({"by": "quiet time"}, []),
    ],
    ids=str,
)
async def test_runs_can_be_narrowed_down(live: Door, query: dict[str, str], expected: list[str]) -> None:
    await start(live, "a", "b", "c")
    await live.event("p1", "purchase-completed", customer="b")

    page = await live.get("/v1/runs", **query)

    assert [run["customer"] for run in page["runs"]] == expected


async def test_a_run_shows_why(live: Door) -> None:
    started = (await live.event("e1"))["decisions"][0]["run"]
    await live.event("p1", "purchase-completed")

    run = await live.get(f"/v1/runs/{started}")

    assert (run["ended"], run["why"], run["key"]) == ("exited", "exit: purchase-completed", "c1")
    assert [(line["step"], line["did"]) for line in run["diary"]] == [
        ("initial-reminder", "entered"),
        ("initial-reminder", "left"),
    ]
    assert [(made["event"], made["decision"]["did"]) for made in run["decisions"]] == [
        ("e1", "started"),
        ("p1", "goal met"),
        ("p1", "exited"),
    ]


async def test_an_unknown_run_is_unknown(live: Door) -> None:
    problem(await live.http.get("/v1/runs/abandoned-cart/ada/nothing"), 404, "unknown")


@pytest.mark.parametrize("limit", ["0", "201", "many"])
async def test_a_wrong_limit_is_named(live: Door, limit: str) -> None:
    answer = await live.http.get("/v1/runs", params={"limit": limit})

    assert problem(answer, 422, "invalid")["errors"][0]["path"] == "limit"


async def test_a_wrong_cursor_is_refused(live: Door) -> None:
    answer = await live.http.get("/v1/runs", params={"before": "nonsense"})

    problem(answer, 404, "unknown")
