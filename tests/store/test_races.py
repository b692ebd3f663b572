"""The fence: once an exit is committed, no send of the run is claimed; once nothing is in flight, none starts."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest

from journeys.definition import Journey
from store.events import Receipt, accept, in_flight
from store.locks import lock_customers, lock_house
from store.runs import list_runs
from store.sends import Go
from store.store import open_store
from tests.samples import abandoned_cart
from tests.shop import Shop
from tests.transactions import under_way

RACES = int(os.environ.get("SOJOURN_TEST_RACES", "2000"))
TOGETHER = 20  # races that share one transaction of exits
AT_ONCE = 4  # such transactions under way

LETTERS = [f"letter-{number}" for number in range(12)]


def newsletter() -> Journey:
    """One message after the other, to an address that the event brings."""
    content = {"email": "initial-email-reminder", "to": "event.coupon"}
    return abandoned_cart(steps=[{"id": letter, **content} for letter in LETTERS])


@pytest.fixture
async def elsewhere(shop: Shop, database_url: str) -> AsyncIterator[Shop]:
    """The same shop, as another process sees it."""
    store = open_store(database_url)
    yield Shop(store)
    await store.close()


async def start(shop: Shop, customers: Iterable[str]) -> dict[str, str]:
    """A run for each customer."""
    carts = [shop.event("abandoned-cart", customer, total=1, coupon="ada@example.com") for customer in customers]
    receipts = await accept(shop.store, carts, shop.now)
    return {cart.customer or "": receipt.decisions[0].run or "" for cart, receipt in zip(carts, receipts, strict=True)}


async def buy(shop: Shop, customers: Iterable[str], after: float) -> list[Receipt]:
    """All of them buy, *after* some seconds."""
    await asyncio.sleep(after)
    return await accept(shop.store, [shop.event("purchase-completed", customer) for customer in customers], shop.now)


async def test_a_claim_succeeds_if_and_only_if_it_comes_before_the_exit(shop: Shop, elsewhere: Shop) -> None:
    await shop.publish(newsletter())
    groups = iter(range(RACES // TOGETHER))
    went = blocked = 0
    window = 0.03

    async def race() -> None:
        nonlocal went, blocked, window
        for group in groups:
            runs = await start(shop, [f"racer-{group}-{number}" for number in range(TOGETHER)])
            random.shuffle(order := list(runs))
            buying = asyncio.create_task(buy(elsewhere, runs, after=random.uniform(0, window)))
            first, second, *_ = LETTERS
            claims = await asyncio.gather(*(shop.claim(runs[customer], first, following=second) for customer in order))
            receipts = await buying
            claimed = dict(zip(order, claims, strict=True))
            # Keep them close to each other, however fast the machine is.
            window *= 0.7 if sum(receipt.in_flight for receipt in receipts) > TOGETHER / 2 else 1.4
            for customer, receipt in zip(runs, receipts, strict=True):
                assert [made.did for made in receipt.decisions] == ["goal met", "exited"]
                # The exit saw the claim, or the claim saw the exit.
                assert isinstance(claimed[customer], Go) == (receipt.in_flight == 1), (customer, receipt)
                went += receipt.in_flight
                blocked += 1 - receipt.in_flight
            assert not isinstance(await shop.claim(runs[order[0]], second, following=None), Go)

    await asyncio.gather(*(race() for _ in range(AT_ONCE)))

    assert went + blocked == RACES
    assert min(went, blocked) > RACES / 100, f"no race at all: {went} went, {blocked} were blocked"


@dataclass
class Worker:
    """Sends one letter after the other, as fast as it can, and keeps its own books."""

    shop: Shop
    quiet: set[str]
    sent: int = 0
    late: int = 0

    async def walk(self, run: str) -> None:
        for number, (letter, following) in enumerate(pairwise([*LETTERS, None])):
            place: dict[str, Any] = {"n": 2 * number + 1, "following": following}
            if not isinstance(await self.shop.claim(run, letter or "", **place), Go):
                return
            self.late += run in self.quiet
            self.sent += 1
            await asyncio.sleep(random.uniform(0, 0.005))  # the provider takes its time
            self.late += run in self.quiet
            await self.shop.record(run, letter or "", **place)


async def test_once_nothing_is_in_flight_nothing_starts(shop: Shop, elsewhere: Shop) -> None:
    await shop.publish(newsletter())
    runs = await start(shop, [f"reader-{number}" for number in range(RACES // 40)])
    quiet = set[str]()
    worker = Worker(shop, quiet)

    async def leave(customers: Sequence[str], after: float) -> None:
        [receipt] = await buy(elsewhere, customers, after)
        under_way = receipt.in_flight
        while under_way:
            await asyncio.sleep(0.002)
            under_way = await in_flight(elsewhere.store, receipt.exited)
        quiet.update(receipt.exited)

    await asyncio.gather(
        *(worker.walk(run) for run in runs.values()),
        *(leave([customer], random.uniform(0, 0.2)) for customer in runs),
    )

    assert worker.late == 0
    # On a fast machine, a few have had all their letters before they leave.
    ended = {run.id: run.ended for run in (await list_runs(shop.store, limit=len(runs))).runs}
    assert quiet == {run for run, how in ended.items() if how == "exited"}
    assert set(ended) == set(runs.values())
    assert set(ended.values()) <= {"exited", "completed"}
    assert len(quiet) > len(runs) / 10, "no race at all"
    assert 0 < worker.sent < len(LETTERS) * len(runs)


async def test_batches_about_the_same_customers_in_any_order_get_out_of_each_others_way(
    shop: Shop, database_url: str
) -> None:
    await shop.publish(newsletter())
    stores = [open_store(database_url) for _ in range(4)]
    customers = [f"crowd-{number}" for number in range(12)]
    happenings: list[tuple[str, dict[str, Any]]] = [
        ("abandoned-cart", {"total": 1}),
        ("purchase-completed", {}),
        ("store-visit", {"city": "Delft"}),
    ]

    async def process(number: int) -> list[Receipt]:
        own = Shop(stores[number])
        receipts: list[Receipt] = []
        for _ in range(15):
            batch = [
                own.event(trigger, customer, **attributes)
                for customer in random.sample(customers, 8)
                for trigger, attributes in [random.choice(happenings)]
            ]
            receipts += await accept(own.store, batch, own.now)
        return receipts

    together = await asyncio.gather(*(process(number) for number in range(len(stores))))
    for store in stores:
        await store.close()

    decisions = [made for receipts in together for receipt in receipts for made in receipt.decisions]
    started = [made.run or "" for made in decisions if made.did == "started"]
    exited = [made.run or "" for made in decisions if made.did == "exited"]
    active = await list_runs(shop.store, active=True, limit=1000)
    assert len(set(started)) == len(started)
    assert len(set(exited)) == len(exited)
    assert sorted(set(started) - set(exited)) == sorted(run.id for run in active.runs)


async def test_a_claim_waits_for_whoever_decides_about_its_customer(shop: Shop, elsewhere: Shop) -> None:
    await shop.publish()
    run = await shop.start("ada")

    async with under_way(shop.store) as do:
        await do(lambda connection: lock_customers(connection, ["ada"]))
        claiming = asyncio.create_task(elsewhere.claim(run))
        await asyncio.sleep(0.2)
        assert not claiming.done()

    assert isinstance(await claiming, Go)


async def test_claims_go_on_while_another_journey_is_published_or_stopped(postgres_url: str) -> None:
    store = open_store(postgres_url)
    shop = Shop(store)
    await shop.stock()
    await shop.publish()
    run = await shop.start("ada")

    async with under_way(store) as do:
        await do(lock_house)
        assert isinstance(await shop.claim(run), Go)

    await store.close()
