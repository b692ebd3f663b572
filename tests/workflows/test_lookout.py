"""What ends in Temporal behind our back: it is noticed, said as what it is, and the customer can enter again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import delete
from structlog.testing import capture_logs
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest, ResetWorkflowExecutionRequest
from temporalio.client import (
    Client,
    DescribeWorkflowInput,
    Interceptor,
    OutboundInterceptor,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
)
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from journeys.definition import send_id
from store.missing import mark_missing, some_missing
from store.open_problems import OpenProblem, open_problems
from store.runs import long_standing
from store.schema import outbox
from tests.engine import Engine, engine, until, worker
from tests.samples import abandoned_cart
from tests.transactions import execute
from workflows.asking import Asked
from workflows.lookout import Lookout
from workflows.run_input import RunInput

HOUR = timedelta(hours=1)


@pytest.fixture
async def played(temporal: WorkflowEnvironment, database_url: str) -> AsyncIterator[Engine]:
    async with engine(temporal.client, database_url, working=False) as built:
        await built.publish(abandoned_cart())
        await built.customer("tess")
        yield built


def lookout(played: Engine) -> Lookout:
    return Lookout(played.store, played.client, played.task_queue, played.now)


async def until_noticed(played: Engine, runs: int = 1) -> None:
    """Temporal's list comes a little late."""
    looking, seen = lookout(played), 0

    async def noticed() -> bool:
        nonlocal seen
        seen += await looking.look()
        return seen == runs

    await until(noticed)


async def test_a_terminated_run_is_aborted_with_the_reason_given(played: Engine) -> None:
    async with worker(played):
        run = await played.start("tess")
        await played.until_waiting(run)
    await played.handle(run).terminate("see ticket 7", reason="wrong audience")

    await until_noticed(played)

    (seen,) = await played.runs("tess")
    assert (seen.ended, seen.ended_by, seen.step) == ("aborted", "terminated", None)
    assert seen.why == "terminated in Temporal: wrong audience: see ticket 7"
    assert [(line.step, line.did, line.why) for line in seen.diary][-1] == ("opened", "left", seen.why)
    assert seen.ended_at == (await played.handle(run).describe()).close_time
    assert await lookout(played).look() == 0


async def test_the_customer_can_enter_again(played: Engine) -> None:
    run = await played.start("tess")
    await played.handle(run).terminate()
    await until_noticed(played)

    again = await played.start("tess")

    assert again != run
    assert [seen.ended for seen in await played.runs("tess")] == ["aborted", None]


async def test_a_run_that_times_out_is_aborted(played: Engine) -> None:
    receipt = await played.accept(played.event("abandoned-cart", "tess", total=60))
    run = receipt.decisions[0].run or ""
    told = RunInput(id=run, version=1, steps=abandoned_cart().steps, started_at=played.now())
    await played.client.start_workflow(
        "Journey", told, id=run, task_queue=played.task_queue, run_timeout=timedelta(seconds=1)
    )

    await until_noticed(played)

    (seen,) = await played.runs("tess")
    assert (seen.ended, seen.why) == ("aborted", "timed out in Temporal")


async def remove(played: Engine, run: str) -> None:
    """As an operator does, with all its history."""
    gone = DeleteWorkflowExecutionRequest(
        namespace=played.client.namespace, workflow_execution=WorkflowExecution(workflow_id=run)
    )
    await played.client.workflow_service.delete_workflow_execution(gone)
    await until(partial(_is_unknown, played, run))


async def _is_unknown(played: Engine, run: str) -> bool:
    try:
        await played.handle(run).describe()
    except RPCError as error:
        return error.status == RPCStatusCode.NOT_FOUND
    return False


async def missing(played: Engine) -> list[str]:
    return await some_missing(played.store, "", 100)


async def the_problem(played: Engine) -> OpenProblem:
    (problem,) = (await open_problems(played.store)).problems
    return problem


