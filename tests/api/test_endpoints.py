"""Endpoints by HTTP: registered, rotated, closed and opened; a secret is told once, and where it is made."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook
from structlog.testing import capture_logs

from activities.endpoints import Caller, Endpoints, Seal
from store.endpoints import MOST_SECRETS, close_endpoint, get_callee
from store.store import Store
from tests.api.door import NOW, Clock, Door, deps_for, opened, problem
from tests.fakes.receiver import Receiver

HOUSE = "the house's own secret, of 32 letters"
URL = "https://crm.example.com/hooks"


@pytest.fixture
async def door(store: Store, clock: Clock) -> AsyncIterator[Door]:
    async with opened(deps_for(store, clock, secret=HOUSE)) as (app, http):
        yield Door(app, http, clock, store)


async def test_a_new_endpoint_tells_its_secret_once(door: Door) -> None:
    with capture_logs() as logs:
        made = await door.http.put("/v1/endpoints/crm", json={"url": URL, "title": "Our CRM"})
        again = await door.http.put("/v1/endpoints/crm", json={"url": URL, "title": "CRM"})
        got = await door.http.get("/v1/endpoints/crm")
        listed = await door.http.get("/v1/endpoints")

    secret = made.json()["secret"]
    assert (made.status_code, again.status_code) == (201, 200)
    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    assert again.json()["secret"] is None
    assert "secret" not in got.json()
    assert not any(secret in told for told in (again.text, got.text, listed.text, str(logs)))
    assert got.json() == {
        "endpoint": {"endpoint": "crm", "url": URL, "title": "CRM"},
        "state": "open",
        "reason": "",
        "since": "2026-11-24T09:00:00Z",
        "secrets": [{"created_at": "2026-11-24T09:00:00Z", "until": None}],
        "journeys": [],
        "created_at": "2026-11-24T09:00:00Z",
        "changed_at": "2026-11-24T09:00:00Z",
    }
    assert listed.json() == {"endpoints": [got.json()], "unreadable": []}


async def test_a_secret_rests_sealed(door: Door) -> None:
    secret = (await door.put("/v1/endpoints/crm", {"url": URL}))["secret"]

    [sealed] = (await get_callee(door.store, "crm", NOW)).secrets

    assert secret.removeprefix("whsec_") not in sealed
    assert Seal(HOUSE).unseal(sealed) == secret


async def test_rotation_tells_the_new_secret_once_and_both_sign_for_a_day(door: Door) -> None:
    old = (await door.put("/v1/endpoints/crm", {"url": URL}))["secret"]
    door.clock.now += timedelta(hours=1)

    rotated = await door.post("/v1/endpoints/crm/rotate")

    assert rotated["secret"] not in (None, old)
    assert rotated["secrets"] == [
        {"created_at": "2026-11-24T10:00:00Z", "until": None},
        {"created_at": "2026-11-24T09:00:00Z", "until": "2026-11-25T10:00:00Z"},
    ]
    assert rotated["secret"] not in (await door.http.get("/v1/endpoints/crm")).text
    door.clock.now += timedelta(hours=24)
    assert [secret["until"] for secret in (await door.get("/v1/endpoints/crm"))["secrets"]] == [None]


async def test_what_was_told_verifies_what_is_posted(store: Store, clock: Clock) -> None:
    clock.now = datetime.now(UTC)
    deps = deps_for(store, clock, secret=HOUSE, local_endpoints=True)
    async with opened(deps) as (app, http), Receiver() as receiver:
        door = Door(app, http, clock, store)
        told = [(await door.put("/v1/endpoints/crm", {"url": receiver.url}))["secret"]]
        told.append((await door.post("/v1/endpoints/crm/rotate"))["secret"])

        await Endpoints(store, Caller(allow_local=True), Seal(HOUSE)).call("crm", "k3v9", b'{"a":1}', clock.now)

    [posted] = receiver.posted
    assert [Webhook(secret).verify(posted.body, posted.headers) for secret in told] == [{"a": 1}] * 2


async def test_too_many_rotations_are_told_when_there_may_be_more(door: Door) -> None:
    await door.put("/v1/endpoints/crm", {"url": URL})
    for _ in range(MOST_SECRETS - 1):
        await door.post("/v1/endpoints/crm/rotate")

    answer = await door.http.post("/v1/endpoints/crm/rotate")

    assert "The first ceases at 09:00 UTC" in problem(answer, 429, "too-many")["detail"]
    assert answer.headers["retry-after"] == str(24 * 60 * 60)


async def test_a_closed_one_is_a_problem_until_it_is_opened(door: Door) -> None:
    await door.put("/v1/endpoints/crm", {"url": URL})
    await close_endpoint(door.store, "crm", URL, "it answered 410 Gone", NOW)

    closed = await door.get("/v1/endpoints/crm")
    ready = await door.get("/readyz")
    door.clock.now += timedelta(hours=1)
    opened = await door.post("/v1/endpoints/crm/open")

    assert (closed["state"], closed["reason"]) == ("closed", "it answered 410 Gone")
    assert (ready["status"], ready["closed_endpoints"]) == ("degraded", 1)
    assert (opened["state"], opened["reason"], opened["since"]) == ("open", "", "2026-11-24T10:00:00Z")
    assert (await door.get("/readyz"))["status"] == "ok"


async def test_one_is_deleted(door: Door) -> None:
    await door.put("/v1/endpoints/crm", {"url": URL})

    assert (await door.http.delete("/v1/endpoints/crm")).json() == {"deleted": "crm"}

    for method, path in [("GET", ""), ("DELETE", ""), ("POST", "/rotate"), ("POST", "/open")]:
        problem(await door.http.request(method, f"/v1/endpoints/crm{path}"), 404, "unknown")


async def test_it_is_written_in_yaml_and_read_back(door: Door) -> None:
    written = f"endpoint: crm\nurl: {URL}\n"
    yaml = {"Content-Type": "application/yaml", "Accept": "application/yaml"}

    made = await door.http.put("/v1/endpoints/crm", content=written, headers=yaml)

    assert made.status_code == 201
    assert (await door.http.get("/v1/endpoints/crm", headers=yaml)).text == written


@pytest.mark.parametrize(
    ("body", "path", "said"),
    [
        ({}, "url", "missing"),
        ({"url": "http://crm.example.com"}, "url", "https is expected"),
        ({"url": "https://10.0.0.1"}, "url", "not public (private)"),
        ({"url": "https://169.254.169.254/latest"}, "url", "not public (link-local)"),
        ({"url": "https://ada:pw@crm.example.com"}, "url", "user or a password"),
        ({"url": "https://crm.example.com/#x"}, "url", "for browsers"),
        ({"url": "http://127.0.0.1:9000"}, "url", "SOJOURN_LOCAL_ENDPOINTS"),
        ({"url": "https://localhost"}, "url", "SOJOURN_LOCAL_ENDPOINTS"),
        ({"url": "https://[::1]"}, "url", "SOJOURN_LOCAL_ENDPOINTS"),
        ({"url": 7}, "url", "web address"),
        ({"url": URL, "secret": "whsec_x"}, "secret", ""),
        ({"url": URL, "endpoint": "other"}, "endpoint", "kept as"),
    ],
)
async def test_what_will_not_do_is_refused_with_what_to_do(
    door: Door, body: dict[str, object], path: str, said: str
) -> None:
    answer = await door.http.put("/v1/endpoints/crm", json=body)

    [flaw] = problem(answer, 422, "invalid")["errors"]
    assert flaw["path"] == path
    assert said in flaw["message"] + flaw["hint"]
    assert "pw" not in answer.text.replace("password", "")


async def test_this_machine_is_an_endpoint_where_that_is_allowed(store: Store, clock: Clock) -> None:
    async with opened(deps_for(store, clock, secret=HOUSE, local_endpoints=True)) as (_, http):
        assert (await http.put("/v1/endpoints/crm", json={"url": "http://127.0.0.1:9000/hooks"})).status_code == 201
        problem(await http.put("/v1/endpoints/crm", json={"url": "http://10.0.0.1"}), 422, "invalid")


async def test_without_a_secret_of_the_house_there_is_none_of_an_endpoint(store: Store, clock: Clock) -> None:
    deps = replace(deps_for(store, clock), secret="")
    async with opened(deps) as (_, http):
        answer = await http.put("/v1/endpoints/crm", json={"url": URL})

        assert "SOJOURN_SECRET is not set" in problem(answer, 409, "conflict")["detail"]
        assert (await http.get("/v1/endpoints")).json()["endpoints"] == []
