"""The lookout: a run that ended in Temporal without a word ends in the store too; one that is lost there is marked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from itertools import count

import structlog
from temporalio.client import Client

from journeys.walk.diary import ENDED
from store.missing import found_again, mark_missing, some_missing
from store.outbox import starting
from store.runs import close, long_standing, under_way
from store.store import Store
from workflows.asking import Asked, EndedThere, ask
from workflows.rounds import Rounds, of_queue

log = structlog.get_logger()

EVERY = timedelta(seconds=5)
THIRD = 3
"""Temporal's list is short, and read at every look; the store's, of who should have gone on, at every third."""

TOGETHER = 500
ABREAST = 20
AGAIN = timedelta(minutes=5)
"""So far each look goes back before the last one: clocks differ, and Temporal's list comes a little late."""

PAGE = 1000
MOST_PAGES = 10
MOST_ASKED = 200
OVERDUE = timedelta(minutes=1)
"""So long after a run should have left its step, Temporal is asked for it."""


class Lookout:
    """Looks through what Temporal has closed since the last look, and asks for runs that should have gone on long ago.

    Any number of them may. The first look goes as far back as Temporal does, so that nothing is missed that happened
    while nobody looked.
    """

    def __init__(self, store: Store, client: Client, task_queue: str, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._client = client
        self._task_queue = task_queue
        self._clock = clock
        self._since: datetime | None = None
        self._asked: tuple[datetime, str] | None = None
        self._behind = ""
        self._rounds = Rounds(store, client, task_queue, clock)

    async def run(self) -> None:
        """Look every few seconds, until cancelled."""
        for number in count():
            try:
                await (self.look() if number % THIRD == 0 else self.look_at_closed())
            except Exception as error:  # noqa: BLE001 - Temporal or the database is away: the next look finds all of it
                log.warning("could not look for runs that ended in Temporal", error=f"{type(error).__name__}: {error}")
            await asyncio.sleep(EVERY.total_seconds())

    async def look(self) -> int:
        """End what has ended in Temporal, mark what it does not know, and go on with the rounds.

        Returns how many runs have ended.
        """
        ended = await self.look_at_closed()
        ended += await self._look_at(await self._overdue()) + await self._look_at(await self._marked())
        await self._rounds.look()
        return ended

    async def look_at_closed(self) -> int:
        """End what Temporal lists as closed since the last look. Returns how many runs that were."""
        begun = self._clock()
        ended = 0
        async for ids in self._closed():
            ended += await self._look_at(sorted(await under_way(self._store, ids)))
        self._since = begun - AGAIN
        return ended

    async def _look_at(self, ids: Sequence[str]) -> int:
        """End those of these runs that ended in Temporal, and mark whom it does not know. Returns how many ended."""
        asked = await self._ask(ids)
        unknown = [run for run in ids if asked.get(run) == "unknown"]
        there = [run for run in ids if asked.get(run) == "running"]
        for run in await found_again(self._store, there, self._clock()) if there else ():
            log.info("a run that was missing is there again", run=run)
        if unknown:
            await self._mark(unknown)
        return sum([await self._close(run, end) for run, end in asked.items() if isinstance(end, EndedThere)])

    async def _mark(self, unknown: Sequence[str]) -> None:
        """Mark what Temporal was told of and does not know. It is asked once more: it may have been started since."""
        left = sorted(set(unknown) - await starting(self._store, unknown))
        asked = await self._ask(left)
        lost = await mark_missing(self._store, [run for run in left if asked.get(run) == "unknown"], self._clock())
        if lost:
            log.warning("runs are missing in Temporal", runs=len(lost), first=lost[0], help="sojourn rebuild")

    async def _ask(self, ids: Sequence[str]) -> dict[str, Asked]:
        """What Temporal says of each of these runs; nothing of those that cannot be asked for."""
        said = dict[str, Asked]()
        for first in range(0, len(ids), ABREAST):
            some = ids[first : first + ABREAST]
            answers = await asyncio.gather(*map(self._try, some))
            said |= {run: answer for run, answer in zip(some, answers, strict=True) if answer is not None}
        return said

    async def _try(self, run: str) -> Asked | None:
        try:
            return await ask(self._client, run)
        except Exception as error:  # noqa: BLE001 - one run must not keep the others; it is asked for again when overdue
            log.warning("could not ask for a run", run=run, error=type(error).__name__)
            return None

    async def _marked(self) -> list[str]:
        """Some runs that are marked as missing. The next look goes on behind them, or from the front."""
        some = await some_missing(self._store, self._behind, MOST_ASKED)
        self._behind = some[-1] if len(some) == MOST_ASKED else ""
        return some

    async def _overdue(self) -> list[str]:
        """Some runs that should have left their step by now. The next look goes on behind them, or from the front."""
        now, late = self._clock(), list[str]()
        for _ in range(MOST_PAGES):
            page = await long_standing(self._store, now - OVERDUE, self._asked, PAGE)
            for run in page:
                self._asked = run.since, run.state.id
                if run.due + OVERDUE < now:
                    late.append(run.state.id)
                if len(late) == MOST_ASKED:
                    return late
            if len(page) < PAGE:
                self._asked = None
                break
        return late

    async def _closed(self) -> AsyncIterator[list[str]]:
        """The ids of workflows that came to such an end, some at a time."""
        statuses = ", ".join(f"'{name}'" for name in ("Terminated", "TimedOut", "Failed"))
        query = f"{of_queue(self._task_queue)} AND ExecutionStatus IN ({statuses})" + (
            f" AND CloseTime >= '{self._since.isoformat()}'" if self._since else ""
        )
        ids: list[str] = []
        async for execution in self._client.list_workflows(query, page_size=TOGETHER):
            ids.append(execution.id)
            if len(ids) == TOGETHER:
                yield ids
                ids = []
        if ids:
            yield ids

    async def _close(self, run: str, end: EndedThere) -> bool:
        try:
            await close(self._store, run, end.by, end.why, end.at or self._clock(), ())
        except Exception as error:  # noqa: BLE001 - as above
            log.warning("could not end a run that ended in Temporal", run=run, error=type(error).__name__)
            return False
        log.warning("a run ended in Temporal", run=run, ended=ENDED[end.by], by=end.by)
        return True
