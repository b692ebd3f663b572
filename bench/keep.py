"""Whether a shop that runs for years stays bounded: rows and bytes, year by year, and what pruning costs who writes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from multiprocessing import get_context
from time import monotonic, process_time
from typing import NamedTuple

from rich.progress import Progress
from rich.table import Table
from sqlalchemy import Connection, func, select, text

from bench.asked import Asked
from bench.setting import customer_id, now, stocked
from store import outbox
from store.events import accept
from store.pruning import prune
from store.schema import metadata, runs
from store.store import Store, opened
from tests.shop import Shop

YEARS = 3
STEP = timedelta(days=20)
"""So much of a year is lived at once: its runs begin together, and are over together."""

LEFT_OVER = 6 * STEP
"""So much of each year is not pruned as it goes, so that there is something to prune beside events at its end."""

PEOPLE = 200
YEAR = timedelta(days=365)
LEFT = ("known_events", "links", "entries", "people")
BESIDE = 200
"""Events whose time is taken without pruning."""


class Took(NamedTuple):
    """What some events took each, in milliseconds: on the clock, and of this process's CPU."""

    clock: list[float]
    cpu: list[float]


async def measure(asked: Asked, progress: Progress) -> Table:
    """A shop of *count* runs a year, with the policy as usual, on a clock of its own."""
    table = Table("", "year", "runs", "rows", "of these left of what was pruned", "MB")
    for column in ("events beside it", "CPU ÷ alone", "ms ÷ alone", "longest ms alone", "beside"):
        table.add_column(column)
    table.title = f"Keeping: {asked.count:,} runs a year, kept for 400 days; pruning is a process of its own"
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pruner:
        for name in asked.databases:
            task = progress.add_task(name, total=YEARS * (YEAR // STEP))
            async with stocked(name, PEOPLE) as database, opened(database.url) as store:
                shop, end = Shop(store, now() - YEARS * YEAR), now() - YEARS * YEAR
                for year in range(1, YEARS + 1):
                    await _year(shop, end + year * YEAR, asked.count, partial(progress.advance, task))
                    alone, beside = await _beside(shop, pruner, database.url)
                    await _vacuum(store)
                    kept, rows, left, size = await store.read(_sizes)
                    figures = f"{kept:,}", f"{rows:,}", f"{left:,}", f"{size / 1e6:.1f}"
                    table.add_row(name, str(year), *figures, *_ratios(alone, beside))
    return table


async def _year(shop: Shop, until: datetime, count: int, on: Callable[[], object]) -> None:
    """Live up to then, and prune as it goes."""
    while shop.now < until:
        shop.now = min(shop.now + STEP, until)
        await _live(shop, max(1, count * STEP // YEAR))
        if shop.now < until - LEFT_OVER:
            await prune(shop.store, shop.now)
        on()


async def _beside(shop: Shop, pruner: ProcessPoolExecutor, url: str) -> tuple[Took, Took]:
    """What events take alone, and while another process prunes, as a worker does."""
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(pruner, _ready)
    alone, beside = Took([], []), Took([], [])
    for number in range(BESIDE):
        await _one_event(shop, number, alone)
    pruning = loop.run_in_executor(pruner, prune_all, url, shop.now)
    while not pruning.done():
        await _one_event(shop, len(beside.clock), beside)
    return alone, beside if await pruning else Took([], [])


def _ready() -> None:
    """The process is there, and has imported what it needs."""


def prune_all(url: str, at: datetime) -> int:
    """Prune, in a process of its own. Returns how many runs."""

    async def pruned() -> int:
        async with opened(url) as store:
            return (await prune(store, at))["runs"]

    return asyncio.run(pruned())


async def _vacuum(store: Store) -> None:
    """What autovacuum does once a minute: years pass here between two of its looks."""
    if store.dialect == "postgresql":
        await store.alone(_vacuum_all)


def _vacuum_all(connection: Connection) -> None:
    connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM"))


async def _one_event(shop: Shop, number: int, took: Took) -> None:
    event = shop.event("purchase-completed", customer_id(number % PEOPLE))
    began, used = monotonic(), process_time()
    await accept(shop.store, [event], shop.now)
    took.cpu.append(1000 * (process_time() - used))
    took.clock.append(1000 * (monotonic() - began))


def _ratios(alone: Took, beside: Took) -> tuple[str, ...]:
    if not beside.clock:
        return "–", "–", "–", f"{max(alone.clock):.0f}", "–"
    cpu, clock = (
        sum(ours) / len(ours) / (sum(theirs) / len(theirs))
        for ours, theirs in ((beside.cpu, alone.cpu), (beside.clock, alone.clock))
    )
    longest = f"{max(alone.clock):.0f}", f"{max(beside.clock):.0f}"
    return f"{len(beside.clock):,}", f"{cpu:.2f}", f"{clock:.2f}", *longest


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
        tables = "SELECT sum(pg_total_relation_size(relid)) FROM pg_stat_user_tables"
        size = int(connection.execute(text(tables)).scalar_one())
    else:
        pages, page = (
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("page_count", "page_size")
        )
        size = pages * page
    return counted[runs.name], sum(counted.values()), sum(counted[name] for name in LEFT), size
