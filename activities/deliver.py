"""The only way out: claim a send, call the provider once, record what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.channels import Accepted, Channel, Down, NotNow, Outgoing, ProviderAnswer, Refused
from activities.channels.calls import NoAnswer
from activities.channels.links import Links
from activities.circuit_breaker import CircuitBreaker
from activities.clock import RunClock
from activities.inputs import GivenBy01, of_today
from activities.privacy import log, nothing_personal, without_quotes, without_values
from journeys.clearance.clearance import address_attribute
from journeys.contents import UNSUBSCRIBE, render_content
from journeys.interactions import Kind
from journeys.language.attributes import reference
from journeys.language.templates import TemplateError
from journeys.problems import Unavailable
from journeys.steps.failing import Failure
from journeys.walk.diary import Delivery, Held, Moved
from journeys.walk.position import Unheard
from journeys.walk.world import Visit
from store import consents, sends, suppressions
from store.customers import forget_tokens
from store.runs import get_run
from store.sends import Done, Go
from store.store import Store

Written = TypeVar("Written")

ATTEMPT = timedelta(seconds=40)
"""How long one attempt may take in all. The limits of its parts leave time to record the outcome."""

CALL_BEFORE = timedelta(seconds=4)
CALL = timedelta(seconds=21)  # 5 for a free thread, and 15, Firebase's own limit
RECORD_BEFORE = timedelta(seconds=37)
RECORD_AGAIN = timedelta(seconds=0.5)

ABANDONED_AFTER = timedelta(minutes=2)
"""A claim that has had no outcome for this long belongs to an attempt that is surely over."""

GONE = "the provider says that it does not exist"
NOT_FILLED_IN = "the content cannot be filled in"


class Deliver:
    """The activity that sends, with the store and the channels that it needs.

    *links* go into emails, to unsubscribe; without them, a sample stands there.
    *call* is how long a provider may take to answer. A provider is called no later than *call_before* after the
    attempt began, so that a process that was frozen after its claim does not send what was given up meanwhile.
    """

    def __init__(
        self,
        store: Store,
        channels: Mapping[Kind, Channel],
        *,
        links: Links | None = None,
        breaker: CircuitBreaker | None = None,
        call: timedelta = CALL,
        call_before: timedelta = CALL_BEFORE,
    ) -> None:
        self._store = store
        self._channels = channels
        self._links = links
        self._breaker = breaker or CircuitBreaker(store)
        self._call = call
        self._call_before = call_before

    @activity.defn(name="deliver")
    async def deliver(self, visit: Visit | GivenBy01) -> Delivery | Held | Unheard | Moved:
        """Send one message, at most once, and say what became of it.

        Raises ApplicationError where another attempt may send it: the provider said "not now", or we failed before.
        """
        with nothing_personal("sending"):
            visit = of_today(visit)
            delivery = await self._attempt(visit, RunClock(visit.now))
            if not isinstance(delivery, Delivery):
                return delivery
            return without_quotes(delivery).model_copy(update={"in_doubt": delivery.outcome == "unknown"})

    async def _attempt(self, visit: Visit, clock: RunClock) -> Delivery | Held | Unheard | Moved:
        kind = visit.message.kind
        channel = self._channels[kind]  # looked up first: without it, nothing must be claimed
        # What has expired goes on to its claim, which blocks it: nobody waits for a channel to be mended for that.
        if wait := self._breaker.wait(kind):
            visit = await sends.expiring(self._store, visit)
            if not _expired(visit, clock):
                raise _later(visit, wait, clock)
        visit = visit.at(clock.now())
        claim = await sends.claim(self._store, visit)
        if isinstance(claim, Held | Unheard | Moved):
            return claim
        if isinstance(claim, Done):
            return claim.delivery
        visit = visit.expiring(claim.expires_at)
        sent = await self._hand_over(_filled_in(visit, claim, self._links), channel, clock)
        match sent:
            case Accepted():
                delivery = await self._record(visit, claim.attempt, sent, clock)
                await self._learn(visit, claim, sent, clock.now())
                return delivery
            case Refused():
                became = await self._fail(visit, claim, sent, clock)
                await self._learn(visit, claim, sent, clock.now())
                return became
            case _Lost(reason=reason):
                return await self._lose(visit, claim.attempt, reason, clock)
            case NotNow(reason=reason, after=after, unreachable=unreachable):
                await self._release(visit, claim.attempt, reason, clock)
                if unreachable:
                    await self._breaker.stumble(kind, reason, clock.now())
                raise _later(visit, after, clock)
            case Down(reason=reason):
                await self._release(visit, claim.attempt, reason, clock)
                raise _later(visit, await self._breaker.open(kind, reason, clock.now()), clock)

    async def _hand_over(
        self, message: Outgoing | Refused, channel: Channel, clock: RunClock
    ) -> ProviderAnswer | _Lost:
        if isinstance(message, Refused):
            return message
        if clock.elapsed > self._call_before:
            return NotNow("the worker was held up between claim and call")
        try:
            async with asyncio.timeout(self._call.total_seconds()):
                return await channel.send(message)
        except Exception as error:  # noqa: BLE001 - whatever it is, the message may have gone out
            # No traceback, and of others no words: a library's may hold the recipient.
            why = str(error) if isinstance(error, NoAnswer) else type(error).__name__
            log.warning("no answer from the provider", send_id=message.send_id, step=message.step, why=why)
            return _Lost(f"the provider gave no answer: {why}")

    async def _record(self, visit: Visit, attempt: int, sent: Accepted | Refused, clock: RunClock) -> Delivery | Moved:
        if isinstance(sent, Accepted):
            provider_id, delivery = sent.provider_id, Delivery(outcome="accepted", at=clock.now())
        else:
            provider_id, delivery = None, Delivery(outcome="failed", at=clock.now(), reason=sent.reason)
        moved = await _surely(lambda: sends.record(self._store, visit, attempt, delivery, provider_id), clock)
        return moved or delivery

    async def _fail(self, visit: Visit, go: Go, sent: Refused, clock: RunClock) -> Delivery | Held | Moved:
        """Park the run where its step says so; else record that it has failed. Temporal is told no provider's words."""
        unfilled = isinstance(sent, _NotFilledIn)
        failure: Failure = "not filled in" if unfilled else "refused"
        why = without_values(sent.reason, go.to, go.values)
        failed = visit.at(clock.now())
        held = await _surely(
            lambda: sends.park(self._store, failed, go.attempt, failure, why, sent.reason),
            clock,
        )
        if held is None:
            return await self._record(visit, go.attempt, sent, clock)
        return held.model_copy(update={"why": NOT_FILLED_IN if unfilled else "the provider refused it"})

    async def _lose(self, visit: Visit, attempt: int, reason: str, clock: RunClock) -> Delivery:
        lost = visit.at(clock.now())
        await _surely(lambda: sends.lost(self._store, lost, attempt, reason), clock)
        return Delivery(outcome="unknown", at=lost.now, reason=reason)

    async def _release(self, visit: Visit, attempt: int, reason: str, clock: RunClock) -> None:
        await _surely(lambda: sends.release(self._store, visit.at(clock.now()), attempt, reason), clock)

    async def _learn(self, visit: Visit, go: Go, sent: Accepted | Refused, now: datetime) -> None:
        """Keep what it says about the channel and the address. No reason to fail: the next send hears it again."""
        kind = visit.message.kind
        if isinstance(sent, Accepted):
            await self._breaker.close(kind, now)
        with suppress(Unavailable):
            if sent.dead:
                await self._bury(visit, go, sent.dead, now)
            if isinstance(sent, Refused) and sent.opt_out:
                await consents.opt(self._store, kind, go.to, "out", f"{kind} provider", now)

    async def _bury(self, visit: Visit, go: Go, dead: tuple[str, ...], now: datetime) -> None:
        kind = visit.message.kind
        named = address_attribute(visit.message, go.values["event"], go.values["customer"])
        source, attribute = reference(named)
        if kind == "push" and source == "customer":
            run = await get_run(self._store, visit.run)
            await forget_tokens(self._store, run.customer, attribute, dead, now, day=run.day)
            return
        for address in dead:
            await suppressions.suppress(self._store, kind, address, GONE, now)


