"""One life of a run: it starts, goes on and ends here, alone or together with very many others.

Nobody else writes the tables ``runs`` and ``diary``. Whoever has a run's lock writes both, so that they agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Text, Update, bindparam, case, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from journeys.catalogue import Event
from journeys.diary import Entry, at_start
from journeys.listening import Ended, RunFacts, Version
from journeys.pace import at_pace
from journeys.problems import Unknown
from store.schema import AnyRow, Time, diary, runs
from store.store import Store
from store.versions import load

Row = dict[str, Any]


@dataclass(frozen=True)
class RunState:
    """Where a run stands: at *step*, with *lines* lines in its diary; or over, if it *ended*."""

    run: str
    customer: str
    version: Version
    day: timedelta
    step: str | None
    lines: int
    ended: Ended | None = None
    why: str = ""


STATE = (
    runs.c.id,
    runs.c.customer,
    runs.c.journey,
    runs.c.version,
    runs.c.day_seconds,
    runs.c.step,
    runs.c.lines,
    runs.c.ended,
    runs.c.why,
)
"""The columns that state_of() reads."""

# SQLite leaves FOR UPDATE out: there, a writer is alone already.
_LOCK = select(*STATE).where(runs.c.id == bindparam("run")).with_for_update()


async def lock_run(store: Store, connection: AsyncConnection, run: str) -> RunState:
    """Take the run's lock, until the transaction ends, and see where it stands. Raises Unknown."""
    row = (await connection.execute(_LOCK, {"run": run})).one_or_none()
    if row is None:
        raise Unknown(f'There is no run "{run}".')
    wanted = (row.journey, row.version)
    return state_of(row, (await load(store, connection, [wanted]))[wanted])


def state_of(row: AnyRow, version: Version) -> RunState:
    """Where the run of this row stands."""
    return RunState(
        run=row.id,
        customer=row.customer,
        version=version,
        day=timedelta(seconds=row.day_seconds),
        step=row.step,
        lines=row.lines,
        ended=row.ended,
        why=row.why,
    )


class RunWrites:
    """What happens to runs in one transaction: collected while it is decided, written in a few statements.

    Whoever uses it has the runs' locks. What moves a run returns where it stands then.
    """

    def __init__(self) -> None:
        self._runs: list[Row] = []
        self._lines: list[Row] = []
        self._advances: list[Row] = []
        self._goals: list[Row] = []
        self._ends: list[Row] = []

    def start(self, run: RunFacts, event: Event, now: datetime) -> RunState:
        """*event* starts a run. It stands at its first step."""
        first = at_start(run.version.journey.steps[0].id, run.entered_at)
        self._runs.append(_new(run, event, first, now))
        self._lines.append(_line(run.id, first))
        return RunState(run.id, event.customer or "", run.version, run.day, step=first.step, lines=1)

    def advance(self, state: RunState, entries: Sequence[Entry]) -> RunState:
        """Write the lines that are new, and stand where the last of them leads.

        Lines that were written before change nothing, and a run that is over gets no more of them.
        """
        new = [entry for entry in entries if entry.n >= state.lines]
        if state.ended or not new:
            return state
        last = new[-1]
        step = last.step if last.did == "entered" else None
        self._lines += [_line(state.run, entry) for entry in new]
        self._advances.append({"run": state.run, "to_step": step, "to_step_at": last.at, "to_lines": last.n + 1})
        return replace(state, step=step, lines=last.n + 1)

    def meet_goal(self, state: RunState, at: datetime) -> None:
        """The run has met its goal. The first time is the one that stays."""
        self._goals.append({"run": state.run, "met_at": at})

    def end(self, state: RunState, ended: Ended, why: str, at: datetime) -> RunState:
        """End the run for good; the step that it stands at is left. The first end is the one that stays."""
        if state.ended:
            return state
        if state.step:
            self._lines.append(_line(state.run, Entry(n=state.lines, at=at, step=state.step, did="left", why=why)))
        self._ends.append(
            {
                "run": state.run,
                "to_ended": ended,
                "to_ended_at": at,
                "to_why": why,
                "to_goal_until": _goal_until(state, ended, at),
            }
        )
        return replace(state, step=None, lines=state.lines + bool(state.step), ended=ended, why=why)

    async def write(self, connection: AsyncConnection) -> None:
        """Write everything, in an order in which each row finds what it builds on."""
        for statement, rows in (
            (_START, self._runs),
            (_ADD_LINES, self._lines),
            (_ADVANCE, self._advances),
            (_MEET_GOAL, self._goals),
            (_END, self._ends),
        ):
            if rows:
                await connection.execute(statement, rows)


