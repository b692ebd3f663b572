"""Limits of keys: how much passes, who waits how long, what answers tell of it; and that nothing waits for ever."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

import httpx
import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st

from api.keys import Caller
from api.limits import Bucket, Limits
from store.keys import SLOWEST
from tests.api.door import Door, problem


@dataclass
class Ticks:
    """A clock that goes forward when it is told to."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


def bucket(per_second: float) -> Bucket:
    return Bucket.full(per_second, 0)


def test_as_much_passes_as_there_is_in_a_second() -> None:
    left = bucket(10)

    assert [left.take(1, 0) for _ in range(10)] == [0] * 10
    assert left.take(1, 0) == pytest.approx(0.1)
    assert left.take(1, 0.1) == 0
    assert left.take(10, 0.1) == pytest.approx(0.1)
    assert left.take(10, 100) == 0  # and no more has come together meanwhile
    assert left.take(1, 100) > 0


def test_a_list_passes_where_one_event_does_and_is_paid_off_afterwards() -> None:
    left = bucket(10)

    assert left.take(45, 0) == 0
    assert left.take(1, 0) == pytest.approx(3.6)
    assert left.take(45, 3.5) == pytest.approx(0.1)
    assert left.take(45, 3.6) == 0
    assert left.take(45, 3.6 + 4.5) == 0  # 45 every four and a half seconds are ten a second


def test_of_two_lists_that_come_at_once_one_passes_and_the_other_one_next() -> None:
    left = bucket(10)
    assert [left.take(1, 0) for _ in range(2)] == [0, 0]  # at the door, both

    assert left.take(49, 0, before=1) == 0
    wait = left.take(49, 0, before=1)

    assert wait == pytest.approx(4.2)
    assert (left.take(1, wait), left.take(49, wait, before=1)) == (0, 0)


def test_less_than_one_a_second_is_one_in_a_while() -> None:
    left = bucket(0.25)

    assert left.take(1, 0) == 0
    assert left.take(1, 3) == pytest.approx(1)
    assert left.take(1, 4) == 0
    assert left.take(100, 8) == 0
    assert left.take(1, 8) == pytest.approx(400)


def test_a_request_that_was_counted_already_pays_the_rest() -> None:
    left, tiny = bucket(10), bucket(0.5)

    assert (left.take(1, 0), left.take(9, 0, before=1), left.level) == (0, 0, 0)
    assert (left.take(1, 1), left.take(99, 1, before=1), left.level) == (0, 0, -90)
    assert (tiny.take(1, 0), tiny.take(99, 0, before=1), tiny.level) == (0, 0, -99)
    assert left.take(1, 10.2) == 0
    assert left.take(4, 10.2, before=1) == 0
    assert left.level == pytest.approx(-3)
    assert left.take(4, 10.2, before=1) == pytest.approx(0.4)  # what it was counted for is spent


@given(
    per_second=st.floats(0.01, 1_000),
    asked=st.lists(st.tuples(st.floats(0, 5), st.integers(1, 5_000)), min_size=1, max_size=30),
)
def test_whoever_waits_as_long_as_they_are_told_passes_and_no_more_passes_than_there_is(
    per_second: float, asked: list[tuple[float, int]]
) -> None:
    left, now, passed = bucket(per_second), 0.0, 0

    for pause, cost in asked:
        now += pause
        if wait := left.take(cost, now):
            now += math.ceil(wait)
            assert left.take(cost, now) == 0
        passed += cost
        assert passed <= left.size + per_second * now + cost - 1 + 1e-6


@pytest.mark.parametrize(
    ("per_second", "policy", "limit"),
    [
        (100, '"events";q=100;w=1', '"events";r=99;t=1'),
        (2.5, '"events";q=2;w=1', '"events";r=1;t=1'),
        (1, '"events";q=1;w=1', '"events";r=0;t=1'),
        (0.3, '"events";q=1;w=4', '"events";r=0;t=4'),
        (SLOWEST, '"events";q=1;w=1000', '"events";r=0;t=1000'),
    ],
)
def test_the_headers_are_whole_numbers_that_keep_whoever_goes_by_them_from_being_refused(
    per_second: float, policy: str, limit: str
) -> None:
    left = bucket(per_second)

    left.take(1, 0)

    assert left.headers(0) == {"RateLimit-Policy": policy, "RateLimit": limit}


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
async def shop(door: Door, ticks: Ticks) -> Shop:
    """The API on a clock that stands still, and who posts to it; there is a trigger without attributes."""
    door.app.state.limits = Limits(ticks)
    await door.put("/v1/triggers/visit", {})
    await door.post("/v1/triggers/visit/ready")
    return Shop(door)


@dataclass
class Shop:
    """Senders, each with a key of their own."""

    door: Door
    secrets: dict[str, str] = field(default_factory=dict)

    async def key(self, name: str, per_second: float | None, *scopes: str) -> None:
        body = {"key": name, "scopes": ["events:write", *scopes], "per_second": per_second}
        self.secrets[name] = (await self.door.post("/v1/keys", body))["secret"]

    async def post(self, key: str, events: int | None = None) -> httpx.Response:
        """Post so many visits in a list, or one by itself."""
        visits = [{"id": token_hex(8), "trigger": "visit", "customer": "ada"} for _ in range(events or 1)]
        return await self.ask(key, "POST", "/v1/events", json=visits if events else visits[0])

    async def ask(self, key: str, method: str, path: str, **how: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.secrets[key]}"}
        return await self.door.http.request(method, path, headers=headers, **how)


