"""The sides that are compared: the hand-written one, and Sojourn on each database, each in processes of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from itertools import count
from typing import NamedTuple

from temporalio.client import Client

from bench.processes import Process, process
from bench.requests import Connection, connected, event, post
from bench.setting import Database
from terminal.lifetimes import beside

BY_HAND = "hand-written"
CONNECTIONS = 16
STALLED = 120.0

POLLS = 100
"""How many long polls there are at once; Temporal allows a namespace 1,200 of them."""

_queues = count(1)


class Due(NamedTuple):
    """Messages that are all to go *at* one instant: after a wait that is counted from *since* (both aware UTC)."""

    since: datetime
    at: datetime


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

    async def walk(self, client: Client, numbers: Sequence[int], together: int, ended: Callable[[], None]) -> None:
        """Start a workflow for each of *numbers*, no more than *together* at a time, and wait for the end of all."""
        room = asyncio.Semaphore(together)

        async with self.going_on() as news, asyncio.TaskGroup() as tasks:

            def over() -> None:
                room.release()
                ended()
                news()

            tasks.create_task(self._start(numbers, room, None))
            for _ in numbers:
                tasks.create_task(_until_over(client, await self.starter.line(), over))

    async def begin(self, numbers: Sequence[int], started: Callable[[], None], due: Due | None = None) -> list[str]:
        """Start a workflow for each of *numbers*, all at once. Returns their ids once Temporal has them."""
        ids = []
        async with self.going_on() as news, asyncio.TaskGroup() as tasks:
            tasks.create_task(self._start(numbers, asyncio.Semaphore(len(numbers)), due))
            for _ in numbers:
                ids.append(await self.starter.line())
                started()
                news()
        return ids

    async def end(self, client: Client, ids: Sequence[str], ended: Callable[[], None], after: float = 0) -> None:
        """Wait for the end of workflows that were begun; the first of them may take *after* seconds."""
        left = iter(ids)

        async with self.going_on(after) as news:

            def over() -> None:
                ended()
                news()

            async def some() -> None:
                for id in left:  # shared by all
                    await _until_over(client, id, over)

            await asyncio.gather(*(some() for _ in range(POLLS)))

    @asynccontextmanager
    async def going_on(self, after: float = 0) -> AsyncIterator[Callable[[], None]]:
        """Raises RuntimeError where the worker ends, or where there is no news for too long."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(STALLED + after) as patience, beside(self.worker.outlives()):
                yield lambda: patience.reschedule(max(patience.when() or 0, loop.time() + STALLED))
        except TimeoutError:
            raise RuntimeError(f"{self.name}: for {STALLED:.0f} s, no workflow has come further") from None

    async def _start(self, numbers: Sequence[int], room: asyncio.Semaphore, due: Due | None) -> None:
        """Have a workflow started for each, when there is room. The starter says the id of each that Temporal has."""
        raise NotImplementedError


async def _until_over(client: Client, id: str, then: Callable[[], None]) -> None:
    """Alike on all sides: a long poll for each workflow, from its start on."""
    await client.get_workflow_handle(id).result()
    then()


class _ByHand(Side):
    async def _start(self, numbers: Sequence[int], room: asyncio.Semaphore, due: Due | None) -> None:
        for number in numbers:
            await room.acquire()
            self.starter.tell(json.dumps({"number": number, "day": DAY, "at": due and due.at.timestamp()}))


class _Sojourn(Side):
    api = ""
    """Another address than the starter's, where events go to another API."""

    async def _start(self, numbers: Sequence[int], room: asyncio.Semaphore, due: Due | None) -> None:
        left = iter(numbers)
        await asyncio.gather(*(self._post(left, room, due) for _ in range(CONNECTIONS)))

    async def _post(self, left: Iterator[int], room: asyncio.Semaphore, due: Due | None) -> None:
        occurred = {"occurred_at": due.since.isoformat()} if due else {}
        async with connected(self.api or self.starter.greeting) as connection:
            for number in left:  # shared by all connections
                await room.acquire()
                # A run's id is made from its event's, and the same id would be the same workflow on every database.
                await self._ask(connection, post(event(f"{self.queue}-{number}", number, **occurred)))

    async def _ask(self, connection: Connection, request: bytes) -> None:
        try:
            await connection.ask(request)
        except (OSError, EOFError):
            await self.starter.outlives()  # it raises, with what it complained of
            raise


REAL_DAY = 86_400.0
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
async def slowly(side: Side) -> AsyncIterator[Side]:
    """The same side, whose runs take real days: of two APIs on one database, the first relays for both."""
    assert side.database
    async with process("the other API", "bench.serving", side.database.url, str(REAL_DAY)) as serving:
        slow = _Sojourn(side.name, side.queue, side.worker, side.starter, side.database)
        slow.api = serving.greeting
        yield slow


@asynccontextmanager
async def sides(address: str, databases: Sequence[Database]) -> AsyncIterator[list[Side]]:
    """All of them on one server, all alive at once."""
    async with AsyncExitStack() as alive:
        first = await alive.enter_async_context(by_hand(address))
        yield [first, *[await alive.enter_async_context(sojourn(address, each)) for each in databases]]
