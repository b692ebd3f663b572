"""The database: SQLite in a file, or PostgreSQL by URL. Everything else in this room is handed a Store."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from datetime import timedelta
from functools import wraps
from typing import Any, Literal, ParamSpec, TypeVar, cast

from sqlalchemy import Connection, event, text
from sqlalchemy import exc as errors
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from journeys.listening import Version
from journeys.problems import Flaw, Invalid, Unavailable

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

PATIENCE = timedelta(seconds=5)
MOST_ATTEMPTS = 6

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgres": "postgresql+asyncpg", "postgresql": "postgresql+asyncpg"}


class Store:
    """A database, with what is kept in memory of it because it never changes: published versions."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.versions: dict[tuple[str, int], Version] = {}
        # SQLite has one writer. Those of this process wait in line here, and need not poll for the file's lock.
        self._turn = asyncio.Lock() if self.dialect == "sqlite" else nullcontext()
        self._writing = engine.execution_options(writing=True)
        self._reading = engine.execution_options(**_READING[self.dialect])

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]:
        return cast(Literal["sqlite", "postgresql"], self.engine.dialect.name)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that is committed at the end, or not at all.

        In SQLite no other one writes meanwhile; in PostgreSQL rows and customers are locked by whom they concern.
        Raises Unavailable; Again where a second try may help.
        """
        async with self._turn:
            with _in_our_words():
                async with self._writing.begin() as connection:
                    yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that sees one moment of the database. Raises Unavailable."""
        with _in_our_words():
            async with self._reading.begin() as connection:
                yield connection

    async def close(self) -> None:
        """Give all connections back."""
        await self.engine.dispose()


_READING: dict[str, dict[str, Any]] = {
    "sqlite": {},
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}


def open_store(url: str, *, patience: timedelta = PATIENCE) -> Store:
    """The store at *url*: ``sqlite:///path`` or ``postgresql://…``. Connects on first use.

    *patience*: how long to wait for the server, or for a lock that another process holds on the file.
    Raises Invalid where the URL names no database that we know.
    """
    address = database_url(url)
    seconds = patience.total_seconds()
    if address.get_backend_name() == "sqlite":
        engine = create_async_engine(address, connect_args={"timeout": seconds}, hide_parameters=True)
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return Store(engine)
    settings = {"statement_timeout": "30s", "idle_in_transaction_session_timeout": "60s", "application_name": "sojourn"}
    return Store(
        create_async_engine(
            address,
            pool_size=10,
            max_overflow=10,
            pool_timeout=30,
            pool_pre_ping=True,
            hide_parameters=True,  # an error's text, which is logged, would hold addresses
            connect_args={"timeout": seconds, "server_settings": settings},
        )
    )


def database_url(url: str) -> URL:
    """*url* with the driver that we use. Raises Invalid."""
    try:
        address = make_url(url)
        driver = DRIVERS[address.drivername.partition("+")[0]]
    except (ArgumentError, KeyError, ValueError):
        message = f'"{url.partition("://")[0]}://…" names no database that we know.'
        hint = "Write sqlite:///path/to/sojourn.db or postgresql://user:password@host/name."
        raise Invalid("The database's URL is not valid.", [Flaw(path="", message=message, hint=hint)]) from None
    mode = address.query.get("sslmode")  # libpq's word; asyncpg's is ssl, with the same values
    if mode is not None:
        address = address.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})
    return address.set(drivername=driver)


async def ping(store: Store) -> None:
    """Ask the database for a sign of life. Raises Unavailable where there is none, or no tables."""
    async with store.read() as connection:
        await connection.execute(_PING)


_PING = text("SELECT 1 FROM outbox LIMIT 1")


class Again(Unavailable):
    """Two transactions got into each other's way; the same one may well succeed now."""


def retried(transaction: Callable[Arguments, Awaitable[Result]]) -> Callable[Arguments, Awaitable[Result]]:
    """Do the whole transaction again, a few times, where the database undid it in favour of another one."""

    @wraps(transaction)
    async def until_done(*arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        for attempt in range(1, MOST_ATTEMPTS):
            try:
                return await transaction(*arguments, **named)
            except Again:
                await asyncio.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 - only to part the two
        return await transaction(*arguments, **named)

    return until_done


# serialization_failure, deadlock_detected, unique_violation (somebody else inserted it since we looked)
_WORTH_ANOTHER_TRY = frozenset({"40001", "40P01", "23505"})
_OUT_OF_REACH = (OSError, errors.TimeoutError, errors.OperationalError, errors.InterfaceError, errors.InternalError)


# Connection trouble, no resources, an operator's doing (a time limit too), and tables that are still to be made.
_AWAY = ("08", "53", "57", "42P01")


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except errors.DBAPIError as error:
        raise _meaning(error) from error
    except _OUT_OF_REACH as error:
        raise Unavailable("The database does not answer.", cause=str(error)) from error


def _meaning(error: errors.DBAPIError) -> Exception:
    state = str(getattr(error.orig, "sqlstate", None) or "")
    said = str(error.orig).partition("\n")[0]
    if state in _WORTH_ANOTHER_TRY:
        return Again("The database is too busy with the same rows.", cause=said)
    if state.startswith("22"):
        return Invalid("The database cannot store one of the values.", cause=said)
    if error.connection_invalidated or isinstance(error, _OUT_OF_REACH) or state.startswith(_AWAY):
        return Unavailable("The database does not answer.", cause=said)
    return error


def _prepare_sqlite(connection: AsyncAdapt_aiosqlite_connection, _record: object) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself; _begin_sqlite does
    cursor = connection.cursor()
    # FULL: in WAL mode, NORMAL would lose the last commits, acknowledged ones, when the power fails.
    for setting in ("journal_mode=WAL", "synchronous=FULL", "temp_store=MEMORY"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