async def advance(connection: AsyncConnection, state: RunState, entries: Sequence[Entry]) -> RunState:
    """Advance one run, at once."""
    writes = RunWrites()
    after = writes.advance(state, entries)
    await writes.write(connection)
    return after


async def end(connection: AsyncConnection, state: RunState, ended: Ended, why: str, at: datetime) -> RunState:
    """End one run, at once."""
    writes = RunWrites()
    after = writes.end(state, ended, why, at)
    await writes.write(connection)
    return after


INSIDE = (runs.c.journey == bindparam("named", type_=Text())) & runs.c.ended.is_(None)
"""The runs under way of the journey *named*."""


async def lock_inside(connection: AsyncConnection, journey: str) -> int:
    """Take the locks of all runs that are inside a journey. Returns how many they are."""
    return int((await connection.execute(_LOCK_INSIDE, {"named": journey})).scalar_one())


async def end_inside(connection: AsyncConnection, journey: str, ended: Ended, why: str, at: datetime) -> None:
    """End all runs that are inside a journey, as end() does each of them, but in the database. They are locked."""
    end = {"named": journey, "to_ended": ended, "to_ended_at": at, "to_why": why, "to_goal_until": None}
    await connection.execute(_LEAVE_INSIDE, end)
    await connection.execute(_END_INSIDE, end)


def _new(run: RunFacts, event: Event, first: Entry, now: datetime) -> Row:
    return {
        "id": run.id,
        "journey": run.version.name,
        "version": run.version.number,
        "customer": event.customer,
        "key": run.key,
        "trigger": event.trigger,
        "event_source": event.source,
        "event_id": event.id,
        "entered_at": run.entered_at,
        "started_at": now,
        "day_seconds": run.day.total_seconds(),
        "why": "",
        "step": first.step,
        "step_at": first.at,
        "lines": 1,
    }


def _line(run: str, entry: Entry) -> Row:
    return {"run": run, **vars(entry)}


def _goal_until(state: RunState, ended: Ended, at: datetime) -> datetime | None:
    """Until when a goal event must have occurred to count for a run that ended *at*."""
    goal = state.version.journey.goal
    if goal is None:
        return None
    return at + at_pace(goal.within, state.day) if ended == "completed" else at


def _ending(which: ColumnElement[bool]) -> Update:
    """The end, for one run or for all *which*."""
    return (
        update(runs)
        .where(which)
        .values(
            ended=bindparam("to_ended"),
            ended_at=bindparam("to_ended_at"),
            why=bindparam("to_why"),
            goal_until=bindparam("to_goal_until"),
            lines=case((runs.c.step.is_not(None), runs.c.lines + 1), else_=runs.c.lines),
            step=None,
            step_at=None,
        )
    )


_START = insert(runs)
_ADD_LINES = insert(diary)
_ADVANCE = (
    update(runs)
    .where(runs.c.id == bindparam("run"))
    .values(step=bindparam("to_step"), step_at=bindparam("to_step_at"), lines=bindparam("to_lines"))
)
_MEET_GOAL = (
    update(runs)
    .where(runs.c.id == bindparam("run"), runs.c.goal_met_at.is_(None))
    .values(goal_met_at=bindparam("met_at"))
)
_END = _ending(runs.c.id == bindparam("run"))
_END_INSIDE = _ending(INSIDE)
_LEAVE_INSIDE = insert(diary).from_select(
    ["run", "n", "at", "step", "did", "why"],
    select(
        runs.c.id,
        runs.c.lines,
        bindparam("to_ended_at", type_=Time()),
        runs.c.step,
        literal("left"),
        bindparam("to_why", type_=Text()),
    ).where(INSIDE, runs.c.step.is_not(None)),
)
_LOCK_INSIDE = select(func.count()).select_from(
    select(runs.c.id).where(INSIDE).order_by(runs.c.id).with_for_update().subquery()
)
