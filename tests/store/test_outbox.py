"""What Temporal is still to be told: each run in order, each job to one relay at a time."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from store.events import accept
from store.outbox import Job, backlog, done, lease, postpone
from store.store import open_store
from tests.shop import Shop

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def shop(shop: Shop) -> Shop:
    await shop.publish()
    return shop


async def leased(shop: Shop, limit: int = 100) -> list[Job]:
    return await lease(shop.store, shop.now, limit, MINUTE)


async def test_only_the_first_job_of_each_run_is_given_out(shop: Shop) -> None:
    ada, bob = await shop.start("ada"), await shop.start("bob")
    await shop.post("purchase-completed", "ada")

    first = await leased(shop)
    meanwhile = await leased(shop)
    await done(shop.store, [job.id for job in first])
    second = await leased(shop)

    assert [(job.run, job.kind) for job in first] == [(ada, "start"), (bob, "start")]
    assert meanwhile == []
    assert [(job.run, job.kind) for job in second] == [(ada, "cancel")]


async def test_a_lease_runs_out(shop: Shop) -> None:
    await shop.start()
    [first] = await leased(shop)

    shop.later(seconds=59)
    assert await leased(shop) == []

    shop.later(seconds=1)
    assert await leased(shop) == [first]


async def test_a_postponed_job_comes_again_with_what_follows_behind_it(shop: Shop) -> None:
    await shop.start()
    await shop.post("purchase-completed")
    [job] = await leased(shop)

    await postpone(shop.store, job.id, shop.now + MINUTE, "no connection")

    assert await leased(shop) == []
    shop.later(minutes=1)
    assert await leased(shop) == [job.model_copy(update={"attempts": 1})]


async def test_the_oldest_come_first_and_no_more_than_asked_for(shop: Shop) -> None:
    carts = [shop.event("abandoned-cart", f"customer-{number}", total=1) for number in range(10)]
    await accept(shop.store, carts, shop.now)

    batches = [await leased(shop, limit=4) for _ in range(4)]

    assert [len(batch) for batch in batches] == [4, 4, 2, 0]
    assert [job.payload["customer"] for batch in batches for job in batch] == [cart.customer for cart in carts]


async def test_the_backlog_counts_what_is_leased_too(shop: Shop) -> None:
    assert await backlog(shop.store) == (0, None)
    since = shop.now
    await shop.start("ada")
    shop.later(minutes=1)
    await shop.start("bob")
    await leased(shop, limit=1)

    assert await backlog(shop.store) == (2, since)


async def test_relays_share_the_work_without_taking_a_job_twice(shop: Shop, database_url: str) -> None:
    carts = [shop.event("abandoned-cart", f"customer-{number}", total=1) for number in range(200)]
    await accept(shop.store, carts, shop.now)
    relays = [open_store(database_url) for _ in range(4)]

    async def relay(number: int) -> list[int]:
        taken: list[int] = []
        while jobs := await lease(relays[number], shop.now, 7, MINUTE):
            taken += [job.id for job in jobs]
        return taken

    taken = await asyncio.gather(*(relay(number) for number in range(len(relays))))
    for store in relays:
        await store.close()

    assert sorted(job for own in taken for job in own) == sorted({job for own in taken for job in own})
    assert sum(map(len, taken)) == 200


async def test_an_id_is_never_used_again(shop: Shop) -> None:
    await shop.start("ada")
    [first] = await leased(shop)
    await done(shop.store, [first.id])

    await shop.start("bob")
    [second] = await leased(shop)
    await done(shop.store, [first.id])

    assert second.id > first.id
    assert (await backlog(shop.store)).waiting == 1
