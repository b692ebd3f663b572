"""Whether a shop that runs for years stays bounded: rows and bytes, year by year, and what pruning costs who writes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from statistics import median
from time import monotonic

from rich.progress import Progress
from rich.table import Table
from sqlalchemy import Connection, func, select, text

from bench.asked import Asked
from bench.setting import customer_id, now, stocked
from bench.showing import middle
from store import outbox
from store.events import accept
from store.pruning import prune
from store.schema import metadata, runs
from store.store import open_store
from tests.shop import Shop

YEARS = 3
STEP = timedelta(days=20)
"""So much of a year is lived at once: its runs begin together, and are over together."""

PEOPLE = 200
YEAR = timedelta(days=365)
LEFT = ("known_events", "links", "entries", "people")
BESIDE = 50
"""Events whose time is taken, without pruning and beside it."""


async def measure(asked: Asked, progress: Progress) -> Table:
    """A shop of *count* runs a year, with the policy as usual, on a clock of its own."""
    table = Table(
        "", "year", "runs", "rows", "of these left of what was pruned", "MB", "ms an event", "÷ without pruning"
    )
    table.title = f"Keeping: {asked.count:,} runs a year, kept for 400 days; ms: median (least – most)"
    for name in asked.databases:
        task = progress.add_task(name, total=YEARS * (YEAR // STEP))
        async with stocked(name, PEOPLE) as database:
            store = open_store(database.url)
            shop, end = Shop(store, now() - YEARS * YEAR), now() - YEARS * YEAR
            try:
                for year in range(1, YEARS + 1):
                    alone, beside = await _year(shop, end + year * YEAR, asked.count, partial(progress.advance, task))
                    kept, rows, left, size = await store.read(_sizes)
                    ratio = f"{median(beside) / median(alone):.2f}" if beside else "–"
                    figures = f"{kept:,}", f"{rows:,}", f"{left:,}", f"{size / 1e6:.1f}"
                    table.add_row(name, str(year), *figures, middle(beside or alone), ratio)
            finally:
                await store.close()
    return table


async def _year(shop: Shop, until: datetime, count: int, on: Callable[[], object]) -> tuple[list[float], list[float]]:
    """Live up to then. Returns how long events took at the end, without pruning and beside it, in milliseconds."""
    alone: list[float] = []
    beside: list[float] = []
    while shop.now < until:
        shop.now = min(shop.now + STEP, until)
        await _live(shop, max(1, count * STEP // YEAR))
        if shop.now < until - 3 * STEP:  # so that there is something to prune beside the events
            await prune(shop.store, shop.now)
        on()
    alone = [await _one_event(shop, number) for number in range(BESIDE)]
    pruning = asyncio.create_task(prune(shop.store, shop.now))
    while not pruning.done():
        beside.append(await _one_event(shop, len(beside)))
    return alone, beside if (await pruning)["runs"] else []


async def _one_event(shop: Shop, number: int) -> float:
    began = monotonic()
    await shop.post("purchase-completed", customer_id(number % PEOPLE))
    return 1000 * (monotonic() - began)


async def _live(shop: Shop, many: int) -> None:
    """So many runs, each with an email that is sent and a purchase that ends it; Temporal hears of all."""
    for first in range(0, many, PEOPLE):
        whom = [customer_id(number) for number in range(min(PEOPLE, many - first))]
        receipts = await accept(shop.store, [shop.event("abandoned-cart", each, total=60) for each in whom], shop.now)
        for receipt in receipts:
            if (run := receipt.decisions[-1].run) and receipt.decisions[-1].did == "started":
                await shop.claim(run)
                await shop.record(run)
        await accept(shop.store, [shop.event("purchase-completed", each) for each in whom], shop.now)
        while jobs := await outbox.lease(shop.store, shop.now, 1000, timedelta(seconds=30)):
            await outbox.done(shop.store, [job.id for job in jobs])


def _sizes(connection: Connection) -> tuple[int, int, int, int]:
    """Runs, all rows, those that are left of what was pruned, and bytes."""
    counted = {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in metadata.sorted_tables
    }
    if connection.dialect.name == "postgresql":
        size = connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
    else:
        pages, page = (
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("page_count", "page_size")
        )
        size = pages * page
    return counted[runs.name], sum(counted.values()), sum(counted[name] for name in LEFT), size
