"""Keys: what each opens, from where, under which name, for how long, and who hears of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from math import inf
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from store import schema
from store.keys import PREFIX, digest_of
from store.store import Store, open_store
from store.suppressions import suppress
from tests import samples
from tests.api.door import NOW, Clock, Door, deps_for, event, opened, problem, success
from tests.transactions import execute

SITE = "https://shop.example.com"
PAGE: dict[str, Any] = {"key": "page", "scopes": ["events:write"], "triggers": ["abandoned-cart"], "origins": [SITE]}


async def made(door: Door, key: str = "shop", *scopes: str, **limits: object) -> dict[str, Any]:
    answer: dict[str, Any] = await door.post("/v1/keys", {"key": key, "scopes": scopes or ["events:write"]} | limits)
    return answer


@asynccontextmanager
async def with_key(door: Door, secret: str, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    """The same API, as it is seen by whoever has another key."""
    headers = {"Authorization": f"Bearer {secret}"} | headers
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(door.app), base_url="http://sojourn", headers=headers
    ) as http:
        yield http


async def status(door: Door, secret: str, path: str = "/v1/runs") -> int:
    async with with_key(door, secret) as http:
        return (await http.get(path)).status_code


async def test_a_key_is_told_its_secret_once_and_opens_its_scopes(door: Door) -> None:
    key = await made(door, "crm", "runs:read", "customers:read")

    secret = key.pop("secret")
    assert secret.startswith(PREFIX)
    assert await door.get("/v1/keys/crm") == key
    assert await door.get("/v1/keys") == {"keys": [key]}
    assert key["secrets"] == [
        {"id": digest_of(secret)[:12], "created_at": "2026-11-24T09:00:00Z", "until": None, "used_at": None}
    ]
    assert await status(door, secret) == 200
    assert await status(door, secret, "/v1/suppressions") == 200
    assert await status(door, secret, "/v1/journeys") == 403
    assert await status(door, secret, "/v1/keys") == 403


async def test_a_key_that_may_do_everything_makes_others(door: Door) -> None:
    admin = (await made(door, "ops", "admin"))["secret"]

    async with with_key(door, admin) as http:
        made_by_it = success(await http.post("/v1/keys", content="key: crm\nscopes: [runs:read]\n"))

    assert await status(door, made_by_it["secret"]) == 200


@pytest.mark.parametrize(
    "name", ["root", "api", "sojourn", "customers", "unsubscribe-link", "sendgrid", "twilio", "firebase"]
)
async def test_a_name_that_stands_for_something_else_is_refused(door: Door, name: str) -> None:
    answer = await door.http.post("/v1/keys", json={"key": name, "scopes": ["events:write"]})

    [flaw] = problem(answer, 422, "invalid")["errors"]
    assert flaw["path"] == "key"


async def test_every_flaw_of_a_key_is_told(door: Door) -> None:
    wrong = {"key": "Shop", "scopes": ["events:read"], "origins": ["shop.example.com"], "until": "tomorrow"}

    answer = await door.http.post("/v1/keys", json=wrong)

    found = [flaw["path"] for flaw in problem(answer, 422, "invalid")["errors"]]
    assert found == ["key", "scopes[0]", "origins[0]", "until"]


async def test_a_key_is_changed_and_its_secret_stays(door: Door) -> None:
    secret = (await made(door, "crm", "runs:read"))["secret"]
    assert (await status(door, secret), await status(door, secret, "/v1/journeys")) == (200, 403)

    changed = await door.put("/v1/keys/crm", {"scopes": ["definitions:read"]})

    assert (changed["key"], changed["scopes"]) == ("crm", ["definitions:read"])
    assert (await status(door, secret), await status(door, secret, "/v1/journeys")) == (403, 200)
    problem(await door.http.put("/v1/keys/crm", json={"key": "shop", "scopes": ["admin"]}), 422, "invalid")
    problem(await door.http.put("/v1/keys/cmr", json={"scopes": ["admin"]}), 404, "unknown")


async def test_a_name_is_taken_once(door: Door) -> None:
    await made(door)

    answer = await door.http.post("/v1/keys", json={"key": "shop", "scopes": ["events:write"]})

    assert "Rotate it" in problem(answer, 409, "conflict")["detail"]


# --- events ----------------------------------------------------------------------------------------


async def test_the_name_is_the_source_of_what_it_posts(live: Door) -> None:
    secret = (await made(live, "shop", "events:write", "runs:read"))["secret"]

    async with with_key(live, secret) as http:
        one = success(await http.post("/v1/events", json=event("e1")))
        many = success(await http.post("/v1/events", json=[event("e2"), event("e3", source="till")]))
        mine = success(await http.get("/v1/events/e1"))
        other = success(await http.get("/v1/events/e3?source=till"))
        unknown = await http.get("/v1/events/e1?source=api")

    assert [receipt["source"] for receipt in (one, *many)] == ["shop", "shop", "till"]
    assert (mine["source"], other["source"]) == ("shop", "till")
    problem(unknown, 404, "unknown")


async def test_the_same_id_of_two_keys_is_two_events_and_of_one_key_one_whatever_its_secret(live: Door) -> None:
    first, till = (await made(live))["secret"], (await made(live, "till"))["secret"]
    second = (await live.post("/v1/keys/shop/rotate"))["secret"]

    told = []
    for secret in (first, second, till, ""):
        async with with_key(live, secret or "a key for tests") as http:
            told.append(success(await http.post("/v1/events", json=event("e1"))))

    assert [(receipt["source"], receipt["duplicate"]) for receipt in told] == [
        ("shop", False),
        ("shop", True),
        ("till", False),
        ("api", False),
    ]


async def test_what_a_customer_says_and_what_is_lifted_comes_from_the_key_too(live: Door) -> None:
    secret = (await made(live, "desk", "customers:write", "customers:read"))["secret"]
    await suppress(live.store, "email", "ada@example.com", "bounced", NOW)
    said = {"consents": [{"channel": "email", "choice": "in"}]}

    async with with_key(live, secret) as http:
        await http.put("/v1/customers/ada/consents", json=said)
        told = success(await http.put("/v1/customers/ada/consents", json=said | {"source": "checkout"}))
        [suppressed] = success(await http.get("/v1/suppressions"))["suppressions"]
        lifted = success(await http.post(f"/v1/suppressions/{suppressed['id']}/lift", json={"why": "It is there."}))

    assert [each["source"] for each in told["log"]] == ["desk", "checkout"]
    assert lifted["source"] == "desk"


async def test_who_writes_customers_and_does_not_read_them_hears_their_own_words_alone(live: Door) -> None:
    before = {"channel": "email", "choice": "in"}
    await live.put("/v1/customers/ada/consents", {"consents": [before]})
    live.clock.later(hours=1)
    now = {"channel": "text", "choice": "out"}
    told: dict[bool, list[Any]] = {}

    for reads, key in ((False, "form"), (True, "desk")):
        scopes = ["customers:write", *(["customers:read"] if reads else [])]
        async with with_key(live, (await made(live, key, *scopes))["secret"]) as http:
            told[reads] = [
                success(await http.patch("/v1/customers/ada", json={"attributes": {"first_name": key}}))["attributes"],
                success(await http.put("/v1/customers/ada/consents", json={"consents": [now]})),
            ]

    attributes, consents = told[False]
    assert attributes == {"first_name": "form"}
    assert [said["channel"] for said in consents["said"]] == ["text"]
    assert [(line["channel"], line["source"]) for line in consents["log"]] == [("text", "form")]
    attributes, consents = told[True]
    assert attributes["email"] == samples.CUSTOMER["email"]
    assert [said["channel"] for said in consents["said"]] == ["email", "text"]
    assert [line["source"] for line in consents["log"]][:2] == ["api", "form"]


async def test_other_triggers_than_its_own_are_refused_with_a_flaw_for_each(live: Door) -> None:
    secret = (await made(live, triggers=["abandoned-cart"]))["secret"]
    bought = event("e2", "purchase-completed")

    async with with_key(live, secret) as http:
        taken = await http.post("/v1/events", json=event("e1"))
        one = await http.post("/v1/events", json=bought)
        many = await http.post("/v1/events", json=[event("e3"), bought, event("e4", source="till")])
        after = success(await http.post("/v1/events", json=event("e3")))

    assert taken.status_code == 202
    told = problem(one, 403, "forbidden")
    assert told["detail"] == 'The key "shop" may not post this event.'
    assert [(flaw["path"], flaw["message"]) for flaw in told["errors"]] == [
        ("trigger", 'found "purchase-completed"; this key posts events of abandoned-cart alone.'),
    ]
    told = problem(many, 403, "forbidden")
    assert told["detail"] == 'The key "shop" may not post 2 of 3 events, so none was accepted.'
    assert [flaw["path"] for flaw in told["errors"]] == ["[1].trigger", "[2].source"]
    assert after["duplicate"] is False


@pytest.mark.parametrize("source", ["customers", "unsubscribe-link", "sendgrid", "journey:abandoned-cart"])
async def test_a_key_says_nothing_in_the_name_of_sojourn(live: Door, source: str) -> None:
    secret = (await made(live, "shop", "events:write", "customers:write"))["secret"]
    await suppress(live.store, "email", "ada@example.com", "bounced", NOW)
    [suppressed] = (await live.get("/v1/suppressions"))["suppressions"]
    said = {"consents": [{"channel": "email", "choice": "in"}], "source": source}
    lifted = {"why": "It is there.", "source": source}

    async with with_key(live, secret) as http:
        one = await http.post("/v1/events", json=event("e1", source=source))
        many = await http.post("/v1/events", json=[event("e1"), event("e2", source=source)])
        consents = await http.put("/v1/customers/ada/consents", json=said)
        lift = await http.post(f"/v1/suppressions/{suppressed['id']}/lift", json=lifted)

    for answer, path in ((one, "source"), (many, "[1].source"), (consents, "source"), (lift, "source")):
        [flaw] = problem(answer, 403, "forbidden")["errors"]
        assert flaw["path"] == path
        assert flaw["message"] == f'found "{source}"; what comes from there is our own.'
    assert (await live.get("/v1/customers/ada/consents"))["log"] == []


async def test_who_has_the_root_and_who_posted_before_keep_their_sources(live: Door) -> None:
    secret = (await made(live, "shop"))["secret"]
    await live.event("e1")

    async with with_key(live, secret) as http:
        again = success(await http.post("/v1/events", json=event("e1", source="api")))

    assert (again["source"], again["duplicate"]) == ("api", True)
    assert (await live.event("e1", source="sendgrid"))["source"] == "sendgrid"


# --- browsers --------------------------------------------------------------------------------------


async def test_a_pages_key_is_taken_from_its_pages_alone(live: Door) -> None:
    secret = (await made(live, **PAGE))["secret"]
    told: dict[str, httpx.Response] = {}
    for origin in (SITE, "https://evil.example.com", "null", ""):
        async with with_key(live, secret, **{"Origin": origin} if origin else {}) as http:
            told[origin] = await http.post("/v1/events", json=event(f"e{len(told)}"))

    assert told[SITE].status_code == 202
    assert told[SITE].headers["access-control-allow-origin"] == SITE
    for origin, answer in told.items():
        if origin != SITE:
            problem(answer, 403, "forbidden")
            assert "access-control-allow-origin" not in answer.headers
    assert f'The key "page" is for pages of {SITE}, and this came from null.' in told["null"].json()["detail"]
    assert "without the header Origin" in told[""].json()["detail"]


async def test_a_page_hears_nothing_of_the_customer(live: Door) -> None:
    secret = (await made(live, **PAGE | {"triggers": ["abandoned-cart", "purchase-completed"]}))["secret"]

    async with with_key(live, secret, Origin=SITE) as http:
        one = success(await http.post("/v1/events", json=event("e1")))
        many = success(await http.post("/v1/events", json=[event("e1"), event("e2", "purchase-completed")]))

    for receipt, duplicate in zip([one, *many], (False, True, False), strict=True):
        assert receipt["duplicate"] is duplicate
        assert receipt["decisions"] == receipt["already_sent"] == []
    decided = (await live.get("/v1/events/e2", source="page"))["decisions"]
    assert [made["did"] for made in decided] == ["goal met", "exited"]


async def test_a_page_can_read_why_it_was_refused(live: Door) -> None:
    secret = (await made(live, **PAGE))["secret"]

    async with with_key(live, secret, Origin=SITE) as http:
        refused = await http.post("/v1/events", json=event("e1", "purchase-completed"))
        wrong = await http.post("/v1/events", json={"id": "e1"})
        nobody = await http.post("/v1/events", json=event("e1"), headers={"Authorization": "Bearer wrong"})

    for answer, code in ((refused, 403), (wrong, 422), (nobody, 401)):
        assert answer.status_code == code
        assert answer.headers["access-control-allow-origin"] == SITE
        assert "Origin" in answer.headers["vary"]


async def test_a_page_can_read_that_something_failed_or_is_away(live: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = (await made(live, **PAGE))["secret"]
    ring, headers = live.app.state.keyring, {"Access-Control-Request-Method": "POST"}

    async with with_key(live, secret, Origin=SITE) as http:
        assert (await http.post("/v1/events", json=event("e1"))).status_code == 202
        with monkeypatch.context() as broken:
            broken.setattr(live.app.state, "ingest", None)
            failed = await http.post("/v1/events", json=event("e2"))
        monkeypatch.setattr(ring, "_store", open_store("postgresql://nobody@127.0.0.1:1/nothing"))
        monkeypatch.setattr(ring, "_known_at", -inf)
        asked = await http.options("/v1/events", headers=headers)
        away = await http.post("/v1/events", json=event("e3"))

    problem(failed, 500, "internal")
    problem(away, 503, "unavailable")
    for answer in (failed, asked, away):
        assert answer.headers["access-control-allow-origin"] == SITE
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_browser_that_asks_first_is_answered_for_known_sites_and_this_address_alone(door: Door) -> None:
    await made(door, **PAGE)
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    del door.http.headers["Authorization"]

    may = await door.http.options("/v1/events", headers=asks | {"Origin": SITE})
    others = [
        await door.http.options("/v1/events", headers=asks | {"Origin": "https://evil.example.com"}),
        await door.http.options("/v1/runs", headers=asks | {"Origin": SITE}),
        await door.http.options("/v1/events/e1", headers=asks | {"Origin": SITE}),
    ]

    assert may.status_code == 200
    assert may.headers["access-control-allow-origin"] == SITE
    assert may.headers["access-control-allow-methods"] == "POST"
    assert {"Authorization", "Content-Type"} <= {*may.headers["access-control-allow-headers"].split(", ")}
    assert "access-control-allow-credentials" not in may.headers
    assert may.headers["x-content-type-options"] == "nosniff"
    for answer in others:
        problem(answer, 405, "wrong-method")
        assert "access-control-allow-origin" not in answer.headers


async def test_a_site_whose_key_was_revoked_is_no_longer_known(door: Door) -> None:
    await made(door, **PAGE)
    await door.http.delete("/v1/keys/page")

    answer = await door.http.options("/v1/events", headers={"Origin": SITE, "Access-Control-Request-Method": "POST"})

    assert "access-control-allow-origin" not in answer.headers


# --- an end ----------------------------------------------------------------------------------------


async def test_rotated_both_secrets_are_valid_until_the_one_before_ends(door: Door, clock: Clock) -> None:
    first = (await made(door, "crm", "runs:read"))["secret"]
    clock.now = NOW + timedelta(minutes=1)

    rotated = await door.post("/v1/keys/crm/rotate", {"until": "2026-11-24T10:00:00Z"})

    second = rotated["secret"]
    assert [secret["until"] for secret in rotated["secrets"]] == [None, "2026-11-24T10:00:00Z"]
    assert (await status(door, first), await status(door, second)) == (200, 200)
    clock.now = NOW + timedelta(hours=1)
    assert (await status(door, first), await status(door, second)) == (401, 200)
    async with with_key(door, first) as http:
        told = problem(await http.get("/v1/runs"), 401, "unauthorized")["detail"]
    assert 'This secret of the key "crm" ended at 24 Nov 2026 10:00 UTC: there is a newer one.' in told


async def test_one_secret_is_revoked_and_then_the_key(door: Door) -> None:
    key = await made(door, "crm", "runs:read")
    first, second = key["secret"], (await door.post("/v1/keys/crm/rotate"))["secret"]

    left = success(await door.http.delete(f"/v1/keys/crm/secrets/{key['secrets'][0]['id']}"))

    assert [secret["id"] for secret in left["secrets"]] == [digest_of(second)[:12]]
    assert (await status(door, first), await status(door, second)) == (401, 200)
    assert success(await door.http.delete("/v1/keys/crm")) == {"revoked": "crm"}
    assert await status(door, second) == 401
    problem(await door.http.get("/v1/keys/crm"), 404, "unknown")


async def test_a_key_that_has_ended_opens_nothing_and_says_so(door: Door, clock: Clock) -> None:
    secret = (await made(door, "crm", "runs:read", until="2026-11-24T10:00:00+00:00"))["secret"]
    assert await status(door, secret) == 200

    clock.now = NOW + timedelta(hours=1)

    async with with_key(door, secret) as http:
        told = problem(await http.get("/v1/runs"), 401, "unauthorized")["detail"]
    assert told.startswith('The key "crm" ended at 24 Nov 2026 10:00 UTC.')


async def test_a_key_of_a_later_release_opens_what_is_known_here_and_locks_nobody_out(door: Door) -> None:
    later, only, other = [(await made(door, name, "runs:read"))["secret"] for name in ("later", "only", "other")]
    for name, scopes in (("later", ["runs:read", "moons:read"]), ("only", ["moons:read"])):
        await execute(door.store, update(schema.keys).where(schema.keys.c.name == name).values(scopes=scopes))

    assert [await status(door, secret) for secret in (later, only, other)] == [200, 403, 200]
    assert [key["scopes"] for key in (await door.get("/v1/keys"))["keys"]] == [["runs:read"], [], ["runs:read"]]
    assert (await door.get("/v1/keys/only"))["scopes"] == []


async def test_a_secret_that_nobody_has_is_told_how_to_send_one(door: Door) -> None:
    async with with_key(door, f"{PREFIX}nobody") as http:
        told = problem(await http.get("/v1/runs"), 401, "unauthorized")["detail"]

    assert told == (
        "No key has this secret; it may have been revoked. "
        "Send a key's secret, or the value of SOJOURN_KEY, as: Authorization: Bearer <key>."
    )


async def test_when_a_key_was_used_is_written_by_the_end(store: Store, clock: Clock) -> None:
    async with opened(deps_for(store, clock)) as (app, http):
        secret = (await made(Door(app, http, clock, store), "crm", "runs:read"))["secret"]
        assert await status(Door(app, http, clock, store), secret) == 200
        clock.now = NOW + timedelta(seconds=30)
        assert await status(Door(app, http, clock, store), secret) == 200

    async with opened(deps_for(store, clock)) as (_, http):
        [used] = success(await http.get("/v1/keys/crm"))["secrets"]
    assert used["used_at"] == "2026-11-24T09:00:00Z"
