"""What providers report of messages, carried out: an opt-out is an opt-out, a proof a proof, and the rest are events.

Reports come repeated and in any order. Everything here may be done again, and does nothing then; so a webhook that was
not answered is simply taken once more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

import structlog

from activities.channels.reports import Report
from activities.scanners import tell_apart
from journeys.catalogue import INTERACTION_TRIGGERS, Event
from journeys.clearance.consent import Consent, Purpose
from journeys.interactions import Kind, interaction_trigger
from journeys.language.attributes import Attributes
from journeys.problems import Conflict, Invalid, Unknown
from store.consents import opt, put_consents
from store.events import Receipt
from store.sends import Send, get_send, latest_send, prove
from store.store import Store
from store.suppressions import suppress

log = structlog.get_logger(__name__)

Accept = Callable[[Sequence[Event]], Awaitable[Sequence[Receipt]]]
"""Takes events: once it returns, they are durable. Raises Invalid where one of them is, Conflict, and Unavailable."""


@dataclass
class Taken:
    """How many reports of a provider were news, how many were not, and how many could not be read.

    *forged*: how many webhooks were refused, for their signature.
    """

    new: int = 0
    repeated: int = 0
    unreadable: int = 0
    forged: int = 0


@dataclass(frozen=True)
class Source:
    """Who reports, about which kind of message, and when it came in (aware UTC)."""

    provider: str
    kind: Kind
    now: datetime

    def time_of(self, report: Report) -> datetime:
        """When it happened, by our clock: the provider's may be ahead."""
        return min(report.at, self.now)


async def take(store: Store, accept: Accept, source: Source, reports: Sequence[Report]) -> Taken:
    """Carry out *reports*. Once this returns, all of it is durable. Raises Unavailable: then all may be taken again.

    What is about no send of ours is left alone, but an address that opts out or is dead is one whoever wrote to it.
    """
    sends = await _sends(store, source.kind, reports)
    reports = await tell_apart(store, source.provider, reports, sends)
    for report in reports:
        await _heed(store, source, report, sends.get(report.id))
    await _prove(store, source, reports, sends)
    events = [event for report in reports if (event := _event(source, report, sends.get(report.id)))]
    receipts = await asyncio.gather(*(_told(accept, event) for event in events))
    repeated = sum(receipt is None or receipt.duplicate for receipt in receipts)
    return Taken(new=len(receipts) - repeated, repeated=repeated)


async def _sends(store: Store, kind: Kind, reports: Iterable[Report]) -> dict[str, Send]:
    """The sends that the reports are about, by the reports' ids."""
    found: dict[str | tuple[str, str], Send | None] = {}
    for report in reports:
        if report.send_id and report.send_id not in found:
            found[report.send_id] = await _send(store, report.send_id)
        elif not report.send_id and kind == "text":  # from a customer, who answers what came last
            found["to", report.address] = await latest_send(store, kind, report.address)
    about = {report.id: found.get(report.send_id or ("to", report.address)) for report in reports}
    return {id: send for id, send in about.items() if send and send.kind == kind}


async def _send(store: Store, id: str) -> Send | None:
    try:
        return await get_send(store, id)
    except Unknown:
        return None


async def _heed(store: Store, source: Source, report: Report, send: Send | None) -> None:
    """Write down who is not to be messaged any more, or may be again."""
    address = (send.recipient if send else None) or report.address
    if address and (report.opt_out or report.opt_in):
        await _opt(store, source, report, address, send)
    if address and report.dead:
        why = f"{report.interaction or 'dead'}, as {source.provider} reports"
        await suppress(store, source.kind, address, why, source.time_of(report))


async def _opt(store: Store, source: Source, report: Report, address: str, send: Send | None) -> None:
    choice: Literal["in", "out"] = "out" if report.opt_out else "in"
    told = (source.provider, source.time_of(report), report.id)
    customers = await opt(store, source.kind, address, choice, *told)
    if send and report.send_id and send.customer not in customers:  # who has got another address meanwhile
        said = [Consent(channel=source.kind, purpose=purpose, choice=choice) for purpose in get_args(Purpose)]
        await put_consents(store, send.customer, said, *told, of_send=send.id)


async def _prove(store: Store, source: Source, reports: Iterable[Report], sends: Mapping[str, Send]) -> None:
    """Whatever a provider reports of a send, it has it, since the first report. A customer's text is no such proof."""
    proofs: dict[str, Report] = {}
    for report in sorted(reports, key=lambda report: report.at):
        if report.send_id and report.id in sends:
            proofs.setdefault(report.send_id, report)
    for report in proofs.values():
        if sends[report.id].state != "accepted":
            await prove(store, sends[report.id].id, report.provider_id, source.time_of(report))


def _event(source: Source, report: Report, send: Send | None) -> Event | None:
    """The report as an event of a built-in trigger; None where it tells no run anything."""
    if send is None or report.interaction is None:
        return None
    trigger = interaction_trigger(send.kind, report.interaction)
    if trigger not in INTERACTION_TRIGGERS:
        return None
    about: Attributes = {"send_id": send.id}
    for name in ("link", "reply", "machine"):
        if value := getattr(report, name):
            about[name] = value
    return Event(
        id=report.id,
        source=source.provider,
        trigger=trigger,
        occurred_at=source.time_of(report),
        attributes=about,
    )


async def _told(accept: Accept, event: Event) -> Receipt | None:
    """Each by itself, so that one that cannot be stored keeps no other from it. Many together are one commit."""
    try:
        return (await accept([event]))[0]
    except Conflict:  # told before, at another time or without what was found out since
        return None
    except Invalid:  # without the error, which quotes what it found
        log.warning("a report cannot be stored", source=event.source, id=event.id)
        return None
