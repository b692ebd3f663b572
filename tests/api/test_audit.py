"""The audit log by HTTP: every route that changes something is in it, or is known not to be, and why."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection

from journeys.reading import write
from journeys.walk.diary import Held
from store.audit import list_audit
from store.brake import hold_journey
from store.endpoints import close_endpoint
from store.erasures import digest_of
from store.keys import get_key
from store.lifecycle import hold, lock_run
from store.runs import list_runs
from store.store import Store
from store.suppressions import list_suppressions, suppress
from tests import samples
from tests.api.door import Clock, Door, deps_for, opened, problem

AUDIT_PAGE = Path(__file__).parents[2] / "docs" / "audit.md"
HOUSE = "the house's own secret, of 32 letters"
CRM = "https://crm.example.com/hooks"


@dataclass(frozen=True)
class Asked:
    """What a route is asked, with which *body*, and what is kept of it: what was done, to *what*."""

    name: str
    did: str
    what: str
    body: object = None
    again: bool = True  # whether the same may be asked once more


CART = json.dumps({"journey": "cart", "start": {"trigger": "abandoned-cart"}, "steps": [{"id": "w", "wait": "1 hour"}]})

RECORDED = {
    "PUT /v1/triggers/{name}": Asked("visit", "trigger put", "trigger/visit", {"title": "A visit"}),
    "POST /v1/triggers/{name}/ready": Asked("visit", "trigger made ready", "trigger/visit"),
    "POST /v1/triggers/{name}/stop": Asked("visit", "trigger stopped", "trigger/visit"),
    "PUT /v1/contents/{name}": Asked("hello", "content put", "content/hello", {"text": {"body": "Hello."}}),
    "POST /v1/contents/{name}/ready": Asked("hello", "content made ready", "content/hello"),
    "POST /v1/contents/{name}/stop": Asked("hello", "content stopped", "content/hello"),
    "PUT /v1/customer-attributes/{name}": Asked("born", "attribute declared", "attribute/born", {"type": "text"}),
    "DELETE /v1/customer-attributes/{name}": Asked("born", "attribute forgotten", "attribute/born", again=False),
    "PUT /v1/journeys/{name}": Asked("cart", "journey put", "journey/cart", json.loads(CART) | {"title": "A cart"}),
    "POST /v1/journeys/{name}/publish": Asked("cart", "journey published", "journey/cart"),
    "POST /v1/journeys/{name}/stop": Asked("abandoned-cart", "journey stopped", "journey/abandoned-cart"),
    "POST /v1/journeys/{name}/complete": Asked("abandoned-cart", "journey completed", "journey/abandoned-cart"),
    "POST /v1/journeys/{name}/archive": Asked("over", "journey archived", "journey/over"),
    "POST /v1/journeys/{name}/release": Asked(
        "abandoned-cart", "journey released", "journey/abandoned-cart", again=False
    ),
    "POST /v1/journeys/{name}/pause": Asked("abandoned-cart", "journey paused", "journey/abandoned-cart"),
    "POST /v1/journeys/{name}/resume": Asked("resting", "journey resumed", "journey/resting", again=False),
    "POST /v1/runs/{id}/cancel": Asked("", "run cancelled", "journey/abandoned-cart", {"reason": "a test order"}),
    "POST /v1/customers/{id}/cancel": Asked("", "runs cancelled", "journey/abandoned-cart", {"reason": "a test order"}),
    "POST /v1/journeys/{name}/repair": Asked("abandoned-cart", "runs repaired", "journey/abandoned-cart", again=False),
    "PUT /v1/endpoints/{name}": Asked("crm", "endpoint put", "endpoint/crm", {"url": CRM, "title": "Our CRM"}),
    "POST /v1/endpoints/{name}/rotate": Asked("crm", "endpoint given another secret", "endpoint/crm", again=False),
    "POST /v1/endpoints/{name}/open": Asked("crm", "endpoint opened", "endpoint/crm"),
    "DELETE /v1/endpoints/{name}": Asked("crm", "endpoint deleted", "endpoint/crm", again=False),
    "PUT /v1/policy": Asked("", "policy put", "policy", {"time_zone": "Europe/Oslo"}),
    "POST /v1/keys": Asked("", "key created", "key/till", {"key": "till", "scopes": ["events:write"]}, again=False),
    "PUT /v1/keys/{name}": Asked("crm", "key changed", "key/crm", {"scopes": ["events:write"]}),
    "POST /v1/keys/{name}/rotate": Asked("crm", "key given another secret", "key/crm", again=False),
    "DELETE /v1/keys/{name}": Asked("crm", "key revoked", "key/crm", again=False),
    "DELETE /v1/keys/{name}/secrets/{id}": Asked("crm", "secret revoked", "key/crm", again=False),
    "DELETE /v1/customers/{id}": Asked("", "customer erased", f"customer/{digest_of('ada')[:16]}"),
    "POST /v1/suppressions/{id}/lift": Asked(
        "", "suppression lifted", "suppression/ID", {"why": "Ada asked us to."}, again=False
    ),
}
"""What each route is asked that changes something; one that is new is to be asked here too."""

NOT_RECORDED = {
    "POST /v1/events": "An event is kept itself, with its source.",
    "PUT /v1/customers/{id}": "A change of a customer is an event of theirs.",
    "PATCH /v1/customers/{id}": "A change of a customer is an event of theirs.",
    "PUT /v1/customers/{id}/consents": "What a customer said is kept with its source and its time.",
    "POST /v1/suppressions/find": "It asks, and changes nothing.",
    "POST /v1/journeys/{name}/preview": "It plays, and changes nothing.",
    "POST /v1/contents/{name}/preview": "It shows, and changes nothing.",
    "POST /v1/contents/{name}/test-send": "It sends to an address of one's own, and changes nothing.",
}
"""Routes that are not in the audit log, and why."""

WITHOUT_A_ROUTE = (
    ("journey held", "journey/abandoned-cart"),
    ("journey taken back", "journey/over"),
    ("people moved", "journey/abandoned-cart"),
    ("runs let go on", "journey/abandoned-cart"),
    ("runs rebuilt", "journey/abandoned-cart"),
    ("runs given up", "house"),
    ("endpoint closed", "endpoint/crm"),
    ("erased id used again", "customer/…"),
    ("everything held", "house"),
    ("everything let go", "house"),
)
"""What else is kept, and of what: it happens by itself, by a command beside the API, or by a route asked otherwise."""


@pytest.fixture
async def full(store: Store, clock: Clock) -> AsyncIterator[Door]:
    """The API with something of everything in it: a cart that is live and held, a closed endpoint, the rest a draft."""
    async with opened(deps_for(store, clock, secret=HOUSE)) as (app, http):
        door = Door(app, http, clock, store)
        for name, trigger in samples.TRIGGERS.items():
            await http.put(f"/v1/triggers/{name}", content=write(trigger))
            await door.post(f"/v1/triggers/{name}/ready")
        for name, content in samples.CONTENTS.items():
            await http.put(f"/v1/contents/{name}", content=write(content))
            await door.post(f"/v1/contents/{name}/ready")
        await http.put("/v1/journeys/abandoned-cart", content=samples.ABANDONED_CART)
        await door.post("/v1/journeys/abandoned-cart/publish")
        await http.put("/v1/journeys/cart", content=CART)
        await http.put("/v1/journeys/over", content=CART.replace('"cart"', '"over"'))
        await door.post("/v1/journeys/over/publish")
        await door.post("/v1/journeys/over/complete")
        entered = await door.event("cart-1")
        await door.put("/v1/triggers/visit", {"attributes": {"shop": "text?"}})
        await door.put("/v1/contents/hello", {"text": {"body": "Hi."}})
        await door.put("/v1/customer-attributes/born", {"type": "date"})
        await door.put("/v1/endpoints/crm", {"url": CRM})
        await door.post("/v1/keys", {"key": "crm", "scopes": ["runs:read"]})
        resting = json.dumps(json.loads(CART) | {"journey": "resting"})
        await http.put("/v1/journeys/resting", content=resting)
        await door.post("/v1/journeys/resting/publish")
        await door.post("/v1/journeys/resting/pause")
        await close_endpoint(store, "crm", CRM, "it answered 410", clock.now)
        await store.write(lambda connection: hold_journey(connection, "abandoned-cart", "the brake", None, clock.now))
        await door.put("/v1/customers/ada", {"attributes": {"first_name": "Ada"}})
        await store.write(lambda connection: park(connection, entered["decisions"][0]["run"], clock.now))
        await suppress(store, "email", "ada@example.com", "bounced, as sendgrid reports", clock.now)
        yield door


def park(connection: Connection, run: str, now: datetime) -> None:
    hold(connection, lock_run(connection, run), Held(until=None, why="it failed", by="park"), now)


async def ask(door: Door, route: str) -> Asked:
    """Ask a route what it is asked above."""
    asked = RECORDED[route]
    method, path = route.split()
    id = await id_of_one(door, path) if "{id}" in path else ""
    address = path.replace("{name}", asked.name).replace("{id}", id)
    answer = await door.http.request(method, address, json=asked.body)
    assert answer.is_success, answer.text
    return replace(asked, what=asked.what.replace("ID", id))


async def id_of_one(door: Door, path: str) -> str:
    if "runs" in path:
        return (await list_runs(door.store)).runs[0].id
    if "customers" in path:
        return "ada"
    if "suppressions" in path:
        return str((await list_suppressions(door.store)).suppressions[0].id)
    return (await get_key(door.store, "crm", door.clock.now)).secrets[0].id


async def test_every_route_that_changes_something_is_recorded_or_known_not_to_be(door: Door) -> None:
    described = await door.get("/openapi.json")

    changing = {
        f"{method.upper()} {path}"
        for path, item in described["paths"].items()
        for method in item
        if path.startswith("/v1/") and method in ("put", "post", "delete", "patch")
    }

    assert changing == RECORDED.keys() | NOT_RECORDED.keys()
    assert RECORDED.keys() & NOT_RECORDED.keys() == set()


@pytest.mark.parametrize("route", RECORDED)
async def test_a_change_is_recorded_once_with_who_made_it_and_when(full: Door, clock: Clock, route: str) -> None:
    [before, *_] = (await list_audit(full.store)).entries
    clock.later(hours=1)

    asked = await ask(full, route)

    entry, then, *_ = (await list_audit(full.store)).entries
    assert (entry.by, entry.at, entry.did, entry.what) == ("root", clock.now, asked.did, asked.what)
    assert then == before
    assert "Ada" not in str(entry.detail)


@pytest.mark.parametrize("route", [route for route, asked in RECORDED.items() if asked.again])
async def test_what_changes_nothing_is_not_recorded(full: Door, route: str) -> None:
    await ask(full, route)
    before = await list_audit(full.store)

    await ask(full, route)

    assert await list_audit(full.store) == before


@pytest.mark.parametrize(("did", "what"), [*((asked.did, asked.what) for asked in RECORDED.values()), *WITHOUT_A_ROUTE])
def test_what_is_recorded_is_documented(did: str, what: str) -> None:
    kind, short = what.partition("/")[0], did.removeprefix(f"{what.partition('/')[0]} ")
    rows = [line.split("|")[1:3] for line in AUDIT_PAGE.read_text().splitlines() if line.startswith("| `")]

    told = [done for about, done in rows if f"`{kind}/" in about or f"`{kind}`" in about]

    assert any({did, short} & {*re.split(r"[,;.] ", done.strip())} for done in told), told


async def test_what_is_refused_is_not_recorded(full: Door) -> None:
    before = await list_audit(full.store)

    problem(await full.http.post("/v1/contents/initial-email-reminder/stop"), 409, "conflict")
    problem(await full.http.put("/v1/customer-attributes/email", json={"type": "number"}), 409, "conflict")
    problem(await full.http.post("/v1/triggers/visitt/ready"), 404, "unknown")

    assert await list_audit(full.store) == before


async def test_the_log_is_shown_page_by_page_by_what_by_whom_and_since_when(full: Door, clock: Clock) -> None:
    clock.later(hours=1)
    await full.post("/v1/journeys/cart/publish")
    clock.later(hours=1)
    await full.post("/v1/journeys/abandoned-cart/stop")

    latest = await full.get("/v1/audit", limit=1, what="journey")
    before = await full.get("/v1/audit", limit=1, what="journey", before=latest["next"])
    since = await full.get("/v1/audit", since=clock.now.isoformat())

    assert [each["did"] for each in latest["entries"]] == ["journey stopped"]
    [published] = before["entries"]
    assert published | {"id": 0} == {
        "id": 0,
        "at": "2026-11-24T10:00:00Z",
        "by": "root",
        "did": "journey published",
        "what": "journey/cart",
        "detail": published["detail"] | {"version": 1},
    }
    assert since == {"entries": latest["entries"], "next": None}
    by_itself = (await full.get("/v1/audit", by="Sojourn"))["entries"]
    assert [each["what"] for each in by_itself] == ["journey/abandoned-cart", "endpoint/crm"]
    assert (await full.get("/v1/audit", by="nobody"))["entries"] == []


@pytest.mark.parametrize(
    "query", ["since=2026-11-24", "since=0.5", "since=2026-11-24T09:00:00", "limit=0", "before=0", "by=%00"]
)
async def test_what_is_asked_wrongly_is_told(door: Door, query: str) -> None:
    problem(await door.http.get(f"/v1/audit?{query}"), 422, "invalid")


async def test_nothing_about_customers_is_in_it(full: Door) -> None:
    before = await list_audit(full.store)

    await full.put("/v1/customers/ada", {"attributes": samples.CUSTOMER})
    await full.event("e1")
    await full.put("/v1/customers/ada/consents", {"consents": [{"channel": "email", "choice": "out"}]})

    assert await list_audit(full.store) == before
