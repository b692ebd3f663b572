"""Whether runs under way go on under the workflow code of this release: a sample of their histories is replayed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Sequence
from functools import cache
from itertools import islice, zip_longest
from typing import Any

from temporalio import workflow
from temporalio.client import Client, WorkflowExecution, WorkflowHistory
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer

from journeys.models import Frozen
from workflows.client import DATA_CONVERTER
from workflows.journey import JourneyWorkflow
from workflows.rounds import running
from workflows.sandbox import Sandbox
from workflows.search_attributes import JOURNEY_ID, JOURNEY_VERSION

SAMPLE = 200
"""So many histories are replayed unless said: half a minute at most, and some of every version."""

LONGEST = 300
_MESSAGE = re.compile(r'message: "(?:\[\w+\] )?(?:Nondeterminism error: )?([^"]+)"')
"""What is wrong, in what the SDK's core says of it and of how it failed."""

LOOKED_AT = 20_000
"""So many runs are looked at to choose from: Temporal lists them a thousand at a time."""


class Broken(Frozen):
    """A run that could not go on under this release. *why*: what the two disagree about, with nothing of a customer."""

    run: str
    why: str


class Upgrade(Frozen):
    """What became of a sample: how many runs are under way, as far as was looked, and how many of them were replayed.

    *gone*: those that ended meanwhile. *broken*: those that could not go on.
    """

    running: int
    replayed: int
    gone: int
    broken: tuple[Broken, ...]


async def check_upgrade(
    client: Client,
    task_queue: str,
    *,
    sample: int = SAMPLE,
    of: type[Any] = JourneyWorkflow,
    chosen: Callable[[int], None] = lambda _: None,
    done: Callable[[], None] = lambda: None,
) -> Upgrade:
    """Replay the histories of up to *sample* runs that are under way by the workflow code of this release.

    Nothing is written. *chosen* is told how many those are, and *done* is called after each. Raises RPCError where
    Temporal does not answer.
    """
    found = [each async for each in _running(client, task_queue)]
    some = choose(found, sample)
    chosen(len(some))
    replayer = Replayer(
        workflows=[of], workflow_runner=Sandbox(), data_converter=DATA_CONVERTER, runtime=_quiet_runtime()
    )
    gone, broken = 0, list[Broken]()
    for each in some:
        history = await _history(client, each)
        if history is None:
            gone += 1
        elif why := await _why(replayer, history):
            broken.append(Broken(run=each.id, why=why))
        done()
    return Upgrade(running=len(found), replayed=len(some) - gone, gone=gone, broken=tuple(broken))


@cache
def _quiet_runtime() -> Runtime:
    """The SDK's core prints a warning of each run that it cannot replay on standard output, which has the answer."""
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter="ERROR")))


def choose(found: Sequence[WorkflowExecution], sample: int) -> list[WorkflowExecution]:
    """Some of each version of each journey in turn: of these the newest and the oldest, the shortest and the longest.

    Where they stand, their history tells best: it is as long as they have come far.
    """
    by_version: dict[tuple[object, object], list[WorkflowExecution]] = {}
    for each in sorted(found, key=lambda each: (each.start_time, each.id)):
        known = each.typed_search_attributes
        by_version.setdefault((known.get(JOURNEY_ID), known.get(JOURNEY_VERSION)), []).append(each)
    turns = [_from_all_ends(runs) for runs in by_version.values()]
    return list(islice((each for turn in zip_longest(*turns) for each in turn if each is not None), sample))


def _from_all_ends(by_age: Sequence[WorkflowExecution]) -> list[WorkflowExecution]:
    by_length = sorted(by_age, key=lambda each: (each.history_length, each.id))
    wanted = zip(by_age, reversed(by_age), by_length, reversed(by_length), strict=True)
    return list({each.run_id: each for some in wanted for each in some}.values())


async def _running(client: Client, task_queue: str) -> AsyncIterator[WorkflowExecution]:
    async for each in client.list_workflows(running(task_queue), limit=LOOKED_AT, page_size=1000):
        yield each


async def _history(client: Client, each: WorkflowExecution) -> WorkflowHistory | None:
    try:
        return await client.get_workflow_handle(each.id, run_id=each.run_id).fetch_history()
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return None
        raise


async def _why(replayer: Replayer, history: WorkflowHistory) -> str:
    """Why a run could not go on; nothing where it can. No words but Temporal's own of kinds of events, and of ours."""
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    match result.replay_failure:
        case None:
            return ""
        case workflow.NondeterminismError() as error:
            said = _MESSAGE.search(str(error))
            return f"another way than its history: {(said[1] if said else str(error))[:LONGEST]}"
        case error:
            return f"it fails with {type(error).__name__}"
