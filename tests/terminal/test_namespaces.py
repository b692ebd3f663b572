"""Runs go on in another namespace: each command, the relay, the workers and the sweep look there, and nowhere else."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

import cli
from store.erasing import erase
from store.missing import some_missing
from store.runs import get_run
from tests.engine import Engine, engine, until, worker
from tests.samples import abandoned_cart
from tests.shop import by_us
from tests.temporal_fixtures import start_temporal
from workflows.client import DATA_CONVERTER, connect
from workflows.lookout import Lookout
from workflows.relay import Relay

ELSEWHERE = "the-shop"
PEOPLE = ("ada", "bob", "eve")


@pytest.fixture(autouse=True)
def _nothing_beside(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(str(tmp_path))


async def typed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert await asyncio.to_thread(cli.run, [*arguments]) == 0
    return capsys.readouterr().out


async def test_everybody_goes_on_there_and_is_looked_for_there_alone(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with await start_temporal(namespace=ELSEWHERE) as server:
        address = server.client.service_client.config.target_host
        before = await Client.connect(address, data_converter=DATA_CONVERTER)
        async with engine(before, sqlite_url, working=False, day=timedelta(hours=1)) as played:
            await played.publish(abandoned_cart())
            async with worker(played):
                runs = {person: await enter(played, person) for person in PEOPLE}

            settings = {"DATABASE_URL": sqlite_url, "TASK_QUEUE": played.task_queue}
            for name, value in settings.items():
                monkeypatch.setenv(f"SOJOURN_{name}", value)
            monkeypatch.setenv("TEMPORAL_ADDRESS", address)
            monkeypatch.setenv("TEMPORAL_NAMESPACE", ELSEWHERE)
            assert "3 runs are missing, and begin again where they stand." in await typed(capsys, "rebuild", "--yes")
            played.client = await connect()
            played.relay = Relay(played.store, played.client, played.task_queue, played.now)
            lookout = Lookout(played.store, played.client, played.task_queue, played.now)
            async with worker(played):
                await played.relay.drain_once()
                for run in runs.values():
                    await played.until_waiting(run)
                await until(lambda: are_listed(played, 3))
                assert "3 runs are under way: 3 of them in Temporal" in await typed(capsys, "rebuild", "--dry-run")
                assert "Runs under way: 3. Replayed: 3." in await typed(capsys, "check-upgrade")
                assert await lookout.look() == 0

                await played.happen("purchase-completed", "ada", cart_id="c1")
                await played.until_ended(runs["ada"])
                await played.handle(runs["eve"]).terminate(reason="by hand")
                await until(lambda: finds_one_ended(lookout))
                await erase(played.store, "bob", by_us(played.now()))
                await played.relay.drain_once()
                with pytest.raises(RPCError, match=r"not found|no rows"):
                    await played.handle(runs["bob"]).describe()

            assert [(await get_run(played.store, runs[who])).ended for who in ("ada", "eve")] == ["exited", "aborted"]
            assert await some_missing(played.store, "", 10) == []
            assert [message.step for message in played.ledger.took] == ["initial-reminder"] * 3
            # What was left behind is nobody's business here any more, nor what it knows: see docs/erasing.md.
            left = await before.get_workflow_handle(runs["bob"]).describe()
            assert left.status == WorkflowExecutionStatus.RUNNING


async def enter(played: Engine, person: str) -> str:
    await played.customer(person)
    run = await played.start(person)
    await played.until_waiting(run)
    return run


async def are_listed(played: Engine, number: int) -> bool:
    return (await played.client.count_workflows("ExecutionStatus = 'Running'")).count == number


async def finds_one_ended(lookout: Lookout) -> bool:
    return await lookout.look() == 1
