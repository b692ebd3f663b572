"""What the two indexes by which pruning finds its way cost who writes: the same work with them and without."""

from __future__ import annotations

from datetime import timedelta
from time import process_time

from rich.progress import Progress
from rich.table import Table
from sqlalchemy import Connection, text

from bench.asked import Asked
from bench.setting import Database, customer_id, now, stocked
from bench.showing import middle, ratios
from store import outbox
from store.store import Store, open_store
from tests.shop import Shop

INDEXES = ("ix_runs_ended_at_id", "ix_events_received_at")
PEOPLE = 200
BEFORE = 2_000
"""So many runs are over before anything is measured: an index over no rows costs nothing."""


class Side:
    """A shop with the indexes, or without."""

    def __init__(self, database: Database, store: Store) -> None:
        self._database = database
        self.store = store
        self._shop = Shop(store, now())

    async def walk(self, many: int) -> tuple[float, float]:
        """So many runs enter, send a message and are over. Returns milliseconds of CPU an event, and a send."""
        entering = sending = 0.0
        for first in range(0, many, PEOPLE):
            whom = [customer_id(number) for number in range(min(PEOPLE, many - first))]
            self._shop.later(seconds=1)
            began = self._cpu()
            runs = [await self._shop.start(each) for each in whom]
            entered = self._cpu()
            for run in runs:
                await self._shop.claim(run, following=None)
                await self._shop.record(run, following=None)  # and is over: the index of ended runs grows
            entering, sending = entering + entered - began, sending + self._cpu() - entered
            await self._told()
        return 1000 * entering / many, 1000 * sending / many

    async def _told(self) -> None:
        while jobs := await outbox.lease(self.store, self._shop.now, 1000, timedelta(seconds=30)):
            await outbox.done(self.store, [job.id for job in jobs])

    def _cpu(self) -> float:
        return process_time() + self._database.cpu


async def measure(asked: Asked, progress: Progress) -> Table:
    """Rounds of *count* runs, side by side; CPU of this process and of the database's."""
    table = Table("CPU with the indexes ÷ without", "an event that starts a run", "a send that ends one")
    for name in asked.databases:
        task = progress.add_task(name, total=asked.rounds)
        async with stocked(name, PEOPLE) as ours, stocked(name, PEOPLE) as theirs:
            sides = Side(ours, open_store(ours.url)), Side(theirs, open_store(theirs.url))
            try:
                await sides[1].store.write(_drop)
                for side in sides:
                    await side.walk(BEFORE)
                rounds = []
                for number in range(asked.rounds):
                    first, second = sides if number % 2 else sides[::-1]
                    took = {first: await first.walk(asked.count), second: await second.walk(asked.count)}
                    rounds.append((took[sides[0]], took[sides[1]]))
                    progress.advance(task)
            finally:
                for side in sides:
                    await side.store.close()
        pairs = ([(one[what], other[what]) for one, other in rounds] for what in (0, 1))
        figures = (middle(ratios(*zip(*each, strict=True))) for each in pairs)
        table.add_row(name, *figures)
    return table


def _drop(connection: Connection) -> None:
    for index in INDEXES:
        connection.execute(text(f"DROP INDEX {index}"))
