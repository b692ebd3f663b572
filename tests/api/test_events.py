"""Posting events: receipts, duplicates, batches, limits, and what is promised about exits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from tests.api.door import NOW, Door, deps_for, event, opened, problem
from tests.shop import Shop

EVENTS = "/v1/events"


def did(receipt: dict[str, Any]) -> list[str]:
    return [decision["did"] for decision in receipt["decisions"]]


async def test_an_event_starts_a_run_and_says_so(live: Door) -> None:
    answer = await live.http.post(EVENTS, json=event("e1"))

    receipt = answer.json()
    assert answer.status_code == 202
    assert (receipt["event"], receipt["source"], receipt["duplicate"]) == ("e1", "api", False)
    assert did(receipt) == ["started"]
    assert receipt["decisions"][0]["run"].startswith("abandoned-cart/ada/")


async def test_the_relay_hears_of_every_commit(live: Door) -> None:
    before = live.clock.nudges

    await live.event("e1")

    assert live.clock.nudges == before + 1


async def test_posting_it_again_answers_the_same_receipt(live: Door) -> None:
    first = await live.event("e1")

    again = await live.event("e1")

    assert again == first | {"duplicate": True}


async def test_the_same_id_with_another_body_is_a_conflict_that_changes_nothing(live: Door) -> None:
    await live.event("e1")

    again = await live.http.post(EVENTS, json=event("e1", attributes={"cart_id": "c2", "total": 1}))

    told = problem(again, 409, "conflict")
    assert [flaw["path"] for flaw in told["errors"]] == ["id"]
    assert '"e1" of "api" was accepted before' in told["errors"][0]["message"]
    assert len((await live.get("/v1/runs"))["runs"]) == 1


async def test_a_list_with_a_known_id_for_another_event_is_refused_whole(live: Door) -> None:
    await live.event("e1")
    events = [event("e0"), event("e1"), event("e1", "purchase-completed")]

    told = problem(await live.http.post(EVENTS, json=events), 409, "conflict")

    assert [flaw["path"] for flaw in told["errors"]] == ["[2].id"]
    problem(await live.http.get("/v1/events/e0"), 404, "unknown")


async def test_it_occurred_now_unless_it_says_when(live: Door) -> None:
    await live.event("e1")
    await live.event("e2", occurred_at="2026-11-24T08:00:00+01:00", attributes={"cart_id": "c2", "total": 1})

    assert (await live.get("/v1/events/e1"))["occurred_at"] == "2026-11-24T09:00:00Z"
    assert (await live.get("/v1/events/e2"))["occurred_at"] == "2026-11-24T07:00:00Z"


async def test_an_event_can_be_asked_for_with_its_decisions(live: Door) -> None:
    receipt = await live.event("cart/17", source="shop")

    stored = await live.get("/v1/events/cart/17", source="shop")

    assert stored["attributes"] == {"cart_id": "c1", "total": 60}
    assert stored["decisions"] == receipt["decisions"]
    problem(await live.http.get("/v1/events/cart/17"), 404, "unknown")


async def test_ten_identical_posts_at_once_are_one_run(live: Door) -> None:
    receipts = await asyncio.gather(*[live.event("e1") for _ in range(10)])

    assert sorted(receipt["duplicate"] for receipt in receipts) == [False] + [True] * 9
    assert len({json.dumps(receipt["decisions"]) for receipt in receipts}) == 1
    assert len((await live.get("/v1/runs"))["runs"]) == 1


async def test_an_event_of_a_draft_trigger_is_refused_with_what_to_do(door: Door) -> None:
    await door.put("/v1/triggers/store-visit", {"attributes": {"city": "text"}})

    answer = await door.http.post(EVENTS, json=event("e1", "store-visit", attributes={"city": "Bern"}))

    flaw = problem(answer, 422, "invalid")["errors"][0]
    assert flaw["path"] == "trigger"
    assert flaw["hint"] == "Mark it ready: POST /v1/triggers/store-visit/ready."


async def test_a_wrong_attribute_of_one_event_is_named_without_an_index(live: Door) -> None:
    answer = await live.http.post(EVENTS, json=event("e1", attributes={"cart_id": "c1", "total": "12,50"}))

    assert problem(answer, 422, "invalid")["errors"][0]["path"] == "attributes.total"


async def test_a_list_is_accepted_in_its_order(live: Door) -> None:
    receipts = await live.post(EVENTS, [event("e1"), event("p1", "purchase-completed"), event("e1")])

    assert [did(receipt) for receipt in receipts] == [["started"], ["goal met", "exited"], ["started"]]
    assert [receipt["duplicate"] for receipt in receipts] == [False, False, True]


async def test_a_list_is_accepted_as_a_whole_or_not_at_all(live: Door) -> None:
    wrong = event("e4", attributes={"cart_id": "c4", "total": "much"})

    answer = await live.http.post(EVENTS, json=[event("e1"), event("e2"), event("e3"), wrong])

    assert [error["path"] for error in problem(answer, 422, "invalid")["errors"]] == ["[3].attributes.total"]
    assert (await live.get("/v1/runs"))["runs"] == []
    problem(await live.http.get("/v1/events/e1"), 404, "unknown")


async def test_every_flaw_of_every_event_is_named(live: Door) -> None:
    answer = await live.http.post(
        EVENTS, json=[{"id": "a"}, event("b"), {**event("c"), "colour": 1, "trigger": "A"}, 7]
    )

    body = problem(answer, 422, "invalid")
    assert [error["path"] for error in body["errors"]] == ["[0].trigger", "[2].trigger", "[2].colour", "[3]"]
    assert body["detail"] == "3 of 4 events are not valid, so none was accepted."


@pytest.mark.parametrize("body", ["", "{", "[]", "nonsense", "\ufeff{}", "\ufeff\ufeff{}", '"text"', "[[]]"])
async def test_what_is_no_event_is_invalid(live: Door, body: str) -> None:
    problem(await live.http.post(EVENTS, content=body), 422, "invalid")


async def test_events_are_counted_before_they_are_read(live: Door) -> None:
    wrong = b"[" + b",".join([b"1"] * 250_000) + b"]"

    body = problem(await live.http.post(EVENTS, content=wrong), 413, "too-large")

    assert body["detail"] == "There are 250000 events in the list; at most 2500 are accepted at once."


async def test_all_wrong_events_are_counted_and_the_first_ones_told(live: Door) -> None:
    body = problem(await live.http.post(EVENTS, json=[{"id": str(n)} for n in range(2_000)]), 422, "invalid")

    assert body["detail"] == "2000 of 2000 events are not valid, so none was accepted."
    assert [error["path"] for error in body["errors"]] == [f"[{n}].trigger" for n in range(100)]


async def test_json_may_begin_with_a_byte_order_mark(live: Door) -> None:
    answer = await live.http.post(EVENTS, content=b"\xef\xbb\xbf" + json.dumps(event("e1")).encode())

    assert answer.status_code == 202


async def test_too_many_events_are_too_large(live: Door) -> None:
    answer = await live.http.post(EVENTS, json=[event(str(n)) for n in range(2_501)])

    assert "2501" in problem(answer, 413, "too-large")["detail"]


async def test_one_event_may_not_be_larger_than_32_kb(live: Door) -> None:
    large = event("e2", attributes={"cart_id": "c" * 33_000, "total": 1})

    answer = await live.http.post(EVENTS, json=[event("e1"), large])

    assert "Event [1]" in problem(answer, 413, "too-large")["detail"]


async def test_a_body_is_refused_before_it_is_read(live: Door) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield b" " * 65_536

    problem(await live.http.post(EVENTS, content=endless()), 413, "too-large")
    assert read <= 18
    problem(await live.http.post(EVENTS, content=b" " * 1_100_000), 413, "too-large")


async def test_other_kinds_of_bodies_are_not_read(live: Door) -> None:
    problem(await live.http.post(EVENTS, content=b"x", headers={"Content-Type": "image/png"}), 415, "wrong-type")


@pytest.mark.parametrize(
    ("encoding", "named"),
    [
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16-LE"),
        ("utf-16-be", "UTF-16-BE"),
        ("utf-32", "UTF-32"),
        ("utf-32-be", "UTF-32-BE"),
    ],
)
@pytest.mark.parametrize("path", [EVENTS, "/v1/journeys/abandoned-cart", "/v1/contents/x/preview"])
async def test_another_encoding_is_named(live: Door, path: str, encoding: str, named: str) -> None:
    method = "PUT" if "journeys" in path else "POST"

    answer = await live.http.request(method, path, content=json.dumps(event("é")).encode(encoding))

    assert problem(answer, 415, "wrong-type")["detail"] == f"Found a body in {named}; expected UTF-8."


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ({"Content-Encoding": "gzip"}, "packed by gzip"),
        ({"Content-Encoding": "br"}, "packed by br"),
        ({"Content-Type": "application/json; charset=ISO-8859-1"}, "ISO-8859-1"),
        ({"Content-Type": 'application/json; a=b; charset="utf-16"'}, "UTF-16"),
    ],
)
async def test_a_declared_encoding_is_believed(live: Door, headers: dict[str, str], named: str) -> None:
    answer = await live.http.post(EVENTS, content=json.dumps(event("e1")), headers=headers)

    assert named in problem(answer, 415, "wrong-type")["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Encoding": "identity"},
        {"Content-Type": "application/json; charset=UTF-8"},
        {"Content-Type": 'application/json;charset="utf-8"'},
    ],
)
async def test_utf_8_may_be_declared(live: Door, headers: dict[str, str]) -> None:
    answer = await live.http.post(EVENTS, content=json.dumps(event("é"), ensure_ascii=False).encode(), headers=headers)

    assert answer.status_code == 202


async def test_an_interaction_comes_in_as_an_event_with_its_send(live: Door) -> None:
    run = (await live.event("e1"))["decisions"][0]["run"]
    shop = Shop(live.store, NOW)
    await shop.claim(run)
    await shop.record(run)
    send = (await live.get(f"/v1/runs/{run}"))["sends"][0]

    receipt = await live.post(EVENTS, {"id": "o1", "trigger": "email-opened", "attributes": {"send_id": send["id"]}})

    assert did(receipt) == ["resumed"]
    assert receipt["decisions"][0]["answers"] == ["opened"]
    view = await live.get(f"/v1/runs/{run}")
    assert [seen["interaction"] for seen in view["sends"][0]["interactions"]] == ["opened"]


async def test_an_exit_names_what_was_sent_already(live: Door) -> None:
    run = (await live.event("e1"))["decisions"][0]["run"]
    shop = Shop(live.store, NOW)
    await shop.claim(run)
    await shop.record(run)

    receipt = await live.event("p1", "purchase-completed")

    assert (receipt["in_flight"], receipt["already_sent"]) == (0, ["initial-reminder"])


async def test_the_answer_to_an_exit_waits_for_a_send_under_way(live: Door) -> None:
    run = (await live.event("e1"))["decisions"][0]["run"]
    shop = Shop(live.store, NOW)
    await shop.claim(run)

    async with opened(deps_for(live.store, live.clock, drain_for=timedelta(hours=1))) as (app, http):
        posting = asyncio.create_task(Door(app, http, live.clock, live.store).event("p1", "purchase-completed"))
        await asyncio.sleep(0.1)
        assert not posting.done()
        await shop.record(run)
        receipt = await posting

    assert (receipt["in_flight"], receipt["already_sent"]) == (0, ["initial-reminder"])


async def test_the_answer_to_an_exit_says_what_it_did_not_wait_for(live: Door) -> None:
    run = (await live.event("e1"))["decisions"][0]["run"]
    await Shop(live.store, NOW).claim(run)

    receipt = await live.event("p1", "purchase-completed")

    assert (did(receipt), receipt["in_flight"], receipt["already_sent"]) == (["goal met", "exited"], 1, [])


async def test_a_retry_of_an_exit_waits_again(live: Door) -> None:
    run = (await live.event("e1"))["decisions"][0]["run"]
    shop = Shop(live.store, NOW)
    await shop.claim(run)
    await live.event("p1", "purchase-completed")
    await shop.record(run)

    again = await live.event("p1", "purchase-completed")

    assert (again["duplicate"], again["in_flight"], again["already_sent"]) == (True, 0, ["initial-reminder"])
