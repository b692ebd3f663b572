"""One life of a run: it starts, goes on and ends here, alone or together with very many others.

Nobody else writes the tables ``runs``, ``diary``, ``counts`` and ``people``, but for ``lifecycle_moves.py``, and that
``missing.py`` marks who is missing in Temporal.
What is counted is counted in the transaction that makes it true, so that counts are exact, and nothing has to be
counted when somebody asks.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    Insert,
    Integer,
    Select,
    TableValuedAlias,
    Text,
    Update,
    bindparam,
    case,
    false,
    func,
    insert,
    literal,
    select,
    true,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from journeys.catalogue import Event
from journeys.chains import Chain
from journeys.clearance.keeping import FOREVER
from journeys.facts import RunFacts
from journeys.language.durations import say
from journeys.problems import Unknown
from journeys.versions import Version
from journeys.walk.diary import ENDED, Ended, EndedBy, Entry, Held, HeldBy, at_start
from journeys.walk.pace import at_pace, later
from journeys.walk.position import Position
from journeys.walk.walk import ALL_DONE
from store.locks import lock_customer, lock_customers
from store.many import write_each
from store.policy import in_force
from store.schema import AnyRow, Texts, Time, among, calls, counts, diary, people, runs, versions
from store.versions import load

Row = dict[str, Any]

SHARDS = 16

Did = Literal["entered", "moved in", "moved out", "refused", "first entered", "first goal"] | Ended
"""What is counted. ``entered``, moves and ends are runs, ``refused`` are starts that would have gone in a circle.
``first entered`` and ``first goal`` are people: a customer is counted once in a journey, in the version in which it
happened first.
"""

Counted = tuple[str, int, Did]
"""A journey's name, a version's number, and what is counted of them."""

_People = defaultdict[str, dict[str, Version]]
"""By journey and customer, the version in which it happens."""


@dataclass(frozen=True)
class RunState:
    """Where a run stands: at *step*, with *lines* lines in its diary; or over, if it *ended*.

    *until*: where it waits there for a moment, as it was computed. *chain*: the journeys that led there.
    *held_by*: what holds its message there. *repaired_at*: when it was told there to try again what had failed.
    """

    id: str
    customer: str
    version: Version
    day: timedelta
    step: str | None
    lines: int
    ended: Ended | None = None
    why: str = ""
    until: datetime | None = None
    chain: Chain = ()
    held_by: HeldBy | None = None
    repaired_at: datetime | None = None

    def stands_at(self, position: Position) -> bool:
        """Whether this is where the run is, as of the same line of its diary."""
        return self.step == position.step and self.lines == position.lines


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
    runs.c.step_until,
    runs.c.chain,
    runs.c.held_by,
    runs.c.repaired_at,
)
"""The columns that state_of() reads."""

_CUSTOMER = select(runs.c.customer).where(runs.c.id == bindparam("run"))
_SEE = select(*STATE).where(runs.c.id == bindparam("run"))
# SQLite leaves FOR UPDATE out: there, a writer is alone already.
_LOCK = _SEE.with_for_update()
_LOCK_ALL = (
    select(runs.c.id)
    .where(runs.c.customer == bindparam("whose"), runs.c.ended.is_(None))
    .order_by(runs.c.id)
    .with_for_update()
)


def lock_run(connection: Connection, run: str) -> RunState:
    """Take the run's lock, until the transaction ends, and see where it stands. Raises Unknown."""
    return _seen(connection, _LOCK, run)


def see_run(connection: Connection, run: str) -> RunState:
    """Where a run stands, without its lock. Raises Unknown."""
    return _seen(connection, _SEE, run)


def _seen(connection: Connection, statement: Select[Any], run: str) -> RunState:
    row = connection.execute(statement, {"run": run}).one_or_none()
    if row is None:
        raise no_such_run(connection, run)
    wanted = (row.journey, row.version)
    return state_of(row, load(connection, [wanted])[wanted])


def no_such_run(connection: Connection, run: str) -> Unknown:
    """What is said of a run that is not there: it may have been, and been pruned."""
    keep = in_force(connection).policy.keep
    pruned = "" if keep.runs >= FOREVER else f" Those that are over are kept for {say(keep.runs)}, and pruned then."
    return Unknown(f'There is no run "{run}".{pruned}')


