"""What migrating would do, said before: each step, how long the table is, and what waits meanwhile.

The migrations say it themselves: they are run against a recorder, which executes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import StringIO

from alembic.operations import MigrateOperation, Operations, ops
from alembic.runtime.migration import MigrationContext
from alembic.script import Script
from sqlalchemy import Connection, inspect, text

from journeys.models import Frozen
from store.migrate import GENTLE_FROM, lacking_here
from store.migrations.gently import GENTLY
from store.store import read_transaction

QUICK = 20_000
"""SQLite builds an index over fewer rows than that before anybody notices."""


class Step(Frozen):
    """One thing that a migration does, to a *table* that has about so many *rows*. *waits*: who does meanwhile."""

    does: str
    table: str
    rows: int
    waits: str


class Ahead(Frozen):
    """A migration that the tables lack, and what it does."""

    revision: str
    title: str
    steps: tuple[Step, ...]


@read_transaction
def ahead(connection: Connection) -> tuple[Ahead, ...]:
    """All that migrating would do, in its order; nothing where the tables are up to date."""
    scripts = lacking_here(connection, "head")
    sizes = _sizes(connection) if scripts else {}
    dialect = connection.dialect.name
    return tuple(
        Ahead(revision=script.revision, title=script.doc, steps=tuple(_steps(script, dialect, sizes)))
        for script in scripts
    )


def recorded(script: Script, dialect: str) -> list[MigrateOperation]:
    """The operations of a migration, in their order. What it does with the rows that it reads is not among them."""
    context = MigrationContext.configure(dialect_name=dialect, opts={"as_sql": True, "output_buffer": StringIO()})
    found: list[MigrateOperation] = []
    with Operations.context(context) as operations:
        setattr(operations, "invoke", found.append)  # noqa: B010 - a method, of this one object
        try:
            script.module.upgrade()
        except Exception:  # noqa: BLE001 - it asks for rows, and there are none
            found.append(ops.ExecuteSQLOp(""))
    return found


def _steps(script: Script, dialect: str, sizes: Mapping[str, int]) -> Iterator[Step]:
    gentle, new = script.revision >= GENTLE_FROM, set[str]()
    for operation in recorded(script, dialect):
        does, table = _said(operation)
        if isinstance(operation, ops.CreateTableOp):
            new.add(table)
        rows = 0 if table in new else sizes.get(table, 0)
        waits = _waits(operation, dialect, rows) if gentle else "nobody is accepted meanwhile" if sizes else ""
        if table not in new or isinstance(operation, ops.CreateTableOp):
            yield Step(does=does, table=table, rows=rows, waits=waits)


def _said(operation: MigrateOperation) -> tuple[str, str]:
    match operation:
        case ops.CreateTableOp():
            return f"new table {operation.table_name}", operation.table_name
        case ops.AddColumnOp():
            return f"column {operation.column.name}", operation.table_name
        case ops.CreateIndexOp():
            return f"index {operation.index_name}", operation.table_name
        case ops.DropIndexOp():
            return f"without index {operation.index_name}", str(operation.table_name)
        case ops.DropTableOp():
            return f"without table {operation.table_name}", operation.table_name
        case ops.ExecuteSQLOp():
            return "changes rows", _table_of(operation)
        case _:
            return "changes rows", ""


def _table_of(operation: ops.ExecuteSQLOp) -> str:
    """Of which table it changes some rows at a time; nothing where it does not."""
    table: str = (operation.execution_options or {}).get(GENTLY, "")
    return table


def _waits(operation: MigrateOperation, dialect: str, rows: int) -> str:
    match operation:
        case ops.CreateTableOp() | ops.AddColumnOp():
            return ""
        case ops.ExecuteSQLOp() if _table_of(operation) and (dialect == "postgresql" or rows < QUICK):
            return ""
        case ops.CreateIndexOp() if operation.kw.get("postgresql_concurrently"):
            return ""
        case ops.CreateIndexOp() if rows < QUICK:
            return ""
        case _:
            return "whoever writes waits" if dialect == "sqlite" else f"whoever writes to it waits, over {rows:,} rows"


def _sizes(connection: Connection) -> dict[str, int]:
    """About how many rows each table has."""
    if connection.dialect.name == "postgresql":
        return {row.name: row.n for row in connection.execute(_SIZES)}
    names = inspect(connection).get_table_names()
    last = "SELECT max(rowid) FROM {}"  # to count them would take as long as to build the index
    return {name: connection.exec_driver_sql(last.format(name)).scalar_one() or 0 for name in names}


_SIZES = text("""
    SELECT pg_class.relname AS name, greatest(reltuples, n_live_tup, 0)::bigint AS n
    FROM pg_class JOIN pg_stat_user_tables ON pg_stat_user_tables.relid = pg_class.oid
    WHERE pg_class.relkind = 'r' AND pg_class.relname <> 'alembic_version'
""")
