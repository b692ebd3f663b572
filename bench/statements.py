"""How many statements and commits a journey takes, counted where SQLAlchemy hands them to the driver. Untimed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from rich.progress import Progress
from rich.table import Table
from sqlalchemy import Engine, event

from bench.asked import Asked
from bench.setting import customer_id, now, stocked
from journeys.clearance.consent import Rules
from journeys.clearance.policy import Policy
from journeys.walk.diary import Entry
from store import outbox
from store.policy import begin_with
from store.store import opened
from tests.shop import Shop

LEASE = timedelta(seconds=30)


@dataclass
class Counted:
    """What went to the database: statements (one for many rows is one), and commits."""

    statements: int = 0
    commits: int = 0


@contextmanager
def counted() -> Iterator[Counted]:
    """Count what any engine of this process does in the block."""
    seen = Counted()

    def statement(_connection: object, _cursor: object, text: str, *_: Any) -> None:
        seen.statements += not text.startswith("BEGIN")  # SQLite's; PostgreSQL's driver begins by itself

    def commit(_connection: object) -> None:
        seen.commits += 1

    event.listen(Engine, "before_cursor_execute", statement)
    event.listen(Engine, "commit", commit)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", statement)
        event.remove(Engine, "commit", commit)


async def measure(asked: Asked, progress: Progress) -> Table:
    """Take one customer through the store's part of the abandoned cart, on each database."""
    task = progress.add_task("counting", total=len(asked.databases))
    found = {}
    for name in asked.databases:
        found[name] = await count(name)
        progress.advance(task)
    table = Table("statements + commits", *found, title="Statements, counted")
    for what in next(iter(found.values())):
        table.add_row(what, *(f"{each[what].statements} + {each[what].commits}" for each in found.values()))
    sends = {
        name: [seen for what, seen in each.items() if what.startswith(("claim", "record"))]
        for name, each in found.items()
    }
    table.add_row("a send, the mean of the three", *map(_mean, sends.values()), style="bold")
    return table


def _mean(sends: Sequence[Counted]) -> str:
    return f"{sum(seen.statements for seen in sends) / 3:.1f} + {sum(seen.commits for seen in sends) / 3:.1f}"


USUAL = Policy(consent=Rules(text="non-restrictive"))
"""A policy as every house has one, under which all three messages go out."""


async def count(name: str) -> dict[str, Counted]:
    """By what is done: its statements and commits, on the database of this name."""
    async with stocked(name, 2) as database, opened(database.url) as store:
        shop = Shop(store, now())
        await begin_with(store, USUAL, shop.now)
        async for _ in _journey(shop, 0):  # what is read once and kept is read now
            pass
        return {what: seen async for what, seen in _journey(shop, 1)}


async def _journey(shop: Shop, number: int) -> AsyncIterator[tuple[str, Counted]]:
    """From the event to the end of the run, as the API, the relay and the worker do it."""
    with counted() as seen:
        run = await shop.start(customer_id(number), cart_id=f"cart-{number}")
    yield "accept an event that starts a run", seen
    with counted() as seen:
        jobs = await outbox.lease(shop.store, shop.now, 100, LEASE)
    yield "relay: take a job", seen
    with counted() as seen:
        await outbox.done(shop.store, [job.id for job in jobs])
    yield "relay: note that Temporal has it", seen
    for step, entries, following in _sends(shop):
        at: dict[str, Any] = {"entries": entries, "n": entries[-1].n + 1 if entries else 1, "following": following}
        with counted() as seen:
            await shop.claim(run, step, **at)
        yield f"claim of {step}", seen
        with counted() as seen:
            await shop.record(run, step, **at)
        yield f"record of {step}", seen


def _sends(shop: Shop) -> Iterator[tuple[str, list[Entry], str | None]]:
    """Each send's step, the lines of the diary that it carries, and the step that follows."""
    yield "initial-reminder", [], "opened"
    no = Entry(n=3, at=shop.now, step="opened", did="passed", arm="no", why="no opened within 1 day")
    yield "second-reminder", [no, _entered(shop, 4, "second-reminder")], "pause"
    waited = Entry(n=7, at=shop.now, step="pause", did="passed", why="waited 1 day")
    yield "final-reminder", [waited, _entered(shop, 8, "final-reminder")], None


def _entered(shop: Shop, n: int, step: str) -> Entry:
    return Entry(n=n, at=shop.now, step=step, did="entered")
