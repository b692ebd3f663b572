"""The people inside older versions of a journey go on in a new one, some at a time, each under their lock."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import Field
from sqlalchemy import Connection, bindparam, select, update

from journeys.models import Frozen
from journeys.moving import BEING_SENT, Names, Stays, answer_names, hindrance, moved
from journeys.versions import Version
from journeys.walk.position import Position
from store.audit import BY_ITSELF, Change, record
from store.journeys import BREATH, TOGETHER
from store.lifecycle import RunState, lock_states
from store.lifecycle_moves import Moving, busy
from store.lifecycle_names import rename_answers, rename_steps
from store.moves import move
from store.new_versions import NOT_STOPPED, Move, Stayed, move_of
from store.positions import positions
from store.schema import AnyRow, runs, versions
from store.store import Store, read_transaction, write_transaction
from store.versions import load

TRIES = 5
"""So often is somebody tried again whose message is being sent."""

A_MOMENT = 0.5
"""Seconds between two tries."""

LEFT_ALONE = timedelta(minutes=1)
"""Where nobody has been moved for so long, whoever did it is gone."""


class Wish(Frozen):
    """Everybody inside older versions is to go on in this one: how far that is, so that others can take over.

    *names*: what their steps are called here. *after*: the last run that was looked at. *again*: those that were busy,
    to be tried again; *tries*: how often they were. *moved*: how many, by step. *stayed*: how many, by the reason, and
    *some* of their runs. *gone*: how many ended before.
    """

    names: dict[str, str] = Field(default_factory=dict)
    by: str = BY_ITSELF
    after: str = ""
    again: tuple[str, ...] = ()
    tries: int = 0
    moved: dict[str, int] = Field(default_factory=dict)
    stayed: dict[str, int] = Field(default_factory=dict)
    some: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    gone: int = 0

    @property
    def move(self) -> Move:
        """What became of everybody so far."""
        return move_of(self.moved, Stayed(self.stayed, self.some), self.gone)


def wish(connection: Connection, version: Version, names: Names, change: Change) -> None:
    """Note, where a version is published, that the people inside older ones are to go on in it."""
    asked = Wish(names=dict(names), by=change.by).model_dump(mode="json", exclude_defaults=True)
    about = {"named": version.name, "numbered": version.number}
    connection.execute(_WISH, {**about, "to_moving": asked, "now": change.at})


async def move_everybody(store: Store, name: str, number: int, now: datetime) -> Move:
    """Move all people inside older versions who can go on in this one. Whoever takes over goes on where this was.

    Returns what became of them, also where others did it.
    """
    while (so_far := await _read(store, name, number)) and so_far.moving_at is not None:
        at = _wish(so_far)
        ids = await _next(store, name, number, at) if not at.tries else []
        if not ids and at.again:
            await asyncio.sleep(A_MOMENT)
        await _move_some(store, name, number, at, ids, now)
        await asyncio.sleep(BREATH)
    return _wish(so_far).move if so_far else move_of({}, Stayed())


async def finish_moves(store: Store, now: datetime) -> int:
    """Go on with moves that were cut off. Returns how many versions these were."""
    left = await _left_alone(store, now - LEFT_ALONE)
    for name, number in left:
        await move_everybody(store, name, number, now)
    return len(left)


@read_transaction
def _left_alone(connection: Connection, before: datetime) -> list[tuple[str, int]]:
    return [(row.journey, row.number) for row in connection.execute(_LEFT_ALONE, {"before": before})]


@read_transaction
def _read(connection: Connection, name: str, number: int) -> AnyRow | None:
    return connection.execute(_MOVING, {"named": name, "numbered": number}).one_or_none()


@read_transaction
def _next(connection: Connection, name: str, number: int, at: Wish) -> list[str]:
    about = {"named": name, "number": number, "after": at.after, "most": TOGETHER}
    return list(connection.execute(_NEXT, about).scalars())


@write_transaction
def _move_some(connection: Connection, name: str, number: int, seen: Wish, ids: Sequence[str], now: datetime) -> None:
    """Move these, or try those again that were busy; with nobody left it is over."""
    row = connection.execute(_LOCK, {"named": name, "numbered": number}).one()
    if row.moving_at is None or _wish(row) != seen:
        return  # somebody else was here
    again = not ids
    ids = [*ids] or [*seen.again[:TOGETHER]]
    after = _after(connection, (name, number), seen, ids, now, again=again) if ids else seen
    is_over = not ids or (again and not after.again)
    if is_over and after.moved:
        detail = {"version": number, **after.move.model_dump(mode="json", exclude={"steps", "stays"})}
        record(connection, Change(seen.by, now), "people moved", f"journey/{name}", detail)
    written = after.model_dump(mode="json", exclude_defaults=True)
    about = {"named": name, "numbered": number, "to_moving": written, "now": None if is_over else now}
    connection.execute(_WISH, about)


def _after(
    connection: Connection, to: tuple[str, int], seen: Wish, ids: Sequence[str], now: datetime, *, again: bool
) -> Wish:
    new = load(connection, [to])[to]
    states = {run: state for run, state in lock_states(connection, ids).items() if state.version.number != new.number}
    there: dict[str, Position | Stays] = {}
    there |= {run: Stays(why=why) for run, state in states.items() if (why := _hindrance(state, new, seen.names))}
    at_work = busy(connection, [run for run in states if run not in there])
    found = positions(connection, [run for run in states if run not in there and run not in at_work])
    there |= {run: moved(states[run].version, new, position, seen.names) for run, position in found.items()}
    goes = {run: where for run, where in there.items() if isinstance(where, Position)}
    _go(connection, new, [states[run] for run in goes], goes, seen.names, now)
    return _counted(seen, ids, states, there, at_work, again=again)


def _hindrance(state: RunState, new: Version, names: Names) -> str:
    return hindrance(state.version, new, state.step, names) if state.step else "it is about to end"


def _go(
    connection: Connection,
    new: Version,
    states: Sequence[RunState],
    goes: dict[str, Position],
    names: Names,
    now: datetime,
) -> None:
    if not states:
        return
    rename_steps(connection, [state.id for state in states], names)
    called = {state.id: answer_names(state.version, new, state.step or "", names) for state in states}
    rename_answers(connection, called)
    move(connection, [Moving(state, new, goes[state.id].step) for state in states], now)


def _counted(
    seen: Wish,
    ids: Sequence[str],
    states: dict[str, RunState],
    there: dict[str, Position | Stays],
    at_work: frozenset[str],
    *,
    again: bool,
) -> Wish:
    steps, stays = Counter(seen.moved), Stayed(seen.stayed, seen.some)
    for run, where in sorted(there.items()):
        if isinstance(where, Position):
            steps[where.step] += 1
        else:
            stays.add(where.why, 1, [run])
    tries = seen.tries + again
    left = [run for run in seen.again if run not in ids] if again else [*seen.again]
    if again and tries >= TRIES * (1 + len(seen.again) // TOGETHER):
        for run in sorted(at_work):
            stays.add(BEING_SENT, 1, [run])
    else:
        left += sorted(at_work)
    return seen.model_copy(
        update={
            "after": seen.after if again else ids[-1],
            "again": tuple(left),
            "tries": tries,
            "moved": dict(steps),
            "stayed": dict(stays.people),
            "some": {why: tuple(some) for why, some in stays.runs.items()},
            "gone": seen.gone + len(ids) - len(states),
        }
    )


def _wish(row: AnyRow) -> Wish:
    return Wish.model_validate(row.moving)


_of = (versions.c.journey == bindparam("named"), versions.c.number == bindparam("numbered"))
_WISH = update(versions).where(*_of).values(moving=bindparam("to_moving"), moving_at=bindparam("now"))
_MOVING = select(versions.c.moving, versions.c.moving_at).where(*_of)
_LOCK = _MOVING.with_for_update()
_LEFT_ALONE = select(versions.c.journey, versions.c.number).where(versions.c.moving_at < bindparam("before"))
_NEXT = (
    select(runs.c.id)
    .where(
        runs.c.journey == bindparam("named"),
        runs.c.version != bindparam("number"),
        runs.c.ended.is_(None),
        runs.c.id > bindparam("after"),
        NOT_STOPPED,
    )
    .order_by(runs.c.id)
    .limit(bindparam("most"))
)
