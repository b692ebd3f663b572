"""The sides that are compared: the hand-written one, and Sojourn on each database, each in processes of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from itertools import count

from temporalio.client import Client

from bench.processes import Process, process
from bench.requests import connected, event, post
from bench.setting import Database
from terminal.lifetimes import beside

BY_HAND = "hand-written"
CONNECTIONS = 16
STALLED = 120.0

_queues = count(1)


class Side:
    """A worker, and what starts workflows for it, neither in our process."""

    def __init__(
        self, name: str, queue: str, worker: Process, starter: Process, database: Database | None = None
    ) -> None:
        self.name = name
        self.queue = queue
        self.worker = worker
        self.starter = starter
        self.database = database

    async def walk(
        self,
        client: Client,
        numbers: Sequence[int],
        together: int,
        ended: Callable[[], None],
        *,
        at: float | None = None,
    ) -> None:
        """Start a workflow for each of *numbers*, no more than *together* at a time, and wait for the end of all.

        The end is waited for alike on all sides: one long poll for each workflow, from its start on.
        """
        room = asyncio.Semaphore(together)
        patience = asyncio.timeout(STALLED)

        async def until_over(id: str) -> None:
            await client.get_workflow_handle(id).result()
            room.release()
            patience.reschedule(asyncio.get_running_loop().time() + STALLED)
            ended()

        try:
            async with patience, beside(self.worker.outlives()), asyncio.TaskGroup() as tasks:
                tasks.create_task(self.start(numbers, room, at))
                for _ in numbers:
                    tasks.create_task(until_over(await self.starter.line()))
        except TimeoutError:
            raise RuntimeError(f"{self.name}: no workflow has come to its end for {STALLED:.0f} s") from None

    async def start(self, numbers: Sequence[int], room: asyncio.Semaphore, at: float | None) -> None:
        """Have a workflow started for each, when there is room. The starter says the id of each that Temporal has."""
        raise NotImplementedError


class _ByHand(Side):
    async def start(self, numbers: Sequence[int], room: asyncio.Semaphore, at: float | None) -> None:
        for number in numbers:
            await room.acquire()
            self.starter.tell(json.dumps({"number": number, "day": DAY, "at": at}))


class _Sojourn(Side):
    async def start(self, numbers: Sequence[int], room: asyncio.Semaphore, at: float | None) -> None:
        left = iter(numbers)
        await asyncio.gather(*(self._post(left, room, at) for _ in range(CONNECTIONS)))

    async def _post(self, left: Iterator[int], room: asyncio.Semaphore, at: float | None) -> None:
        occurred = {} if at is None else {"occurred_at": datetime.fromtimestamp(at, UTC).isoformat()}
        async with connected(self.starter.greeting) as connection:
            while True:
                await room.acquire()
                number = next(left, None)
                if number is None:
                    room.release()
                    return
                # A run's id is made from its event's, and the same id would be the same workflow on every database.
                await connection.ask(post(event(f"{self.queue}-{number}", number, **occurred)))


DAY = 1.0
"""How many seconds a day lasts: short, so that the waits are not what is measured, and longer than a step takes."""


@asynccontextmanager
async def by_hand(address: str) -> AsyncIterator[Side]:
    """The hand-written side."""
    queue = f"by-hand-{next(_queues)}"
    async with (
        process("the hand-written worker", "bench.by_hand.worker", address, queue) as worker,
        process("the hand-written starter", "bench.by_hand.starter", address, queue) as starter,
    ):
        yield _ByHand(BY_HAND, queue, worker, starter)


@asynccontextmanager
async def sojourn(address: str, database: Database, day: float = DAY) -> AsyncIterator[Side]:
    """Sojourn, on a database in which the journey is live."""
    queue = f"sojourn-{next(_queues)}"
    worker, api = f"Sojourn's worker on {database.name}", f"Sojourn's API on {database.name}"
    async with (
        process(worker, "bench.working", address, queue, database.url) as working,
        process(api, "bench.serving", database.url, str(day), address, queue) as serving,
    ):
        yield _Sojourn(database.name, queue, working, serving, database)


@asynccontextmanager
async def sides(address: str, databases: Sequence[Database]) -> AsyncIterator[list[Side]]:
    """All of them on one server, all alive at once."""
    async with AsyncExitStack() as alive:
        first = await alive.enter_async_context(by_hand(address))
        yield [first, *[await alive.enter_async_context(sojourn(address, each)) for each in databases]]
