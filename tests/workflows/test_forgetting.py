"""An erased customer in Temporal: no id, search attribute, summary or history of theirs is left there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import select
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from store.erasing import erase
from store.schema import outbox, runs
from tests.engine import Engine, engine, until, worker
from tests.payloads import told_by_temporal
from tests.samples import abandoned_cart
from tests.shop import by_us
from tests.transactions import rows
from workflows.lookout import Lookout

ID = "zq-0815"
ZELDA = {"email": "zelda.quill@secret.example", "phone": "+15559876543", "first_name": "Zeldamira"}


@pytest.fixture
async def played(temporal: WorkflowEnvironment, sqlite_url: str) -> AsyncIterator[Engine]:
    async with engine(temporal.client, sqlite_url, working=False, day=timedelta(hours=1)) as built:
        await built.publish(abandoned_cart())
        await built.customer(ID, ZELDA)
        yield built


async def erased(played: Engine) -> None:
    """Erase the customer, and wait until Temporal, whose list comes a little late, tells nothing of them."""
    await erase(played.store, ID, by_us(played.now()))
    await played.relay.drain_once()
    await until(lambda: gone(played))


async def gone(played: Engine) -> bool:
    return ID not in await told_by_temporal(played.client, played.task_queue)


async def listed(played: Engine, executions: int) -> None:
    """Wait until Temporal lists so many executions of the customer."""

    async def as_many() -> bool:
        return (await played.client.count_workflows(f"CustomerId = '{ID}'")).count == executions

    await until(as_many)


async def test_what_is_under_way_and_what_is_over_is_deleted(played: Engine) -> None:
    async with worker(played):
        over = await played.start(ID, cart_id="c1")
        await played.until_waiting(over)
        await played.happen("purchase-completed", ID, cart_id="c1")
        await played.until_ended(over)
        under_way = await played.start(ID, cart_id="c2")
        other = await played.start("tess", cart_id="c3")
        await played.until_waiting(under_way)
        await listed(played, 2)
        before = await told_by_temporal(played.client, played.task_queue)
        assert all(seen in before for seen in (over, under_way, f"v1 · {ID}"))
        assert [secret for secret in ZELDA.values() if secret.lower() in before.lower()] == []

        await erased(played)

        assert other in await told_by_temporal(played.client, played.task_queue)
        assert (await played.handle(other).describe()).status == WorkflowExecutionStatus.RUNNING
    for run in (over, under_way):
        with pytest.raises(RPCError, match=r"not found|no rows"):
            await played.handle(run).describe()
    assert await rows(played.store, select(outbox).where(outbox.c.kind == "forget")) == []
    assert await Lookout(played.store, played.client, played.task_queue, played.now).look() == 0


async def test_every_execution_of_a_run_that_was_reset_is_deleted(played: Engine) -> None:
    async with worker(played):
        run = await played.start(ID)
        await played.until_waiting(run)
        for _ in range(2):
            described = await played.handle(run).describe()
            await played.client.workflow_service.reset_workflow_execution(
                ResetWorkflowExecutionRequest(
                    namespace=played.client.namespace,
                    workflow_execution=WorkflowExecution(workflow_id=run, run_id=described.run_id),
                    reason="once more",
                    workflow_task_finish_event_id=4,
                    request_id=f"again-{described.run_id}",
                )
            )
            await played.until_waiting(run)
        await listed(played, 3)

        await erased(played)

        await listed(played, 0)


async def test_what_temporal_never_heard_of_is_started_and_forgotten(played: Engine) -> None:
    receipt = await played.accept(played.event("abandoned-cart", ID, total=60, cart_id="c1"))
    run = receipt.decisions[0].run or ""
    await erase(played.store, ID, by_us(played.now()))
    assert [row.kind for row in await rows(played.store, select(outbox).order_by(outbox.c.id))] == ["start", "forget"]

    await played.relay.drain_once()

    with pytest.raises(RPCError):
        await played.handle(run).describe()
    assert await rows(played.store, select(outbox)) == []
    [kept] = await rows(played.store, select(runs))
    assert (kept.id.split("/")[1], kept.ended_by) == (kept.customer, "erased")
