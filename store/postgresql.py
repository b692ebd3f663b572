"""PostgreSQL by URL: each transaction on one of a pool of connections, and the event loop never waits for one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from typing import TypeVar

from sqlalchemy import URL, Connection, Engine, event
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_connection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

Result = TypeVar("Result")

IDLE = 1.0
"""Seconds after which a connection is asked for a sign of life: its server may have gone, or come back."""


class Postgresql:
    """A server. *patience*: how long to wait for it to answer."""

    def __init__(self, address: URL, patience: timedelta) -> None:
        settings = {
            "statement_timeout": "30s",
            "idle_in_transaction_session_timeout": "60s",
            "application_name": "sojourn",
        }
        self._engine = create_async_engine(
            address,
            execution_options={"versions": {}},  # what store/versions.py keeps in memory
            pool_size=10,
            max_overflow=10,
            pool_timeout=30,
            hide_parameters=True,  # an error's text, which is logged, would hold addresses
            connect_args={"timeout": patience.total_seconds(), "server_settings": settings},
        )
        self._to_read = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        event.listen(self.engine, "checkin", _note_idle)
        event.listen(self.engine, "checkout", _ask_if_idle)

    @property
    def engine(self) -> Engine:
        return self._engine.sync_engine

    # A plain function whose statements are awaited where they are executed: SQLAlchemy switches greenlets there.

    async def write(self, work: Callable[[Connection], Result]) -> Result:
        async with self._engine.begin() as connection:
            return await connection.run_sync(work)

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        async with self._to_read.begin() as connection:
            return await connection.run_sync(work)

    async def alone(self, work: Callable[[Connection], Result]) -> Result:
        async with self._engine.connect() as connection:
            return await connection.run_sync(work)

    async def close(self) -> None:
        await self._engine.dispose()


def _note_idle(_connection: object, entry: ConnectionPoolEntry) -> None:
    entry.info["idle_since"] = monotonic()


def _ask_if_idle(connection: AsyncAdapt_asyncpg_connection, entry: ConnectionPoolEntry, _proxy: object) -> None:
    """As ``pool_pre_ping``, which asks each time: three ways to the server, and a quarter of a short transaction."""
    if connection.driver_connection.is_closed():  # known here already
        raise InvalidatePoolError
    if monotonic() - entry.info.get("idle_since", monotonic()) < IDLE:
        return
    try:
        connection.ping()  # type: ignore[no-untyped-call]
    except Exception as error:
        raise InvalidatePoolError from error