def lock_customer_and_run(connection: Connection, run: str) -> RunState:
    """Take the lock of the run's customer, then the run's: in the order of those who accept events. Raises Unknown."""
    if connection.dialect.name == "postgresql":
        # A run's customer never changes, so no lock is needed to read it.
        customer = connection.execute(_CUSTOMER, {"run": run}).scalar_one_or_none()
        lock_customer(connection, customer or "")
    return lock_run(connection, run)


def lock_customer_and_runs(connection: Connection, run: str) -> RunState:
    """Take all the locks that accepting an event of the run's customer takes, in that order. Raises Unknown."""
    if connection.dialect.name == "postgresql":
        customer = connection.execute(_CUSTOMER, {"run": run}).scalar_one_or_none()
        lock_customers(connection, [customer or ""])
        connection.execute(_LOCK_ALL, {"whose": customer or ""})
    return lock_run(connection, run)


def state_of(row: AnyRow, version: Version) -> RunState:
    """Where the run of this row stands."""
    return RunState(
        id=row.id,
        customer=row.customer,
        version=version,
        day=timedelta(seconds=row.day_seconds),
        step=row.step,
        lines=row.lines,
        ended=row.ended,
        why=row.why,
        until=row.step_until,
        chain=tuple(row.chain),
        held_by=row.held_by,
        repaired_at=row.repaired_at,
    )


class RunWrites:
    """What happens to runs in one transaction: collected while it is decided, written in a few statements.

    Whoever uses it has the runs' locks, and those of customers who start or meet a goal. What moves a run returns where
    it stands then.
    """

    def __init__(self) -> None:
        self._runs: list[Row] = []
        self._lines: list[Row] = []
        self._advances: dict[str, Row] = {}
        self._chains: dict[str, Row] = {}
        self._goals: dict[str, Row] = {}
        self._ends: list[Row] = []
        self._calling: list[str] = []
        self._counts = Counter[Counted]()
        self._entered: _People = defaultdict(dict)
        self._met: _People = defaultdict(dict)

    def start(self, run: RunFacts, event: Event, now: datetime) -> RunState:
        """*event* starts a run. It stands at its first step."""
        first = at_start(run.version.journey.steps[0].id, run.entered_at)
        self._runs.append(_new(run, event, first, now))
        self._lines.append(line_row(run.id, first))
        self._count(run.version, "entered")
        customer = event.customer or ""
        self._entered[run.version.name].setdefault(customer, run.version)
        return RunState(run.id, customer, run.version, run.day, step=first.step, lines=1, chain=run.chain)

    def refuse(self, version: Version) -> None:
        """Nobody starts, as journeys would start one another in a circle."""
        self._count(version, "refused")

    def resume(self, state: RunState, chain: Chain) -> RunState:
        """The run hears of an answer, to which *chain* led."""
        if chain == state.chain:
            return state
        self._chains[state.id] = {"run": state.id, "to_chain": list(chain)}
        return replace(state, chain=chain)

    def advance(self, state: RunState, entries: Sequence[Entry]) -> RunState:
        """Write the lines that are new, and stand where the last of them leads.

        Lines that were written before change nothing, and a run that is over gets no more of them.
        """
        new = [entry for entry in entries if entry.n >= state.lines]
        if state.ended or not new:
            return state
        last = new[-1]
        step = last.step if last.stands else None
        self._lines += [line_row(state.id, entry) for entry in new]
        if state.version.endpoints and any(entry.did == "left" for entry in new):
            self._calling.append(state.id)
        self._advances[state.id] = {"run": state.id, "to_step": step, "to_step_at": last.at, "to_lines": last.n + 1}
        return replace(state, step=step, lines=last.n + 1, until=None, held_by=None, repaired_at=None)

    def meet_goal(self, state: RunState, at: datetime) -> None:
        """The run has met its goal. The first time is the one that stays."""
        self._goals[state.id] = {"run": state.id, "to_goal_met_at": at}
        self._met[state.version.name].setdefault(state.customer, state.version)

    def end(self, state: RunState, by: EndedBy, why: str, at: datetime) -> RunState:
        """End the run for good; the step that it stands at is left. The first end is the one that stays."""
        if state.ended:
            return state
        ended = ENDED[by]
        if state.step:
            self._lines.append(line_row(state.id, Entry(n=state.lines, at=at, step=state.step, did="left", why=why)))
        lines = state.lines + bool(state.step)
        after = replace(state, step=None, lines=lines, ended=ended, why=why, until=None, held_by=None)
        self._advances.pop(state.id, None)  # one statement writes all that an end changes
        self._ends.append(
            {
                "run": state.id,
                "to_ended": ended,
                "to_ended_by": by,
                "to_ended_at": at,
                "to_why": why,
                "to_goal_met_at": self._goals.pop(state.id, {}).get("to_goal_met_at"),
                "to_goal_until": _goal_until(state, ended, at),
                "to_lines": after.lines,
            }
        )
        self._calling += [state.id] if state.version.endpoints else []
        self._count(state.version, ended)
        return after

    def write(self, connection: Connection) -> None:
        """Write everything. Counts come last: who waits for a count then holds nothing that another count waits for."""
        for statement, rows in (
            (_START, self._runs),
            (ADD_LINES, self._lines),
            (_ADVANCE, list(self._advances.values())),
            (_RESUME, list(self._chains.values())),
            (_MEET_GOAL, list(self._goals.values())),
            (_END, self._ends),
        ):
            write_each(connection, statement, rows)
        if self._calling:
            connection.execute(FORGET_CALLS, {"runs": self._calling})
        self._write_people(connection)
        add_counts(connection, self._counts)

    def _write_people(self, connection: Connection) -> None:
        """Who enters a journey, or meets its goal, for the first time."""
        enter = _ENTER[connection.dialect.name]
        first: tuple[tuple[Did, Insert | Update, _People], ...] = (
            ("first entered", enter, self._entered),
            ("first goal", _FIRST_GOAL, self._met),
        )
        for did, statement, people_in in first:
            for journey, version_of in people_in.items():
                rows = connection.execute(statement, {"named": journey, "customers": sorted(version_of)})
                for customer in rows.scalars():
                    self._count(version_of[customer], did)

    def _count(self, version: Version, did: Did) -> None:
        self._counts[version.name, version.number, did] += 1


