"""The database is set back: who entered in the lost time and is posted again goes on, and gets nothing twice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta

import pytest
from sqlalchemy import Connection, delete, insert, select
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from journeys.catalogue import Event
from store.erasing import erase
from store.runs import get_run
from store.schema import metadata
from store.store import read_transaction, write_transaction
from tests.engine import Engine, engine, until, worker
from tests.moving import move_runs
from tests.samples import abandoned_cart
from tests.shop import by_us
from workflows.asking import executions_of
from workflows.lookout import Lookout
from workflows.rebuilding import Rebuild, Wish
from workflows.restored import Restore, Restored
from workflows.rounds import of_queue, running

Backup = Mapping[str, Sequence[Mapping[str, object]]]

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what waits long for Temporal, and asks the database for little."""

ALL = ["initial-reminder", "second-reminder", "final-reminder"]


@read_transaction
def back_up(connection: Connection) -> Backup:
    """All that a database holds at this moment."""
    tables = metadata.sorted_tables
    return {table.name: [dict(row) for row in connection.execute(select(table)).mappings()] for table in tables}


@write_transaction
def put_back(connection: Connection, backup: Backup) -> None:
    """Let a database hold what it held then, and nothing else."""
    for table in reversed(metadata.sorted_tables):
        connection.execute(delete(table))
    for table in metadata.sorted_tables:
        if rows := backup[table.name]:
            connection.execute(insert(table), rows)


@pytest.fixture
async def played(temporal: WorkflowEnvironment, database_url: str) -> AsyncIterator[Engine]:
    async with engine(temporal.client, database_url, day=timedelta(seconds=4), working=False) as built:
        await built.publish(abandoned_cart())
        await built.customer("tess")
        yield built


async def post(played: Engine, entry: Event) -> str:
    """Post what starts a run, as the API takes it. Returns the run."""
    receipt = await played.accept(entry)
    await played.relay.drain_once()
    return next(made.run for made in receipt.decisions if made.did == "started" and made.run)


def a_cart(played: Engine) -> Event:
    return played.event("abandoned-cart", "tess", cart_id="c1", total=60)


def lookout(played: Engine) -> Lookout:
    return Lookout(played.store, played.client, played.task_queue, played.now)


async def has_sent(played: Engine, run: str, number: int) -> bool:
    return len((await get_run(played.store, run)).sends) == number


def restore(played: Engine) -> Restore:
    return Restore(played.store, played.client, played.task_queue, played.now)


async def listed(played: Engine, query: str, number: int) -> None:
    """Until Temporal, whose list comes a little late, lists so many."""

    async def as_many() -> bool:
        return len([each async for each in played.client.list_workflows(query)]) == number

    await until(as_many)


async def set_back(played: Engine, to: Backup) -> Restored:
    """Put a backup back, and say so, as docs/production.md has it."""
    await put_back(played.store, to)
    await listed(played, running(played.task_queue), 1)
    return await restore(played).do(by_us(played.now()))


async def waits_with(played: Engine, entry: Event, number: int = 1) -> str:
    """Post what starts a run, and let it send so many messages. Returns the run, with no worker at work."""
    async with worker(played):
        run = await post(played, entry)
        await until(lambda: has_sent(played, run, number))
        await played.until_waiting(run)
    return run


async def goes_on(played: Engine, run: str) -> None:
    """It ends as others do, with each of its messages sent once."""
    async with worker(played):
        await played.until_ended(run)
    seen = await get_run(played.store, run)
    assert (seen.ended, [send.step for send in seen.sends]) == ("completed", ALL)
    assert played.ledger.steps == ALL


async def test_who_is_posted_again_goes_on_and_gets_nothing_twice(played: Engine) -> None:
    backup, entry = await back_up(played.store), a_cart(played)
    run = await waits_with(played, entry)

    done = await set_back(played, backup)
    again = await post(played, entry)

    assert (done.strangers, done.remembered, again) == (1, 1, run)
    assert await lookout(played).look() == 0
    found = await Rebuild(played.store, played.client, played.task_queue).do(Wish(), by_us(played.now()))
    assert (found.there, found.missing, found.ended) == (1, 0, 0)
    await goes_on(played, run)


async def test_who_is_posted_again_before_it_is_said_goes_on_too(played: Engine) -> None:
    backup, entry = await back_up(played.store), a_cart(played)
    run = await waits_with(played, entry)

    await put_back(played.store, backup)
    await post(played, entry)
    done = await restore(played).do(by_us(played.now()))

    assert (done.strangers, done.remembered, done.begun_anew) == (0, 1, 1)
    await goes_on(played, run)


