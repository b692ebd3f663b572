"""Call an endpoint: claim, post once, record what became of it, or let Temporal try again while there is time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.channels import Accepted, NotNow, ProviderAnswer, Refused
from activities.clock import RunClock
from activities.endpoints import Endpoints, NotPosted, TooLong, payload
from activities.privacy import nothing_personal, without_quotes
from journeys.walk.diary import Delivery, Held, Moved, Over
from journeys.walk.position import Unheard
from journeys.walk.world import Visit
from store import calls
from store.calls import Call
from store.store import Store

MANY = 100
"""Tries in a series, where a run waits by itself and its history grows. After them, at most as many follow."""

LONGEST_PAUSE = timedelta(hours=1)
"""Between two tries, where the endpoint asks for none."""

LEAST_PAUSE = timedelta(minutes=1)
"""Between two of many tries, however soon the endpoint asks for the next: it says 0 seconds, or its clock is slow.

Shorter pauses are Temporal's to wait for, also in a series, which is left later by the first few of them.
"""


class Webhooks:
    """The activity that calls endpoints. *now* is the time on the wall, by which receivers judge a signature."""

    def __init__(
        self, store: Store, endpoints: Endpoints, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._store = store
        self._endpoints = endpoints
        self._now = now

    @activity.defn(name="call")
    async def call(self, visit: Visit) -> Delivery | Held | Unheard | Over | Moved:
        """Post once, and say what became of it. Raises ApplicationError where another try may succeed in time.

        Held: in a series, which may be over before a try that comes later than soon.
        """
        with nothing_personal("calling an endpoint"):
            became = await self._try(visit, RunClock(visit.now))
            match became:
                case Delivery():
                    return without_quotes(became)
                case Held(by="park"):
                    return became.model_copy(update={"why": "the endpoint did not take it"})
                case other:
                    return other

    async def _try(self, visit: Visit, clock: RunClock) -> Delivery | Held | Unheard | Over | Moved:
        visit = visit.at(clock.now())
        claim = await calls.claim_call(self._store, visit)
        if not isinstance(claim, Call):
            return claim
        answer = await self._post(claim)
        visit = visit.at(clock.now())
        match answer:
            case NotNow(reason=reason, after=after):
                wait = max(pause(claim.tries, after), _least_of_many(visit, claim.tries))
                return await self._later(visit, reason, wait, tries=claim.tries)
            case NotPosted(reason=reason):
                place = pause(activity.info().attempt, timedelta())
                return await self._later(visit, reason, place)
            case Accepted():
                delivery = Delivery(outcome="accepted", at=visit.now)
            case other:
                reason = other.reason if isinstance(other, Refused) else "it answered what is not understood"
                delivery = Delivery(outcome="failed", at=visit.now, reason=reason)
        return await calls.record_call(self._store, visit, delivery)

    async def _post(self, call: Call) -> ProviderAnswer | NotPosted:
        try:
            body = payload(call.journey, call.step, call.since, call.data)
        except TooLong as error:
            return Refused(str(error))
        return await self._endpoints.call(call.endpoint, call.id, body, self._now())

    async def _later(self, visit: Visit, reason: str, wait: timedelta, *, tries: int = 0) -> Delivery | Held | Moved:
        """Let it be tried again. *tries*: how often it was posted; 0 where it was not, this time."""
        next_at = visit.now + wait
        over = await calls.postpone_call(self._store, visit, reason, next_at, posted=tries > 0)
        if over:
            return over
        if visit.position.inside and wait >= LEAST_PAUSE and tries:
            return Held(until=next_at, why="the endpoint takes nothing now")
        raise ApplicationError(
            "The endpoint takes nothing now; to be tried again.",
            type="NotNow",
            next_retry_delay=wait,
            category=ApplicationErrorCategory.BENIGN,
        )


def pause(tries: int, after: timedelta | None) -> timedelta:
    """How long to wait after so many tries for the next one, where the endpoint asks for *after*."""
    longer = timedelta(seconds=2 ** min(tries, 12))
    return min(longer, LONGEST_PAUSE) if after is None else max(after, min(longer, LEAST_PAUSE))


def _least_of_many(visit: Visit, tries: int) -> timedelta:
    """How long a run at least waits in a series for the next of many tries."""
    if visit.position.inside and tries > MANY and visit.expires_at:
        return (visit.expires_at - visit.position.since) / MANY
    return timedelta()
