"""A content filled in for a sample customer and event: looked at, or sent to an address of your own as a test."""

from __future__ import annotations

import asyncio
import secrets
from typing import Literal

import structlog
from fastapi import APIRouter
from pydantic import Field

from activities.channels import Accepted, Channel, Down, NotNow, Outgoing, Refused
from activities.channels.segments import segments
from api.bodies import Body, aside, gives, ref, takes
from api.dependencies import Dependencies, Deps
from api.keys import needs
from api.names import ContentName
from api.problems import STANDARD, TooLarge, WrongType, declare
from journeys.catalogue import Content
from journeys.clearance.addresses import Unsendable, normal_each
from journeys.contents import check_content, render_content
from journeys.interactions import Kind
from journeys.language.attributes import Attributes
from journeys.language.templates import TemplateError, names
from journeys.models import Model
from journeys.problems import Conflict, Flaw, Invalid, TooMany, Unknown
from journeys.reading import read
from store.catalogue import get_content
from store.test_sends import allow_test_send

PATIENCE = 25.0
"""Seconds: longer than a channel waits for its provider."""

MARK = "[Test] "
MARKED: dict[Kind, str] = {"email": "subject", "text": "body", "push": "title"}

log = structlog.get_logger(__name__)

router = APIRouter(prefix="/v1/contents", tags=["contents"], responses=STANDARD)

SAMPLE = {"customer": {"first_name": "Ada"}, "event": {"cart_id": "cart-17", "total": 59.9}}
RENDERED = {
    "parts": {"body": "Still thinking about cart cart-17?"},
    "missing": [],
    "flaws": [],
    "warnings": [],
    "segments": 1,
    "alphabet": "GSM-7",
}
TEST_SENT: dict[str, object] = {
    "parts": {
        "subject": "[Test] Your cart is waiting, Ada",
        "text": "You left €59.90 in your cart. No more of these: https://journeys.example.com/u/sample",
    },
    "missing": [],
    "flaws": [],
    "warnings": [],
    "segments": None,
    "alphabet": None,
    "outcome": "accepted",
    "reason": "",
    "send_id": "test4f1c0e2b7a9d3e58",
    "provider_id": "14c5d75ce93",
}


class Sample(Model):
    """The attributes of a customer and of an event, to fill a content in with."""

    customer: Attributes = Field(default_factory=dict)
    event: Attributes = Field(default_factory=dict)


class TestSend(Sample):
    """A sample, and the address that it is sent to."""

    to: str = Field(min_length=1, max_length=4096)


class Rendered(Model):
    """A content filled in. *missing*: attributes that it uses and the sample has not got, so that they are left empty.

    *flaws* keep it from being made ready, *warnings* do not. An email's link to unsubscribe is a sample, of no send.
    *segments*: how many texts a text is billed as, and in which *alphabet*: one character outside GSM-7 makes it UCS-2.
    """

    parts: dict[str, str]
    missing: tuple[str, ...]
    flaws: tuple[Flaw, ...] = ()
    warnings: tuple[Flaw, ...] = ()
    segments: int | None = None
    alphabet: str | None = None


class SendOutcome(Model):
    """What the provider answered. ``no answer``: nobody knows whether it went out."""

    outcome: Literal["accepted", "refused", "not now", "down", "no answer"]
    reason: str = ""
    provider_id: str | None = None


class TestSent(Rendered, SendOutcome):
    """What was sent as a test, and what the provider answered."""

    send_id: str


@router.post(
    "/{name}/preview",
    dependencies=[needs("definitions:read")],
    response_model=Rendered,
    responses=declare(Unknown, TooLarge, WrongType) | {200: gives(RENDERED)},
    openapi_extra=takes(ref(Sample), {"A customer and a cart": SAMPLE}, yaml_too=True),
)
async def preview_content(name: ContentName, body: Body, deps: Deps) -> Rendered:
    """See the draft filled in for a sample customer and event. Nothing is sent, nothing is kept."""
    sample = await aside(read, Sample, body, "sample")
    content = (await get_content(deps.store, name)).content
    return await asyncio.to_thread(_render, content, sample, deps)