def _expired(visit: Visit, clock: RunClock) -> bool:
    return visit.expires_at is not None and clock.now() >= visit.expires_at


def _filled_in(visit: Visit, go: Go, links: Links | None) -> Outgoing | Refused:
    """The message. Filled in as of its claim, so that it can be filled in the same way again to look for it."""
    kind = visit.message.kind
    link = {UNSUBSCRIBE: links.unsubscribe(go.send_id)} if links and kind == "email" else {}
    try:
        parts = render_content(go.content, {**go.values, **link}, visit.now)
    except TemplateError as error:
        return _NotFilledIn(f"{NOT_FILLED_IN}: {error}")
    if go.content.purpose == "commercial":
        parts |= link  # for the header that mail programs read
    return Outgoing(go.send_id, visit.run, visit.at_step, kind, go.to, parts, visit.now)


class _NotFilledIn(Refused):
    """No provider was asked: the content cannot be filled in with these values."""


@dataclass(frozen=True)
class _Lost:
    """The message was handed over, and no answer came."""

    reason: str


async def _surely(write: Callable[[], Awaitable[Written]], clock: RunClock) -> Written:
    """Write, again and again while the database is away: the next attempt would not know what became of the send."""
    while True:
        try:
            return await write()
        except Unavailable:
            if clock.elapsed > RECORD_BEFORE:
                raise
            await asyncio.sleep(RECORD_AGAIN.total_seconds())


def _later(visit: Visit, after: timedelta | None, clock: RunClock) -> ApplicationError:
    """Let Temporal try again: when the provider says so, but no later than the message expires, to be blocked then."""
    if after is not None and visit.expires_at is not None:
        after = min(after, max(visit.expires_at - clock.now(), timedelta(0)) + timedelta(seconds=1))
    return ApplicationError(
        "Not sent; to be tried again.",
        type="NotNow",
        next_retry_delay=after,
        category=ApplicationErrorCategory.BENIGN,  # the SDK would log each of them
    )
