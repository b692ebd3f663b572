"""The people inside older versions of a journey go on in a new one, some at a time, each under their lock."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from time import monotonic

from sqlalchemy import Connection, Text, bindparam, func, select, update

from journeys.moving import BEING_SENT, Names, Stays, answer_names, hindrance, moved
from journeys.versions import Version
from journeys.walk.position import Position
from store.audit import Change, record
from store.counts import active_by_version
from store.lifecycle import RunState, lock_states
from store.lifecycle_moves import Moving, busy
from store.lifecycle_names import rename_answers
from store.move_progress import Move, Stayed, Wish, move_of, progress, wish_of
from store.moves import move
from store.new_versions import NOT_STOPPED, had_before
from store.positions import positions
from store.schema import AnyRow, Time, runs, versions
from store.store import Store, read_transaction, write_transaction
from store.turns import A_REQUEST, A_TURN, BREATH, TOGETHER
from store.unsought import unsought
from store.versions import load

TRIES = 5
"""So often is somebody tried again whose message is being sent."""

A_MOMENT = 0.5
"""Seconds between two tries."""

LEFT_ALONE = timedelta(minutes=1)
"""Where nobody has been moved for so long, whoever did it is gone."""

MOST_BUSY = 1000
"""So many are tried again at the most; others stay where they are busy."""


def wish(connection: Connection, version: Version, names: Names, change: Change) -> None:
    """Note, where a version is published, that the people inside older ones are to go on in it.

    The same wish, if it is under way, goes on as it is. One for an older version is over: its people go on in this one.
    """
    row = connection.execute(_LOCK, {"named": version.name, "numbered": version.number}).one()
    if row.moving_at is not None and wish_of(row).names == names:
        return
    for older in connection.execute(_OTHERS, {"named": version.name, "numbered": version.number}).all():
        _write(connection, version.name, older.number, wish_of(older), change.at, is_over=True)
    asked = Wish(of=_how_many(connection, version), names=dict(names), by=change.by)
    _write(connection, version.name, version.number, asked, change.at)


async def move_people(store: Store, name: str, number: int, now: datetime, seconds: float | None = None) -> Move:
    """Move people inside older versions who can go on in this one, for so many *seconds*, or until that is over.

    Whoever takes over goes on where this was. Returns what became of them, also where others did it.
    """
    until = monotonic() + (A_REQUEST if seconds is None else seconds)
    while (so_far := await _read(store, name, number)) and so_far.moving_at is not None and monotonic() < until:
        at = wish_of(so_far)
        ids = await _next(store, name, number, at) if not at.tries else []
        if not ids and at.again:
            await asyncio.sleep(A_MOMENT)
        await _move_some(store, name, number, at, ids, now)
        await asyncio.sleep(BREATH)
    if so_far and so_far.moving_at is not None:
        await _put_down(store, name, number, now)
    return (so_far and progress(so_far)) or move_of({}, Stayed())


async def finish_moves(store: Store, now: datetime) -> int:
    """Go on for some seconds with each move that nobody is at. Returns how many these are."""
    taken = 0
    for name, number in await _left_alone(store, now - LEFT_ALONE):
        if await _take_up(store, name, number, now):
            await move_people(store, name, number, now, A_TURN)
            taken += 1
    return taken


def _how_many(connection: Connection, version: Version) -> int:
    open_ = set(connection.execute(_OPEN, {"named": version.name, "numbered": version.number}).scalars())
    return sum(people for number, people in active_by_version(connection, version.name).items() if number in open_)


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
def _take_up(connection: Connection, name: str, number: int, now: datetime) -> bool:
    """Whether nobody else was faster."""
    about = {"named": name, "numbered": number, "before": now - LEFT_ALONE, "now": now}
    return connection.execute(_TAKE_UP, about).rowcount == 1


@write_transaction
def _put_down(connection: Connection, name: str, number: int, now: datetime) -> None:
    """Leave it to whoever comes next, at once."""
    connection.execute(_PUT_DOWN, {"named": name, "numbered": number, "now": now - LEFT_ALONE})


@write_transaction
def _move_some(connection: Connection, name: str, number: int, seen: Wish, ids: Sequence[str], now: datetime) -> None:
    """Move these, or try those again that were busy; with nobody left it is over, and where the version is stopped."""
    row = connection.execute(_LOCK, {"named": name, "numbered": number}).one()
    if row.moving_at is None or wish_of(row) != seen:
        return  # somebody else was here
    if row.stopped_at is not None:
        _write(connection, name, number, seen, now, is_over=True)
        return
    again = not ids
    ids = [*ids] or [*seen.again[:TOGETHER]]
    after = _after(connection, (name, number), seen, ids, now, again=again) if ids else seen
    was_last = again or len(ids) < TOGETHER
    _write(connection, name, number, after, now, is_over=was_last and not after.again)


def _write(
    connection: Connection, name: str, number: int, wished: Wish, now: datetime, *, is_over: bool = False
) -> None:
    if is_over and wished.moved:
        detail = wished.move(over=True).model_dump(mode="json", include={"moved", "stayed", "gone"})
        record(connection, Change(wished.by, now), "people moved", f"journey/{name}", {"version": number, **detail})
    if is_over:  # nobody is named who is not among those that stayed
        wished = wished.model_copy(update={"after": ""})
    written = wished.model_dump(mode="json", exclude_defaults=True)
    about = {"named": name, "numbered": number, "to_moving": written, "now": None if is_over else now}
    connection.execute(_WISH, {**about, "moves_at": now if wished.moved else None})


def _after(
    connection: Connection, to: tuple[str, int], seen: Wish, ids: Sequence[str], now: datetime, *, again: bool
) -> Wish:
    new = load(connection, [to])[to]
    here = lock_states(connection, ids)  # who is not has ended, or was erased: no id of theirs is kept
    states = {run: state for run, state in here.items() if state.version.number < new.number}
    there: dict[str, Position | Stays] = {}
    there |= {run: Stays(why=why) for run, state in states.items() if (why := _hindrance(state, new, seen.names))}
    at_work = busy(connection, [run for run in states if run not in there])
    found = positions(connection, [run for run in states if run not in there and run not in at_work])
    had = had_before(connection, [states[run] for run in found], new, seen.names)
    there |= {
        run: moved(states[run].version, new, position, seen.names, had.get(run, ())) for run, position in found.items()
    }
    goes = {run: where for run, where in there.items() if isinstance(where, Position)}
    _go(connection, new, [states[run] for run in goes], seen.names, now)
    after = _counted(seen, ids, states, there, at_work, again=again)
    return after if again else after.model_copy(update={"after": next(reversed(here), seen.after)})


def _hindrance(state: RunState, new: Version, names: Names) -> str:
    return hindrance(state.version, new, state.step, names) if state.step else "it is about to end"


def _go(connection: Connection, new: Version, states: Sequence[RunState], names: Names, now: datetime) -> None:
    if not states:
        return
    called = {state.id: answer_names(state.version, new, state.step or "", names) for state in states}
    rename_answers(connection, called)
    move(connection, [Moving(state, new) for state in states], now, names)


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
    had_their_tries = again and tries >= TRIES * (1 + len(seen.again) // TOGETHER)
    room = 0 if had_their_tries else MOST_BUSY - len(left)
    busy_still = sorted(at_work)
    left += busy_still[:room]
    stays.add(BEING_SENT, len(busy_still[room:]), busy_still[room:])
    return seen.model_copy(
        update={
            "again": tuple(left),
            "tries": tries,
            "moved": dict(steps),
            "stayed": dict(stays.people),
            "some": {why: tuple(some) for why, some in stays.runs.items()},
            "gone": seen.gone + len(ids) - len(states),
        }
    )


_of_journey = versions.c.journey == bindparam("named")
_of = (_of_journey, versions.c.number == bindparam("numbered"))
_WISH = (
    update(versions)
    .where(*_of)
    .values(
        moving=bindparam("to_moving"),
        moving_at=bindparam("now"),
        moved_at=func.coalesce(bindparam("moves_at", type_=Time()), versions.c.moved_at),
    )
)
_OPEN = select(versions.c.number).where(
    _of_journey, versions.c.number < bindparam("numbered"), versions.c.stopped_at.is_(None)
)
_MOVING = select(versions.c.moving, versions.c.moving_at, versions.c.stopped_at).where(*_of)
_LOCK = _MOVING.with_for_update()
_OTHERS = (
    select(versions.c.number, versions.c.moving)
    .where(_of_journey, versions.c.number != bindparam("numbered"), versions.c.moving_at.is_not(None))
    .with_for_update()
)
_is_left_alone = versions.c.moving_at <= bindparam("before")
_LEFT_ALONE = select(versions.c.journey, versions.c.number).where(_is_left_alone)
_TAKE_UP = update(versions).where(*_of, _is_left_alone).values(moving_at=bindparam("now"))
_PUT_DOWN = update(versions).where(*_of, versions.c.moving_at.is_not(None)).values(moving_at=bindparam("now"))
_NEXT = (
    select(runs.c.id)
    .where(
        unsought(runs.c.journey) == bindparam("named", type_=Text()),
        runs.c.version < bindparam("number"),  # not out of a newer one, which was published meanwhile
        runs.c.ended.is_(None),
        runs.c.id > bindparam("after"),
        NOT_STOPPED,
    )
    .order_by(runs.c.id)
    .limit(bindparam("most"))
)