async def test_a_list_costs_as_much_as_there_is_in_it(shop: Shop) -> None:
    await shop.key("crm", 100)

    several, one, none = [await shop.post("crm", events) for events in (40, 1, None)]

    assert len(several.json()) == 40
    assert several.headers["RateLimit-Policy"] == '"events";q=100;w=1'
    assert [each.headers["RateLimit"] for each in (several, one, none)] == [
        '"events";r=60;t=1',
        '"events";r=59;t=1',
        '"events";r=58;t=1',
    ]


async def test_what_is_too_much_is_refused_and_told_how_long_to_wait(shop: Shop, ticks: Ticks) -> None:
    await shop.key("crm", 10)
    assert (await shop.post("crm", 30)).status_code == 202

    refused = await shop.post("crm")
    ticks.now += int(refused.headers["Retry-After"])
    passed = await shop.post("crm")

    assert 'The key "crm" may ask for 10 a second' in problem(refused, 429, "too-many")["detail"]
    assert refused.headers["Retry-After"] == "3"
    assert refused.headers["RateLimit"] == '"events";r=0;t=3'
    assert passed.status_code == 202


async def test_a_list_of_the_slowest_key_is_paid_off_in_a_time_that_can_be_told(shop: Shop) -> None:
    await shop.key("crm", SLOWEST)
    assert (await shop.post("crm", 2_500)).status_code == 202

    refused = await shop.post("crm")

    problem(refused, 429, "too-many")
    assert refused.headers["Retry-After"] == "2500000"


async def test_a_list_that_comes_while_another_is_paid_off_is_refused_whole(shop: Shop, ticks: Ticks) -> None:
    await shop.key("crm", 10)
    await shop.post("crm", 18)

    refused = await shop.post("crm", 10)
    seen = (await shop.door.get("/v1/triggers/visit"))["seen"]
    ticks.now += int(refused.headers["Retry-After"])

    problem(refused, 429, "too-many")
    assert seen == 18
    assert (await shop.post("crm", 10)).status_code == 202


async def test_whoever_waits_as_they_are_told_gets_lists_through_that_are_larger_than_their_limit(
    shop: Shop, ticks: Ticks
) -> None:
    await shop.key("crm", 10)
    began, refused = ticks.now, 0

    for _ in range(5):
        while (answer := await shop.post("crm", 25)).status_code == 429:
            refused += 1
            ticks.now += int(answer.headers["Retry-After"])
        assert answer.status_code == 202

    assert (ticks.now - began, refused) == (10, 4)


async def test_one_sender_leaves_the_others_theirs(shop: Shop) -> None:
    for key in ("crm", "till"):
        await shop.key(key, 5)
    await shop.post("crm", 100)

    assert (await shop.post("crm")).status_code == 429
    assert (await shop.post("till", 5)).status_code == 202
    await shop.door.get("/v1/runs")


async def test_a_key_without_a_limit_hears_of_none(shop: Shop) -> None:
    await shop.key("crm", None)

    answer = await shop.post("crm", 300)

    assert answer.status_code == 202
    assert not any(name.startswith("ratelimit") for name in answer.headers)


async def test_every_answer_tells_what_is_left_and_every_request_costs_one(shop: Shop) -> None:
    await shop.key("crm", 10, "runs:read")
    asked = [("GET", "/v1/runs", 200), ("GET", "/v1/runs/none", 404), ("GET", "/v1/runs?limit=0", 422)]

    for left, (method, path, status) in enumerate([*asked, ("GET", "/v1/triggers", 403)]):
        answer = await shop.ask("crm", method, path)
        assert (answer.status_code, answer.headers["RateLimit"]) == (status, f'"events";r={9 - left};t=1')


async def test_what_is_refused_at_the_door_costs_nothing_more(shop: Shop, ticks: Ticks) -> None:
    await shop.key("crm", 1)
    await shop.post("crm")

    for _ in range(5):
        assert (await shop.post("crm")).headers["Retry-After"] == "1"
    ticks.now += 1

    assert (await shop.post("crm")).status_code == 202


async def test_a_limit_that_was_changed_holds_at_once(ticks: Ticks) -> None:
    limits, request = Limits(ticks), Request({"type": "http"})

    limits.take(request, Caller("crm", frozenset(), per_second=5), 500)
    limits.take(request, Caller("crm", frozenset(), per_second=50), 50)

    assert request.state.limits["RateLimit"] == '"events";r=0;t=1'


async def test_every_route_with_a_key_tells_of_limits_in_the_description(door: Door) -> None:
    described = await door.get("/openapi.json")

    for path, item in described["paths"].items():
        for operation in item.values():
            limited = {
                status
                for status, answer in operation["responses"].items()
                if {"RateLimit", "RateLimit-Policy"} <= answer.get("headers", {}).keys()
            }
            assert limited == ({*operation["responses"]} if path.startswith("/v1/") else set()), path
            assert not path.startswith("/v1/") or "Retry-After" in operation["responses"]["429"]["headers"]
