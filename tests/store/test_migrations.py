"""Migrations of a database that is in use: nobody who writes waits for long, and what is waited for is said before."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

import pytest
from alembic.operations import ops
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from journeys.problems import Unavailable
from store import migrate as migrating
from store.ahead import ahead, recorded
from store.migrate import GENTLE_FROM, config, downgrade, migrate
from store.migrations.gently import GENTLY
from store.store import Store, open_store
from tests.transactions import execute, rows, under_way

BEFORE = "0018"
RUNS = int(os.environ.get("SOJOURN_TEST_RUNS", "20000"))
LONGEST = 1.0

_FILL = (
    text("""
        INSERT INTO runs (id, journey, version, customer, trigger, event_source, event_id, entered_at, started_at,
                          day_seconds, why, lines, ended, ended_at)
        SELECT 'run-' || n, 'j', 1, 'customer-' || n, 't', 's', 'e-' || n, now(), now(), 86400, '', 1, 'exited', now()
        FROM generate_series(1, :many) AS n
    """),
    text("""
        INSERT INTO events (id, source, trigger, customer, occurred_at, received_at, attributes, body)
        SELECT 'e-' || n, 's', 't', 'customer-' || n, now(), now(), '{}', '' FROM generate_series(1, :many) AS n
    """),
)
_WRITE = (
    text("INSERT INTO events (id, source, trigger, occurred_at, received_at, attributes, body)"
         " VALUES (:id, 'beside', 't', now(), now(), '{}', '')"),
    text("UPDATE runs SET lines = lines + 1 WHERE id = 'run-1'"),
    text("INSERT INTO sends (id, run, customer, step, kind, content, state, attempt, reason)"
         " VALUES (:id, :id, 'c', 's', 'email', 'c', 'accepted', 1, '')"),
    text("INSERT INTO decisions (event, source, journey, version, did, why, answers)"
         " VALUES (:id, 'beside', 'j', 1, 'ignored', '', '[]')"),
)  # fmt: skip


def scripts() -> list[Script]:
    with create_engine("sqlite://").connect() as connection:
        return list(ScriptDirectory.from_config(config(connection)).walk_revisions())[::-1]


GENTLE = [script for script in scripts() if script.revision >= GENTLE_FROM]


@pytest.mark.parametrize("script", GENTLE, ids=lambda script: script.revision)
@pytest.mark.parametrize("dialect", ["postgresql", "sqlite"])
def test_a_migration_does_nothing_that_others_wait_for(script: Script, dialect: str) -> None:
    new = set()
    for operation in recorded(script, dialect):
        match operation:
            case ops.CreateTableOp():
                new.add(operation.table_name)
            case ops.AddColumnOp():  # which is there at once, also where it has a default that is constant
                assert operation.column.nullable or operation.column.server_default is not None, operation.column
            case ops.CreateIndexOp():
                beside = bool(operation.kw.get("postgresql_concurrently"))
                assert beside or dialect == "sqlite" or operation.table_name in new, (
                    f"{operation.index_name}: build_index() of store/migrations/gently.py builds it beside writers"
                )
            case ops.ExecuteSQLOp() if (operation.execution_options or {}).get(GENTLY):
                pass
            case _:
                pytest.fail(f"{script.revision}: {operation} may take long on a large table")


class Writer:
    """Somebody who writes all the time. *longest*: how many seconds one transaction took at most."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.longest = 0.0
        self.written = 0

    async def run(self) -> None:
        while True:
            began = monotonic()
            await execute(self._store, *_WRITE, id=f"beside-{self.written}")
            self.longest = max(self.longest, monotonic() - began)
            self.written += 1


@asynccontextmanager
async def writing(url: str) -> AsyncIterator[Writer]:
    store = open_store(url)
    writer = Writer(store)
    task = asyncio.create_task(writer.run())
    try:
        yield writer
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await store.close()
    assert writer.written > 0


