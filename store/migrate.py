"""The tables' own history: up to what this code needs, and down again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from store.locks import lock_house
from store.store import open_store

FOLDER = Path(__file__).parent / "migrations"


async def migrate(url: str, to: str = "head") -> None:
    """Bring the tables at *url* up to what this code needs. Several processes may ask at once."""
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
    store = open_store(url)
    try:
        async with store.write() as connection:
            await lock_house(connection)
            await connection.run_sync(lambda plain: towards(config(plain), to))
    finally:
        await store.close()
