"""The rounds: what Temporal has under way is looked through, some at a time, for what has ended here or is unknown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog
from temporalio.client import Client, WorkflowExecutionAsyncIterator

from store.ended_here import cancel_again, forget_erased, known
from store.house import hold_all
from store.store import Store
from workflows.asking import stranger

log = structlog.get_logger()

PAGE = 500
PAGES = 4
"""So many pages at each look. A million runs are looked through in two hours, and a few thousand at each look."""

SETTLED = timedelta(minutes=1)
"""So long after its end a run has surely heard of it, where somebody works."""

MOST_STRANGERS = 5
"""One is enough to know; some may be in doubt, as they were erased a moment ago."""

STRANGERS = "Temporal has runs under way that this database does not know"


class Rounds:
    """Goes round through the runs that Temporal has under way, and begins anew where they are at an end.

    One that has ended here is cancelled again: its cancel was lost, or Temporal was set back to before it. One that
    the store does not know shows that the store was set back, and holds everything until somebody says so.
    """

    def __init__(self, store: Store, client: Client, task_queue: str, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._client = client
        self._query = running(task_queue)
        self._clock = clock
        self._at: WorkflowExecutionAsyncIterator | None = None

    async def look(self) -> int:
        """Look through some pages. Returns how many runs are cancelled again."""
        cancelled = 0
        for _ in range(PAGES):
            ids = await self._page()
            found = await known(self._store, ids, self._clock() - SETTLED)
            if found.ended:
                cancelled += len(await self._cancel(found.ended))
            if found.unknown:
                await self._tell(found.unknown)
            if self._at is None:
                break
        return cancelled

    async def _page(self) -> list[str]:
        """The ids of the next page; after the last one, the first comes again."""
        listing, self._at = self._at or self._client.list_workflows(self._query, page_size=PAGE), None
        await listing.fetch_next_page()
        if listing.next_page_token:
            self._at = listing
        return [execution.id for execution in listing.current_page or ()]

    async def _cancel(self, ended: Sequence[str]) -> list[str]:
        cancelled = await cancel_again(self._store, ended, self._clock())
        if cancelled:
            log.warning("runs that have ended are cancelled again", runs=len(cancelled), first=cancelled[0])
        return cancelled

    async def _tell(self, unknown: Sequence[str]) -> None:
        """Of those that nobody knows, the ones that run on, and that nobody has cancelled."""
        for run in unknown[:MOST_STRANGERS]:
            whose = await stranger(self._client, run)
            if whose is not None and not await forget_erased(self._store, run, whose, self._clock()):
                if await hold_all(self._store, STRANGERS, self._clock()):
                    log.error("nothing is sent", why=STRANGERS, run=run, help="sojourn problems")
                return


def running(task_queue: str) -> str:
    """Temporal's query for the runs of a task queue that are under way."""
    return f"{of_queue(task_queue)} AND ExecutionStatus = 'Running'"


def of_queue(task_queue: str) -> str:
    """Temporal's query for all runs of a task queue, which may have an apostrophe in its name."""
    named = task_queue.replace("'", "''")
    return f"WorkflowType = 'Journey' AND TaskQueue = '{named}'"
