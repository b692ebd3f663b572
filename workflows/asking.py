"""What Temporal says of one run: that it runs, how it ended there, or that it does not know it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle, WorkflowHistoryEventFilterType
from temporalio.converter import DataConverter
from temporalio.service import RPCError, RPCStatusCode

from journeys.walk.diary import Ended, EndedBy
from workflows.journey import JourneyWorkflow
from workflows.search_attributes import CUSTOMER_ID

_ENDS: dict[WorkflowExecutionStatus | None, tuple[EndedBy, str]] = {
    WorkflowExecutionStatus.TERMINATED: ("terminated", "terminated in Temporal"),
    WorkflowExecutionStatus.TIMED_OUT: ("terminated", "timed out in Temporal"),
    WorkflowExecutionStatus.FAILED: ("terminated", "failed in Temporal"),
    # Of these the store hears from the run itself, unless the store was set back to what it was earlier.
    WorkflowExecutionStatus.CANCELED: ("operator", "cancelled in Temporal"),
    WorkflowExecutionStatus.COMPLETED: ("done", "completed in Temporal"),
}


NOBODYS = "the database was set back, and does not know this run"
"""Why a run was ended there that nobody knew. It is as if it had never been, once somebody enters with its id."""

SOON = timedelta(seconds=10)


class EndedThere(NamedTuple):
    """What a run's end in Temporal came from, why, and when (aware UTC), as far as that is said."""

    by: EndedBy
    why: str
    at: datetime | None


Asked = EndedThere | Literal["running", "unknown"]


async def ask(client: Client, run: str) -> Asked:
    """What became of a run. One that was reset, or went on in a new execution, runs under the same id.

    One that was ended as nobody knew it is unknown. Raises RPCError where Temporal does not answer.
    """
    try:
        described = await client.get_workflow_handle(run).describe()
    except RPCError as error:
        if is_unknown(error):
            return "unknown"
        raise
    if described.status not in _ENDS:
        return "running"
    by, why = _ENDS[described.status]
    this = client.get_workflow_handle_for(JourneyWorkflow.run, run, run_id=described.run_id)
    reason = await _reason(this)
    if by == "terminated" and reason == NOBODYS:
        return "unknown"
    return EndedThere(by, f"{why}: {reason}" if reason else why, described.close_time)


async def stranger(client: Client, run: str) -> str | None:
    """Whose a run is that is not in the store; None where it does not run on in Temporal, or somebody cancelled it."""
    try:
        described = await client.get_workflow_handle(run).describe()
    except RPCError as error:
        if is_unknown(error):
            return None
        raise
    cancelled = described.raw_description.workflow_extended_info.cancel_requested
    if described.status in _ENDS or cancelled:
        return None
    return described.typed_search_attributes.get(CUSTOMER_ID) or ""


async def executions_of(client: Client, run: str) -> list[str]:
    """The ids of its executions, the latest last: one, unless it was moved, reset or begun anew.

    Raises RPCError: NOT_FOUND where Temporal does not know it.
    """
    described = await client.get_workflow_handle(run).describe(rpc_timeout=SOON)
    first = described.raw_description.workflow_execution_info.first_run_id or described.run_id
    named = run.replace("'", "''")
    listed = {each.run_id: each.start_time async for each in client.list_workflows(f"WorkflowId = '{named}'")}
    known = dict.fromkeys([first, *sorted(listed, key=lambda id: listed[id])])  # the list comes a little late
    return [id for id in known if id != described.run_id] + [described.run_id]


def is_unknown(error: RPCError) -> bool:
    """Whether Temporal has no such run, or none that is not over. A namespace that is not there is something else."""
    names_no_namespace = any(detail.Is(NamespaceNotFoundFailure.DESCRIPTOR) for detail in error.grpc_status.details)
    return error.status == RPCStatusCode.NOT_FOUND and not names_no_namespace


async def _reason(handle: WorkflowHandle[JourneyWorkflow, Ended]) -> str:
    """What is said about the end of a workflow, by whoever terminated it or by what failed."""
    try:
        events = handle.fetch_history_events(event_filter_type=WorkflowHistoryEventFilterType.CLOSE_EVENT)
        return _said([event async for event in events][-1])
    except RPCError as error:
        if is_unknown(error):  # deleted just now
            return ""
        raise


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
