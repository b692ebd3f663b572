"""Who may be messaged, and at which address. The claim and the preview ask the same question here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from journeys.attributes import reference
from journeys.catalogue import Content
from journeys.consent import About, Choice, Rules, refusal
from journeys.definition import Message
from journeys.walk import clock


@dataclass(frozen=True)
class Addressee:
    """What is known of the customer a message is for.

    *event*: attributes of the event that started the run. *said*: their consents.
    *suppressed*: addresses that must not be written to any more, with the reason.
    """

    event: Mapping[str, object]
    customer: Mapping[str, object]
    said: Mapping[About, Choice] = field(default_factory=dict)
    suppressed: Mapping[str, str] = field(default_factory=dict)


def recipient(step: Message, addressee: Addressee) -> str | None:
    """The address a message goes to; None where there is none. Several push tokens are separated by commas."""
    source, name = reference(step.to)
    address = (addressee.event if source == "event" else addressee.customer).get(name)
    return address.strip() or None if isinstance(address, str) else None


def addresses(to: str) -> list[str]:
    """The addresses in a recipient: one, or several devices."""
    return [address.strip() for address in to.split(",")]


def blocked(
    step: Message,
    content: Content | None,
    addressee: Addressee,
    rules: Rules,
    now: datetime,
    expires_at: datetime | None,
) -> str:
    """Why a message may not go out now, in the order in which it is asked; nothing where it may.

    A preview need not have the *content*: then it is taken for a commercial one without a topic.
    """
    if expires_at is not None and now >= expires_at:
        return f"it expired at {clock(expires_at)}"
    to = recipient(step, addressee)
    if to is None:
        return f"{step.to} is missing"
    about = content.about if content else About(step.kind, "commercial")
    if refused := refusal(about, rules.enforcement(about), addressee.said):
        return refused
    return _suppressed(to, addressee.suppressed)


def _suppressed(to: str, suppressed: Mapping[str, str]) -> str:
    """Where several devices are named, one that is left is enough."""
    named = addresses(to)
    if all(address in suppressed for address in named):
        return f"the address is suppressed: {suppressed[named[0]]}"
    return ""
