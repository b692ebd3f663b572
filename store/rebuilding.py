"""Runs that Temporal has lost begin there again where they stand, each once; or are given up."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from sqlalchemy import Connection, insert, select

from journeys.walk.pace import at_pace, later
from store.audit import Change, record
from store.effects import job
from store.journeys import find_journey
from store.lifecycle import STATE, RunWrites, lock_these, state_of
from store.missing import begin_anew, hear_again
from store.moves import tell
from store.outbox import told
from store.policy import in_force
from store.positions import run_inputs
from store.runs import Standing
from store.schema import among, outbox, runs
from store.store import read_transaction, write_transaction
from store.versions import load

CatchUp = Literal["now", "skip"] | timedelta
"""What becomes of what came due meanwhile: it goes out ``now``, or over some time, or is left out."""

GIVEN_UP = "Temporal did not know it any more, and somebody gave it up"

MANY = 100
"""So many that are due may begin at once; of more, each begins at some time over the spread of the policy."""


class Where(NamedTuple):
    """A run under way: its id, when it started (aware UTC), and whether Temporal is still to start it."""

    id: str
    started_at: datetime
    starting: bool


@read_transaction
def must_be_there(connection: Connection, journey: str) -> None:
    """Raises Unknown where there is no such journey."""
    find_journey(connection, journey)


@read_transaction
def under_way_after(connection: Connection, after: str, limit: int, journey: str | None = None) -> list[Where]:
    """Some runs under way in the order of their ids, behind *after*."""
    wanted = select(runs.c.id, runs.c.started_at).where(runs.c.ended.is_(None), runs.c.id > after)
    if journey is not None:
        wanted = wanted.where(runs.c.journey == journey)
    rows = connection.execute(wanted.order_by(runs.c.id).limit(limit)).all()
    starting = told(connection, [row.id for row in rows], "start") if rows else frozenset()
    return [Where(row.id, row.started_at, row.id in starting) for row in rows]


@read_transaction
def count_due(connection: Connection, ids: Sequence[str], now: datetime) -> int:
    """How many of these runs under way have something to do by now."""
    return sum(run.due <= now for run in _standing(connection, ids))


@write_transaction
def begin_again(
    connection: Connection,
    ids: Sequence[str],
    catch_up: CatchUp,
    now: datetime,
    *,
    many: bool = False,
    anew: bool = False,
) -> list[str]:
    """Have those of these runs started where they stand that are under way, and not about to be started already.

    *many*: what is due does not begin all at once. *anew*: Temporal has them, and further on than this; all begin at
    once in their stead. Returns whom this is news of.
    """
    locked = lock_these(connection, ids)
    lost = sorted(locked.keys() - told(connection, list(locked), "start"))
    if not lost:
        return []
    over = catch_up if isinstance(catch_up, timedelta) else in_force(connection).policy.spread if many else timedelta()
    over = timedelta() if anew else over
    begins = {run.state.id: _begins(run, over, now) for run in _standing(connection, lost)}
    inputs = run_inputs(connection, lost)
    how = {"anew": True} if anew else {}
    rows = [job(run, "start", {**inputs[run], **how}, now) | {"due_at": begins[run], "bulk": True} for run in lost]
    connection.execute(insert(outbox), rows)
    begin_anew(connection, lost, skip_until=now if catch_up == "skip" else None)
    return lost


@write_transaction
def send_on(connection: Connection, ids: Sequence[str], now: datetime) -> list[str]:
    """Have Temporal told where those of these runs stand that are under way: one that lags behind goes on there."""
    locked = sorted(lock_these(connection, ids))
    tell(connection, locked, now)
    hear_again(connection, locked, now)  # who stands there already may still have missed an answer
    return locked


@write_transaction
def give_up(connection: Connection, ids: Sequence[str], now: datetime) -> list[str]:
    """End those of these runs that are under way, and not about to be started. Returns whom."""
    locked = lock_these(connection, ids)
    lost = sorted(locked.keys() - told(connection, list(locked), "start"))
    writes = RunWrites()
    for run in _standing(connection, lost):
        writes.end(run.state, "missing", GIVEN_UP, now)
    writes.write(connection)
    return lost


@write_transaction
def keep(connection: Connection, change: Change, did: str, journey: str | None, detail: dict[str, object]) -> None:
    """Keep in the audit log what was done to the runs of one journey or of all."""
    record(connection, change, did, f"journey/{journey}" if journey else "house", detail)


def _standing(connection: Connection, ids: Sequence[str]) -> list[Standing]:
    rows = connection.execute(_THESE, {"ids": list(ids)}).all() if ids else []
    versions = load(connection, {(row.journey, row.version) for row in rows})
    return [Standing(state_of(row, versions[row.journey, row.version]), row.step_at) for row in rows]


def _begins(run: Standing, over: timedelta, now: datetime) -> datetime:
    """When it begins: what is due by now some time *over* which they are spread, the same for the same run."""
    if run.due > now:
        return now
    share = int.from_bytes(hashlib.sha256(f"rebuild\0{run.state.id}".encode()).digest()[:6]) / 2**48
    return later(now, at_pace(over, run.state.day) * share)


_THESE = (
    select(*STATE, runs.c.step_at)
    .where(among(runs.c.id, "ids"), runs.c.ended.is_(None), runs.c.step.is_not(None))
    .order_by(runs.c.id)
)
