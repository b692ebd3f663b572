"""A house that prunes decides as one that keeps everything: the same events come to both, in any order."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from journeys.catalogue import Event
from store import outbox, sends
from store.events import Receipt, accept
from store.pruning import prune
from store.runs import list_runs
from store.sends import Done, Go
from store.store import open_store
from tests.recount import check_counts
from tests.samples import abandoned_cart
from tests.shop import Shop

ORDERS = int(os.environ.get("SOJOURN_TEST_PRUNED", "1"))
"""In how many orders events come, for each way to start."""

STEPS = 40
STARTS: dict[str, dict[str, Any]] = {
    "never": {"repeat": "never"},
    "immediately": {"repeat": "immediately", "newest": "9 days"},
    "after": {"repeat": {"after": "20 days"}, "newest": "30 days"},
    "by-key": {"repeat": {"after": "15 days"}, "key": "event.cart_id", "overlap": "parallel"},
    "restart": {"repeat": "immediately", "overlap": "restart", "key": "event.cart_id"},
}
RULES: dict[str, Any] = {
    "caps": [{"channels": ["email"], "at_most": 2, "per": "7 days"}],
    "brake": {"same_content": {"at_most": 3, "per": "5 days"}},
}


@asynccontextmanager
async def house(file: Path, copy: Path, start: dict[str, Any], **keep: str) -> AsyncIterator[Shop]:
    store = open_store(f"sqlite:///{shutil.copy(file, copy)}")
    shop = Shop(store)
    await shop.stock()
    await shop.rule(**RULES, keep=keep)
    await shop.publish(abandoned_cart(start={"trigger": "abandoned-cart", **start}))
    try:
        yield shop
        await check_counts(store)
    finally:
        await store.close()


def said(receipt: Receipt) -> tuple[object, ...]:
    """What was decided. Of an event that was here before, that it was: the decisions of then may be pruned."""
    made = () if receipt.duplicate else tuple((each.did, each.why, each.run) for each in receipt.decisions)
    return receipt.duplicate, made


async def claims(shop: Shop) -> list[object]:
    """Claim what stands before its first message, and come to its end with what is given."""
    became: list[object] = []
    for run in sorted((await list_runs(shop.store, active=True, limit=200)).runs, key=lambda run: run.id):
        if run.step != "initial-reminder":
            continue
        claim = await sends.claim(shop.store, shop.visit(run.id))
        became.append((run.id, type(claim).__name__, claim.delivery.reason if isinstance(claim, Done) else ""))
        if isinstance(claim, Go):
            await shop.record(run.id)
    return became


async def told(shop: Shop) -> None:
    while jobs := await outbox.lease(shop.store, shop.now, 100, timedelta(seconds=30)):
        await outbox.done(shop.store, [job.id for job in jobs])


def something(luck: random.Random, shop: Shop, before: list[Event]) -> Event:
    """An event: a new one, a late one, or one that was posted before."""
    if before and luck.random() < 0.2:
        return luck.choice(before)
    trigger = luck.choice(["abandoned-cart", "abandoned-cart", "purchase-completed"])
    about = {"cart_id": luck.choice(["A", "B"])} if luck.random() < 0.7 else {}
    more = {"total": 60} if trigger == "abandoned-cart" else {}
    at = shop.now - timedelta(days=luck.choice([0, 1, 5, 10, 40])) if luck.random() < 0.5 else None
    event = shop.event(trigger, luck.choice(["ada", "bob"]), at=at, **about, **more)
    before.append(event)
    return event


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
@pytest.mark.parametrize("seed", range(ORDERS))
async def test_what_is_decided_is_the_same_as_if_nothing_was_pruned(
    start: dict[str, Any], seed: int, migrated_sqlite: Path, tmp_path: Path
) -> None:
    luck, before, gone = random.Random(seed), list[Event](), 0
    async with (
        house(migrated_sqlite, tmp_path / "keeps.db", start, runs="forever", events="forever") as keeps,
        house(migrated_sqlite, tmp_path / "prunes.db", start, runs="7 days", events="1 day") as prunes,
    ):
        for number in range(STEPS):
            days = luck.choice([0, 0, 1, 3, 8, 25])
            event = something(luck, keeps, before)
            came = []
            for shop in (keeps, prunes):
                shop.later(days=days)
                [receipt] = await accept(shop.store, [event], shop.now)
                came.append((said(receipt), await claims(shop)))
                await told(shop)
            assert came[0] == came[1], (number, event)
            gone += (await prune(prunes.store, prunes.now))["runs"]
    assert gone >= 2, "nothing was pruned"
