"""Runs: their diary as they go, their end, and all there is to see of them. Times are aware UTC."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from pydantic import AwareDatetime
from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, or_, select

from journeys.facts import Decision
from journeys.interactions import Interaction
from journeys.language.durations import Duration
from journeys.models import Frozen
from journeys.standing import Reported, SendState, standing
from journeys.walk.diary import Ended, EndedBy, Entry, HeldBy, Moved, Outcome, say_held
from journeys.walk.pace import at_pace, later
from journeys.walk.position import Unheard
from store.answers import unheard
from store.diaries import entry_of
from store.events import decision_of
from store.fence import called, not_to_note
from store.lifecycle import STATE, RunState, advance, end, lock_run, no_such_run, state_of
from store.schema import AnyRow, actions, among, calls, decisions, diary, events, interactions, runs, sends, storable
from store.sends import SendRecord
from store.store import read_transaction, write_transaction
from store.versions import load


class Holding(Frozen):
    """What holds the message at which a run stands, since when, until when, and why.

    *until* is None where nobody knows: until its journey is let go or resumed, or it is repaired. Then everything is
    looked at again.
    """

    by: HeldBy
    since: AwareDatetime
    until: AwareDatetime | None
    why: str

    @property
    def words(self) -> str:
        """For people, as the diary says it."""
        return say_held(self.until, self.why, self.by, self.since)


class Run(Frozen):
    """Where a run stands: at *step* since *step_at*, or it has *ended*, and *why*. *held*: what holds its message."""

    id: str
    journey: str
    version: int
    customer: str
    key: str | None
    trigger: str
    event_source: str
    event_id: str
    entered_at: AwareDatetime
    started_at: AwareDatetime
    day: Duration
    step: str | None
    step_at: AwareDatetime | None
    held: Holding | None
    ended: Ended | None
    ended_by: EndedBy | None
    ended_at: AwareDatetime | None
    why: str
    goal_met_at: AwareDatetime | None


class Standing(NamedTuple):
    """A run under way, and since when it stands at its step (aware UTC)."""

    state: RunState
    since: datetime

    @property
    def due(self) -> datetime:
        """When the run will have left its step at the latest, if nothing holds it."""
        if self.state.until is not None:
            return self.state.until
        step = self.state.version.steps.get(self.state.step or "")
        return later(self.since, at_pace(step.longest, self.state.day)) if step else self.since


class RunPage(Frozen):
    """Some runs, the latest first. *next* is the ``before`` of the next page; None on the last one."""

    runs: tuple[Run, ...]
    next: str | None


class InteractionView(Frozen):
    """What a customer, or a mail server, did with a send. *machine*: a program did it, not a person."""

    interaction: Interaction
    at: AwareDatetime
    link: str | None
    reply: str | None
    machine: bool


class SendView(SendRecord):
    """One send, with all that was reported of it, and how far it has come by that."""

    standing: SendState | Interaction
    interactions: tuple[InteractionView, ...]


CallState = Outcome | Literal["trying", "parked", "left"]
"""``trying``: it is tried, or will be. ``parked``: it failed, and waits for somebody to repair it. ``left``: the run
went on or ended without it; nothing more is tried.
"""


class CallView(Frozen):
    """One call of an endpoint, in so many *tries*. *next_at*: when the next one is due; *at*: when it was over.

    *reason*: why the last try was none, or what became of it all.
    """

    step: str
    endpoint: str
    state: CallState
    tries: int
    first_at: AwareDatetime
    tried_at: AwareDatetime | None
    next_at: AwareDatetime | None
    at: AwareDatetime | None
    reason: str


class ActionView(Frozen):
    """What a run raised or set, in words without any value, and what became of it."""

    step: str
    does: str
    outcome: Outcome
    at: AwareDatetime
    reason: str


class EventDecision(Frozen):
    """What an event did to the run, and why."""

    source: str
    event: str
    trigger: str
    occurred_at: AwareDatetime
    decision: Decision


class RunView(Run):
    """All there is to see of a run."""

    diary: tuple[Entry, ...]
    sends: tuple[SendView, ...]
    calls: tuple[CallView, ...]
    actions: tuple[ActionView, ...]
    decisions: tuple[EventDecision, ...]


_BEFORE_IT_WAS_KEPT: Mapping[Ended, EndedBy] = {
    "completed": "done",
    "exited": "exit",
    "stopped": "stop",
    "cancelled": "operator",
    "aborted": "terminated",
}
"""What the end of a run came from that ended before that was kept; where it was something else, it was filled in."""


@write_transaction
def note(
    connection: Connection, run: str, entries: Sequence[Entry], known: Sequence[str] = (), version: int | None = None
) -> Unheard | Moved | None:
    """Write diary lines that no send carries. Lines that are there already change nothing. Raises Unknown.

    Unheard: they pass a question without an answer that there is, and nothing is written.
    Moved: they are of another *version* than the run walks, and nothing is written either.
    """
    state = lock_run(connection, run)
    if entries and (moved := not_to_note(connection, state, version, entries)):
        return called(connection, state, moved, entries[-1].at)
    if news := unheard(connection, state, entries, known):
        return news
    advance(connection, state, entries)
    return None


@write_transaction
def close(  # noqa: PLR0913 - each is told
    connection: Connection,
    run: str,
    by: EndedBy,
    why: str,
    at: datetime,
    entries: Sequence[Entry],
    *,
    known: Sequence[str] = (),
    version: int | None = None,
) -> Unheard | Moved | None:
    """Write the last lines and the end. A run that has ended already keeps the end that it has. Raises Unknown.

    Unheard, as for note(): a run is not complete that has an answer to go on with. Moved, as for note(): it is not
    complete either, and of any other end the lines are left out.
    """
    state = lock_run(connection, run)
    if entries and (moved := not_to_note(connection, state, version, entries)):
        if by == "done":
            return called(connection, state, moved, at)
        entries = ()
    if by == "done" and (news := unheard(connection, state, entries, known)):
        return news
    end(connection, state, by, storable(why), at, entries)  # an operator may give any reason
    return None


@read_transaction
def under_way(connection: Connection, ids: Sequence[str]) -> frozenset[str]:
    """Which of these runs are."""
    return frozenset(connection.execute(_UNDER_WAY, {"ids": list(ids)}).scalars())


@read_transaction
def long_standing(
    connection: Connection, before: datetime, after: tuple[datetime, str] | None, limit: int
) -> list[Standing]:
    """Runs under way that stand at a step since *before*, the longest first, from the one *after* on.

    Those that are marked as missing are left out: they are looked for anyway.
    """
    wanted = select(*STATE, runs.c.step_at).where(runs.c.step_at < before, runs.c.missing_since.is_(None))
    wanted = wanted.order_by(runs.c.step_at, runs.c.id)
    if after is not None:
        at, id = after
        wanted = wanted.where(or_(runs.c.step_at > at, and_(runs.c.step_at == at, runs.c.id > id)))
    rows = connection.execute(wanted.limit(limit)).all()
    versions = load(connection, {(row.journey, row.version) for row in rows})
    return [Standing(state_of(row, versions[row.journey, row.version]), row.step_at) for row in rows]


@read_transaction
def list_runs(  # noqa: PLR0913 - each narrows it down
    connection: Connection,
    *,
    journey: str | None = None,
    customer: str | None = None,
    active: bool | None = None,
    held: bool | None = None,
    by: HeldBy | None = None,
    limit: int = 50,
    before: str | None = None,
) -> RunPage:
    """The latest runs first. *held*: whether something holds their message; *by*: only what this holds.

    *before*: the ``next`` of the page before. Raises Unknown where that run is not there.
    """
    wanted = select(runs).order_by(runs.c.started_at.desc(), runs.c.id.desc()).limit(limit + 1)
    if journey is not None:
        wanted = wanted.where(runs.c.journey == journey)
    if customer is not None:
        wanted = wanted.where(runs.c.customer == customer)
    if active is not None:
        wanted = wanted.where(runs.c.ended.is_(None) if active else runs.c.ended.is_not(None))
    if held is not None:
        wanted = wanted.where(runs.c.held_by.is_not(None) if held else runs.c.held_by.is_(None))
    if by is not None:
        wanted = wanted.where(runs.c.held_by == by)
    if before is not None:
        wanted = wanted.where(_after(connection, before))
    rows = connection.execute(wanted).all()
    page = tuple(Run(**_run(row)) for row in rows[:limit])
    return RunPage(runs=page, next=page[-1].id if len(rows) > limit else None)


@read_transaction
def get_run(connection: Connection, id: str) -> RunView:
    """A run with its diary, its sends, calls and actions, and the events that touched it. Raises Unknown."""
    row = _one(connection, id)
    entries = connection.execute(_DIARY, {"run": id}).all()
    touched = connection.execute(_TOUCHED, {"run": id}).all()
    return RunView(
        **_run(row),
        diary=tuple(entry_of(entry) for entry in entries),
        sends=_sends(connection, id),
        calls=tuple(_call(call, row) for call in connection.execute(_CALLS, {"run": id})),
        actions=_actions(connection, row),
        decisions=tuple(_decision(decision) for decision in touched),
    )


def _after(connection: Connection, before: str) -> ColumnElement[bool]:
    last = _one(connection, before)
    return or_(
        runs.c.started_at < last.started_at,
        and_(runs.c.started_at == last.started_at, runs.c.id < last.id),
    )


def _one(connection: Connection, id: str) -> AnyRow:
    row = connection.execute(_RUN, {"run": id}).one_or_none()
    if row is None:
        raise no_such_run(connection, id)
    return row


def _sends(connection: Connection, run: str) -> tuple[SendView, ...]:
    by_send = defaultdict[str, list[InteractionView]](list)
    for row in connection.execute(_INTERACTIONS, {"run": run}):
        by_send[row.send].append(InteractionView(**row._asdict()))
    rows = connection.execute(_SENDS, {"run": run})
    return tuple(_send(row, by_send[row.id]) for row in rows)


def _send(row: AnyRow, interactions: Sequence[InteractionView]) -> SendView:
    reports = [Reported(seen.interaction, seen.machine) for seen in interactions]
    return SendView(**row._asdict(), standing=standing(row.state, reports), interactions=tuple(interactions))


def _call(row: AnyRow, run: AnyRow) -> CallView:
    under_way = run.ended is None and run.step == row.step
    waits: CallState = "parked" if run.held_by == "park" else "trying"
    state: CallState = row.outcome or (waits if under_way else "left")
    columns = row._asdict()
    del columns["outcome"]
    return CallView(**columns | {"state": state, "next_at": row.next_at if state == "trying" else None})


def _actions(connection: Connection, run: AnyRow) -> tuple[ActionView, ...]:
    rows = connection.execute(_ACTIONS, {"run": run.id}).all()
    if not rows:
        return ()
    wanted = (run.journey, run.version)
    steps = load(connection, [wanted])[wanted].steps
    # What a run did in a version from which it was moved may be no step of this one.
    return tuple(
        ActionView(**row._asdict(), does=steps[row.step].words if row.step in steps else "in an earlier version")
        for row in rows
    )


def _run(row: AnyRow) -> dict[str, Any]:
    columns = row._asdict()
    more = {"day": timedelta(seconds=columns["day_seconds"]), "held": _held(row)}
    return columns | more | {"ended_by": row.ended_by or _BEFORE_IT_WAS_KEPT.get(row.ended)}


def _held(row: AnyRow) -> Holding | None:
    if row.held_by is None:
        return None
    return Holding(by=row.held_by, since=row.held_since, until=row.held_until, why=row.held_why)


def _decision(row: AnyRow) -> EventDecision:
    return EventDecision(
        source=row.source,
        event=row.event,
        trigger=row.trigger,
        occurred_at=row.occurred_at,
        decision=decision_of(row),
    )


_RUN = select(runs).where(runs.c.id == bindparam("run"))
_UNDER_WAY = select(runs.c.id).where(among(runs.c.id, "ids"), runs.c.ended.is_(None))
_DIARY = select(diary).where(diary.c.run == bindparam("run")).order_by(diary.c.n)
_SENDS = (
    select(sends)
    .where(sends.c.run == bindparam("run"))
    .order_by(func.coalesce(sends.c.claimed_at, sends.c.at), sends.c.at)  # one that was blocked was never claimed
)
_of_call = (actions.c.run == calls.c.run) & (actions.c.step == calls.c.step)
_CALLS = (
    select(
        calls.c.step,
        calls.c.endpoint,
        actions.c.outcome,
        calls.c.tries,
        calls.c.first_at,
        calls.c.tried_at,
        calls.c.next_at,
        actions.c.at,
        func.coalesce(actions.c.reason, calls.c.reason).label("reason"),
    )
    .select_from(calls)
    .outerjoin(actions, _of_call)
    .where(calls.c.run == bindparam("run"))
    .order_by(calls.c.first_at, calls.c.step)
)
_ACTIONS = (
    select(actions.c.step, actions.c.outcome, actions.c.at, actions.c.reason)
    .select_from(actions)
    .outerjoin(calls, _of_call)
    .where(actions.c.run == bindparam("run"), calls.c.run.is_(None))
    .order_by(actions.c.at, actions.c.step)
)
_INTERACTIONS = (
    select(interactions)
    .join(sends, sends.c.id == interactions.c.send)
    .where(sends.c.run == bindparam("run"))
    .order_by(interactions.c.at, interactions.c.event)
)
_TOUCHED = (
    select(decisions, events.c.trigger, events.c.occurred_at)
    .join(events, (events.c.id == decisions.c.event) & (events.c.source == decisions.c.source))
    .where(decisions.c.run == bindparam("run"))
    .order_by(decisions.c.id)
)
