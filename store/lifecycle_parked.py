"""Runs that are parked: which they are, that they stay so, and taking some to try again or to go on without it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import AwareDatetime
from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, literal_column, or_, select, update

from journeys.models import Frozen
from journeys.walk.diary import Held
from journeys.walk.world import Visit
from store.lifecycle import THESE, RunState, explain, lock_these
from store.schema import IS_HELD, AnyRow, Time, among, repairs, runs, versions


class Wanted(Frozen):
    """Which of the runs of a journey that are parked: all, unless said.

    *step*: at this one. *reason*: why, or a part of it, in small or capital letters. *since*: not before then.
    """

    step: str | None = None
    reason: str | None = None
    since: AwareDatetime | None = None

    def of(self, journey: str) -> ColumnElement[bool]:
        """Those, as the database finds them."""
        which = literal_column(IS_HELD) & (runs.c.held_by == "park") & (runs.c.journey == journey)
        which &= ~_IS_STOPPED  # they are about to end
        if self.step is not None:
            which &= runs.c.step == self.step
        if self.reason is not None:
            which &= runs.c.held_why.icontains(self.reason, autoescape=True)
        if self.since is not None:
            which &= runs.c.held_since >= self.since
        return which


def parked(connection: Connection, run: RunState, visit: Visit) -> Held | None:
    """What holds a run that is parked at a visit: whoever comes there, tries nothing before it is repaired.

    None where it is not parked, or what it would send has expired. Why it is parked may quote a provider, and is not
    told.
    """
    if run.held_by != "park" or run.step != visit.at_step:
        return None
    row = connection.execute(_PARKED, {"of_run": run.id}).one()
    if row.held_until is not None and row.held_until <= visit.now:
        return None
    held = Held(until=row.held_until, why=row.held_why, by="park")
    explain(connection, run, held.words(visit.now))
    return held.model_copy(update={"why": "it has failed before"})


def some_to_repair(connection: Connection, begun: AnyRow, most: int) -> list[str]:
    """The next runs that are to be told of a repair that was begun, in the order of their ids."""
    return list(connection.execute(select(runs.c.id).where(_left(begun)).order_by(runs.c.id).limit(most)).scalars())


def count_to_repair(connection: Connection, journeys: Sequence[str]) -> Mapping[str, int]:
    """How many runs are still to be told of repairs that were begun, by journey: one that two are about counts once."""
    left = defaultdict[str, list[ColumnElement[bool]]](list)
    for begun in connection.execute(_BEGUN, {"names": list(journeys)}):
        left[begun.journey].append(_left(begun))
    return {name: connection.execute(_COUNT.where(or_(*each))).scalar_one() for name, each in left.items()}


def _left(begun: AnyRow) -> ColumnElement[bool]:
    """Those of a repair behind the last that was told, who were parked before it was begun, or just then."""
    wanted = Wanted(step=begun.step, reason=begun.reason, since=begun.since)
    return and_(wanted.of(begun.journey), runs.c.held_since <= begun.at, runs.c.id > begun.after)


def park_no_more(connection: Connection, ids: Sequence[str], why: str, now: datetime) -> list[str]:
    """Take those of these runs that are parked still; whoever asks tells them. They wait for their turn, and *why*."""
    lock_these(connection, ids)
    told = connection.execute(_PARK_NO_MORE, {"runs": list(ids), "now": now, "to_why": why})
    return sorted(told.scalars())


_IS_STOPPED = (
    select(versions.c.number)
    .where(
        versions.c.journey == runs.c.journey, versions.c.number == runs.c.version, versions.c.stopped_at.is_not(None)
    )
    .exists()
)
_BEGUN = select(repairs).where(among(repairs.c.journey, "names"))
_COUNT = select(func.count()).select_from(runs)
_PARKED = select(runs.c.held_until, runs.c.held_why).where(runs.c.id == bindparam("of_run"))
_PARK_NO_MORE = (
    update(runs)
    .where(THESE, runs.c.held_by == "park")
    .values(
        held_by="release",
        held_until=bindparam("now", type_=Time()),
        held_why=bindparam("to_why"),
        repaired_at=bindparam("now", type_=Time()),
    )
    .returning(runs.c.id)
)
