"""The relay: what the store has decided goes to Temporal, in order for each run, until Temporal has it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import structlog
from temporalio.client import Client, WorkflowHandle
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from journeys.walk.diary import Ended
from journeys.walk.pace import DAY
from journeys.walk.position import Arrival
from store import outbox
from store.missing import mark_missing
from store.outbox import Job, Postponed
from store.remembering import remember
from store.runs import under_way
from store.store import Store
from workflows.asking import ask, executions_of, is_unknown
from workflows.cancels import marked
from workflows.forgetting import forget
from workflows.journey import JourneyWorkflow
from workflows.remembering import messages_of
from workflows.run_input import RunInput
from workflows.search_attributes import CUSTOMER_ID, ENTRY_TRIGGER, JOURNEY_ID, JOURNEY_VERSION

log = structlog.get_logger()

TOGETHER = 100
A_MOMENT = timedelta(seconds=0.1)
CALL = timedelta(seconds=10)
LEASE = timedelta(seconds=30)
SOON = timedelta(seconds=1)
LATEST = timedelta(seconds=30)
LATEST_REFUSED = timedelta(minutes=10)

_NO_ANSWER = frozenset(
    {
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.CANCELLED,
    }
)
_REFUSALS = frozenset(
    {
        RPCStatusCode.INVALID_ARGUMENT,
        RPCStatusCode.FAILED_PRECONDITION,
        RPCStatusCode.OUT_OF_RANGE,
        RPCStatusCode.UNIMPLEMENTED,
        RPCStatusCode.DATA_LOSS,
    }
)


# A run is started once for life, however often its start is handed over.
_ONCE: dict[str, Any] = {"id_reuse_policy": WorkflowIDReusePolicy.REJECT_DUPLICATE}
# But one that knows of more than the store, which was set back, begins anew where the store has it.
_IN_ITS_STEAD: dict[str, Any] = {
    "id_reuse_policy": WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    "id_conflict_policy": WorkflowIDConflictPolicy.TERMINATE_EXISTING,
}
# Where the other one was ended, as nobody knew it.
_AFTER_ANOTHER: dict[str, Any] = {"id_reuse_policy": WorkflowIDReusePolicy.ALLOW_DUPLICATE}


class _Round(NamedTuple):
    """How many jobs were begun, and how many Temporal has now, of these and of earlier ones."""

    leased: int
    told: int


class Relay:
    """Takes jobs from the outbox to Temporal. Any number of relays may run: a job is leased to one at a time.

    A job that Temporal does not take is tried again, later each time; only where it takes none at all, all wait.
    *clock* gives the time that leases are measured by (aware UTC). *client* may be lazy: Temporal may be down.
    """

    def __init__(self, store: Store, client: Client, task_queue: str, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._client = client
        self._task_queue = task_queue
        self._clock = clock
        self._nudged = asyncio.Event()
        self._pause = SOON
        self._under_way: dict[asyncio.Task[Exception | None], Job] = {}

    def nudge(self) -> None:
        """There is work: do not wait for the next look."""
        self._nudged.set()

    async def run(self) -> None:
        """Take over whatever comes, at a nudge or every second, until cancelled."""
        try:
            while True:
                self._nudged.clear()
                try:
                    while (await self._round()).leased and not self._is_away:
                        pass
                except Exception:
                    log.warning("the relay could not read the outbox", exc_info=True)
                    self._back_off()
                await self._rest()
        finally:
            for task in self._under_way:
                task.cancel()

    async def drain_once(self) -> int:
        """Take over all that is due, as long as Temporal answers. Returns how many jobs Temporal has now."""
        told = 0
        while True:
            ended = await self._round()
            told += ended.told
            if self._is_away or not (ended.leased or self._under_way):
                return told

    async def _round(self) -> _Round:
        """Begin what is due, and book what has come to its end: what hangs is waited for no longer than a moment."""
        room = TOGETHER - len(self._under_way)  # more at once would only slow down a Temporal that is slow
        jobs = await outbox.lease(self._store, self._clock(), room, LEASE) if room else []
        self._under_way |= {asyncio.create_task(self._try(job)): job for job in jobs}
        if not self._under_way:
            return _Round(0, 0)
        ended, hanging = await asyncio.wait(self._under_way, timeout=A_MOMENT.total_seconds())
        for task in hanging:
            task.add_done_callback(lambda _: self.nudge())
        # Whoever else looked at the same time may have booked it.
        mine = [(job, task.result()) for task in ended if (job := self._under_way.pop(task, None))]
        return _Round(len(jobs), await self._book(mine))

    async def _try(self, job: Job) -> Exception | None:
        try:
            async with asyncio.timeout(2 * CALL.total_seconds()):
                await self._take_over(job)
        except Exception as error:  # noqa: BLE001 - one bad job must not stop the others
            log.warning("Temporal did not take a job", run=job.run, kind=job.kind, error=_words(error))
            return error
        return None

    async def _book(self, ended: Sequence[tuple[Job, Exception | None]]) -> int:
        """Note what Temporal has, and what it did not take. Returns how many it has."""
        told = [job for job, error in ended if error is None]
        if told:
            await outbox.done(self._store, [job.id for job in told])
            self._pause = SOON
        failed = [(job, error) for job, error in ended if error is not None]
        if failed:
            now = self._clock()
            await outbox.postpone(self._store, [_postponed(job, error, now) for job, error in failed], now)
            if not told and any(_is_no_answer(error) for _, error in failed) and not await self._takes_others(failed):
                self._back_off()
        return len(told)

    async def _takes_others(self, failed: Sequence[object]) -> bool:
        """Whether it is these jobs that are wrong: they are few, and Temporal itself answers."""
        if len(failed) >= TOGETHER:
            return False
        try:
            return await self._client.service_client.check_health(timeout=CALL)
        except Exception:  # noqa: BLE001 - whatever it is, it is no answer
            return False

    async def _take_over(self, job: Job) -> None:
        """Do the job. That it was done before, or that the run is over, is no error."""
        match job.kind:
            case "start":
                await self._start(job)
            case "arrive":
                arrival = Arrival.model_validate(job.payload)
                await self._tell(job, self._handle(job).signal(JourneyWorkflow.arrive, arrival, rpc_timeout=CALL))
            case "let go":
                await self._tell(job, self._handle(job).signal(JourneyWorkflow.let_go, rpc_timeout=CALL))
            case "move":
                to = _input(job.payload)
                await self._tell(job, self._handle(job).signal(JourneyWorkflow.move, to, rpc_timeout=CALL))
            case "cancel":
                reason = marked(job.payload["reason"], job.run)
                await self._tell(job, self._handle(job).cancel(reason=reason, rpc_timeout=CALL))
            case "forget":
                await self._tell(job, forget(self._client, job.run))

    async def _tell(self, job: Job, call: Awaitable[None]) -> None:
        """A signal or a cancel; a run that is over needs neither.

        One that Temporal has lost is marked. Nothing is lost with the job: it begins anew with all that was accepted.
        """
        try:
            await call
        except RPCError as error:
            if not is_unknown(error):
                raise
            if await under_way(self._store, [job.run]) and await ask(self._client, job.run) == "unknown":
                await mark_missing(self._store, [job.run], self._clock())

    async def _start(self, job: Job) -> None:
        try:
            await self._begin(job, _IN_ITS_STEAD if job.payload.get("anew") else _ONCE)
        except WorkflowAlreadyStartedError:
            if await ask(self._client, job.run) == "unknown":
                await self._begin_after_a_stranger(job)

    async def _begin_after_a_stranger(self, job: Job) -> None:
        """The store was set back, and had forgotten this run, which Temporal had begun: its messages are not repeated.

        They are read here, too, as the store may have been set back once more since they were written into the ledger.
        """
        earlier = (await executions_of(self._client, job.run))[::-1]
        await remember(self._store, await messages_of(self._client, job.run, job.payload["customer"], earlier))
        with suppress(WorkflowAlreadyStartedError):  # by another relay, which had the job before
            await self._begin(job, _AFTER_ANOTHER)

    async def _begin(self, job: Job, how: dict[str, Any]) -> None:
        told = job.payload
        await self._client.start_workflow(
            JourneyWorkflow.run,
            _input(told),
            id=job.run,
            task_queue=self._task_queue,
            **how,
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

    @property
    def _is_away(self) -> bool:
        return self._pause > SOON

    def _back_off(self) -> None:
        self._pause = min(LATEST, self._pause * 2)

    async def _rest(self) -> None:
        """Until the next nudge or look; while Temporal or the database is away, nudges do not hurry us."""
        if self._is_away:
            await asyncio.sleep(self._pause.total_seconds())
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._nudged.wait(), self._pause.total_seconds())


def _input(told: dict[str, Any]) -> RunInput:
    return RunInput.model_validate(told | {"day": told["day"] or DAY})


def _postponed(job: Job, error: Exception, now: datetime) -> Postponed:
    refused = not _is_no_answer(error) and _is_refusal(error)
    wait = min(LATEST_REFUSED if refused else LATEST, SOON * 2 ** min(job.attempts, 10))
    return Postponed(job.id, now + wait, _words(error), refused)


def _is_no_answer(error: Exception) -> bool:
    """Whether it may be Temporal that does not answer, and not this job that is wrong."""
    match error:
        case RPCError():
            return error.status in _NO_ANSWER
        case TimeoutError() | OSError() | RuntimeError():  # RuntimeError: a lazy client that cannot connect
            return True
        case _:
            return False


def _is_refusal(error: Exception) -> bool:
    """Whether Temporal will not take it however often it is asked, or we cannot even ask."""
    return error.status in _REFUSALS if isinstance(error, RPCError) else True


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
