"""Runs that Temporal has under way, and what is known of them here: some have ended, some nobody knows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from store.effects import job
from store.erasures import erased_before
from store.schema import among, outbox, runs
from store.store import read_transaction, write_transaction


class Known(NamedTuple):
    """Of some runs, those that have ended here *before* some time, and those that nobody knows, as they are not here.

    Those are left out of which Temporal is still to be told something.
    """

    ended: tuple[str, ...]
    unknown: tuple[str, ...]


@read_transaction
def known(connection: Connection, ids: Sequence[str], before: datetime) -> Known:
    """What is known of these runs."""
    here = {row.id: row.ended_at for row in connection.execute(_HERE, {"ids": list(ids)})}
    pending = set(connection.execute(_PENDING, {"ids": list(ids)}).scalars())
    ended = (run for run, at in here.items() if at and at < before)
    return Known(tuple(sorted(set(ended) - pending)), tuple(sorted(set(ids) - here.keys() - pending)))


@write_transaction
def cancel_again(connection: Connection, ids: Sequence[str], now: datetime) -> list[str]:
    """Have those of these runs cancelled in Temporal that have ended. Returns whom this is news of."""
    rows = connection.execute(_ENDED, {"ids": list(ids)}).all()
    if rows:
        jobs = [job(row.id, "cancel", {"reason": row.why or row.ended}, now) | {"bulk": True} for row in rows]
        connection.execute(insert(outbox), jobs)
    return [row.id for row in rows]


@write_transaction
def forget_erased(connection: Connection, run: str, customer: str, now: datetime) -> bool:
    """Have a run ended and forgotten in Temporal that is not here, as its customer was erased. False: nobody was.

    A backup of Temporal that is put back brings it back.
    """
    if not erased_before(connection, customer):
        return False
    jobs = [job(run, "cancel", {"reason": "erased"}, now), job(run, "forget", {}, now)]
    connection.execute(insert(outbox), jobs)
    return True


_HERE = select(runs.c.id, runs.c.ended_at).where(among(runs.c.id, "ids"))
_PENDING = select(outbox.c.run).where(among(outbox.c.run, "ids"))
_cancelled = select(outbox.c.id).where(outbox.c.run == runs.c.id, outbox.c.kind == "cancel").exists()
_ENDED = (
    select(runs.c.id, runs.c.why, runs.c.ended)
    .where(among(runs.c.id, "ids"), runs.c.ended.is_not(None), ~_cancelled)
    .order_by(runs.c.id)
)
