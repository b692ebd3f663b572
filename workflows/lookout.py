"""The lookout: a run that ended in Temporal without a word of its own ends in the store too, as what it came to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from itertools import count

import structlog
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowHistoryEventFilterType,
)
from temporalio.converter import DataConverter
from temporalio.service import RPCError, RPCStatusCode

from journeys.steps import every_step
from journeys.walk.diary import ENDED, Ended, EndedBy
from journeys.walk.pace import at_pace, later
from store.outbox import starting
from store.runs import Standing, close, long_standing, under_way
from store.store import Store
from workflows.journey import JourneyWorkflow

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

_ENDS: dict[WorkflowExecutionStatus | None, tuple[EndedBy, str]] = {
    WorkflowExecutionStatus.TERMINATED: ("terminated", "terminated in Temporal"),
    WorkflowExecutionStatus.TIMED_OUT: ("terminated", "timed out in Temporal"),
    WorkflowExecutionStatus.FAILED: ("terminated", "failed in Temporal"),
    # Of these the store hears from the run itself, unless the store was set back to what it was earlier.
    WorkflowExecutionStatus.CANCELED: ("operator", "cancelled in Temporal"),
    WorkflowExecutionStatus.COMPLETED: ("done", "completed in Temporal"),
}
GONE = "Temporal does not know it any more"


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

    async def run(self) -> None:
        """Look every few seconds, until cancelled."""
        for number in count():
            try:
                await (self.look() if number % THIRD == 0 else self.look_at_closed())
            except Exception as error:  # noqa: BLE001 - Temporal or the database is away: the next look finds all of it
                log.warning("could not look for runs that ended in Temporal", error=f"{type(error).__name__}: {error}")
            await asyncio.sleep(EVERY.total_seconds())

    async def look(self) -> int:
        """End what has ended in Temporal. Returns how many runs that were."""
        return await self.look_at_closed() + await self._end_all(await self._overdue())

    async def look_at_closed(self) -> int:
        """End what Temporal lists as closed since the last look. Returns how many runs that were."""
        begun = self._clock()
        ended = 0
        async for ids in self._closed():
            ended += await self._end_all(sorted(await under_way(self._store, ids)))
        self._since = begun - AGAIN
        return ended

    async def _end_all(self, ids: Sequence[str]) -> int:
        ended = 0
        for first in range(0, len(ids), ABREAST):
            ended += sum(await asyncio.gather(*(self._try(run) for run in ids[first : first + ABREAST])))
        return ended

    async def _try(self, run: str) -> bool:
        try:
            return await self._end(run)
        except Exception as error:  # noqa: BLE001 - one run must not keep the others; it is asked for again when overdue
            log.warning("could not ask for a run", run=run, error=type(error).__name__)
            return False

    async def _overdue(self) -> list[str]:
        """Some runs that should have left their step by now. The next look goes on behind them, or from the front."""
        now, late = self._clock(), list[str]()
        for _ in range(MOST_PAGES):
            page = await long_standing(self._store, now - OVERDUE, self._asked, PAGE)
            for run in page:
                self._asked = run.since, run.state.id
                if _due(run) + OVERDUE < now:
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
        query = f"WorkflowType = 'Journey' AND TaskQueue = '{self._task_queue}' AND ExecutionStatus IN ({statuses})" + (
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

    async def _end(self, run: str) -> bool:
        """End one run as what became of it. One that was reset goes on, under the same id."""
        described = await self._described(run)
        if described is None:
            return await self._is_gone(run) and await self._close(run, "missing", GONE, self._clock())
        if described.status not in _ENDS:
            return False
        by, why = _ENDS[described.status]
        this = self._client.get_workflow_handle_for(JourneyWorkflow.run, run, run_id=described.run_id)
        reason = await _reason(this)
        why = f"{why}: {reason}" if reason else why
        return await self._close(run, by, why, described.close_time or self._clock())

    async def _is_gone(self, run: str) -> bool:
        """Whether a run that Temporal does not know was there: this is our Temporal, and it was told of it."""
        known = await self._client.count_workflows(f"TaskQueue = '{self._task_queue}'")
        if known.count == 0 or run in await starting(self._store, [run]):
            return False
        return await self._described(run) is None  # asked once more: it may have been started since

    async def _described(self, run: str) -> WorkflowExecutionDescription | None:
        """What Temporal says of a run; None where it does not know it."""
        try:
            return await self._client.get_workflow_handle(run).describe()
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            return None

    async def _close(self, run: str, by: EndedBy, why: str, at: datetime) -> bool:
        await close(self._store, run, by, why, at, ())
        log.warning("a run ended in Temporal", run=run, ended=ENDED[by], by=by)
        return True


def _due(run: Standing) -> datetime:
    """When the run will have left its step at the latest, if nothing holds it."""
    if run.state.until is not None:
        return run.state.until
    step = next((step for step in every_step(run.state.version.journey.steps) if step.id == run.state.step), None)
    return later(run.since, at_pace(step.longest, run.state.day)) if step else run.since


async def _reason(handle: WorkflowHandle[JourneyWorkflow, Ended]) -> str:
    """What is said about the end of a workflow, by whoever terminated it or by what failed."""
    try:
        events = handle.fetch_history_events(event_filter_type=WorkflowHistoryEventFilterType.CLOSE_EVENT)
        return _said([event async for event in events][-1])
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:  # deleted just now
            raise
        return ""


def _said(last: HistoryEvent) -> str:
    match last.WhichOneof("attributes"):
        case "workflow_execution_terminated_event_attributes":
            ended = last.workflow_execution_terminated_event_attributes
            details = DataConverter.default.payload_converter.from_payloads(ended.details.payloads)
            return ": ".join([ended.reason, *map(str, details)])
        case "workflow_execution_failed_event_attributes":
            return _innermost(last.workflow_execution_failed_event_attributes.failure).message
        case _:
            return ""


def _innermost(failure: Failure) -> Failure:
    return _innermost(failure.cause) if failure.HasField("cause") else failure
