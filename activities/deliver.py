"""The only way out: claim a send, call the provider once, record what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from pydantic import AwareDatetime, BaseModel, ConfigDict
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.channels import Accepted, Channel, NotNow, Outgoing, Refused
from activities.privacy import log, nothing_personal
from journeys.contents import render_content
from journeys.definition import Kind
from journeys.diary import Delivery, Entry
from journeys.problems import Unavailable
from journeys.templates import TemplateError
from store import sends
from store.sends import Done, Go
from store.store import Store

ATTEMPT = timedelta(seconds=30)
"""How long one attempt may take in all. The limits of its parts leave time to record the outcome."""

CALL_BEFORE = timedelta(seconds=12)
CALL = timedelta(seconds=10)
RECORD_BEFORE = timedelta(seconds=27)
RECORD_AGAIN = timedelta(seconds=0.5)

ABANDONED_AFTER = timedelta(minutes=2)
"""A claim that has had no outcome for this long belongs to an attempt that is surely over."""


class Send(BaseModel):
    """One message step that has come up in a run. No recipient and no text: those are read from the store.

    *entries* are the diary's lines since the last send; *n* and *following* say which lines the outcome adds.
    """

    model_config = ConfigDict(frozen=True)

    run: str
    step: str
    kind: Kind
    following: str | None
    now: AwareDatetime
    n: int
    entries: tuple[Entry, ...] = ()


class Deliver:
    """The activity that sends, with the store and the channels that it needs.

    *call* is how long a provider may take to answer. A provider is called no later than *call_before* after the
    attempt began, so that a process that was frozen after its claim does not send what was given up meanwhile.
    """

    def __init__(
        self,
        store: Store,
        channels: Mapping[Kind, Channel],
        *,
        call: timedelta = CALL,
        call_before: timedelta = CALL_BEFORE,
    ) -> None:
        self._store = store
        self._channels = channels
        self._call = call
        self._call_before = call_before

    @activity.defn(name="deliver")
    async def deliver(self, send: Send) -> Delivery:
        """Send one message, at most once, and say what became of it.

        Raises ApplicationError where another attempt may send it: the provider said "not now", or we failed before.
        """
        with nothing_personal("sending"):
            return _for_temporal(await self._attempt(send, _Clock(send.now)))

    async def _attempt(self, send: Send, clock: _Clock) -> Delivery:
        channel = self._channels[send.kind]  # looked up first: without it, nothing must be claimed
        claim = await sends.claim(
            self._store,
            run=send.run,
            step=send.step,
            now=clock.now(),
            entries=send.entries,
            n=send.n,
            following=send.following,
        )
        if isinstance(claim, Done):
            return claim.delivery
        match await self._hand_over(send, claim, channel, clock):
            case Accepted(provider_id=provider_id):
                return await self._record(send, Delivery(outcome="accepted", at=clock.now()), clock, provider_id)
            case Refused(reason=reason):
                return await self._record(send, Delivery(outcome="failed", at=clock.now(), reason=reason), clock)
            case _Lost(reason=reason):
                return await self._record(send, Delivery(outcome="unknown", at=clock.now(), reason=reason), clock)
            case NotNow(reason=reason, after=after):
                await self._release(send, reason, clock)
                raise ApplicationError("Not sent; to be tried again.", type="NotNow", next_retry_delay=after)

    async def _hand_over(
        self, send: Send, go: Go, channel: Channel, clock: _Clock
    ) -> Accepted | Refused | NotNow | _Lost:
        try:
            parts = render_content(go.content, go.values, clock.now())
        except TemplateError as error:
            return Refused(f"the content cannot be filled in: {error}")
        message = Outgoing(go.send_id, send.run, send.step, send.kind, go.to, parts, clock.now())
        if clock.elapsed > self._call_before:
            return NotNow("the worker was held up between claim and call")
        try:
            async with asyncio.timeout(self._call.total_seconds()):
                return await channel.send(message)
        except Exception as error:  # noqa: BLE001 - whatever it is, the message may have gone out
            log.warning("no answer from the provider", send_id=go.send_id, step=send.step, exc_info=True)
            return _Lost(f"the provider gave no answer: {type(error).__name__}")

    async def _record(self, send: Send, delivery: Delivery, clock: _Clock, provider_id: str | None = None) -> Delivery:
        await _surely(
            lambda: sends.record(
                self._store,
                run=send.run,
                step=send.step,
                delivery=delivery,
                provider_id=provider_id,
                following=send.following,
                n=send.n,
            ),
            clock,
        )
        return delivery

    async def _release(self, send: Send, reason: str, clock: _Clock) -> None:
        await _surely(
            lambda: sends.release(self._store, run=send.run, step=send.step, now=clock.now(), reason=reason),
            clock,
        )


@dataclass(frozen=True)
class _Lost:
    """The message was handed over, and no answer came."""

    reason: str


class _Clock:
    """The run's time during an attempt: what the walk handed in, and what has passed since."""

    def __init__(self, now: datetime) -> None:
        info = activity.info()
        self._began_at = now + (info.started_time - info.scheduled_time)
        self._began = monotonic()

    @property
    def elapsed(self) -> timedelta:
        return timedelta(seconds=monotonic() - self._began)

    def now(self) -> datetime:
        return self._began_at + self.elapsed


async def _surely(write: Callable[[], Awaitable[None]], clock: _Clock) -> None:
    """Write, again and again while the database is away: the next attempt would not know what became of the send."""
    while True:
        try:
            return await write()
        except Unavailable:
            if clock.elapsed > RECORD_BEFORE:
                raise
            await asyncio.sleep(RECORD_AGAIN.total_seconds())


def _for_temporal(delivery: Delivery) -> Delivery:
    """Without a reason that may quote a provider, and with it an address. Why we blocked a send is in our own words."""
    return delivery if delivery.outcome == "blocked" else delivery.model_copy(update={"reason": ""})
