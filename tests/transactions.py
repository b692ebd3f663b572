"""The database by hand: statements that no function of the store executes, and a transaction that is under way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Executable
from sqlalchemy.util import await_only

from store.schema import AnyRow
from store.store import Store

Result = TypeVar("Result")


async def execute(store: Store, *statements: Executable, **parameters: Any) -> None:
    """Execute them in one transaction."""

    def work(connection: Connection) -> None:
        for statement in statements:
            connection.execute(statement, parameters)

    await store.write(work)


async def rows(store: Store, statement: Executable) -> Sequence[AnyRow]:
    """What a statement finds."""
    return await store.read(lambda connection: connection.execute(statement).all())


class UnderWay:
    """A transaction that has begun, and does what it is given until it is told to end. *whole*: all of it."""

    def __init__(self, store: Store) -> None:
        self._loop = asyncio.get_running_loop()
        self._given: asyncio.Queue[Callable[[Connection], None] | None] = asyncio.Queue()
        self.whole = asyncio.create_task(store.write(self._work))

    async def __call__(self, wanted: Callable[[Connection], Result]) -> Result:
        """What *wanted* returns when it is done in the transaction."""
        done: asyncio.Future[Result] = self._loop.create_future()

        def work(connection: Connection) -> None:
            self._loop.call_soon_threadsafe(done.set_result, wanted(connection))

        self._given.put_nowait(work)
        await asyncio.wait((done, self.whole), return_when=asyncio.FIRST_COMPLETED)
        if self.whole.done():
            await self.whole  # it has failed
        return await done

    async def end(self) -> None:
        """Commit."""
        self._given.put_nowait(None)
        await self.whole

    def _work(self, connection: Connection) -> None:
        while work := self._next(connection):
            work(connection)

    def _next(self, connection: Connection) -> Callable[[Connection], None] | None:
        if connection.dialect.is_async:  # PostgreSQL's transactions run on the event loop, SQLite's on a thread
            return await_only(self._given.get())
        return asyncio.run_coroutine_threadsafe(self._given.get(), self._loop).result()


@asynccontextmanager
async def under_way(store: Store) -> AsyncIterator[UnderWay]:
    """A transaction that is committed at the end."""
    transaction = UnderWay(store)
    try:
        yield transaction
    finally:
        await transaction.end()


class Halfway:
    """A place in a transaction, where it waits while others do something. SQLite's is alone, so that it goes on."""

    def __init__(self, store: Store) -> None:
        self._waits = store.dialect == "postgresql"
        self._loop = asyncio.get_running_loop()
        self._reached, self._may_go_on = asyncio.Event(), asyncio.Event()

    def here(self) -> None:
        """The transaction is there."""
        self._loop.call_soon_threadsafe(self._reached.set)
        if self._waits:
            await_only(self._may_go_on.wait())

    async def reached(self) -> None:
        """Wait until the transaction is there."""
        await asyncio.wait_for(self._reached.wait(), 30)

    def go_on(self) -> None:
        """Let the transaction go on."""
        self._may_go_on.set()
