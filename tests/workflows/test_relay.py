"""What the store has decided reaches Temporal: once, in order for each run, whatever happens in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import select, update
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.service import ConnectConfig, RPCError, RPCStatusCode, ServiceClient
from temporalio.testing import WorkflowEnvironment

from journeys.definition import send_id
from store.outbox import Job, backlog, lease
from store.schema import outbox
from tests.engine import Engine, engine, until
from tests.samples import abandoned_cart
from tests.transactions import execute, rows
from workflows.relay import Relay
from workflows.search_attributes import CUSTOMER_ID, ENTRY_TRIGGER, JOURNEY_ID, JOURNEY_VERSION


@pytest.fixture
async def played(temporal: WorkflowEnvironment, sqlite_url: str) -> AsyncIterator[Engine]:
    async with engine(temporal.client, sqlite_url, day=timedelta(seconds=3)) as built:
        await built.publish(abandoned_cart())
        for customer in ("rea", "ron"):
            await built.customer(customer)
        yield built


async def hand_over_again(played: Engine) -> None:
    """As if the relay had died after each call, before it could say that the job is done."""
    jobs = await lease(played.store, played.now(), 100, timedelta(0))
    assert jobs
    for job in jobs:
        await played.relay._take_over(job)
    await played.relay.drain_once()
    assert await played.waiting() == 0


async def test_a_run_carries_what_operators_look_for(played: Engine) -> None:
    run = await played.start("rea")

    described = await played.handle(run).describe()

    assert described.id.startswith("abandoned-cart/rea/")
    assert described.typed_search_attributes.get(JOURNEY_ID) == "abandoned-cart"
    assert described.typed_search_attributes.get(JOURNEY_VERSION) == 1
    assert described.typed_search_attributes.get(CUSTOMER_ID) == "rea"
    assert described.typed_search_attributes.get(ENTRY_TRIGGER) == "abandoned-cart"
    assert await described.static_summary() == "abandoned-cart v1 · rea"


async def test_a_start_that_is_handed_over_twice_is_one_run(played: Engine) -> None:
    await played.accept(played.event("abandoned-cart", "rea", total=60))

    await hand_over_again(played)

    (run,) = await played.runs("rea")
    await played.handle(run.id).result()
    assert played.ledger.steps == ["initial-reminder", "second-reminder", "final-reminder"]


async def test_a_start_that_is_handed_over_after_the_run_is_over_starts_nothing(played: Engine) -> None:
    await played.accept(played.event("abandoned-cart", "rea", total=60))
    (start,) = await lease(played.store, played.now(), 1, timedelta(0))
    await played.relay.drain_once()
    (run,) = await played.runs("rea")
    await played.handle(run.id).result()

    await played.relay._take_over(start)

    assert (await played.handle(run.id).describe()).status == WorkflowExecutionStatus.COMPLETED
    assert len(played.ledger.took) == 3


async def test_an_open_that_is_handed_over_twice_is_one_open(played: Engine) -> None:
    run = await played.start("rea")
    await played.until_waiting(run)
    await played.accept(played.event("email-opened", send_id=send_id(run, "initial-reminder")))

    await hand_over_again(played)

    assert await played.handle(run).result() == "completed"
    assert played.ledger.steps == ["initial-reminder"]


async def test_an_open_or_an_exit_after_the_end_is_no_error(played: Engine) -> None:
    run = await played.start("rea")
    await played.until_waiting(run)
    await played.accept(played.event("email-opened", send_id=send_id(run, "initial-reminder")))
    await played.handle(run).terminate()

    assert await played.relay.drain_once() == 1
    await played.accept(played.event("purchase-completed", "rea"))
    assert await played.relay.drain_once() == 1

    assert await played.waiting() == 0


async def test_all_jobs_of_a_run_are_told_in_order(played: Engine) -> None:
    await played.accept(played.event("abandoned-cart", "rea", total=60))
    await played.accept(played.event("purchase-completed", "rea"))

    assert await played.relay.drain_once() == 2

    (run,) = await played.runs("rea")
    with pytest.raises(WorkflowFailureError):
        await played.handle(run.id).result()
    assert (await played.handle(run.id).describe()).status == WorkflowExecutionStatus.CANCELED
    assert played.ledger.took == []


async def spoil_starts(played: Engine) -> None:
    await execute(played.store, update(outbox).where(outbox.c.kind == "start").values(payload={}))


async def test_a_job_that_cannot_be_done_holds_up_its_own_run_only(played: Engine) -> None:
    await played.accept(played.event("abandoned-cart", "rea", total=60))
    await spoil_starts(played)
    await played.accept(played.event("abandoned-cart", "ron", total=60))

    assert await played.relay.drain_once() == 1

    (ron,) = await played.runs("ron")
    assert (await played.handle(ron.id).describe()).status == WorkflowExecutionStatus.RUNNING
    assert await backlog(played.store) == (0, None, 1)
    (row,) = await rows(played.store, select(outbox))
    assert (row.kind, row.attempts) == ("start", 1)
    assert row.error.startswith("KeyError")


async def test_an_exit_takes_along_a_start_that_cannot_be_done(played: Engine) -> None:
    await played.accept(played.event("abandoned-cart", "rea", total=60))
    await spoil_starts(played)
    await played.accept(played.event("purchase-completed", "rea"))

    assert await played.relay.drain_once() == 1

    assert await backlog(played.store) == (0, None, 0)


class OneBadRun(Relay):
    """For the *bad* run Temporal does not answer; or it hangs, where *hangs*. Others get through."""

    def __init__(self, played: Engine, *, hangs: bool) -> None:
        super().__init__(played.store, played.client, played.task_queue, played.now)
        self.told: list[str] = []
        self.bad, self._hangs = "", hangs

    async def _take_over(self, job: Job) -> None:
        if job.run == self.bad:
            if self._hangs:
                await asyncio.sleep(60)
            raise RPCError("shard status unknown", RPCStatusCode.UNAVAILABLE, b"")
        self.told.append(job.run)


@pytest.mark.parametrize("hangs", [False, True], ids=["refuses", "hangs"])
async def test_a_run_that_temporal_refuses_for_now_holds_up_no_other(played: Engine, hangs: bool) -> None:
    relay = OneBadRun(played, hangs=hangs)
    receipt = await played.accept(played.event("abandoned-cart", "rea", total=60))
    relay.bad = receipt.decisions[0].run or ""
    relaying = asyncio.create_task(relay.run())
    await asyncio.sleep(1)  # by now it has been tried, alone

    for number in range(5):
        await played.accept(played.event("abandoned-cart", "ron", total=60, cart_id=str(number)))
        relay.nudge()
        await until(partial(_has_told, relay, number + 1))
        assert not relay._is_away

    assert relay.bad not in relay.told
    relaying.cancel()
    with suppress(asyncio.CancelledError):
        await relaying


async def _has_told(relay: OneBadRun, jobs: int) -> bool:
    return len(relay.told) == jobs


async def test_where_temporal_takes_nothing_all_wait_longer_each_time(played: Engine) -> None:
    config = played.client.config()
    config["service_client"] = await ServiceClient.connect(ConnectConfig(target_host="127.0.0.1:1", lazy=True))
    relay = Relay(played.store, Client(**config), played.task_queue, played.now)
    await played.accept(played.event("abandoned-cart", "rea", total=60))

    assert await relay.drain_once() == 0

    assert relay._is_away
    assert await played.waiting() == 1


async def test_a_namespace_that_is_not_there_does_not_mean_that_the_run_is_over(played: Engine) -> None:
    run = await played.start("rea")
    await played.until_waiting(run)
    await played.accept(played.event("purchase-completed", "rea"))
    config = played.client.config()
    config["namespace"] = "nowhere"
    lost = Relay(played.store, Client(**config), played.task_queue, played.now)

    assert await lost.drain_once() == 0

    assert await played.waiting() == 1


async def test_a_nudge_is_enough(played: Engine) -> None:
    relaying = asyncio.create_task(played.relay.run())
    await asyncio.sleep(0)

    await played.accept(played.event("abandoned-cart", "rea", total=60))
    played.relay.nudge()

    (run,) = await played.runs("rea")
    await until(lambda: _all_told(played))
    await played.until_waiting(run.id)
    relaying.cancel()
    with suppress(asyncio.CancelledError):
        await relaying


async def test_what_nobody_nudged_for_is_found(played: Engine) -> None:
    await played.accept(played.event("abandoned-cart", "rea", total=60))

    relaying = asyncio.create_task(played.relay.run())

    await until(lambda: _all_told(played))
    relaying.cancel()
    with suppress(asyncio.CancelledError):
        await relaying


async def test_two_relays_share_the_work(played: Engine) -> None:
    other = Relay(played.store, played.client, played.task_queue, lambda: datetime.now(UTC))
    for _ in range(20):
        await played.accept(played.event("abandoned-cart", "rea", total=60, cart_id=str(_)))

    counts = await asyncio.gather(played.relay.drain_once(), other.drain_once())

    assert sum(counts) == 20
    assert len({run.id for run in await played.runs("rea")}) == 20


async def test_two_who_have_one_relay_drain_it_are_both_told(played: Engine) -> None:
    await played.accept(played.event("abandoned-cart", "rea", total=60))

    counts = await asyncio.gather(*(played.relay.drain_once() for _ in range(3)))

    assert sum(counts) == 1


async def _all_told(played: Engine) -> bool:
    return await played.waiting() == 0
