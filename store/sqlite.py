"""SQLite in a file: each transaction runs whole on a thread, so that the event loop waits once for it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import TypeVar

from sqlalchemy import URL, Connection, create_engine, event

Result = TypeVar("Result")

READERS = 8


class Abandoned(Exception):
    """Nobody waits for the transaction any more, so it is undone."""


class Sqlite:
    """A file. *patience*: how long to wait for a lock that another process holds on it."""

    def __init__(self, address: URL, patience: timedelta) -> None:
        self.engine = create_engine(
            address,
            connect_args={"timeout": patience.total_seconds()},
            execution_options={"versions": {}},  # what store/versions.py keeps in memory
            pool_size=READERS + 1,
            hide_parameters=True,  # an error's text, which is logged, would hold addresses
        )
        event.listen(self.engine, "connect", _prepare)
        event.listen(self.engine, "begin", _begin)
        self._to_write = self.engine.execution_options(writing=True)
        # SQLite has one writer. Those of this process wait in line here, and need not poll for the file's lock.
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="writing")
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="reading")

    async def write(self, work: Callable[[Connection], Result]) -> Result:
        abandoned = Event()

        def whole() -> Result:
            with self._to_write.begin() as connection:
                result = work(connection)
                if abandoned.is_set():
                    raise Abandoned
                return result

        return await _on(self._writer, whole, abandoned)

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        def whole() -> Result:
            with self.engine.begin() as connection:
                return work(connection)

        return await _on(self._readers, whole, Event())

    async def close(self) -> None:
        for threads in (self._writer, self._readers):
            await asyncio.to_thread(threads.shutdown)
        self.engine.dispose()


async def _on(threads: ThreadPoolExecutor, whole: Callable[[], Result], abandoned: Event) -> Result:
    """What *whole* returns on a thread. Cancelled, it is told that it is *abandoned*, and nobody waits for it."""
    work = threads.submit(whole)
    result = asyncio.wrap_future(work)
    try:
        return await asyncio.shield(result)
    except asyncio.CancelledError:
        abandoned.set()
        work.cancel()  # where it has not begun
        result.add_done_callback(_heed)
        raise


def _heed(result: asyncio.Future[Result]) -> None:
    """Look at an error that nobody else looks at: asyncio would complain."""
    if not result.cancelled():
        result.exception()


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself; _begin does
    # FULL: in WAL mode, NORMAL would lose the last commits, acknowledged ones, when the power fails.
    for setting in ("journal_mode=WAL", "synchronous=FULL", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {setting}").close()


def _begin(connection: Connection) -> None:
    writing = connection.get_execution_options().get("writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