def advance(connection: Connection, state: RunState, entries: Sequence[Entry]) -> RunState:
    """Advance one run, at once."""
    writes = RunWrites()
    after = writes.advance(state, entries)
    writes.write(connection)
    return after


def end(
    connection: Connection, state: RunState, by: EndedBy, why: str, at: datetime, entries: Sequence[Entry] = ()
) -> RunState:
    """End one run, at once; *entries* are the last lines of its diary."""
    writes = RunWrites()
    after = writes.end(writes.advance(state, entries), by, why, at)
    writes.write(connection)
    return after


def explanation(connection: Connection, state: RunState) -> str:
    """What was said of the step where a run stands, such as until when it waits there; nothing if it was not."""
    said: str = connection.execute(_EXPLANATION, {"of_run": state.id, "of_n": state.lines - 1}).scalar_one()
    return said


def explain(connection: Connection, state: RunState, why: str, until: datetime | None = None) -> None:
    """Say of the step where a run stands why it is as it is; *until*: when it waits there for."""
    connection.execute(_EXPLAIN, {"of_run": state.id, "of_n": state.lines - 1, "to_why": why})
    if until is not None:
        connection.execute(_STAND_UNTIL, {"of_run": state.id, "to_until": until})


def hold(connection: Connection, state: RunState, held: Held, now: datetime) -> None:
    """Its message may not go out yet: say so where the run stands.

    Since when it is held stays what it was first; but it is parked since it failed, whatever held it before.
    """
    about = {"of_run": state.id, "by": held.by, "since": now, "to_until": held.until, "to_why": held.why}
    connection.execute(_HOLD, about)
    explain(connection, state, held.words(now))


def hold_no_more(connection: Connection, state: RunState) -> None:
    """Nothing holds its message any more."""
    connection.execute(_HOLD_NO_MORE, {"of_run": state.id})


def measure(connection: Connection, run: str, until: datetime) -> None:
    """Count the goal of a run that is locked for so long at least, however it ends: so each arm of a test is alike."""
    connection.execute(_MEASURE, {"of_run": run, "to_until": until})


