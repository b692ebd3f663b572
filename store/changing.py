"""How definitions are written, and in the audit log by whom: only where something is changed by it."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, Table, insert, update

from store.audit import Change, record
from store.schema import AnyRow


def add(connection: Connection, table: Table, name: str, change: Change, **columns: object) -> None:
    """Write what is new."""
    connection.execute(insert(table), {"name": name, **columns, "created_at": change.at, "changed_at": change.at})
    _record(connection, change, "put", table, name, {"new": True})


def alter(connection: Connection, table: Table, row: AnyRow, change: Change, did: str, **columns: object) -> None:
    """Write *columns*, as far as they are not what *row* has, and that the thing it is was *did*."""
    others = {name: value for name, value in columns.items() if getattr(row, name) != value}
    if others:
        connection.execute(update(table).where(table.c.name == row.name).values(changed_at=change.at, **others))
        _record(connection, change, did, table, row.name, _detail(row, others))


def other_fields(before: object, now: object) -> set[str]:
    """The fields of two definitions that are not the same in both."""
    if not isinstance(before, Mapping) or not isinstance(now, Mapping):
        return set()
    absent = object()
    return {field for field in {*before, *now} if before.get(field, absent) != now.get(field, absent)}


def _detail(row: AnyRow, others: Mapping[str, object]) -> dict[str, object]:
    """Of a definition the fields that are others now, never what is in them: it may be anything."""
    changed = {field for name, now in others.items() for field in other_fields(getattr(row, name), now)}
    return {"changed": sorted(changed)} if changed else {}


def _record(
    connection: Connection, change: Change, did: str, table: Table, name: str, detail: Mapping[str, object]
) -> None:
    kind = table.name.removesuffix("s")
    record(connection, change, f"{kind} {did}", f"{kind}/{name}", detail)
