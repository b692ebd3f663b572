"""A customer was erased, and Temporal or the database is lost or set back: they do not come back, and others go on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from temporalio.testing import WorkflowEnvironment

from journeys.problems import Unknown
from store.erasing import erase
from store.runs import get_run
from tests.engine import Engine, engine, until, worker
from tests.samples import abandoned_cart
from tests.searching import found
from tests.shop import by_us
from tests.temporal_fixtures import start_temporal
from workflows.asking import ask
from workflows.rebuilding import Rebuild, Rebuilt, Wish
from workflows.relay import Relay
from workflows.restored import Restore

ID = "zq-0815"
DAY = timedelta(hours=1)


async def forgotten(played: Engine, *runs: str) -> None:
    """Temporal is told all that waits, until it knows none of these runs."""
    await played.relay.drain_once()
    await until(lambda: knows_none(played, runs))


async def knows_none(played: Engine, runs: Sequence[str]) -> bool:
    return {await ask(played.client, run) for run in runs} == {"unknown"}


async def rebuild(played: Engine) -> Rebuilt:
    return await Rebuild(played.store, played.client, played.task_queue).do(Wish(), by_us(played.now()))


async def test_temporal_is_lost_and_whom_was_erased_does_not_begin_again(
    temporal: WorkflowEnvironment, database_url: str
) -> None:
    """One is erased before it is lost, one while Temporal has lost it and the rebuild was not begun."""
    async with engine(temporal.client, database_url, working=False, day=DAY) as played, await start_temporal() as new:
        await played.publish(abandoned_cart())
        async with worker(played):
            runs = {who: await enter(played, who) for who in (ID, f"{ID}-too", "tess")}
            await erase(played.store, ID, by_us(played.now()))
            await played.relay.drain_once()
        played.client = new.client
        played.relay = Relay(played.store, new.client, played.task_queue, played.now)
        await erase(played.store, f"{ID}-too", by_us(played.now()))

        async with worker(played):
            done = await rebuild(played)
            await forgotten(played, runs[ID], runs[f"{ID}-too"])
            await played.until_waiting(runs["tess"])

        assert (done.under_way, done.missing) == (1, 1)
        assert await found(played.store, ID) == {}
        assert [message.step for message in played.ledger.took] == ["initial-reminder"] * 3


async def test_a_backup_is_put_back_and_whom_was_erased_since_is_erased_again(
    temporal: WorkflowEnvironment, database_url: str, backed_up: Callable[[], str]
) -> None:
    """By the steps of docs/production.md. Of a run of theirs, Temporal alone knows: it was set back as well."""
    async with engine(temporal.client, database_url, day=DAY, working=False) as lost:
        await lost.publish(abandoned_cart())
        async with worker(lost):
            known, other = await enter(lost, ID), await enter(lost, "tess")
            copy = backed_up()
            stranger = await lost.start(ID, cart_id="later")
            await lost.until_waiting(stranger)

    async with engine(temporal.client, copy, day=DAY, working=False, ledger=lost.ledger) as played:
        played.task_queue = lost.task_queue
        played.relay = Relay(played.store, played.client, played.task_queue, played.now)

        assert (await erase(played.store, ID, by_us(played.now()))).ended == 1
        with pytest.raises(Unknown, match="nothing that is about them"):
            await erase(played.store, f"{ID}-who-came-since", by_us(played.now()))
        restored = await Restore(played.store, played.client, played.task_queue, played.now).do(by_us(played.now()))
        done = await rebuild(played)
        async with worker(played):
            await forgotten(played, known, stranger)
            await played.until_waiting(other)

        assert restored.some_strangers == (stranger,)
        assert (restored.begun_anew, done.missing) == (1, 0)
        assert known not in restored.some_strangers
        assert await found(played.store, ID) == {}
        assert (await get_run(played.store, other)).ended is None
        assert [message.run for message in played.ledger.took] == [known, other, stranger]


async def enter(played: Engine, person: str) -> str:
    await played.customer(person)
    run = await played.start(person)
    await played.until_waiting(run)
    return run
