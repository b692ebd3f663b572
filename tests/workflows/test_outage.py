"""Temporal is down: events are accepted and decided all the same, and what they did happens once it is back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment

from journeys.definition import send_id
from tests.chaos.processes import free_ports
from tests.engine import Engine, engine, until, worker
from tests.samples import abandoned_cart
from tests.temporal_fixtures import start_temporal
from workflows.client import connect
from workflows.journey import LATE

LATER = timedelta(minutes=1)


class Clock:
    """The wall's clock, put forward at will, so that no test waits for a relay's back-off."""

    ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def port() -> int:
    (number,) = free_ports(1)
    return number


async def start(port: int, folder: Path) -> WorkflowEnvironment:
    return await start_temporal(port=port, dev_server_database_filename=str(folder / "temporal.db"))


async def test_an_outage_delays_and_loses_nothing(port: int, tmp_path: Path, sqlite_url: str) -> None:
    clock = Clock()
    client = await connect(address=f"127.0.0.1:{port}", lazy=True)
    async with engine(client, sqlite_url, now=clock, day=timedelta(hours=1), working=False) as built:
        await built.publish(abandoned_cart())
        for customer in ("ada", "bo", "cy", "di"):
            await built.customer(customer)

        # Temporal is not there yet: what is posted is accepted, and di has bought before anybody could send.
        ada, bo, cy, di = [await built.start(customer) for customer in ("ada", "bo", "cy", "di")]
        await built.happen("purchase-completed", "di")
        assert (await built.runs("di"))[0].ended == "exited"
        assert await built.waiting() == 5

        # It comes: all that waits is told, in order.
        temporal = await start(port, tmp_path)
        async with worker(built, temporal.client):
            await caught_up(built, clock)
            for run in (ada, bo, cy):
                await built.until_waiting(run)
            await built.until_ended(di)
            assert await status(built, di) == WorkflowExecutionStatus.CANCELED
            assert sorted(message.run for message in built.ledger.took) == sorted([ada, bo, cy])

            # It goes: an open and a purchase are decided at once. The purchase comes after the open.
            await temporal.shutdown()
            for run in (ada, bo):
                await built.accept(built.event("email-opened", send_id=send_id(run, "initial-reminder")))
            await built.accept(built.event("purchase-completed", "bo"))
            assert await built.relay.drain_once() == 0
            assert (await built.runs("bo"))[0].ended == "exited"
            assert await built.waiting() == 3

            # It comes back, with all it had.
            temporal = await start(port, tmp_path)
            await caught_up(built, clock)
            await built.until_ended(ada)
            await built.until_ended(bo)
            assert await status(built, ada) == WorkflowExecutionStatus.COMPLETED
            assert (await built.runs("bo"))[0].ended == "exited"
            assert await status(built, cy) == WorkflowExecutionStatus.RUNNING
            assert built.ledger.steps == ["initial-reminder"] * 3
        await temporal.shutdown()


async def test_an_answer_in_time_wins_though_the_outage_lasts_beyond_its_limit(
    port: int, tmp_path: Path, sqlite_url: str
) -> None:
    clock = Clock()
    temporal = await start(port, tmp_path)
    day = timedelta(seconds=3)
    async with engine(temporal.client, sqlite_url, now=clock, day=day, working=False) as built:
        await built.publish(abandoned_cart())
        await built.customer("ada")
        run = await built.start("ada")
        async with worker(built, temporal.client):
            await caught_up(built, clock)
            await built.until_waiting(run)
        clock.ahead = timedelta(0)
        # Nobody works: the open is accepted in time, the limit passes, and the relay has not come round yet.
        receipt = await built.accept(built.event("email-opened", send_id=send_id(run, "initial-reminder")))
        assert [decision.did for decision in receipt.decisions] == ["resumed"]
        limit = datetime.now(UTC) + day + LATE
        await until(lambda: _passed(limit))

        async with worker(built, temporal.client):
            await built.until_ended(run)

        assert built.ledger.steps == ["initial-reminder"]
        assert await built.waiting() == 1
    await temporal.shutdown()


async def _passed(limit: datetime) -> bool:
    # An outage lasts as long as it lasts: the server's clock is real, and so is the lateness of its timer.
    return datetime.now(UTC) > limit


async def caught_up(built: Engine, clock: Clock) -> None:
    """Let the relay's back-off pass, and everything be told."""

    async def nothing_waits() -> bool:
        clock.ahead += LATER
        await built.relay.drain_once()
        return await built.waiting() == 0

    await until(nothing_waits)


async def status(built: Engine, run: str) -> WorkflowExecutionStatus | None:
    return (await built.handle(run).describe()).status
