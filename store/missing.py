"""Runs under way that Temporal does not know: marked since when, until they are there again or have ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Boolean, Connection, bindparam, func, insert, literal_column, select, update

from store.answers import answers
from store.effects import job
from store.lifecycle import THESE, lock_these
from store.outbox import told
from store.schema import IS_MISSING, outbox, runs
from store.store import read_transaction, write_transaction

SKIPPED = "skipped: it came due while Temporal was away"


class Missing(NamedTuple):
    """How many runs under way are marked, since when the first of them is (aware UTC), and one of them."""

    number: int
    since: datetime
    example: str


@write_transaction
def mark_missing(connection: Connection, ids: Sequence[str], now: datetime) -> list[str]:
    """Mark those of these runs that are under way. Returns whom this is news of.

    Who is still to be started is not missing.
    """
    locked = lock_these(connection, ids)
    there = sorted(locked.keys() - told(connection, list(locked), "start"))
    return sorted(connection.execute(_MARK, {"runs": there, "now": now}).scalars())


@write_transaction
def found_again(connection: Connection, ids: Sequence[str], now: datetime) -> list[str]:
    """Take the mark from those of these runs that bear one: Temporal knows them. Returns whom this is news of.

    What they were to hear meanwhile was dropped, so they are told all that they may have missed. An answer that a run
    has heard of changes nothing.
    """
    locked = lock_these(connection, ids)
    found = sorted(connection.execute(_UNMARK, {"runs": list(locked)}).scalars())
    hear_again(connection, found, now)
    return found


def hear_again(connection: Connection, ids: Sequence[str], now: datetime) -> None:
    """Have these runs, which are locked, told all their answers once more."""
    heard = answers(connection, ids) if ids else {}
    missed = [job(run, "arrive", each.model_dump(mode="json"), now) for run in ids for each in heard.get(run, ())]
    if missed:
        connection.execute(insert(outbox), missed)


def begin_anew(connection: Connection, ids: Sequence[str], skip_until: datetime | None) -> None:
    """These runs, which are locked, are started again, and so are missing no more.

    *skip_until*: what they came to before then is not done any more, if anything is left out.
    """
    connection.execute(_UNMARK, {"runs": list(ids)})
    if skip_until:
        connection.execute(_SKIP, {"runs": list(ids), "until": skip_until, "to_why": SKIPPED})


@read_transaction
def some_missing(connection: Connection, after: str, limit: int) -> list[str]:
    """Some of those that are marked, in the order of their ids, behind *after*."""
    return list(connection.execute(_SOME, {"behind": after, "most": limit}).scalars())


def read_missing(connection: Connection) -> Missing | None:
    """How many are; None where none is."""
    row = connection.execute(_COUNT).one()
    return Missing(**row._asdict()) if row.number else None


_is_missing = literal_column(IS_MISSING, Boolean)
_under_way = runs.c.ended.is_(None)
_MARK = update(runs).where(THESE, runs.c.missing_since.is_(None)).values(missing_since=bindparam("now"))
_MARK = _MARK.returning(runs.c.id)
_UNMARK = update(runs).where(THESE, _is_missing).values(missing_since=None).returning(runs.c.id)
_SKIP = update(runs).where(THESE).values(skip_until=bindparam("until"), skip_why=bindparam("to_why"))
_SOME = (
    select(runs.c.id)
    .where(_is_missing, _under_way, runs.c.id > bindparam("behind"))
    .order_by(runs.c.id)
    .limit(bindparam("most"))
)
_COUNT = select(
    func.count().label("number"), func.min(runs.c.missing_since).label("since"), func.min(runs.c.id).label("example")
).where(_is_missing, _under_way)
