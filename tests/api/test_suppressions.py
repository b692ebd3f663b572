"""Suppressed addresses by HTTP: listed, asked for and lifted; no address stands in a URL or in the log."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from store.consents import opt
from store.suppressions import suppress
from tests.api.door import NOW, Door, problem, success
from tests.api.sandbox import WITH_KEY, Sandbox

BOUNCED = "bounced, as sendgrid reports"


async def test_a_suppression_is_seen_and_lifted_and_the_lifting_is_kept(door: Door) -> None:
    await suppress(door.store, "email", "ada@example.com", BOUNCED, NOW)

    with capture_logs() as logs:
        [listed] = (await door.get("/v1/suppressions"))["suppressions"]
        asked = {"channel": "email", "address": "\ufeffAda <ADA@Example.com>"}
        found = await door.post("/v1/suppressions/find", asked)
        why = {"why": " The mailbox was made. ", "source": "grace"}
        lifted = await door.post(f"/v1/suppressions/{listed['id']}/lift", why)

    assert (listed["channel"], listed["reason"], "lift it" in listed["hint"]) == ("email", BOUNCED, True)
    assert found == {"suppressions": [listed], "lifted": []}
    assert (lifted["reason"], lifted["why"], lifted["source"]) == (BOUNCED, "The mailbox was made.", "grace")
    assert await door.get("/v1/suppressions") == {"suppressions": [], "next": None}
    assert (await door.get("/v1/suppressions/lifted"))["lifted"] == [lifted]
    assert (await door.post("/v1/suppressions/find", asked))["lifted"] == [lifted]
    assert "example.com" not in str(logs).lower()


@pytest.mark.parametrize("reads", [True, False])
async def test_whose_address_it_is_hears_who_may_read_customers(sandbox: Sandbox, reads: bool) -> None:
    await sandbox.send()
    await suppress(sandbox.shop.store, "email", "ada@example.com", BOUNCED, NOW)
    sandbox.http.headers.update(WITH_KEY)
    key = {"key": "desk", "scopes": ["customers:write", *(["customers:read"] if reads else [])]}
    secret = success(await sandbox.http.post("/v1/keys", json=key))["secret"]
    [listed] = success(await sandbox.http.get("/v1/suppressions"))["suppressions"]

    answer = await sandbox.http.post(
        f"/v1/suppressions/{listed['id']}/lift", json={"why": "Mended."}, headers={"Authorization": f"Bearer {secret}"}
    )

    lifted = success(answer)
    assert listed["customer"] == "ada"
    assert (lifted["recipient"], lifted["customer"]) == ((listed["recipient"], "ada") if reads else (None, None))


async def test_they_come_page_by_page(door: Door) -> None:
    for number in range(3):
        await suppress(door.store, "text", f"+1555010000{number}", "gone", NOW)

    first = await door.get("/v1/suppressions", limit=2, channel="text")
    rest = await door.get("/v1/suppressions", limit=2, before=first["next"])

    assert [len(page["suppressions"]) for page in (first, rest)] == [2, 1]
    assert rest["next"] is None
    assert (await door.get("/v1/suppressions", channel="email"))["suppressions"] == []


async def test_nobody_lifts_a_stop(door: Door) -> None:
    await opt(door.store, "text", "+15550100002", "out", "twilio", NOW)
    [stopped] = (await door.get("/v1/suppressions"))["suppressions"]

    answer = await door.http.post(f"/v1/suppressions/{stopped['id']}/lift", json={"why": "We want to."})

    assert "START" in problem(answer, 409, "conflict")["detail"]
    assert (await door.get("/v1/suppressions"))["suppressions"] == [stopped]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/suppressions/1/lift", {"why": "Mended."}, 404),
        ("/v1/suppressions/1/lift", {}, 422),
        ("/v1/suppressions/1/lift", {"why": "  "}, 422),
        ("/v1/suppressions/99999999999999999999/lift", {"why": "Mended."}, 422),
        ("/v1/suppressions/find", {"channel": "fax", "address": "1"}, 422),
        ("/v1/suppressions/find", {"channel": "text"}, 422),
    ],
)
async def test_what_is_asked_wrongly_is_told(door: Door, path: str, body: object, status: int) -> None:
    assert (await door.http.post(path, json=body)).status_code == status


async def test_an_address_that_nothing_can_be_sent_to_can_be_asked_for(door: Door) -> None:
    await suppress(door.store, "text", "0171 1234567", "gone", NOW)

    found = await door.post("/v1/suppressions/find", {"channel": "text", "address": "0171/123 45-67"})

    assert [each["reason"] for each in found["suppressions"]] == ["gone"]
