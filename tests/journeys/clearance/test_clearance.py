"""Clearance: one question, asked by the claim and by the preview, and the order of its reasons."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from journeys.catalogue import State
from journeys.clearance.circumstances import Blocked, Circumstances, Clear
from journeys.clearance.clearance import clearance, recipients
from journeys.clearance.consent import About, Choice, Rules
from journeys.clearance.policy import NO_POLICY
from journeys.steps import Email, Message, Push, Text
from journeys.walk.diary import Held
from tests.samples import CONTENTS, CUSTOMER
from tests.shop import visit

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
EMAIL = Email(id="mail", email="initial-email-reminder", to="customer.email")
TEXT = Text(id="sms", text="second-text-reminder", to="customer.phone")
PUSH = Push(id="push", push="final-push-notification", to="customer.push_token")


def answer(step: Message, known: Circumstances, expires_at: datetime | None = None) -> Clear | Blocked:
    """The answer for a message at NOW; what is sent is the content of the samples, unless something else is known."""
    content = known.content or (CONTENTS[step.content] if known.content_state == "ready" else None)
    said = clearance(visit("run", step, now=NOW, expires_at=expires_at), replace(known, content=content))
    assert not isinstance(said, Held)
    return said


def why(step: Message, known: Circumstances, expires_at: datetime | None = None, rules: Rules | None = None) -> str:
    policy = NO_POLICY.model_copy(update={"consent": rules or Rules(text="non-restrictive")})
    said = answer(step, replace(known, policy=policy), expires_at)
    return said.why if isinstance(said, Blocked) else ""


def somebody(**changes: object) -> Circumstances:
    return Circumstances(event={}, customer={**CUSTOMER, **changes})


@pytest.mark.parametrize("step", [EMAIL, TEXT, PUSH], ids=lambda step: step.kind)
def test_somebody_with_an_address_and_no_objection_may_be_messaged(step: Message) -> None:
    assert why(step, somebody()) == ""


@pytest.mark.parametrize("missing", [None, "", "  "])
def test_without_an_address_nothing_goes_out(missing: str | None) -> None:
    assert why(TEXT, somebody(phone=missing)) == "customer.phone is missing"


def test_an_address_may_come_with_the_event() -> None:
    step = Email(id="mail", email="initial-email-reminder", to="event.email")

    assert recipients(step, {"email": " guest@example.com "}, {}) == ["guest@example.com"]
    assert recipients(step, {}, {"email": "ada@example.com"}) == []


@pytest.mark.parametrize(
    ("step", "stored", "to"),
    [
        (EMAIL, {"email": "\ufeffAda <ada@Example.com>\u200b"}, "ada@example.com"),
        (TEXT, {"phone": "0049 (0)171 / 123\u2011456\u20117"}, "+491711234567"),
        (PUSH, {"push_token": "one,\u200b two ,,"}, "one,two"),
    ],
    ids=["email", "text", "push"],
)
def test_a_message_goes_to_the_one_spelling_of_an_address(step: Message, stored: dict[str, object], to: str) -> None:
    assert answer(step, Circumstances(event={}, customer=stored)) == Clear(to)


def test_what_cannot_be_sent_to_blocks_without_being_told() -> None:
    said = why(TEXT, somebody(phone="0171 1234567"))

    assert said.startswith("customer.phone has no country code. Write it as ")
    assert "1234567" not in said


@pytest.mark.parametrize(
    ("expires_at", "expected"),
    [
        pytest.param(NOW + timedelta(seconds=1), "", id="not-yet"),
        pytest.param(NOW, "it expired at 24 Nov 09:00", id="at-the-moment"),
        pytest.param(NOW - timedelta(hours=1), "it expired at 24 Nov 08:00", id="long-ago"),
    ],
)
def test_an_expired_message_is_blocked(expires_at: datetime, expected: str) -> None:
    assert why(EMAIL, somebody(), expires_at) == expected


def test_an_opt_out_is_asked_for_on_push_too() -> None:
    said: dict[About, Choice] = {About("push", "commercial"): "out"}

    assert why(PUSH, Circumstances(event={}, customer=CUSTOMER, said=said)) == "opted out of commercial push"


def test_texts_need_an_opt_in_by_default() -> None:
    assert why(TEXT, somebody(), rules=Rules()) == "has not opted in to commercial text"


def test_a_suppressed_address_is_not_written_to() -> None:
    known = Circumstances(event={}, customer=CUSTOMER, suppressed={"ada@example.com": "it bounced"})

    assert why(EMAIL, known) == "the address is suppressed: it bounced"


def test_one_device_that_is_left_is_enough() -> None:
    two = Circumstances(event={}, customer={"push_token": "one, two"}, suppressed={"one": "gone"})

    assert why(PUSH, two) == ""
    assert why(PUSH, Circumstances(event={}, customer={"push_token": "one"}, suppressed={"one": "gone"})) != ""


def test_the_address_is_that_of_the_devices_that_are_left() -> None:
    known = Circumstances(event={}, customer={"push_token": "one, two, three"}, suppressed={"two": "gone"})

    assert answer(PUSH, known) == Clear("one,three")


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("draft", 'content "initial-email-reminder" is draft, not ready to send'),
        ("stopped", 'content "initial-email-reminder" is stopped, not ready to send'),
        (None, 'content "initial-email-reminder" is not there, not ready to send'),
    ],
)
def test_only_a_content_that_is_ready_is_sent(state: State | None, expected: str) -> None:
    assert why(EMAIL, replace(somebody(), content_state=state)) == expected


def test_the_first_reason_of_several_is_told() -> None:
    everything = Circumstances(
        event={},
        customer={},
        said={About("email", "commercial"): "out"},
        suppressed={"ada@example.com": "it bounced"},
        content_state="stopped",
        content=CONTENTS["initial-email-reminder"],
        ended="exit: purchase-completed",
    )
    reasons = []

    for fewer in (
        everything,
        going_on := replace(everything, ended=None),
        replace(going_on, customer=CUSTOMER),
        replace(going_on, customer=CUSTOMER, said={}),
        replace(going_on, customer=CUSTOMER, said={}, suppressed={}),
    ):
        reasons.append(why(EMAIL, fewer))

    assert reasons == [
        "the run has ended: exit: purchase-completed",
        "customer.email is missing",
        "opted out of commercial email",
        "the address is suppressed: it bounced",
        'content "initial-email-reminder" is stopped, not ready to send',
    ]
    assert why(EMAIL, going_on, NOW) == "it expired at 24 Nov 09:00"
