"""What Temporal is still to be told: each run in order, each job to one relay at a time."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import insert

from journeys.definition import send_id
from store.effects import job as written
from store.events import accept
from store.outbox import Job, Postponed, backlog, done, lease, postpone
from store.schema import outbox
from store.store import open_store
from tests.samples import abandoned_cart
from tests.shop import Shop
from tests.transactions import execute

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

    await postpone(shop.store, [Postponed(job.id, shop.now + MINUTE, "no connection")], shop.now)

    assert await leased(shop) == []
    shop.later(minutes=1)
    assert await leased(shop) == [job.model_copy(update={"attempts": 1})]


async def refuse(shop: Shop, *jobs: Job) -> None:
    hour = shop.now + 60 * MINUTE
    await postpone(shop.store, [Postponed(job.id, hour, "no \0 such thing", refused=True) for job in jobs], shop.now)


async def test_what_is_refused_is_counted_apart_and_tried_again(shop: Shop) -> None:
    await shop.start()
    [job] = await leased(shop)

    await refuse(shop, job)

    assert await backlog(shop.store) == (0, None, 1)
    assert await leased(shop) == []
    shop.later(hours=1)
    assert await leased(shop) == [job.model_copy(update={"attempts": 1})]
    await done(shop.store, [job.id])
    assert await backlog(shop.store) == (0, None, 0)


async def test_an_exit_passes_what_was_refused_and_takes_it_along(shop: Shop) -> None:
    await shop.start()
    await refuse(shop, *await leased(shop))
    await shop.post("purchase-completed")

    [cancel] = await leased(shop)
    await done(shop.store, [cancel.id])

    assert cancel.kind == "cancel"
    assert await backlog(shop.store) == (0, None, 0)


async def test_an_answer_passes_another_one_that_was_refused_but_not_the_start(shop: Shop) -> None:
    run = await shop.start()
    start = await leased(shop)
    for number in range(2):
        arrival = {"event": f"e{number}", "at": shop.now.isoformat(), "answers": ["opened"]}
        await execute(shop.store, insert(outbox), **written(run, "arrive", arrival, shop.now))

    await refuse(shop, *start)
    behind = await leased(shop)
    await done(shop.store, [start[0].id])
    first = await leased(shop)
    await refuse(shop, *first)
    second = await leased(shop)

    assert behind == []
    assert [one.payload["event"] for one in (*first, *second)] == ["e0", "e1"]


async def test_the_oldest_come_first_and_no_more_than_asked_for(shop: Shop) -> None:
    carts = [shop.event("abandoned-cart", f"customer-{number}", total=1) for number in range(10)]
    await accept(shop.store, carts, shop.now)

    batches = [await leased(shop, limit=4) for _ in range(4)]

    assert [len(batch) for batch in batches] == [4, 4, 2, 0]
    assert [job.payload["customer"] for batch in batches for job in batch] == [cart.customer for cart in carts]


async def test_the_backlog_counts_what_is_leased_too(shop: Shop) -> None:
    assert await backlog(shop.store) == (0, None, 0)
    since = shop.now
    await shop.start("ada")
    shop.later(minutes=1)
    await shop.start("bob")
    await leased(shop, limit=1)

    assert await backlog(shop.store) == (2, since, 0)


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


async def test_ten_thousand_views_tell_temporal_once(shop: Shop) -> None:
    seen = {"id": "seen", "if": {"trigger": "store-visit", "within": "30 days"}}
    await shop.publish(abandoned_cart(steps=[seen, {"id": "pause", "wait": "30 days"}]))
    await shop.start()
    [start] = await leased(shop)
    await done(shop.store, [start.id])

    receipts = []
    for _ in range(5):
        views = [shop.event("store-visit", city="Oslo") for _ in range(100)]
        receipts = await accept(shop.store, views, shop.later(minutes=1))

    assert (await backlog(shop.store)).waiting == 1
    assert {(made.did, made.why) for made in receipts[-1].decisions} == {("ignored", "seen: the run is past it")}


async def test_ten_thousand_opens_before_they_are_asked_for_tell_temporal_once(shop: Shop) -> None:
    clicked, opened = (
        {"id": what, "if": {"message": "initial-reminder", "is": what, "within": within}}
        for what, within in (("clicked", "30 days"), ("opened", "1 day"))
    )
    email = {"id": "initial-reminder", "email": "initial-email-reminder", "to": "customer.email"}
    await shop.publish(abandoned_cart(steps=[email, clicked, opened]))
    run = await shop.start()
    await shop.claim(run)
    await shop.record(run, following="clicked")
    [start] = await leased(shop)
    await done(shop.store, [start.id])

    opens = [shop.event("email-opened", send_id=send_id(run, "initial-reminder")) for _ in range(500)]
    receipts = await accept(shop.store, opens, shop.later(minutes=1))

    assert [receipt.decisions[0].did for receipt in receipts] == ["resumed"] + ["ignored"] * 499
    assert (await backlog(shop.store)).waiting == 1


@pytest.fixture
async def answered(shop: Shop) -> str:
    """A run that Temporal has, and that is still to hear of two answers when it is bought."""
    visited, again = ({"id": id, "if": {"trigger": "store-visit", "within": "9 days"}} for id in ("visited", "again"))
    await shop.publish(abandoned_cart(steps=[visited, again]))
    run = await shop.start()
    await done(shop.store, [job.id for job in await leased(shop)])
    for _ in range(2):
        shop.later(minutes=1)
        await shop.post("store-visit", city="Oslo")
    return run


async def test_a_cancel_overtakes_what_a_run_was_to_hear(shop: Shop, answered: str) -> None:
    await shop.post("purchase-completed")

    [cancel] = await leased(shop)
    assert (cancel.run, cancel.kind) == (answered, "cancel")
    assert await leased(shop) == []

    await done(shop.store, [cancel.id])
    assert (await backlog(shop.store)).waiting == 0


async def test_a_cancel_waits_for_no_answer_that_temporal_refuses(shop: Shop, answered: str) -> None:
    [refused] = await leased(shop)
    later = Postponed(refused.id, shop.now + 60 * MINUTE, "exceeded limit for signal events", refused=True)
    await postpone(shop.store, [later], shop.now)
    await shop.post("purchase-completed")

    assert [(job.run, job.kind) for job in await leased(shop)] == [(answered, "cancel")]


async def test_a_cancel_does_not_overtake_the_start(shop: Shop) -> None:
    await shop.start()
    await shop.post("purchase-completed")

    assert [job.kind for job in await leased(shop)] == ["start"]


async def test_the_answers_of_other_runs_stay(shop: Shop, answered: str) -> None:
    bob = await shop.start("bob", cart_id="c2")
    await done(shop.store, [job.id for job in await leased(shop) if job.run == bob])
    await shop.post("purchase-completed", "bob")

    await done(shop.store, [job.id for job in await leased(shop)])

    shop.later(minutes=2)
    assert [(job.run, job.kind) for job in await leased(shop)] == [(answered, "arrive")]
