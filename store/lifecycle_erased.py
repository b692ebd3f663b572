"""Runs of a customer who is erased: they end, and what is kept of them bears other names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from store.effects import job
from store.lifecycle import STATE, RunWrites, state_of
from store.many import write_each
from store.personal import erased
from store.schema import diary, outbox, people, runs
from store.versions import load

WHY = "its customer was erased"


def lock_runs_of(connection: Connection, customer: str) -> list[str]:
    """Take the locks of all runs of a customer, in the order in which everybody does. Returns their ids."""
    return list(connection.execute(_LOCK, {"whose": customer}).scalars())


def end_runs_of(connection: Connection, customer: str, at: datetime) -> list[str]:
    """End those that are under way: once this is committed, none of their sends is claimed. Returns their ids."""
    rows = connection.execute(_UNDER_WAY, {"whose": customer}).all()
    versions = load(connection, {(row.journey, row.version) for row in rows})
    writes = RunWrites()
    for row in rows:
        writes.end(state_of(row, versions[row.journey, row.version]), "erased", WHY, at)
    writes.write(connection)
    write_each(connection, insert(outbox), [job(row.id, "cancel", {"reason": WHY}, at) for row in rows])
    return [row.id for row in rows]


def rename_runs(connection: Connection, customer: str, to_customer: str, names: Mapping[str, str]) -> None:
    """Give runs that are locked and over, and their customer, other names. What is counted stays as it is."""
    renamed: Sequence[dict[str, str]] = [
        {"of_run": run, "to_run": to_run, "to_customer": to_customer} for run, to_run in names.items()
    ]
    write_each(connection, _RUN, renamed)
    write_each(connection, _DIARY, [{"of_run": run, "to_run": to_run} for run, to_run in names.items()])
    connection.execute(_PEOPLE, {"of_customer": customer, "to_customer": to_customer})


_LOCK = select(runs.c.id).where(runs.c.customer == bindparam("whose")).order_by(runs.c.id).with_for_update()
_UNDER_WAY = (
    select(*STATE)
    .where(runs.c.customer == bindparam("whose"), runs.c.ended.is_(None))
    .order_by(runs.c.id)
    .with_for_update()
)
_RUN = update(runs).where(runs.c.id == bindparam("of_run")).values(erased(runs))
_DIARY = update(diary).where(diary.c.run == bindparam("of_run")).values(erased(diary))
_PEOPLE = update(people).where(people.c.customer == bindparam("of_customer")).values(erased(people))
