"""Clearance: whether a message may go out now. The claim and the preview ask here, and nothing else decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TypeVar

from journeys.clearance.addresses import Unsendable, normal_each
from journeys.clearance.circumstances import Blocked, Circumstances, Clear, Clearance
from journeys.clearance.consent import About, refusal
from journeys.clearance.releases import Release
from journeys.clearance.timing import its_turn, not_now
from journeys.language.attributes import reference
from journeys.language.clock import clock
from journeys.steps import Message
from journeys.walk.diary import Held
from journeys.walk.world import Visit

Answer = TypeVar("Answer", bound=Clearance)

PAUSED = Held(until=None, why="its journey is paused", by="pause")
"""What a message, and an action too, is answered while its journey is paused."""


def clearance(visit: Visit, known: Circumstances) -> Clearance:
    """Whether the message of *visit* may go out now, and where to; or the first reason against it, in this order."""
    message = visit.message
    if known.ended is not None:
        return Blocked(f"the run has ended: {known.ended}")
    # Before all that holds: what is held ends there.
    if visit.expires_at is not None and visit.now >= visit.expires_at:
        return Blocked(f"it expired at {clock(visit.expires_at, visit.now)}")
    if known.held is not None:
        return Held(until=None, why=known.held, by="brake")
    if known.paused:
        return PAUSED
    if known.skipped is not None:
        return Blocked(known.skipped)
    try:
        named = recipients(message, known.event, known.customer)
    except Unsendable as error:
        return Blocked(f"{address_attribute(message, known.event, known.customer)} {error}")
    if not named:
        *others, last = message.addresses
        return Blocked(f"{', '.join(others)} and {last} are missing" if others else f"{last} is missing")
    if why := _consent(message, known) or _suppressed(named, known.suppressed):
        return Blocked(why)
    if known.content_state != "ready":
        why = f'content "{message.content}" is {known.content_state or "not there"}, not ready to send'
        return Held(until=None, why=why, by="park") if message.parks("not ready") else Blocked(why)
    waits, notes = not_now(visit, known)
    return waits or Clear(",".join(address for address in named if address not in known.suppressed), notes)


def may_act(
    visit: Visit, *, paused: bool, skipped: str | None, released: Release | None, day: timedelta
) -> Held | Blocked | None:
    """What speaks against an action now, such as a webhook; None where nothing does. Less does than for a message."""
    if paused and visit.expires_at is not None and visit.now >= visit.expires_at:
        return Blocked(f"it expired at {clock(visit.expires_at, visit.now)}, while its journey was paused")
    if paused:
        return no_longer_than_it_may_be_sent(PAUSED, visit)
    return Blocked(skipped) if skipped else its_turn(visit, released, day)


def no_longer_than_it_may_be_sent(answer: Answer, visit: Visit) -> Answer | Held:
    """The same; and what is held is looked at again when it expires, to be blocked then."""
    expires_at = visit.expires_at
    if isinstance(answer, Held) and expires_at is not None and (answer.until is None or expires_at < answer.until):
        return answer.model_copy(update={"until": expires_at, "why": f"{answer.why}; it expires then"})
    return answer


def recipients(message: Message, event: Mapping[str, object], customer: Mapping[str, object]) -> list[str]:
    """The addresses a message goes to, each in its one spelling; none where none is there. Raises Unsendable."""
    return normal_each(message.kind, written(message, event, customer) or "")


def written(message: Message, event: Mapping[str, object], customer: Mapping[str, object]) -> str | None:
    """Where a message is to go, as it was written. Several push tokens are separated by commas."""
    return next(filter(None, (_at(address, event, customer) for address in message.addresses)), None)


def address_attribute(message: Message, event: Mapping[str, object], customer: Mapping[str, object]) -> str:
    """The attribute that holds the address that a message goes to: the first one in which there is any."""
    there = (address for address in message.addresses if _at(address, event, customer))
    return next(there, message.addresses[0])


def _at(attribute: str, event: Mapping[str, object], customer: Mapping[str, object]) -> str | None:
    source, name = reference(attribute)
    address = (event if source == "event" else customer).get(name)
    return address.strip() or None if isinstance(address, str) else None


def _consent(message: Message, known: Circumstances) -> str:
    if known.content is None and known.content_state != "ready":
        return ""  # what is not there, or was never ready, asks for no consent
    about = known.content.about if known.content else About(message.kind, known.purpose)
    return refusal(about, known.policy.consent.enforcement(about), known.said)


def _suppressed(named: Sequence[str], suppressed: Mapping[str, str]) -> str:
    """Where several devices are named, one that is left is enough."""
    if all(address in suppressed for address in named):
        return f"the address is suppressed: {suppressed[named[0]]}"
    return ""
