"""Contents filled in for a sample: looked at, and sent as a test."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from store.consents import opt
from store.runs import list_runs
from store.suppressions import suppress
from store.test_sends import TO_ONE
from tests.api.door import Door, problem, success
from tests.api.sandbox import WITH_KEY, Sandbox

SAMPLE = {"customer": {"first_name": "Ada"}, "event": {"cart_id": "c1", "total": 60.0}}
EMAIL, TEXT, PUSH = (
    f"/v1/contents/{name}" for name in ("initial-email-reminder", "second-text-reminder", "final-push-notification")
)


async def test_a_content_is_filled_in(live: Door) -> None:
    filled = await live.post(f"{EMAIL}/preview", SAMPLE)

    assert filled == {
        "parts": {
            "subject": "Your cart is waiting, Ada",
            "text": "You left 60 in your cart. No more of these: https://journeys.example.com/u/sample",
        },
        "missing": [],
        "flaws": [],
        "warnings": [],
        "segments": None,
        "alphabet": None,
    }


async def test_what_the_sample_has_not_got_is_named_and_left_empty(live: Door) -> None:
    filled = await live.post(f"{EMAIL}/preview", {"customer": {"first_name": None}})

    assert filled["parts"]["text"].startswith("You left  in your cart.")
    assert filled["missing"] == ["customer.first_name", "event.total"]


@pytest.mark.parametrize(
    ("body", "segments", "alphabet"),
    [
        ("a" * 160, 1, "GSM-7"),
        ("a" * 161, 2, "GSM-7"),
        ("a" * 70 + "’", 2, "UCS-2"),
        ("{{ event.cart_id }}", 1, "GSM-7"),
    ],
)
async def test_a_text_is_billed_as_so_many(door: Door, body: str, segments: int, alphabet: str) -> None:
    await door.put("/v1/contents/hello", {"text": {"body": body}})

    filled = await door.post("/v1/contents/hello/preview", SAMPLE)

    assert (filled["segments"], filled["alphabet"]) == (segments, alphabet)


async def test_the_draft_is_what_is_looked_at(live: Door) -> None:
    await live.put(EMAIL, {"email": {"subject": "Changed", "text": "Changed"}})

    assert (await live.post(f"{EMAIL}/preview", {}))["parts"]["subject"] == "Changed"


async def test_html_is_escaped_and_a_subject_stays_one_line(door: Door) -> None:
    email = {"subject": "Hi {{ customer.name }}", "html": "<p>{{ customer.name }}</p>"}
    await door.put("/v1/contents/hello", {"email": email})

    filled = await door.post("/v1/contents/hello/preview", {"customer": {"name": "<b>\r\nBcc: eve@example.com"}})

    assert filled["parts"]["html"].startswith("<p>&lt;b&gt;")
    assert "\n" not in filled["parts"]["subject"]


@pytest.mark.parametrize("path", ["preview", "test-send"])
async def test_a_template_that_runs_away_is_an_error(sandbox: Sandbox, path: str) -> None:
    loop = "{% for a in (1..9000) %}{% for b in (1..9000) %}x{% endfor %}{% endfor %}"
    await sandbox.http.put("/v1/contents/hello", json={"text": {"body": loop}}, headers=WITH_KEY)

    answer = await sandbox.http.post(
        f"/v1/contents/hello/{path}", json={"to": "+15550001111"} if path != "preview" else {}, headers=WITH_KEY
    )

    assert problem(answer, 422, "invalid")["errors"]
    assert sandbox.texts.ledger == []


@pytest.mark.parametrize("path", ["preview", "test-send"])
async def test_a_content_that_is_not_there_is_unknown(live: Door, path: str) -> None:
    body = {"to": "ada@example.com"} if path == "test-send" else {}

    problem(await live.http.post(f"/v1/contents/initial-email-remindr/{path}", json=body), 404, "unknown")


async def test_a_sample_is_checked(live: Door) -> None:
    answer = await live.http.post(f"{EMAIL}/test-send", json={"customers": {}, "event": {"total": [1]}})

    paths = {error["path"].split(".")[0] for error in problem(answer, 422, "invalid")["errors"]}
    assert paths == {"customers", "event", "to"}


async def try_out(sandbox: Sandbox, address: str, to: str) -> dict[str, Any]:
    body = {**SAMPLE, "to": to}
    answer: dict[str, Any] = success(await sandbox.http.post(f"{address}/test-send", json=body, headers=WITH_KEY))
    return answer


async def test_a_test_is_marked_and_belongs_to_no_run(sandbox: Sandbox) -> None:
    tried = await try_out(sandbox, EMAIL, "grace@example.com")

    (kept,) = sandbox.mail.ledger
    assert (tried["outcome"], kept.to) == ("accepted", "grace@example.com")
    assert kept.content["subject"] == tried["parts"]["subject"] == "[Test] Your cart is waiting, Ada"
    assert (await list_runs(sandbox.shop.store)).runs == ()


async def test_what_becomes_of_a_test_is_not_followed(sandbox: Sandbox) -> None:
    await try_out(sandbox, EMAIL, "grace@example.com")
    (kept,) = sandbox.mail.ledger

    await sandbox.take(
        sandbox.mail.signed([sandbox.mail.event(kept, name) for name in ("processed", "delivered", "open")])
    )

    assert (await sandbox.taken())["sendgrid"] == {"new": 0, "repeated": 0, "unreadable": 0, "forged": 0}


async def test_a_text_is_marked_too_and_says_how_long_it_is(sandbox: Sandbox) -> None:
    tried = await try_out(sandbox, TEXT, "+15550001111")

    assert sandbox.texts.ledger[0].content["Body"] == "[Test] Still thinking about cart c1?"
    assert (tried["segments"], tried["alphabet"]) == (1, "GSM-7")


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [("400", "refused"), ("429", "not now"), ("401", "down"), ("500-after", "no answer"), ("reset", "no answer")],
)
async def test_the_answer_is_what_the_provider_said(sandbox: Sandbox, fault: str, outcome: str) -> None:
    sandbox.mail.misbehave(fault)

    tried = await try_out(sandbox, EMAIL, "grace@example.com")

    assert tried["outcome"] == outcome
    assert tried["reason"]
    assert len(sandbox.mail.sends) == 1


async def refused(sandbox: Sandbox, address: str, to: str, status: int, slug: str) -> str:
    answer = await sandbox.http.post(f"{address}/test-send", json={**SAMPLE, "to": to}, headers=WITH_KEY)
    told = problem(answer, status, slug)
    assert sandbox.mail.ledger == sandbox.texts.ledger == []
    return str(told["detail"] if status == 409 else told["errors"])


async def test_a_test_goes_to_the_one_spelling_of_an_address(sandbox: Sandbox) -> None:
    await try_out(sandbox, EMAIL, "\ufeffGrace <grace@Example.com>")
    await try_out(sandbox, TEXT, "00 1 (555) 000-1111")

    assert (sandbox.mail.ledger[0].to, sandbox.texts.ledger[0].to) == ("grace@example.com", "+15550001111")


@pytest.mark.parametrize(("content", "to"), [(EMAIL, "grace"), (TEXT, "0171 1234567"), (EMAIL, " \u200b")])
async def test_what_no_test_can_be_sent_to_is_told(sandbox: Sandbox, content: str, to: str) -> None:
    assert "'path': 'to'" in await refused(sandbox, content, to, 422, "invalid")


async def test_no_test_goes_where_nothing_is_wanted(sandbox: Sandbox) -> None:
    store, now = sandbox.shop.store, sandbox.shop.now
    await suppress(store, "email", "grace@example.com", "bounced, as sendgrid reports", now)
    await opt(store, "email", "heidi@example.com", "out", "sendgrid", now)
    await opt(store, "text", "+15550001111", "out", "twilio", now)

    assert "suppressed: bounced" in await refused(sandbox, EMAIL, "GRACE@example.com", 409, "conflict")
    assert "opted out of commercial email" in await refused(sandbox, EMAIL, "heidi@example.com", 409, "conflict")
    assert "opted out by a text" in await refused(sandbox, TEXT, "+15550001111", 409, "conflict")


async def test_ten_tests_an_hour_go_to_one_address(sandbox: Sandbox) -> None:
    for _ in range(TO_ONE):
        await try_out(sandbox, EMAIL, "grace@example.com")

    body = {**SAMPLE, "to": "Grace@example.com"}
    answer = await sandbox.http.post(f"{EMAIL}/test-send", json=body, headers=WITH_KEY)

    problem(answer, 429, "too-many")
    assert 3500 < int(answer.headers["Retry-After"]) <= 3600
    await try_out(sandbox, EMAIL, "heidi@example.com")
    sandbox.clock.now += timedelta(hours=1)
    await try_out(sandbox, EMAIL, "grace@example.com")
    assert len(sandbox.mail.ledger) == TO_ONE + 2


async def test_tests_at_once_are_counted_too(sandbox: Sandbox) -> None:
    body = {**SAMPLE, "to": "grace@example.com"}
    asked = (sandbox.http.post(f"{EMAIL}/test-send", json=body, headers=WITH_KEY) for _ in range(TO_ONE + 5))

    answers = [answer.status_code for answer in await asyncio.gather(*asked)]

    assert sorted(answers) == [200] * TO_ONE + [429] * 5


async def test_without_a_channel_nothing_is_sent_and_the_setting_is_named(sandbox: Sandbox) -> None:
    body = {"to": "a-token"}

    answer = await sandbox.http.post(f"{PUSH}/test-send", json=body, headers=WITH_KEY)

    assert "SOJOURN_PUSH" in problem(answer, 409, "conflict")["detail"]