@router.post(
    "/{name}/test-send",
    dependencies=[needs("definitions:write")],
    response_model=TestSent,
    responses=declare(Unknown, Conflict, TooLarge, WrongType, TooMany) | {200: gives(TEST_SENT)},
    openapi_extra=takes(ref(TestSend), {"To a colleague": {**SAMPLE, "to": "grace@example.com"}}, yaml_too=True),
)
async def test_send_content(name: ContentName, body: Body, deps: Deps) -> TestSent:
    """Send the draft, filled in for a sample, to an address of your own. It is marked as a test.

    It belongs to no run and no customer: it is in no figures, and what becomes of it is not followed. An address that
    is suppressed or opted out is refused, and within an hour at most ten go to one address, and a hundred in all.
    The answer is what the provider said, also where it refused.
    """
    asked = await aside(read, TestSend, body, "test")
    content = (await get_content(deps.store, name)).content
    channel = deps.send.get(content.kind)
    if channel is None:
        raise Conflict(f"No channel sends {content.kind} messages here. Set SOJOURN_{content.kind.upper()}.")
    filled = await asyncio.to_thread(_render, content, asked, deps, MARK)
    to = _to(content.kind, asked.to)
    await allow_test_send(deps.store, content.about, to, deps.now())
    send_id = f"test{secrets.token_hex(8)}"
    message = Outgoing(send_id, "test", name, content.kind, ",".join(to), filled.parts, deps.now())
    return TestSent(**dict(filled), **dict(await _send(channel, message)), send_id=send_id)


def _to(kind: Kind, written: str) -> list[str]:
    try:
        addresses = normal_each(kind, written)
    except Unsendable as error:
        flaw = Flaw(path="to", message=f"this {error.why}.", hint=error.hint)
        raise Invalid("Nothing can be sent there.", [flaw]) from None
    if not addresses:
        raise Invalid("Nothing can be sent there.", [Flaw(path="to", message="an address was expected.")])
    return addresses


async def _send(channel: Channel, message: Outgoing) -> SendOutcome:
    try:
        async with asyncio.timeout(PATIENCE):
            answer = await channel.send(message)
    except Exception as error:  # noqa: BLE001 - whatever it is, the message may have gone out
        log.warning("no answer to a test message", send_id=message.send_id, error=type(error).__name__)
        return SendOutcome(outcome="no answer", reason=f"the provider gave no answer: {type(error).__name__}")
    match answer:
        case Accepted(provider_id=provider_id):
            return SendOutcome(outcome="accepted", provider_id=provider_id)
        case Refused(reason=reason):
            return SendOutcome(outcome="refused", reason=reason)
        case NotNow(reason=reason):
            return SendOutcome(outcome="not now", reason=reason)
        case Down(reason=reason):
            return SendOutcome(outcome="down", reason=reason)


def _render(content: Content, sample: Sample, deps: Dependencies, mark: str = "") -> Rendered:
    values: dict[str, dict[str, object]] = {"event": {**sample.event}, "customer": {**sample.customer}}
    try:
        filled = render_content(content, values, deps.now())
        used = frozenset[str]().union(*(names(source) for source in content.parts.values()))
    except TemplateError as error:
        raise Invalid("The content cannot be filled in.", [Flaw(path="", message=f"{error}.")]) from None
    filled[MARKED[content.kind]] = mark + filled[MARKED[content.kind]]
    given = {f"{root}.{name}" for root, named in values.items() for name, value in named.items() if value is not None}
    found = check_content(content)
    billed = segments(filled["body"]) if content.kind == "text" else None
    return Rendered(
        parts=filled,
        missing=tuple(sorted(used - given)),
        flaws=found.flaws,
        warnings=found.warnings,
        segments=billed.number if billed else None,
        alphabet=billed.alphabet if billed else None,
    )
