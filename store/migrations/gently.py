"""What a migration may do to a database that is in use: nothing for which whoever writes has to wait.

PostgreSQL adds a column that may be empty at once, and builds an index beside whoever writes; each step may have been
done before, by a migration that was cut off. SQLite has one writer, who waits while an index is built.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import sqlalchemy as sa
from alembic import op

LOCK_TIMEOUT = "300ms"
"""Whoever comes after us for a table waits no longer than we do: then we give way, and try again."""


LOT = 2000
"""So many rows are looked at, and changed where it is needed, in one transaction."""

GENTLY = "gently"
"""The option of a statement that is executed for some rows at a time: the name of the table."""


def create_table(name: str, *columns: sa.schema.SchemaItem) -> None:
    """Make a table."""
    op.create_table(name, *columns, if_not_exists=True)


def drop_table(name: str) -> None:
    """Remove a table, on the way down."""
    op.drop_table(name, if_exists=True)


def add_columns(table: str, columns: dict[str, Any]) -> None:
    """Add columns, by name and type, which may be empty."""
    for name, kind in columns.items():
        if not (_is_sqlite() and name in _columns(table)):  # which has no IF NOT EXISTS there
            op.add_column(table, sa.Column(name, kind), if_not_exists=None if _is_sqlite() else True)


def drop_columns(table: str, columns: dict[str, Any]) -> None:
    """Remove columns, on the way down."""
    with op.batch_alter_table(table) as batch:
        for name in columns:
            batch.drop_column(name)


def build_index(
    name: str, table: str, columns: Sequence[str], *, unique: bool = False, where: str | None = None
) -> None:
    """Build an index, on PostgreSQL beside whoever writes to the table."""
    only: dict[str, Any] = {} if where is None else {"sqlite_where": sa.text(where), "postgresql_where": sa.text(where)}
    if _is_sqlite():
        op.create_index(name, table, list(columns), unique=unique, if_not_exists=True, **only)
        return
    with _beside_others():
        _drop_unfinished(name)
        op.create_index(
            name, table, list(columns), unique=unique, if_not_exists=True, postgresql_concurrently=True, **only
        )


def change_rows(table: str, change: str, where: str) -> None:
    """``UPDATE table SET change WHERE where``, some rows at a time by their id: nobody waits for all of them."""
    update = sa.text(f"UPDATE {table} SET {change} WHERE id > :after AND id <= :upto AND ({where})")  # noqa: S608
    lot = sa.text(f"SELECT max(id) FROM (SELECT id FROM {table} WHERE id > :after ORDER BY id LIMIT {LOT}) AS lot")  # noqa: S608
    if op.get_context().as_sql:
        op.execute(update, execution_options={GENTLY: table})
        return
    with nullcontext() if _is_sqlite() else _beside_others():
        after, connection = "", op.get_bind()
        while upto := connection.execute(lot, {"after": after}).scalar():
            connection.execute(update, {"after": after, "upto": upto})
            after = upto


def drop_index(name: str, table: str) -> None:
    """Remove an index, on the way down."""
    op.drop_index(name, table, if_exists=True)


def _is_sqlite() -> bool:
    return op.get_context().dialect.name == "sqlite"


def _columns(table: str) -> set[str]:
    if op.get_context().as_sql:
        return set()
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)}


@contextmanager
def _beside_others() -> Iterator[None]:
    """Outside of a transaction. To wait for transactions that began earlier holds up nobody, and may take long."""
    with op.get_context().autocommit_block():
        _say("SET lock_timeout = 0")
        yield
        _say(f"SET lock_timeout = '{LOCK_TIMEOUT}'")


def _drop_unfinished(name: str) -> None:
    """What is left of a build that was cut off is no index, but has its name."""
    if not op.get_context().as_sql and op.get_bind().execute(_UNFINISHED, {"name": name}).first():
        op.drop_index(name, postgresql_concurrently=True)


def _say(statement: str) -> None:
    if not op.get_context().as_sql:
        op.get_bind().exec_driver_sql(statement)


_UNFINISHED = sa.text("SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(:name) AND NOT indisvalid")
