"""The database: SQLite in a file, or PostgreSQL by URL. Everything else in this room is a transaction on it.

A transaction is a plain function: it is given a connection, and what it has written is committed when it returns.
Its decorator makes it one that is called with a store, and awaited::

    @read_transaction
    def get_content(connection: Connection, name: str) -> ContentView: ...

    await get_content(store, "initial-email-reminder")
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from functools import wraps
from typing import Any, Concatenate, Literal, ParamSpec, Protocol, TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy import exc as errors
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from journeys.problems import Flaw, Invalid, Unavailable
from store.postgresql import Postgresql
from store.sqlite import Sqlite

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

PATIENCE = timedelta(seconds=5)
MOST_ATTEMPTS = 6

DRIVERS = {"sqlite": "sqlite", "postgres": "postgresql+asyncpg", "postgresql": "postgresql+asyncpg"}


class Database(Protocol):
    """One of the databases that there are. *work* is done whole, on a connection of its own, and then committed."""

    @property
    def engine(self) -> Engine: ...

    async def write(self, work: Callable[[Connection], Result]) -> Result: ...

    async def read(self, work: Callable[[Connection], Result]) -> Result: ...

    async def alone(self, work: Callable[[Connection], Result]) -> Result: ...

    async def close(self) -> None: ...


class Store:
    """A database, whose every error is told in our words."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def engine(self) -> Engine:
        return self._database.engine

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]:
        return "sqlite" if self.engine.dialect.name == "sqlite" else "postgresql"

    async def write(self, work: Callable[[Connection], Result]) -> Result:
        """Do *work* in a transaction that is committed at the end, or not at all.

        In SQLite no other one writes meanwhile; in PostgreSQL rows and customers are locked by whom they concern.
        Cancelled, it is undone, unless it is being committed already.
        On SQLite its thread runs it to its end first.
        Raises Unavailable; Again where a second try may help.
        """
        with _in_our_words():
            return await self._database.write(work)

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        """Do *work* in a transaction that sees one moment of the database. Raises Unavailable."""
        with _in_our_words():
            return await self._database.read(work)

    async def alone(self, work: Callable[[Connection], Result]) -> Result:
        """Do *work* on a connection of its own, in transactions that it begins and commits; in SQLite it is in one.

        Raises Unavailable.
        """
        with _in_our_words():
            return await self._database.alone(work)

    async def close(self) -> None:
        """Give all connections back."""
        await self._database.close()


def read_transaction(
    transaction: Callable[Concatenate[Connection, Arguments], Result],
) -> Callable[Concatenate[Store, Arguments], Coroutine[Any, Any, Result]]:
    """The function as one that is called with a store, and sees one moment of the database."""

    @wraps(transaction)
    async def reading(store: Store, /, *arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        return await store.read(lambda connection: transaction(connection, *arguments, **named))

    return reading


def write_transaction(
    transaction: Callable[Concatenate[Connection, Arguments], Result],
) -> Callable[Concatenate[Store, Arguments], Coroutine[Any, Any, Result]]:
    """The function as one that is called with a store, and whose writes are committed when it returns, or never.

    It is done again as a whole, a few times, where the database undid it in favour of another one.
    """

    @wraps(transaction)
    async def writing(store: Store, /, *arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        def work(connection: Connection) -> Result:
            return transaction(connection, *arguments, **named)

        for attempt in range(1, MOST_ATTEMPTS):
            try:
                return await store.write(work)
            except Again:
                await asyncio.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 - only to part the two
        return await store.write(work)

    return writing


def open_store(url: str, *, patience: timedelta = PATIENCE) -> Store:
    """The store at *url*: ``sqlite:///path`` or ``postgresql://…``. Connects on first use.

    *patience*: how long to wait for the server, or for a lock that another process holds on the file.
    Raises Invalid where the URL names no database that we know.
    """
    address = database_url(url)
    if address.get_backend_name() == "sqlite":
        return Store(Sqlite(address, patience))
    return Store(Postgresql(address, patience))


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    """The store at *url*, until the block ends. Raises Invalid where the URL names no database that we know."""
    store = open_store(url)
    try:
        yield store
    finally:
        await store.close()


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


@read_transaction
def ping(connection: Connection) -> None:
    """Ask the database for a sign of life. Raises Unavailable where there is none, or no tables."""
    connection.execute(_PING)


_PING = text("SELECT 1 FROM outbox LIMIT 1")


class Again(Unavailable):
    """Two transactions got into each other's way; the same one may well succeed now."""


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