def pass_step(connection: Connection, state: RunState, lines: Sequence[Entry]) -> None:
    """What came of a visit: its step is passed, and the next one entered, or the run is complete.

    Where the step was passed or left before, what comes late changes nothing.
    """
    if lines[0].n < state.lines:
        return
    if lines[-1].stands:
        advance(connection, state, lines)
    else:
        end(connection, state, "done", ALL_DONE, lines[-1].at, lines)


STOPPED = "the journey was stopped"

THESE = among(runs.c.id, "runs") & runs.c.ended.is_(None)
"""Those of the runs that are named that are under way."""


def some_stopped(connection: Connection, journey: str, most: int) -> list[str]:
    """Some of the runs that are inside versions of a journey that were stopped, in the order to lock them in."""
    return sorted(connection.execute(_SOME_STOPPED, {"named": journey, "most": most}).scalars())


def lock_these(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    """Take the locks of those of these runs that are under way. Returns the versions that they walk."""
    return {row.id: row.version for row in connection.execute(_LOCK_THESE, {"runs": ids})}


def lock_states(connection: Connection, ids: Sequence[str]) -> dict[str, RunState]:
    """The same. Returns where they stand."""
    rows = connection.execute(_LOCK_STATES, {"runs": list(ids)}).all()
    versions = load(connection, {(row.journey, row.version) for row in rows})
    return {row.id: state_of(row, versions[row.journey, row.version]) for row in rows}


def end_these(
    connection: Connection, journey: str, locked: Mapping[str, int], by: EndedBy, why: str, at: datetime
) -> None:
    """End runs of a journey, as lock_these() found them: end(), but for very many at once."""
    ended = ENDED[by]
    end = {"runs": list(locked), "to_ended": ended, "to_ended_by": by, "to_ended_at": at, "to_why": why}
    connection.execute(_LEAVE_THESE, end)
    connection.execute(_END_THESE, end)
    connection.execute(FORGET_CALLS, {"runs": list(locked)})
    add_counts(connection, Counter((journey, version, ended) for version in locked.values()))


def add_counts(connection: Connection, counted: Mapping[Counted, int]) -> None:
    """Count so many more."""
    if counted:
        rows = [
            {"journey": journey, "version": version, "did": did, "n": n}
            for (journey, version, did), n in sorted(counted.items())  # always in this order: no two wait in a circle
        ]
        connection.execute(_ADD[connection.dialect.name], rows)


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
        "chain": list(run.chain),
    }


def line_row(run: str, entry: Entry) -> Row:
    """A line of a run's diary as its table has it."""
    return {"run": run, **vars(entry)}


def _goal_until(state: RunState, ended: Ended, at: datetime) -> datetime | None:
    """Until when a goal event must have occurred to count for a run that ended *at*."""
    goal = state.version.journey.goal
    if goal is None:
        return None
    return later(at, at_pace(goal.within, state.day)) if ended == "completed" else at


def _at_least(until: ColumnElement[Any]) -> ColumnElement[Any]:
    """*until*, or later where the run is measured for longer in a test."""
    return case((runs.c.goal_until > until, runs.c.goal_until), else_=until)


NOT_HELD = {"held_by": None, "held_since": None, "held_until": None, "held_why": None}


def _ending(which: ColumnElement[bool], **more: ColumnElement[Any]) -> Update:
    """The end, for one run or for all *which*."""
    return (
        update(runs)
        .where(which)
        .values(
            ended=bindparam("to_ended"),
            ended_by=bindparam("to_ended_by"),
            ended_at=bindparam("to_ended_at"),
            why=bindparam("to_why"),
            step=None,
            step_at=None,
            step_until=None,
            repaired_at=None,
            **NOT_HELD,
            **more,
        )
    )


