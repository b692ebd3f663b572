"""Letting go of runs whose journey is held or paused no more, very many of them, some at a time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Select, Text, bindparam, case, func, literal_column, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from journeys.clearance.releases import SKIPPED
from journeys.walk.diary import HeldBy
from store.lifecycle import THESE, lock_these
from store.schema import IS_HELD, journeys, runs, versions


def let_go_some(connection: Connection, journey: str, most: int, now: datetime) -> list[str]:
    """Take some runs that a journey held, unless it is held; whoever asks tells them. In the order of their ids."""
    return _take(connection, _LET_GO, connection.execute(_LET_GO_OF, {"named": journey, "most": most}).scalars(), now)


def resume_some(connection: Connection, journey: str, most: int, now: datetime) -> list[str]:
    """The same of runs that wait in a journey, unless it is paused. Where it skips, they leave out what waited."""
    return _take(connection, _RESUME, connection.execute(_RESUMED_OF, {"named": journey, "most": most}).scalars(), now)


def _take(connection: Connection, statement: ReturningUpdate[Any], ids: Iterable[str], now: datetime) -> list[str]:
    """Those that nobody else has taken since they were found."""
    locked = list(lock_these(connection, sorted(ids)))
    return sorted(connection.execute(statement, {"runs": locked, "now": now}).scalars())


def _waits(by: HeldBy, since: Column[Any]) -> Select[Any]:
    """Runs that wait, held *by* that, in a journey in which nothing is so since any time."""
    return (
        select(runs.c.id)
        .outerjoin(versions, (versions.c.journey == runs.c.journey) & (versions.c.number == runs.c.version))
        .where(
            literal_column(IS_HELD),
            runs.c.held_by == by,
            runs.c.journey == journeys.c.name,
            since.is_(None),
            versions.c.stopped_at.is_(None),  # else they are about to end
        )
    )


def _some(waits: Select[Any]) -> Select[Any]:
    """Some of them, of one journey."""
    return waits.where(journeys.c.name == bindparam("named", type_=Text())).limit(bindparam("most"))


_BRAKED, _PAUSED = _waits("brake", journeys.c.held_at), _waits("pause", journeys.c.paused_at)
_LET_GO_OF, _RESUMED_OF = _some(_BRAKED), _some(_PAUSED)

HAS_TO_LET_GO = select(journeys.c.name).where(_BRAKED.correlate(journeys).exists()).order_by(journeys.c.name)
"""The journeys in which runs wait that the brake holds no more."""

IS_RESUMED = _PAUSED.correlate(journeys).exists()
"""Whether in a journey runs wait for the end of a pause that is over."""

_LET_GO = (
    update(runs)
    .where(THESE, runs.c.held_by == "brake")
    .values(held_by="release", held_until=bindparam("now"), held_why="its journey was let go")
    .returning(runs.c.id)
)
_skips = select(journeys.c.resumed_at).where(journeys.c.name == runs.c.journey, journeys.c.catch_up == "skip")
_RESUME = (
    update(runs)
    .where(THESE, runs.c.held_by == "pause")
    .values(
        held_by="release",
        held_until=bindparam("now"),
        held_why="its journey was resumed",
        skip_until=func.coalesce(_skips.scalar_subquery(), runs.c.skip_until),
        skip_why=case((_skips.exists(), SKIPPED), else_=runs.c.skip_why),
    )
    .returning(runs.c.id)
)
