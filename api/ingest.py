"""Where events wait for the next commit: many requests, one transaction, and to each request its own receipts."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from journeys.catalogue import Event
from journeys.problems import Unavailable
from journeys.walk.pace import DAY
from store import events as stored
from store.events import Receipt
from store.runs import get_run
from store.store import Store

MOST_TOGETHER = 256
MOST_WAITING = 10_000
SOONEST, LATEST = 0.02, 0.2


@dataclass(frozen=True, eq=False)
class _Request:
    events: Sequence[Event]
    receipts: asyncio.Future[list[Receipt]] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def answer(self, receipts: list[Receipt]) -> None:
        if not self.receipts.done():  # its client may have gone away: what is committed stays committed
            self.receipts.set_result(receipts)

    def refuse(self, error: Exception) -> None:
        if not self.receipts.done():
            self.receipts.set_exception(error)


class Ingest:
    """One queue and one task that empties it, so that a slow disk makes for larger commits, not for more of them.

    *nudge* is called after each commit. *drain_for*: how long a receipt waits for sends of runs that its event ended.
    """

    def __init__(
        self,
        store: Store,
        nudge: Callable[[], None],
        now: Callable[[], datetime],
        *,
        day: timedelta = DAY,
        drain_for: timedelta = timedelta(seconds=15),
    ) -> None:
        self.commits = 0
        self._store = store
        self._nudge = nudge
        self._now = now
        self._day = day
        self._drain_for = drain_for
        self._queue: deque[_Request] = deque()
        self._waiting = 0
        self._closing = False
        self._wake = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many events wait for a commit."""
        return self._waiting

    async def accept(self, events: Sequence[Event], *, drain: bool = True) -> list[Receipt]:
        """Have *events* committed, all or none, and return their receipts once the sends of ended runs are over.

        Without *drain*, they are returned as soon as they are durable.
        Raises Invalid where one of them is, Conflict where an id was another's, and Unavailable where too many wait
        already or the database is away.
        """
        if self._closing:
            raise Unavailable("This process is shutting down. Nothing was done; send the same request again.")
        if self._waiting + len(events) > MOST_WAITING:
            raise Unavailable(f"{self._waiting} events wait already. Nothing was done; send the same request again.")
        request = _Request(events)
        self._queue.append(request)
        self._waiting += len(events)
        self._wake.set()
        receipts = await request.receipts
        return await self._drained(receipts) if drain else receipts

    async def committed(self, receipt: Receipt) -> Receipt:
        """Do what follows a commit for an event that was decided elsewhere, such as a change of a customer.

        Temporal is told, and the receipt is returned once the sends of the runs that it ended are over.
        """
        self._nudge()
        return (await self._drained([receipt]))[0]

    async def run(self) -> None:
        """Commit what waits, group by group, until closed and empty."""
        while self._queue or not self._closing:
            if not self._queue:
                self._wake.clear()
                await self._wake.wait()
                continue
            group = self._next_group()
            await self._commit(group)
            self._waiting -= sum(len(request.events) for request in group)

    def close(self) -> None:
        """Take nothing more. ``run`` returns once everything that waits is committed."""
        self._closing = True
        self._wake.set()

    def _next_group(self) -> list[_Request]:
        group = [self._queue.popleft()]
        size = len(group[0].events)
        while self._queue and size + len(self._queue[0].events) <= MOST_TOGETHER:
            group.append(self._queue.popleft())
            size += len(group[-1].events)
        return group

    async def _commit(self, group: Sequence[_Request]) -> None:
        """One transaction for the group; where it fails for one of them, halves of it, down to that one alone."""
        events = [event for request in group for event in request.events]
        try:
            receipts = await stored.accept(self._store, events, self._now(), day=self._day)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is its request's to answer for
            if len(group) == 1 or isinstance(error, Unavailable):
                for request in group:
                    request.refuse(error)
                return
            middle = len(group) // 2
            await self._commit(group[:middle])
            await self._commit(group[middle:])
            return
        self.commits += 1
        self._nudge()
        each = iter(receipts)
        for request in group:
            request.answer([next(each) for _ in request.events])

    async def _drained(self, receipts: list[Receipt]) -> list[Receipt]:
        if not any(receipt.in_flight for receipt in receipts):
            return receipts
        until = asyncio.get_running_loop().time() + self._drain_for.total_seconds()
        return [await self._drain(receipt, until) if receipt.in_flight else receipt for receipt in receipts]

    async def _drain(self, receipt: Receipt, until: float) -> Receipt:
        """Wait until no send of the runs that this event ended is under way, and say how many still are."""
        loop = asyncio.get_running_loop()
        pause = SOONEST
        while in_flight := await stored.in_flight(self._store, receipt.exited):
            if loop.time() >= until:
                break
            await asyncio.sleep(min(pause, max(until - loop.time(), 0)))
            pause = min(pause * 1.5, LATEST)
        views = [await get_run(self._store, run) for run in receipt.exited]
        sent = tuple(send.step for view in views for send in view.sends if send.state in ("accepted", "unknown"))
        return receipt.model_copy(update={"in_flight": in_flight, "already_sent": sent})