async def test_a_deleted_run_is_marked_once_it_should_have_gone_on(played: Engine) -> None:
    run = await played.start("tess")
    await played.start("tess", cart_id="c2")
    await remove(played, run)
    await lookout(played).look()
    assert await missing(played) == []
    tomorrow = in_a_day(played)

    with capture_logs() as logs:
        assert [await tomorrow.look(), await tomorrow.look()] == [0, 0]

    assert await missing(played) == [run]
    assert [seen.ended for seen in await played.runs("tess")] == [None, None]
    warned = [line for line in logs if line["log_level"] == "warning"]
    assert warned == [
        {
            "event": "runs are missing in Temporal",
            "runs": 1,
            "first": run,
            "help": "sojourn rebuild",
            "log_level": "warning",
        }
    ]
    problem = await the_problem(played)
    assert (problem.kind, problem.name, problem.count) == ("runs missing", run, 1)
    assert "sojourn rebuild --dry-run" in problem.help


async def test_the_mark_goes_when_a_run_is_seen_again_and_it_is_told_what_it_missed(played: Engine) -> None:
    async with worker(played):
        run = await played.start("tess")
        await played.until_waiting(run)
    await mark_missing(played.store, [run], played.now())
    await played.accept(played.event("email-opened", send_id=send_id(run, "initial-reminder")))
    await execute(played.store, delete(outbox))  # as the relay drops it, where Temporal does not know the run

    await lookout(played).look()

    assert await missing(played) == []
    async with worker(played):
        await played.relay.drain_once()
        await played.until_ended(run)
    (seen,) = await played.runs("tess")
    assert [(line.step, line.arm) for line in seen.diary if line.arm] == [("opened", "yes")]


async def test_what_a_lost_run_does_not_hear_of_marks_it(played: Engine) -> None:
    async with worker(played):
        run = await played.start("tess")
        await played.until_waiting(run)
    await remove(played, run)

    await played.interact(run, "initial-reminder")

    assert await missing(played) == [run]
    assert await played.waiting() == 0


async def test_what_a_run_that_is_over_does_not_hear_of_marks_nobody(played: Engine) -> None:
    async with worker(played):
        run = await played.start("tess")
        await played.until_waiting(run)
    await played.handle(run).terminate()

    await played.interact(run, "initial-reminder")

    assert await missing(played) == []


async def test_who_has_ended_is_not_missing_any_more(played: Engine) -> None:
    run = await played.start("tess")
    await mark_missing(played.store, [run], played.now())
    assert await missing(played) == [run]

    await played.happen("purchase-completed", "tess")

    assert await missing(played) == []
    assert (await open_problems(played.store)).problems == ()
    assert await mark_missing(played.store, [run], played.now()) == []


def in_a_day(played: Engine, client: Client | None = None) -> Lookout:
    """One that looks when all have been overdue for long."""
    return Lookout(played.store, client or played.client, played.task_queue, lambda: played.now() + timedelta(days=1))


async def test_a_run_that_waits_until_a_moment_should_have_gone_on_then(played: Engine) -> None:
    steps = [{"id": "then", "wait": {"until": (played.now() + 3 * HOUR).isoformat()}}, {"id": "over", "end": "enough"}]
    await played.publish(abandoned_cart(steps=steps))
    async with worker(played):
        run = await played.start("tess")
        await played.start("tess", cart_id="c2")
        await played.until_waiting(run)
    await remove(played, run)
    before, after = (
        Lookout(played.store, played.client, played.task_queue, lambda hours=hours: played.now() + hours * HOUR)  # type: ignore[misc]
        for hours in (2, 4)
    )

    await before.look()
    assert await missing(played) == []
    await after.look()

    assert await missing(played) == [run]


async def test_a_run_that_temporal_has_not_been_told_of_is_left(played: Engine) -> None:
    await played.start("tess")
    await played.accept(played.event("abandoned-cart", "tess", cart_id="c2", total=60))

    await in_a_day(played).look()

    assert await missing(played) == []


class StartsMeanwhile(Interceptor):
    """After Temporal was asked for a run, the relay starts what waits."""

    def __init__(self, played: Engine) -> None:
        self._played = played

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002
        played = self._played

        class Describing(OutboundInterceptor):
            async def describe_workflow(self, input: DescribeWorkflowInput) -> WorkflowExecutionDescription:  # noqa: A002
                try:
                    return await super().describe_workflow(input)
                finally:
                    await played.relay.drain_once()

        return Describing(next)


