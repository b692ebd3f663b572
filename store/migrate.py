"""The tables' own history: up to what this code needs, one migration after the other, and down again.

Who accepts events or sends goes on meanwhile. What a migration would make them wait for is said before: see ahead.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import await_only

from journeys.problems import Invalid, Unavailable
from store.locks import lock_house
from store.migrations.gently import LOCK_TIMEOUT
from store.store import database_url, opened

FOLDER = Path(__file__).parent / "migrations"

GENTLE_FROM = "0019"
"""From this one on, migrations hold up nobody. Those before count rows, and shut everybody out meanwhile."""

TRIES = 120
PAUSE = 0.5
"""Seconds, in which all who stood in line behind a migration that gave way are served."""

Told = Callable[[Script], None]
"""Called with each migration once it is done."""


async def migrate(url: str, to: str = "head", done: Told | None = None) -> None:
    """Bring the tables at *url* up to what this code needs. Several processes may ask at once.

    Raises Invalid, and Unavailable where others hold a table for very long.
    """
    check_place(url)
    async with opened(url) as store:
        if store.dialect == "sqlite":
            while script := await store.write(partial(_one_more, to=to)):
                _tell(done, script)
        else:
            await store.alone(partial(_all_of_them, to=to, done=done))


async def downgrade(url: str, to: str = "base") -> None:
    """Take migrations back, down to *to*. ``base`` removes every table."""
    async with opened(url) as store:
        await store.write(partial(_back, to=to))


def config(connection: Connection) -> Config:
    """Alembic's settings, for one connection."""
    settings = Config()
    settings.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    settings.attributes["connection"] = connection
    return settings


def lacking_here(connection: Connection, to: str) -> list[Script]:
    """The migrations that the tables lack, in their order."""
    scripts = ScriptDirectory.from_config(config(connection))
    at = MigrationContext.configure(connection).get_current_revision()
    return list(scripts.iterate_revisions(to, at or "base"))[::-1]


def _one_more(connection: Connection, to: str) -> Script | None:
    """Do the next migration, in a transaction that is alone; None where none is lacking."""
    if script := next(iter(lacking_here(connection, to)), None):
        command.upgrade(config(connection), script.revision)
    return script


def _all_of_them(connection: Connection, to: str, done: Told | None) -> None:
    """Do each in a transaction of its own, on PostgreSQL."""
    _be_the_only_one(connection)
    for setting in ("statement_timeout = 0", f"lock_timeout = '{LOCK_TIMEOUT}'"):
        connection.exec_driver_sql(f"SET {setting}")
    scripts = lacking_here(connection, to)
    connection.commit()
    for script in scripts:
        _patiently(connection, script)
        _tell(done, script)


def _be_the_only_one(connection: Connection) -> None:
    """Others who migrate wait here, in no transaction: an index that is built waits for all that there are."""
    while not connection.execute(_TRY).scalar_one():
        connection.commit()
        await_only(asyncio.sleep(PAUSE))
    connection.commit()


def _patiently(connection: Connection, script: Script) -> None:
    for _ in range(TRIES):
        try:
            _upgrade(connection, script)
            return
        except DBAPIError as error:
            connection.rollback()
            if getattr(error.orig, "sqlstate", None) != _LOCKED:
                raise
            await_only(asyncio.sleep(PAUSE))
    message = f"Migration {script.revision} did not get the lock of a table in {TRIES} tries."
    raise Unavailable(f"{message} Something holds it for long, such as a backup: try again when that is over.")


def _upgrade(connection: Connection, script: Script) -> None:
    if script.revision >= GENTLE_FROM:
        command.upgrade(config(connection), script.revision)
        return
    connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
    lock_house(connection)
    command.upgrade(config(connection), script.revision)
    connection.commit()


def _back(connection: Connection, to: str) -> None:
    lock_house(connection)
    command.downgrade(config(connection), to)


def _tell(done: Told | None, script: Script) -> None:
    if done:
        done(script)


def check_place(url: str) -> None:
    """SQLite makes a file, but no folder. Raises Invalid."""
    address = database_url(url)
    file = Path(address.database or "")
    if address.get_backend_name() != "sqlite" or not address.database or ":" in address.database:
        return
    if file.is_dir() or not file.parent.is_dir():
        wrong = f"{file} is a folder" if file.is_dir() else f"there is no folder {file.parent}"
        raise Invalid(f"The database cannot be kept in the file {file}: {wrong}.")


_TRY = text("SELECT pg_try_advisory_lock(1, 1)")
_LOCKED = "55P03"  # lock_not_available
