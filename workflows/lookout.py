"""The lookout: a run that ended in Temporal without a word of its own ends in the store too, as what it came to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta

import structlog
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle, WorkflowHistoryEventFilterType
from temporalio.converter import DataConverter
from temporalio.service import RPCError, RPCStatusCode

from journeys.listening import Ended
from store.runs import close, under_way
from store.store import Store
from workflows.journey import JourneyWorkflow

log = structlog.get_logger()

EVERY = timedelta(seconds=15)
TOGETHER = 500
ABREAST = 20
AGAIN = timedelta(minutes=5)
"""So far each look goes back before the last one: clocks differ, and Temporal's list comes a little late."""

_WORDS = {
    WorkflowExecutionStatus.TERMINATED: "terminated in Temporal",
    WorkflowExecutionStatus.TIMED_OUT: "timed out in Temporal",
    WorkflowExecutionStatus.FAILED: "failed in Temporal",
}
"""Ends of which a workflow hears nothing, or can say nothing any more."""


class Lookout:
    """Looks through what Temporal has closed since the last look. Any number of them may.

    The first look goes as far back as Temporal does, so that nothing is missed that happened while nobody looked.
    """

    def __init__(self, store: Store, client: Client, task_queue: str, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._client = client
        self._task_queue = task_queue
        self._clock = clock
        self._since: datetime | None = None

    async def run(self) -> None:
        """Look every quarter of a minute, until cancelled."""
        while True:
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - Temporal or the database is away: the next look finds all of it
                log.warning("could not look for runs that ended in Temporal", error=f"{type(error).__name__}: {error}")
            await asyncio.sleep(EVERY.total_seconds())

    async def look(self) -> int:
        """End what has ended in Temporal. Returns how many runs that were."""
        begun = self._clock()
        ended = 0
        async for ids in self._closed():
            behind = sorted(await under_way(self._store, ids))
            for first in range(0, len(behind), ABREAST):
                ended += sum(await asyncio.gather(*(self._end(run) for run in behind[first : first + ABREAST])))
        self._since = begun - AGAIN
        return ended

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
        handle = self._client.get_workflow_handle_for(JourneyWorkflow.run, run)
        described = await handle.describe()
        if described.status not in _WORDS:
            return False
        reason = await _reason(self._client.get_workflow_handle_for(JourneyWorkflow.run, run, run_id=described.run_id))
        why = _WORDS[described.status] + (f": {reason}" if reason else "")
        await close(self._store, run, "aborted", why, described.close_time or self._clock(), ())
        log.warning("a run ended in Temporal", run=run, how=_WORDS[described.status])
        return True


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
