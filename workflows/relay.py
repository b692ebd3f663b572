"""The relay: what the store has decided goes to Temporal, in order for each run, until Temporal has it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta

import structlog
from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure
from temporalio.client import Client, WorkflowHandle
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from journeys.listening import Ended
from journeys.walk.pace import DAY
from journeys.walk.position import Arrival
from store import outbox
from store.outbox import Job
from store.store import Store
from workflows.cancels import marked
from workflows.client import CUSTOMER_ID, ENTRY_TRIGGER, JOURNEY_ID, JOURNEY_VERSION
from workflows.journey import JourneyWorkflow, RunInput

log = structlog.get_logger()

TOGETHER = 100
CALL = timedelta(seconds=10)
LEASE = timedelta(seconds=30)
SOON = timedelta(seconds=1)
LATEST = timedelta(seconds=30)

_NO_ANSWER = frozenset(
    {
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.CANCELLED,
    }
)


class Relay:
    """Takes jobs from the outbox to Temporal. Any number of relays may run: a job is leased to one at a time.

    *clock* gives the time that leases are measured by (aware UTC). *client* may be lazy: Temporal may be down.
    """

    def __init__(self, store: Store, client: Client, task_queue: str, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._client = client
        self._task_queue = task_queue
        self._clock = clock
        self._nudged = asyncio.Event()
        self._pause = SOON

    def nudge(self) -> None:
        """There is work: do not wait for the next look."""
        self._nudged.set()

    async def run(self) -> None:
        """Take over whatever comes, at a nudge or every second, until cancelled."""
        while True:
            self._nudged.clear()
            try:
                await self.drain_once()
            except Exception:
                log.warning("the relay could not read the outbox", exc_info=True)
                self._back_off()
            await self._rest()

    async def drain_once(self) -> int:
        """Take over all that is due, as long as Temporal answers. Returns how many jobs Temporal has now."""
        total = 0
        while jobs := await outbox.lease(self._store, self._clock(), TOGETHER, LEASE):
            errors = await asyncio.gather(*(self._try(job) for job in jobs))
            taken = [job.id for job, error in zip(jobs, errors, strict=True) if error is None]
            if taken:
                await outbox.done(self._store, taken)
            total += len(taken)
            if any(_is_away(error) for error in errors):
                self._back_off()
                return total
            self._pause = SOON
        return total

    async def _try(self, job: Job) -> Exception | None:
        try:
            async with asyncio.timeout(2 * CALL.total_seconds()):
                await self._take_over(job)
        except Exception as error:  # noqa: BLE001 - one bad job must not stop the others
            pause = self._pause if _is_away(error) else min(LATEST, SOON * 2 ** min(job.attempts, 10))
            said = f"{type(error).__name__}: {error}"
            log.warning("Temporal did not take a job", run=job.run, kind=job.kind, error=said)
            await outbox.postpone(self._store, job.id, self._clock() + pause, said)
            return error
        return None

    async def _take_over(self, job: Job) -> None:
        """Do the job. That it was done before, or that the run is over, is no error."""
        match job.kind:
            case "start":
                await self._start(job)
            case "arrive":
                arrival = Arrival.model_validate(job.payload)
                await _unless_over(self._handle(job).signal(JourneyWorkflow.arrive, arrival, rpc_timeout=CALL))
            case "cancel":
                reason = marked(job.payload["reason"], job.run)
                await _unless_over(self._handle(job).cancel(reason=reason, rpc_timeout=CALL))

    async def _start(self, job: Job) -> None:
        told = job.payload
        with suppress(WorkflowAlreadyStartedError):
            await self._client.start_workflow(
                JourneyWorkflow.run,
                RunInput.model_validate(told | {"day": told["day"] or DAY}),
                id=job.run,
                task_queue=self._task_queue,
                # A run is started once for life, however often its start is handed over.
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                search_attributes=TypedSearchAttributes(
                    [
                        SearchAttributePair(JOURNEY_ID, told["journey"]),
                        SearchAttributePair(JOURNEY_VERSION, told["version"]),
                        SearchAttributePair(CUSTOMER_ID, told["customer"]),
                        SearchAttributePair(ENTRY_TRIGGER, told["trigger"]),
                    ]
                ),
                static_summary=f"{told['journey']} v{told['version']} · {told['customer']}",
                static_details=f"Started by an event of **{told['trigger']}**.",
                rpc_timeout=CALL,
            )

    def _handle(self, job: Job) -> WorkflowHandle[JourneyWorkflow, Ended]:
        return self._client.get_workflow_handle_for(JourneyWorkflow.run, job.run)

    def _back_off(self) -> None:
        self._pause = min(LATEST, self._pause * 2)

    async def _rest(self) -> None:
        """Until the next nudge or look; while Temporal or the database is away, nudges do not hurry us."""
        if self._pause > SOON:
            await asyncio.sleep(self._pause.total_seconds())
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._nudged.wait(), self._pause.total_seconds())


async def _unless_over(call: Awaitable[None]) -> None:
    """A signal or a cancel; a run that is over needs neither."""
    try:
        await call
    except RPCError as error:
        # A namespace that is not there is NOT_FOUND too, but there the run is not over.
        if error.status != RPCStatusCode.NOT_FOUND or _names_no_namespace(error):
            raise


def _names_no_namespace(error: RPCError) -> bool:
    return any(detail.Is(NamespaceNotFoundFailure.DESCRIPTOR) for detail in error.grpc_status.details)


def _is_away(error: Exception | None) -> bool:
    """Whether it is Temporal that does not answer, and not this job that is wrong."""
    match error:
        case RPCError():
            return error.status in _NO_ANSWER
        case TimeoutError() | OSError() | RuntimeError():  # RuntimeError: a lazy client that cannot connect
            return True
        case _:
            return False
