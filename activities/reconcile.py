"""What became of a send that got no answer: ask the store first, then the provider, and settle it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.channels import Channel, Finding, Found, Handed, NeverTells, NotFound
from activities.deliver import CALL
from activities.inputs import GivenBy01, of_today
from activities.privacy import log, nothing_personal, without_quotes
from journeys.contents import render_content
from journeys.interactions import Kind
from journeys.language.templates import TemplateError
from journeys.walk.diary import Delivery, Held, Moved
from journeys.walk.world import Visit
from store import doubts, sends
from store.doubts import Doubt
from store.store import Store

TELLING = timedelta(minutes=2)
"""How long a provider gets to tell of a message whose sending had no answer. Real time: no pace changes a provider."""

ASK_AGAIN = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))
"""When to ask again a provider that cannot tell: one that gives no answers often gives none about them either.

Its webhook may tell meanwhile. After the last time nobody is asked any more.
"""

MOST_REPEATS = 3
"""How often a message is sent again of which nobody can tell whether it went out: each may be one more for somebody."""

MOST_ATTEMPTS = 500
"""How often a message is sent again that surely did not go out: most of a day. Then it has failed for good."""

NEVER_ANSWERS = f"the provider gave no answer {MOST_ATTEMPTS} times, and has not got it"
NOBODY_KNOWS = "the provider gave no answer, and cannot tell"


class Reconcile:
    """The activity that asks. *ask_again* are the waits before a provider that could not tell is asked again."""

    def __init__(
        self,
        store: Store,
        channels: Mapping[Kind, Channel],
        *,
        ask_again: tuple[timedelta, ...] = ASK_AGAIN,
        call: timedelta = CALL,
    ) -> None:
        self._store = store
        self._channels = channels
        self._ask_again = ask_again
        self._call = call

    @activity.defn(name="reconcile")
    async def reconcile(self, visit: Visit | GivenBy01) -> Delivery | Held | Moved | None:
        """Say what became of it; None where it is to be sent again.

        Raises ApplicationError where the provider could not tell, and is to be asked again.
        """
        with nothing_personal("asking what became of a send"):
            delivery = await self._find_out(of_today(visit))
            return without_quotes(delivery) if isinstance(delivery, Delivery) else delivery

    async def _find_out(self, visit: Visit) -> Delivery | Held | Moved | None:
        channel = self._channels[visit.message.kind]
        doubt = await doubts.look(self._store, visit)
        if doubt.state == "released":
            return None
        if known := doubt.known:  # a report has proved it, or the attempt that seemed lost came to its end
            return await sends.settle(self._store, visit, doubt.attempt, known)
        match await self._asked(channel, doubt):
            case Found(provider_id=provider_id):
                accepted = Delivery(outcome="accepted", at=doubt.claimed_at)
                return await sends.settle(self._store, visit, doubt.attempt, accepted, provider_id)
            case NotFound() if doubt.repeats >= MOST_ATTEMPTS:
                if held := await sends.park(self._store, visit, doubt.attempt, "refused", NEVER_ANSWERS):
                    return held
                failed = Delivery(outcome="failed", at=doubt.claimed_at, reason=NEVER_ANSWERS)
                return await sends.settle(self._store, visit, doubt.attempt, failed)
            case NotFound():
                return await self._again(visit, doubt)
            case None if visit.message.repeats_in_doubt and doubt.repeats < MOST_REPEATS:
                return await self._again(visit, doubt)
            case None | NeverTells() as answer:
                if answer is None and (wait := self._wait()):
                    raise _ask_later(wait)
                log.warning("nobody can tell what became of a send", send_id=doubt.send_id, step=visit.at_step)
                return await sends.settle(self._store, visit, doubt.attempt, _unknown(doubt))

    async def _asked(self, channel: Channel, doubt: Doubt) -> Finding:
        if not doubt.to:
            # The database was set back, and Temporal knows of the message, but not to whom it went. Providers are asked
            # by the address: asked for none, they would say that they have not got it, or find that of somebody else.
            return None
        handed = Handed(doubt.send_id, doubt.to, doubt.claimed_at, _text(doubt), doubt.taken)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._call.total_seconds()):
                return await channel.find(handed)
        return None

    def _wait(self) -> timedelta | None:
        asked = activity.info().attempt
        return self._ask_again[asked - 1] if asked <= len(self._ask_again) else None

    async def _again(self, visit: Visit, doubt: Doubt) -> Delivery | Moved | None:
        """Let it be sent again, unless it was proved meanwhile."""
        if await sends.again(self._store, visit, doubt.attempt):
            return None
        now = await doubts.look(self._store, visit)
        return await sends.settle(self._store, visit, doubt.attempt, now.known or _unknown(doubt))


def _unknown(doubt: Doubt) -> Delivery:
    return Delivery(outcome="unknown", at=doubt.claimed_at, reason=NOBODY_KNOWS)


def _text(doubt: Doubt) -> str:
    """A text as it was sent, as far as its content and the customer are what they were."""
    with suppress(TemplateError):
        if doubt.content:
            return render_content(doubt.content, doubt.values, doubt.claimed_at).get("body", "")
    return ""


def _ask_later(wait: timedelta) -> ApplicationError:
    return ApplicationError(
        "The provider cannot tell yet; to be asked again.",
        type="CannotTell",
        next_retry_delay=wait,
        category=ApplicationErrorCategory.BENIGN,
    )
