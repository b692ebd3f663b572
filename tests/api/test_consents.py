"""What customers say about being messaged, over HTTP; and the channels' states."""

from __future__ import annotations

from datetime import timedelta

import pytest

from journeys.clearance.consent import Rules
from store.channels import set_channel
from store.sends import Done
from tests.api.door import Door, problem
from tests.api.sandbox import WITH_KEY, Sandbox

CONSENTS = "/v1/customers/ada/consents"


async def test_what_is_said_holds_and_is_logged(door: Door) -> None:
    door_says = [{"channel": "email", "choice": "in"}, {"channel": "text", "purpose": "transactional", "choice": "out"}]

    answer = await door.put(CONSENTS, {"consents": door_says, "source": "checkout"})

    assert answer == await door.get(CONSENTS)
    assert {(said["channel"], said["purpose"], said["choice"]) for said in answer["said"]} == {
        ("email", "commercial", "in"),
        ("text", "transactional", "out"),
    }
    assert {(line["source"], line["at"]) for line in answer["log"]} == {("checkout", "2026-11-24T09:00:00Z")}


async def test_the_latest_word_counts_and_the_log_keeps_them_all(door: Door) -> None:
    for choice in ("in", "out", "unset"):
        await door.put(CONSENTS, {"consents": [{"channel": "email", "choice": choice}]})
        door.clock.now += timedelta(minutes=1)

    answer = await door.get(CONSENTS)

    assert [said["choice"] for said in answer["said"]] == ["unset"]
    assert [line["choice"] for line in answer["log"]] == ["in", "out", "unset"]


async def test_what_is_not_named_stays_as_it_was_said(door: Door) -> None:
    await door.put(CONSENTS, {"consents": [{"channel": "email", "choice": "in"}]})

    answer = await door.put(CONSENTS, {"consents": [{"channel": "email", "topic": "news", "choice": "out"}]})

    assert {(said["topic"], said["choice"]) for said in answer["said"]} == {(None, "in"), ("news", "out")}


async def test_from_the_answer_on_nothing_is_claimed_against_it(sandbox: Sandbox) -> None:
    said = {"consents": [{"channel": "email", "choice": "out"}]}
    run = await sandbox.shop.start()

    await sandbox.http.put(CONSENTS, json=said, headers=WITH_KEY)

    claimed = await sandbox.shop.claim(run, rules=Rules())
    assert isinstance(claimed, Done)
    assert claimed.delivery.reason == "opted out of commercial email"


async def test_a_customer_who_never_said_anything_has_said_nothing(live: Door) -> None:
    assert await live.get(CONSENTS) == {"customer": "ada", "said": [], "log": []}


async def test_a_customer_of_whom_nothing_is_known_is_unknown(door: Door) -> None:
    problem(await door.http.get(CONSENTS), 404, "unknown")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "consents"),
        ({"consents": [{"channel": "fax", "choice": "in"}]}, "consents[0].channel"),
        ({"consents": [{"channel": "email"}]}, "consents[0].choice"),
        ({"consents": [{"channel": "email", "choice": "in", "topic": "No Name"}]}, "consents[0].topic"),
        ({"consents": [{"channel": "email", "choice": "in"}], "customer": "bob"}, "customer"),
        ({"consents": [{"channel": "email", "choice": "in"}], "source": ""}, "source"),
    ],
)
async def test_every_flaw_is_named(door: Door, body: dict[str, object], path: str) -> None:
    answer = await door.http.put(CONSENTS, json=body)

    assert [error["path"] for error in problem(answer, 422, "invalid")["errors"]] == [path]


async def test_a_preview_holds_consents_against_the_policy(sandbox: Sandbox) -> None:
    cart = {"trigger": "abandoned-cart", "attributes": {"cart_id": "c1", "total": 1}}
    asked = {"customer": {"email": "ada@example.com"}, "script": [cart]}

    async def first(**consents: object) -> str:
        body = {**asked, **consents}
        answer = await sandbox.http.post("/v1/journeys/abandoned-cart/preview", json=body, headers=WITH_KEY)
        return str(answer.json()["runs"][0]["sends"][0]["outcome"])

    assert await first() == "accepted"
    assert await first(consents=[]) == "accepted"
    assert await first(consents=[{"channel": "email", "choice": "out"}]) == "blocked"


async def test_channels_say_whether_messages_can_go_out(door: Door) -> None:
    await set_channel(door.store, "email", "down", "SendGrid does not take the API key (401)", door.clock.now)
    await set_channel(door.store, "text", "ok", "", door.clock.now)

    told = await door.get("/v1/channels")
    ready = await door.get("/readyz")

    assert {channel["kind"]: (channel["state"], channel["reason"]) for channel in told["channels"]} == {
        "email": ("down", "SendGrid does not take the API key (401)"),
        "push": ("unused", ""),
        "text": ("ok", ""),
    }
    assert (ready["status"], ready["channels"]) == ("degraded", {"email": "down", "text": "ok"})
    assert "API key" not in str(ready), "it is open to everybody"