async def test_who_is_posted_again_while_it_is_ended_is_missing_and_not_over(played: Engine) -> None:
    backup, entry = await back_up(played.store), a_cart(played)
    run = await waits_with(played, entry)

    await put_back(played.store, backup)
    await post(played, entry)  # after it was found that nobody knows it
    await restore(played)._end({run: "tess"}, played.now())

    assert await lookout(played).look() == 0
    found = await Rebuild(played.store, played.client, played.task_queue).do(Wish(), by_us(played.now()))
    assert found.missing == 1
    await played.relay.drain_once()
    await goes_on(played, run)


async def test_who_had_come_to_the_end_is_sent_nothing_and_ends_as_that(played: Engine) -> None:
    backup, entry = await back_up(played.store), a_cart(played)
    async with worker(played):
        run = await post(played, entry)
        await played.until_ended(run)

    await put_back(played.store, backup)
    assert (await restore(played).do(by_us(played.now()))).strangers == 0
    assert await post(played, entry) == run
    found = await Rebuild(played.store, played.client, played.task_queue).do(Wish(), by_us(played.now()))

    assert (found.ended, found.missing) == (1, 0)
    assert (await get_run(played.store, run)).ended == "completed"
    assert played.ledger.steps == ALL


async def test_set_back_twice_nothing_is_forgotten_of_the_first_time(played: Engine) -> None:
    backup, entry = await back_up(played.store), a_cart(played)
    run = await waits_with(played, entry)
    await set_back(played, backup)
    await post(played, entry)

    await set_back(played, backup)
    await listed(played, f"{of_queue(played.task_queue)} AND ExecutionStatus = 'Terminated'", 2)
    await post(played, entry)

    await goes_on(played, run)


async def test_set_back_twice_who_is_known_gets_nothing_twice(played: Engine) -> None:
    run = await waits_with(played, a_cart(played))
    backup = await back_up(played.store)
    async with worker(played):
        await until(lambda: has_sent(played, run, 2))
        await played.until_waiting(run)
    assert (await set_back(played, backup)).remembered == 1
    await listed(played, f"{of_queue(played.task_queue)} AND ExecutionStatus = 'Terminated'", 1)

    assert (await set_back(played, backup)).remembered == 1

    await goes_on(played, run)


@ON_SQLITE
async def test_what_temporal_keeps_no_more_hides_nothing_of_what_it_keeps(played: Engine) -> None:
    """The run was moved, and of what it did before that Temporal has kept nothing, nor of another time it was lost."""
    run = await waits_with(played, a_cart(played))
    (before,) = await executions_of(played.client, run)
    backup = await back_up(played.store)
    await played.publish(abandoned_cart(goal=None))
    async with worker(played):
        assert await move_runs(played.store, [run], 2, played.now()) == [run]
        await played.relay.drain_once()
        await until(lambda: has_sent(played, run, 2))
    await keeps_no_more(played, run, before)

    restoring = restore(played)
    await put_back(played.store, backup)

    assert await restoring._remember({run: "tess"}, {run: [before]}, dry_run=True) == 1
    assert (await restoring.do(by_us(played.now()))).remembered == 1
    await goes_on(played, run)


async def keeps_no_more(played: Engine, run: str, execution: str) -> None:
    """As when the namespace's retention has passed."""
    this = WorkflowExecution(workflow_id=run, run_id=execution)
    asked = DeleteWorkflowExecutionRequest(namespace=played.client.namespace, workflow_execution=this)
    await played.client.workflow_service.delete_workflow_execution(asked)

    async def gone() -> bool:
        try:
            await played.client.get_workflow_handle(run, run_id=execution).describe()
        except RPCError as error:
            return error.status == RPCStatusCode.NOT_FOUND
        return False

    await until(gone)


@ON_SQLITE
async def test_who_is_erased_afterwards_is_forgotten_whole(played: Engine) -> None:
    backup, entry = await back_up(played.store), a_cart(played)
    await waits_with(played, entry)
    await set_back(played, backup)
    await post(played, entry)
    await listed(played, f"CustomerId = 'tess' AND {of_queue(played.task_queue)}", 2)

    await erase(played.store, "tess", by_us(played.now()))
    await played.relay.drain_once()

    await listed(played, f"CustomerId = 'tess' AND {of_queue(played.task_queue)}", 0)
