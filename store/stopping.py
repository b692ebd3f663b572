"""Stopping a journey, or one of its versions: everybody inside ends where they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import JSON, Connection, Integer, Text, bindparam, insert, literal, or_, select, true, update

from journeys.problems import Conflict, Unknown
from store.audit import Change, record
from store.counts import to_go
from store.inside import Affected, in_flight_of, read_inside
from store.journeys import find_journey, no_version
from store.lifecycle import STOPPED, THESE, end_these, lock_these, some_stopped
from store.locks import lock_house
from store.schema import AnyRow, Time, journeys, outbox, runs, versions
from store.store import Store, read_transaction, write_transaction
from store.turns import A_REQUEST, TOGETHER, Lot, in_lots, in_turns
from store.versions import IN_USE
from store.waiting_starts import start_some


class Stopped(Affected):
    """Who was inside, and ends. *version*: the one that was stopped alone; None where it was all.

    *to_go*: so many of the journey's runs are still to be ended, and so many starts still to be told that they never
    happen: a worker goes on with them. *changed*: False where it was stopped before, or nobody was inside. *dry_run*:
    this is what would be done.
    """

    version: int | None
    to_go: int = 0
    changed: bool
    dry_run: bool


async def stop(
    store: Store, name: str, change: Change, *, version: int | None = None, dry_run: bool = False
) -> Stopped:
    """Nobody enters any more, and everybody inside stops where they are: all, or those of one *version*.

    Where the version that newcomers take is stopped alone, nobody enters before the next one is published, and people
    of other versions go on. At once nothing is sent any more. The runs are ended some at a time, and others come in
    between; of very many, workers end the rest.
    Raises Unknown, and Conflict where the journey was never published. To stop again changes nothing.
    """
    if dry_run:
        return await _would(store, name, version)
    answer = await _close_doors(store, name, version, change)
    await _go_on(store, change.at, name, A_REQUEST, partial(start_some, store, name, change.at))
    return await _so_far(store, answer)


async def finish_stops(store: Store, now: datetime) -> int:
    """Go on for some seconds with ending whoever is inside what was stopped. Returns how many runs were ended."""
    return await in_turns(await _left_over(store), partial(_go_on, store, now))


async def _go_on(store: Store, now: datetime, name: str, seconds: float, *then: Lot) -> int:
    return await in_lots(seconds, partial(_end_some, store, name, now), *then)


@read_transaction
def _left_over(connection: Connection) -> Sequence[str]:
    return connection.execute(_LEFT_OVER).scalars().all()


@read_transaction
def _so_far(connection: Connection, answer: Stopped) -> Stopped:
    in_flight = in_flight_of(connection, answer.journey, answer.version)
    left = to_go(connection, find_journey(connection, answer.journey))
    return answer.model_copy(update={"in_flight": in_flight, "to_go": left})


@read_transaction
def _would(connection: Connection, name: str, version: int | None) -> Stopped:
    row = _stoppable(connection, name, version)
    there = read_inside(connection, name, version)
    open_ = connection.execute(_OPEN, {"named": name, "only": version}).scalars().all()
    waiting = there.waiting if row.live_version in open_ else 0
    return Stopped(**dict(there) | {"waiting": waiting}, version=version, changed=bool(open_), dry_run=True)


@write_transaction
def _close_doors(connection: Connection, name: str, version: int | None, change: Change) -> Stopped:
    """Nobody enters any more, and nothing is sent. Returns who was inside, and how many starts waited in vain."""
    lock_house(connection)
    row = _stoppable(connection, name, version)
    there = read_inside(connection, name, version)
    about = {"named": name, "now": change.at}
    stopped = sorted(connection.execute(_STOP_VERSIONS, about | {"only": version}).scalars())
    if not stopped:
        return Stopped(**dict(there) | {"waiting": 0}, version=version, changed=False, dry_run=False)
    is_over = not set(connection.execute(_OPEN, {"named": name, "only": None}).scalars()) - {row.live_version}
    waiting = there.waiting if row.live_version in stopped else 0
    if row.live_version in stopped:
        connection.execute(_LET_NOBODY_IN, about)
    if row.live_version in (None, *stopped) and is_over:
        connection.execute(_STOP, about)
    was = {"versions": stopped, "runs": there.runs} | ({"held": row.held_why} if row.held_at else {})
    record(connection, change, "journey stopped", f"journey/{name}", was)
    return Stopped(**dict(there) | {"waiting": waiting}, version=version, changed=True, dry_run=False)


def _stoppable(connection: Connection, name: str, version: int | None) -> AnyRow:
    row = find_journey(connection, name)
    numbers = connection.execute(_NUMBERS, {"named": name}).scalars().all()
    if not numbers:
        raise Conflict(f'Journey "{row.name}" is a draft: there is nothing to stop.')
    if version is not None and version not in numbers:
        raise Unknown(no_version(name, version, max(numbers)))
    return row


async def _end_some(store: Store, name: str, now: datetime) -> int:
    """End some of those that are inside what was stopped. Returns how many."""
    ids = await _some_inside(store, name)
    return await _end(store, name, ids, now) if ids else 0


@read_transaction
def _some_inside(connection: Connection, name: str) -> list[str]:
    # Apart from their end: a writer of SQLite holds up all others.
    return some_stopped(connection, name, TOGETHER)


@write_transaction
def _end(connection: Connection, name: str, ids: Sequence[str], now: datetime) -> int:
    locked = lock_these(connection, ids)  # others may have ended them meanwhile
    connection.execute(_CANCEL, {"runs": list(locked), "now": now})
    end_these(connection, name, locked, "stop", STOPPED, now)
    return len(locked)


_journey = bindparam("named", type_=Text())
_now = bindparam("now", type_=Time())
_only = bindparam("only", type_=Integer())

_NUMBERS = select(versions.c.number).where(versions.c.journey == _journey).order_by(versions.c.number)
_is_open = (
    (versions.c.journey == _journey)
    & versions.c.stopped_at.is_(None)
    & IN_USE
    & or_(_only.is_(None), versions.c.number == _only)
)
_OPEN = select(versions.c.number).where(_is_open)
_STOP_VERSIONS = update(versions).where(_is_open).values(stopped_at=_now).returning(versions.c.number)
_LET_NOBODY_IN = update(journeys).where(journeys.c.name == _journey).values(live_version=None, closed_at=_now)
_STOP = (
    update(journeys)
    .where(journeys.c.name == _journey)
    .values(live_version=None, stopped_at=_now, closed_at=None, held_at=None, held_why=None, paused_at=None)
)
_LEFT_OVER = (
    select(versions.c.journey)
    .distinct()
    .where(
        versions.c.stopped_at.is_not(None),
        select(runs.c.id)
        .where(runs.c.journey == versions.c.journey, runs.c.version == versions.c.number, runs.c.ended.is_(None))
        .exists(),
    )
)
_CANCEL = insert(outbox).from_select(
    ["run", "kind", "payload", "created_at", "due_at", "attempts", "error", "bulk"],
    select(
        runs.c.id,
        literal("cancel"),
        literal({"reason": f"stopped: {STOPPED}"}, JSON()),
        _now,
        _now,
        literal(0),
        literal(""),
        true(),
    )
    .where(THESE)
    .order_by(runs.c.id),
)
