"""Journeys that the brake holds: which they are, and letting them go again."""

from __future__ import annotations

import asyncio
from datetime import datetime

from pydantic import AwareDatetime
from sqlalchemy import Connection, bindparam, func, insert, select, update

from journeys.language.durations import Duration
from journeys.models import Frozen
from journeys.problems import Conflict
from store.effects import job
from store.journeys import find_journey
from store.lifecycle import let_go_some
from store.policy import in_force
from store.schema import journeys, outbox, runs
from store.store import Store, read_transaction, write_transaction

TOGETHER = 60
"""So many runs are told in one transaction: nobody waits longer than for these."""

BREATH = 0.015
"""Seconds in between. Other processes that write to SQLite look every few milliseconds whether it is their turn."""


class HeldJourney(Frozen):
    """A journey that the brake holds: since when, why, and how many messages wait for it to be let go."""

    journey: str
    since: AwareDatetime
    why: str
    waiting: int


class LetGo(Frozen):
    """How many messages waited for it. They go out one after the other, over *spread* at the pace of their runs."""

    journey: str
    waited: int
    spread: Duration


@read_transaction
def held_journeys(connection: Connection) -> list[HeldJourney]:
    """The journeys that are held, by name."""
    return [HeldJourney(**row._asdict()) for row in connection.execute(_HELD)]


async def let_go(store: Store, name: str, now: datetime) -> LetGo:
    """Let a journey go: what waited is looked at again, and copies and entries are counted anew.

    Raises Unknown, and Conflict where nothing holds it.
    """
    answer = await _open(store, name, now)
    await finish_letting_go(store, now)
    return answer


async def finish_letting_go(store: Store, now: datetime) -> int:
    """Tell those runs that wait in a journey which is held no more, some at a time. Returns how many those are."""
    told = 0
    while some := await _tell_some(store, now):
        told += some
        await asyncio.sleep(BREATH)
    return told


@write_transaction
def _open(connection: Connection, name: str, now: datetime) -> LetGo:
    row = find_journey(connection, name)
    if row.held_at is None:
        raise Conflict(f'Journey "{row.name}" is not held: there is nothing to let go.')
    waited = connection.execute(_WAITING, {"named": name}).scalar_one()
    connection.execute(_OPEN, {"named": name, "now": now})
    return LetGo(journey=name, waited=waited, spread=in_force(connection).policy.spread)


@write_transaction
def _tell_some(connection: Connection, now: datetime) -> int:
    told = let_go_some(connection, TOGETHER)
    if told:
        connection.execute(insert(outbox), [job(run, "let go", {}, now) | {"bulk": True} for run in told])
    return len(told)


_waiting = (
    select(func.count())
    .select_from(runs)
    .where(runs.c.journey == journeys.c.name, runs.c.held_by == "brake")
    .scalar_subquery()
)
_HELD = (
    select(
        journeys.c.name.label("journey"),
        journeys.c.held_at.label("since"),
        journeys.c.held_why.label("why"),
        _waiting.label("waiting"),
    )
    .where(journeys.c.held_at.is_not(None))
    .order_by(journeys.c.name)
)
_WAITING = select(func.count()).where(runs.c.journey == bindparam("named"), runs.c.held_by == "brake")
_OPEN = (
    update(journeys)
    .where(journeys.c.name == bindparam("named"))
    .values(held_at=None, held_why=None, released_at=bindparam("now"))
)
