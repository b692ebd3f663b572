"""Who may be messaged: one question, asked by the claim and by the preview."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from journeys.consent import About, Choice, Rules
from journeys.definition import Email, Message, Push, Text
from journeys.messaging import Addressee, blocked, recipient
from tests.samples import CONTENTS, CUSTOMER

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
EMAIL = Email(id="mail", email="initial-email-reminder", to="customer.email")
TEXT = Text(id="sms", text="second-text-reminder", to="customer.phone")
PUSH = Push(id="push", push="final-push-notification", to="customer.push_token")


def why(step: Message, addressee: Addressee, expires_at: datetime | None = None, rules: Rules | None = None) -> str:
    return blocked(step, CONTENTS[step.content], addressee, rules or Rules(text="non-restrictive"), NOW, expires_at)


def somebody(**changes: object) -> Addressee:
    return Addressee(event={}, customer={**CUSTOMER, **changes})


@pytest.mark.parametrize("step", [EMAIL, TEXT, PUSH], ids=lambda step: step.kind)
def test_somebody_with_an_address_and_no_objection_may_be_messaged(step: Message) -> None:
    assert why(step, somebody()) == ""


@pytest.mark.parametrize("missing", [None, "", "  "])
def test_without_an_address_nothing_goes_out(missing: str | None) -> None:
    assert why(TEXT, somebody(phone=missing)) == "customer.phone is missing"


def test_an_address_may_come_with_the_event() -> None:
    step = Email(id="mail", email="initial-email-reminder", to="event.email")

    assert recipient(step, Addressee(event={"email": " guest@example.com "}, customer={})) == "guest@example.com"


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

    assert why(PUSH, Addressee(event={}, customer=CUSTOMER, said=said)) == "opted out of commercial push"


def test_texts_need_an_opt_in_by_default() -> None:
    assert why(TEXT, somebody(), rules=Rules()) == "has not opted in to commercial text"


def test_a_suppressed_address_is_not_written_to() -> None:
    addressee = Addressee(event={}, customer=CUSTOMER, suppressed={"ada@example.com": "it bounced"})

    assert why(EMAIL, addressee) == "the address is suppressed: it bounced"


def test_one_device_that_is_left_is_enough() -> None:
    two = Addressee(event={}, customer={"push_token": "one, two"}, suppressed={"one": "gone"})

    assert why(PUSH, two) == ""
    assert why(PUSH, Addressee(event={}, customer={"push_token": "one"}, suppressed={"one": "gone"})) != ""
