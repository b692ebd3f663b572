"""The tables' own history: up to what this code needs, and down again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection

from journeys.problems import Invalid
from store.locks import lock_house
from store.store import database_url, open_store

FOLDER = Path(__file__).parent / "migrations"


async def migrate(url: str, to: str = "head") -> None:
    """Bring the tables at *url* up to what this code needs. Several processes may ask at once. Raises Invalid."""
    await _move(url, command.upgrade, to)


async def downgrade(url: str, to: str = "base") -> None:
    """Take migrations back, down to *to*. ``base`` removes every table."""
    await _move(url, command.downgrade, to)


def config(connection: Connection) -> Config:
    """Alembic's settings, for one connection."""
    settings = Config()
    settings.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    settings.attributes["connection"] = connection
    return settings


async def _move(url: str, towards: Callable[[Config, str], None], to: str) -> None:
    _check_place(database_url(url))
    store = open_store(url)
    try:
        await store.write(partial(_at_once, towards=towards, to=to))
    finally:
        await store.close()


def _at_once(connection: Connection, towards: Callable[[Config, str], None], to: str) -> None:
    lock_house(connection)
    towards(config(connection), to)


def _check_place(address: URL) -> None:
    """SQLite makes a file, but no folder. Raises Invalid."""
    file = Path(address.database or "")
    if address.get_backend_name() != "sqlite" or not address.database or ":" in address.database:
        return
    if file.is_dir() or not file.parent.is_dir():
        wrong = f"{file} is a folder" if file.is_dir() else f"there is no folder {file.parent}"
        raise Invalid(f"The database cannot be kept in the file {file}: {wrong}.")
