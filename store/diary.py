"""A run's diary and where it stands, kept together: whoever has the run's lock writes both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from journeys.definition import Goal
from journeys.diary import Entry
from journeys.listening import Ended, Version
from journeys.pace import at_pace
from journeys.problems import Unknown
from store.schema import AnyRow, diary, runs
from store.store import Store
from store.versions import load


@dataclass(frozen=True)
class Standing:
    """Where a run stands: at *step*, with *lines* lines in its diary; or over, if it *ended*."""

    run: str
    version: Version
    day: timedelta
    step: str | None
    lines: int
    ended: Ended | None = None
    why: str = ""


STANDING = (
    runs.c.id,
    runs.c.journey,
    runs.c.version,
    runs.c.day_seconds,
    runs.c.step,
    runs.c.lines,
    runs.c.ended,
    runs.c.why,
)
"""The columns that standing_of() reads."""

# SQLite leaves FOR UPDATE out: there, a writer is alone already.
_STAND = select(*STANDING).where(runs.c.id == bindparam("run")).with_for_update()


async def stand(store: Store, connection: AsyncConnection, run: str) -> Standing:
    """Take the run's lock, until the transaction ends, and see where it stands. Raises Unknown."""
    row = (await connection.execute(_STAND, {"run": run})).one_or_none()
    if row is None:
        raise Unknown(f'There is no run "{run}".')
    wanted = (row.journey, row.version)
    return standing_of(row, (await load(store, connection, [wanted]))[wanted])


def standing_of(row: AnyRow, version: Version) -> Standing:
    """Where the run of this row stands."""
    return Standing(
        run=row.id,
        version=version,
        day=timedelta(seconds=row.day_seconds),
        step=row.step,
        lines=row.lines,
        ended=row.ended,
        why=row.why,
    )


async def go_on(connection: AsyncConnection, standing: Standing, entries: Sequence[Entry]) -> Standing:
    """Write the lines that are new, and stand where the last of them leads.

    Lines that were written before change nothing, and a run that is over gets no more of them.
    """
    new = [entry for entry in entries if entry.n >= standing.lines]
    if standing.ended or not new:
        return standing
    last = new[-1]
    step = last.step if last.did == "entered" else None
    await connection.execute(insert(diary), [line(standing.run, entry) for entry in new])
    await connection.execute(
        _GO_ON, {"run": standing.run, "to_step": step, "to_step_at": last.at, "to_lines": last.n + 1}
    )
    return replace(standing, step=step, lines=last.n + 1)


_GO_ON = (
    update(runs)
    .where(runs.c.id == bindparam("run"))
    .values(step=bindparam("to_step"), step_at=bindparam("to_step_at"), lines=bindparam("to_lines"))
)


async def end(connection: AsyncConnection, standing: Standing, ended: Ended, why: str, at: datetime) -> Standing:
    """End the run for good; the step that it stands at is left. The first end is the one that stays."""
    if standing.ended:
        return standing
    if leaving := left(standing, why, at):
        await connection.execute(insert(diary), [line(standing.run, leaving)])
    await connection.execute(END, [ending(standing, ended, why, at)])
    return replace(standing, step=None, ended=ended, why=why)


END = (
    update(runs)
    .where(runs.c.id == bindparam("run"))
    .values(
        ended=bindparam("to_ended"),
        ended_at=bindparam("to_ended_at"),
        why=bindparam("to_why"),
        goal_until=bindparam("to_goal_until"),
        lines=bindparam("to_lines"),
        step=None,
        step_at=None,
    )
)


def left(standing: Standing, why: str, at: datetime) -> Entry | None:
    """The line that closes the step at which a run ends; None where it stands at no step."""
    return Entry(n=standing.lines, at=at, step=standing.step, did="left", why=why) if standing.step else None


def ending(standing: Standing, ended: Ended, why: str, at: datetime) -> dict[str, Any]:
    """What END needs to know."""
    goal = standing.version.journey.goal
    return {
        "run": standing.run,
        "to_ended": ended,
        "to_ended_at": at,
        "to_why": why,
        "to_goal_until": _goal_until(goal, standing, ended, at) if goal else None,
        "to_lines": standing.lines + (standing.step is not None),
    }


def _goal_until(goal: Goal, standing: Standing, ended: Ended, at: datetime) -> datetime:
    """Until when a goal event must have occurred to count for a run that ended *at*."""
    return at + at_pace(goal.within, standing.day) if ended == "completed" else at


def line(run: str, entry: Entry) -> dict[str, Any]:
    """A diary line as a row."""
    return {"run": run, **vars(entry)}
