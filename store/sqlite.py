"""SQLite in a file: each transaction runs whole on a thread, so that the event loop waits once for it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from traceback import clear_frames
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
        # SQLite has one writer. Those of this process wait in line here, and need not poll for the file's lock.
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="writing")
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="reading")

    async def write(self, work: Callable[[Connection], Result]) -> Result:
        return await self._on(self._writer, "BEGIN IMMEDIATE", work)

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        return await self._on(self._readers, "BEGIN", work)

    async def alone(self, work: Callable[[Connection], Result]) -> Result:
        return await self.write(work)  # where a writer is alone anyway

    async def close(self) -> None:
        for threads in (self._writer, self._readers):
            await asyncio.to_thread(threads.shutdown)
        self.engine.dispose()

    async def _on(self, threads: ThreadPoolExecutor, begin: str, work: Callable[[Connection], Result]) -> Result:
        """What *work* returns, when it is committed. Cancelled, it is undone, but for a cancel during the commit."""
        abandoned = Event()

        def transaction() -> Result:
            with self.engine.begin() as connection:
                connection.exec_driver_sql(begin)
                try:
                    result = work(connection)
                except BaseException as error:
                    clear_frames(error.__traceback__)  # an open result in them would keep its moment of the database
                    raise
                if abandoned.is_set():
                    raise Abandoned
                return result

        try:
            return await asyncio.wrap_future(threads.submit(transaction))
        except asyncio.CancelledError:
            abandoned.set()
            raise


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself; we do
    # FULL: in WAL mode, NORMAL would lose the last commits, acknowledged ones, when the power fails.
    for setting in ("journal_mode=WAL", "synchronous=FULL", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {setting}").close()
