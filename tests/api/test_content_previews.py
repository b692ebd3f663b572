"""Contents filled in for a sample: looked at, and sent as a test."""

from __future__ import annotations

from typing import Any

import pytest

from store.runs import list_runs
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


async def test_without_a_channel_nothing_is_sent_and_the_setting_is_named(sandbox: Sandbox) -> None:
    body = {"to": "a-token"}

    answer = await sandbox.http.post(f"{PUSH}/test-send", json=body, headers=WITH_KEY)

    assert "SOJOURN_PUSH" in problem(answer, 409, "conflict")["detail"]
