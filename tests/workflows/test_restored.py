"""A backup of the database is put back, and Temporal has gone on: nobody gets anything twice, and all goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from temporalio.client import WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment

from store.open_problems import open_problems
from store.runs import get_run
from tests.engine import Engine, engine, until, worker
from tests.samples import abandoned_cart
from tests.shop import by_us
from workflows.asking import NOBODYS
from workflows.restored import Restore
from workflows.rounds import Rounds


async def test_what_only_temporal_knows_ends_and_all_others_go_on(
    temporal: WorkflowEnvironment, database_url: str, backed_up: Callable[[], str]
) -> None:
    day = timedelta(seconds=4)
    async with engine(temporal.client, database_url, day=day, working=False) as lost:
        await lost.publish(abandoned_cart())
        await lost.customer("tess")
        async with worker(lost):
            waits = await lost.start("tess", cart_id="waits")
            await lost.until_waiting(waits)
            copy = backed_up()
            stranger = await lost.start("tess", cart_id="later")
            await until(lambda: has_sent(lost, waits, 2))

    async with engine(temporal.client, copy, day=day, working=False, ledger=lost.ledger) as played:
        played.task_queue = lost.task_queue
        played.relay._task_queue = lost.task_queue
        await until(lambda: is_noticed(played))
        restore = Restore(played.store, played.client, played.task_queue, played.now)

        would = await restore.do(by_us(played.now()), dry_run=True)
        assert (await open_problems(played.store)).problems
        done = await restore.do(by_us(played.now()))

        assert done == would.model_copy(update={"dry_run": False})
        assert (done.strangers, done.some_strangers, done.begun_anew) == (1, (stranger,), 1)
        assert done.remembered >= 2
        assert (await open_problems(played.store)).problems == ()
        ended = await played.handle(stranger).describe()
        assert ended.status == WorkflowExecutionStatus.TERMINATED
        async with worker(played):
            await played.until_ended(waits)
        assert (await get_run(played.store, waits)).ended == "completed"
        assert set(Counter(message.send_id for message in played.ledger.took).values()) == {1}
        assert [message.step for message in played.ledger.took if message.run == waits] == [
            "initial-reminder",
            "second-reminder",
            "final-reminder",
        ]
        history = await played.handle(stranger).fetch_history()
        assert history.events[-1].workflow_execution_terminated_event_attributes.reason == NOBODYS


async def has_sent(played: Engine, run: str, number: int) -> bool:
    return len((await get_run(played.store, run)).sends) == number


async def is_noticed(played: Engine) -> bool:
    await Rounds(played.store, played.client, played.task_queue, played.now).look()
    return bool((await open_problems(played.store)).problems)