_START = insert(runs)
ADD_LINES = insert(diary)
_ADVANCE = (
    update(runs)
    .where(runs.c.id == bindparam("run"))
    .values(
        step=bindparam("to_step"),
        step_at=bindparam("to_step_at"),
        step_until=None,
        repaired_at=None,
        lines=bindparam("to_lines"),
        **NOT_HELD,
    )
)
_line_of = (diary.c.run == bindparam("of_run")) & (diary.c.n == bindparam("of_n"))
_EXPLANATION = select(diary.c.why).where(_line_of)
_EXPLAIN = update(diary).where(_line_of).values(why=bindparam("to_why"))
_STAND_UNTIL = update(runs).where(runs.c.id == bindparam("of_run")).values(step_until=bindparam("to_until"))
_since = bindparam("since", type_=Time())
_fails_now = (bindparam("by", type_=Text()) == "park") & runs.c.held_by.is_distinct_from("park")
_HOLD = (
    update(runs)
    .where(runs.c.id == bindparam("of_run"))
    .values(
        held_by=bindparam("by"),
        held_since=case((_fails_now, _since), else_=func.coalesce(runs.c.held_since, _since)),
        held_until=bindparam("to_until"),
        held_why=bindparam("to_why"),
    )
)
_HOLD_NO_MORE = update(runs).where(runs.c.id == bindparam("of_run")).values(**NOT_HELD)
_RESUME = update(runs).where(runs.c.id == bindparam("run")).values(chain=bindparam("to_chain"))
_MEET_GOAL = (
    update(runs)
    .where(runs.c.id == bindparam("run"), runs.c.goal_met_at.is_(None))
    .values(goal_met_at=bindparam("to_goal_met_at"))
)
_END = _ending(
    runs.c.id == bindparam("run"),
    goal_met_at=func.coalesce(runs.c.goal_met_at, bindparam("to_goal_met_at", type_=Time())),
    goal_until=_at_least(bindparam("to_goal_until", type_=Time())),
    lines=bindparam("to_lines", type_=Integer()),
)
_END_THESE = _ending(
    THESE,
    goal_until=_at_least(bindparam("to_ended_at", type_=Time())),  # what occurred before it still counts
    lines=case((runs.c.step.is_not(None), runs.c.lines + 1), else_=runs.c.lines),
)
_MEASURE = (
    update(runs)
    .where(runs.c.id == bindparam("of_run"))
    .values(goal_until=_at_least(bindparam("to_until", type_=Time())))
)
_LEAVE_THESE = insert(diary).from_select(
    ["run", "n", "at", "step", "did", "why"],
    select(
        runs.c.id,
        runs.c.lines,
        bindparam("to_ended_at", type_=Time()),
        runs.c.step,
        literal("left"),
        bindparam("to_why", type_=Text()),
    ).where(THESE, runs.c.step.is_not(None)),
)
FORGET_CALLS = update(calls).where(among(calls.c.run, "runs")).values(data=None)  # nobody posts it any more
_LOCK_STATES = select(*STATE).where(THESE).order_by(runs.c.id).with_for_update()
_LOCK_THESE = select(runs.c.id, runs.c.version).where(THESE).order_by(runs.c.id).with_for_update()
_stopped = select(versions.c.number).where(
    versions.c.journey == bindparam("named", type_=Text()), versions.c.stopped_at.is_not(None)
)
_SOME_STOPPED = (
    select(runs.c.id)
    .where(runs.c.journey == bindparam("named", type_=Text()), runs.c.version.in_(_stopped), runs.c.ended.is_(None))
    .limit(bindparam("most"))
)

_named = bindparam("named", type_=Text())
_FIRST_GOAL = (
    update(people)
    .where(people.c.journey == _named, among(people.c.customer, "customers"), ~people.c.met_goal)
    .values(met_goal=True)
    .returning(people.c.customer)
)


def _entering(new: postgresql.Insert | sqlite.Insert, each: TableValuedAlias) -> Insert:
    those = select(each.c.value, _named, false()).where(true())  # WHERE: else SQLite takes ON CONFLICT for a join's ON
    entered = new.from_select(["customer", "journey", "met_goal"], those).on_conflict_do_nothing()
    return entered.returning(people.c.customer)


_customers = bindparam("customers", type_=Texts())
_ENTER = {
    "postgresql": _entering(postgresql.insert(people), func.unnest(_customers).table_valued("value").render_derived()),
    "sqlite": _entering(sqlite.insert(people), func.json_each(_customers).table_valued("value")),
}


def _adding(new: postgresql.Insert | sqlite.Insert) -> Insert:
    return new.on_conflict_do_update(index_elements=counts.primary_key, set_={"n": counts.c.n + new.excluded.n})


# Each connection to PostgreSQL has a process there, and so a shard nearly for itself. SQLite has one writer.
_ADD = {
    "postgresql": _adding(postgresql.insert(counts).values(shard=func.pg_backend_pid() % SHARDS)),
    "sqlite": _adding(sqlite.insert(counts).values(shard=0)),
}