async def full(store: Store, url: str, many: int = RUNS) -> None:
    """As the release before has it, with so many runs and events."""
    await downgrade(url, BEFORE)
    for statement in _FILL:
        await execute(store, statement, many=many)


@pytest.mark.postgres
async def test_whoever_writes_waits_less_than_a_second(postgres_url: str) -> None:
    store = open_store(postgres_url)
    await full(store, postgres_url)

    async with writing(postgres_url) as writer:
        began = monotonic()
        await migrate(postgres_url)
        took = monotonic() - began
        await asyncio.sleep(0.1)
    await store.close()

    sys.stderr.write(
        f"{RUNS:,} runs: migrated in {took:.2f} s, {writer.written:,} written, longest {writer.longest:.3f} s\n"
    )
    assert writer.longest < LONGEST


@pytest.mark.postgres
async def test_a_migration_gives_way_as_long_as_somebody_holds_a_table(postgres_url: str) -> None:
    store, elsewhere = open_store(postgres_url), open_store(postgres_url)
    await full(store, postgres_url, 10)

    async with writing(postgres_url) as writer:
        async with under_way(elsewhere) as do:
            await do(lambda connection: connection.execute(text("LOCK TABLE runs IN ACCESS SHARE MODE")))
            upgrading = asyncio.create_task(migrate(postgres_url))
            await asyncio.sleep(1.5)
            assert not upgrading.done()
        await upgrading

    assert writer.longest < LONGEST
    assert await ahead(store) == ()
    for each in (store, elsewhere):
        await each.close()


@pytest.mark.postgres
async def test_what_never_gets_a_table_says_so(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrating, "TRIES", 2)
    store = open_store(postgres_url)
    await full(store, postgres_url, 10)

    async with under_way(store) as do:
        await do(lambda connection: connection.execute(text("LOCK TABLE runs IN ACCESS SHARE MODE")))
        with pytest.raises(Unavailable, match="0019 did not get the lock of a table in 2 tries"):
            await migrate(postgres_url)

    await migrate(postgres_url)
    await store.close()


@pytest.mark.postgres
async def test_an_index_whose_build_was_cut_off_is_built_anew(postgres_url: str) -> None:
    store = open_store(postgres_url)
    await full(store, postgres_url, 10)
    left = "CREATE INDEX ix_events_received_at ON events (received_at)"
    cut_off = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_events_received_at'::regclass"
    await execute(store, text(left), text(cut_off))

    await migrate(postgres_url)

    invalid = text("SELECT indexrelid::regclass::text AS name FROM pg_index WHERE NOT indisvalid")
    assert await rows(store, invalid) == []
    await store.close()


async def test_what_it_would_do_is_said_before(store: Store, database_url: str) -> None:
    await downgrade(database_url, BEFORE)
    one = "INSERT INTO triggers (name, definition, state, seen, created_at, changed_at)"
    await execute(store, text(f"{one} VALUES ('t', '{{}}', 'ready', 0, '2026-11-24', '2026-11-24')"))

    said = {step.does: step for each in await ahead(store) for step in each.steps}

    assert said["new table waiting_starts"].waits == ""
    assert said["column ended_by"].table == said["index ix_runs_ended_at_id"].table == "runs"
    assert {step.waits for step in said.values()} == {""}  # nothing is long here
    await migrate(database_url)
    assert await ahead(store) == ()


async def test_on_sqlite_an_index_of_a_long_table_says_who_waits(sqlite_url: str) -> None:
    await downgrade(sqlite_url, BEFORE)
    store = open_store(sqlite_url)

    def fill(connection: Connection) -> None:
        many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 25000)"
        connection.exec_driver_sql(
            "INSERT INTO events (id, source, trigger, occurred_at, received_at, attributes, body)"
            f" {many} SELECT i, 's', 't', '', '', '{{}}', '' FROM n"
        )

    await store.write(fill)

    waits = {step.does: (step.rows, step.waits) for each in await ahead(store) for step in each.steps if step.waits}

    assert waits == {"index ix_events_received_at": (25_000, "whoever writes waits")}
    await store.close()