async def test_a_run_that_is_started_while_it_is_asked_for_is_left(played: Engine) -> None:
    await played.accept(played.event("abandoned-cart", "tess", cart_id="c2", total=60))
    config = played.client.config()
    config["interceptors"] = [StartsMeanwhile(played)]

    await in_a_day(played, Client(**config)).look()

    assert await missing(played) == []


async def test_a_temporal_that_knows_none_of_our_runs_lacks_them_all(played: Engine) -> None:
    for cart in "AB":
        await played.accept(played.event("abandoned-cart", "tess", cart_id=cart, total=60))
    await execute(played.store, delete(outbox))

    await in_a_day(played).look()

    assert len(await missing(played)) == 2
    assert [seen.ended for seen in await played.runs("tess")] == [None, None]


async def test_all_that_stand_somewhere_are_looked_at_in_turn(played: Engine) -> None:
    runs = [await played.start("tess", cart_id=str(number)) for number in range(5)]

    pages, after = list[str](), None
    while page := await long_standing(played.store, played.now(), after, 2):
        pages += [run.state.id for run in page]
        after = page[-1].since, page[-1].state.id

    assert pages == runs


class OneBadRun(Lookout):
    """It cannot ask for the *bad* run."""

    bad = ""

    async def _try(self, run: str) -> Asked | None:
        return None if run == self.bad else await super()._try(run)


async def test_one_run_that_cannot_be_asked_for_keeps_no_other(played: Engine) -> None:
    bad, other = [await played.start("tess", cart_id=cart) for cart in "AB"]
    for run in (bad, other):
        await played.handle(run).terminate()
    looking = OneBadRun(played.store, played.client, played.task_queue, played.now)
    looking.bad = bad

    await until(partial(_ends, looking, 1))

    assert {seen.id: seen.ended for seen in await played.runs("tess")} == {bad: None, other: "aborted"}


async def _ends(looking: Lookout, runs: int) -> bool:
    return await looking.look() == runs


async def test_very_many_are_noticed_together(played: Engine) -> None:
    runs = [await played.start("tess", cart_id=str(number)) for number in range(30)]
    for run in runs:
        await played.handle(run).terminate(reason="all of them")

    await until_noticed(played, len(runs))

    assert {seen.ended for seen in await played.runs("tess")} == {"aborted"}


async def test_what_the_store_ended_stays_as_it_ended(played: Engine) -> None:
    run = await played.start("tess")
    await played.happen("purchase-completed", "tess")
    await played.handle(run).terminate(reason="by hand")
    other = await played.start("tess", cart_id="c2")
    await played.handle(other).terminate(reason="by hand")

    await until_noticed(played)

    assert [seen.ended for seen in await played.runs("tess")] == ["exited", "aborted"]


async def test_a_run_that_is_reset_goes_on_and_sends_nothing_twice(played: Engine) -> None:
    played.day = timedelta(seconds=2)
    async with worker(played):
        run = await played.start("tess")
        await played.until_waiting(run)
        await reset(played, run)
        assert await lookout(played).look() == 0
        await played.until_ended(run)
    other = await played.start("tess", cart_id="c2")
    await played.handle(other).terminate()

    await until_noticed(played)  # both are on the list by now

    assert [seen.ended for seen in await played.runs("tess")] == ["completed", "aborted"]
    assert played.ledger.steps == ["initial-reminder", "second-reminder", "final-reminder"]


async def reset(played: Engine, run: str) -> None:
    """As an operator does: to the first task, in a new run of the same workflow."""
    first = (await played.handle(run).describe()).run_id
    await played.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=played.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=run),
            reason="operator",
            workflow_task_finish_event_id=4,
            request_id=run,
        )
    )
    described = await played.handle(run).describe()
    assert (described.status, described.run_id == first) == (WorkflowExecutionStatus.RUNNING, False)
