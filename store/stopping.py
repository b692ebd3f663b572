"""Stopping a journey, or one of its versions: everybody inside ends where they are."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import JSON, Connection, Integer, Text, bindparam, insert, literal, or_, select, true, update

from journeys.problems import Conflict, Unknown
from store.audit import Change, record
from store.inside import Affected, Inside, in_flight_of, read_inside
from store.journeys import BREATH, TOGETHER, find_journey
from store.lifecycle import STOPPED, THESE, end_these, lock_these, some_stopped
from store.locks import lock_house
from store.schema import AnyRow, Time, journeys, outbox, runs, versions
from store.store import Store, read_transaction, write_transaction
from store.versions import IN_USE
from store.waiting_starts import drop_waiting

LONG_AGO = timedelta(minutes=5)


class Stopped(Affected):
    """Who was ended. *version*: the one that was stopped alone; None where it was all.

    *changed*: False where it was stopped before, or nobody was inside. *dry_run*: this is what would be done.
    """

    version: int | None
    changed: bool
    dry_run: bool


async def stop(
    store: Store, name: str, change: Change, *, version: int | None = None, dry_run: bool = False
) -> Stopped:
    """Nobody enters any more, and everybody inside stops where they are: all, or those of one *version*.

    Where the version that newcomers take is stopped alone, nobody enters before the next one is published, and people
    of other versions go on. At once nothing is sent any more. The runs are ended some at a time, and others come in
    between.
    Raises Unknown, and Conflict where the journey was never published. To stop again changes nothing.
    """
    if dry_run:
        return await _would(store, name, version)
    changed, waiting = await _close_doors(store, name, version, change)
    ended = await _end_everybody(store, name, version, change.at)
    in_flight = await _in_flight(store, name, version)
    return _told(name, version, ended, in_flight, waiting=waiting, changed=changed)


async def finish_stops(store: Store, now: datetime) -> int:
    """End whoever was left inside by a stop that did not come to its end. Returns how many runs that were."""
    ended = [await _end_everybody(store, name, None, now) for name in await _left_over(store, now - LONG_AGO)]
    return sum(each.total() for each in ended)


@read_transaction
def _left_over(connection: Connection, before: datetime) -> Sequence[str]:
    return connection.execute(_LEFT_OVER, {"before": before}).scalars().all()


@read_transaction
def _would(connection: Connection, name: str, version: int | None) -> Stopped:
    row = _stoppable(connection, name, version)
    there = read_inside(connection, name, version, over=True)
    open_ = connection.execute(_OPEN, {"named": name, "only": version}).scalars().all()
    waiting = there.waiting if row.live_version in open_ else 0
    return Stopped(**dict(there) | {"waiting": waiting}, version=version, changed=bool(open_), dry_run=True)


@write_transaction
def _close_doors(connection: Connection, name: str, version: int | None, change: Change) -> tuple[bool, int]:
    """Whether anything was open, and how many starts waited in vain."""
    lock_house(connection)
    row = _stoppable(connection, name, version)
    there = read_inside(connection, name, version)
    about = {"named": name, "now": change.at}
    stopped = sorted(connection.execute(_STOP_VERSIONS, about | {"only": version}).scalars())
    if not stopped:
        return False, 0
    is_over = not set(connection.execute(_OPEN, {"named": name, "only": None}).scalars()) - {row.live_version}
    waiting = 0
    if row.live_version in stopped:
        connection.execute(_LET_NOBODY_IN, about)
        waiting = drop_waiting(connection, name, STOPPED, change.at)
    if row.live_version in (None, *stopped) and is_over:
        connection.execute(_STOP, about)
    was = {"versions": stopped, "runs": there.runs} | ({"held": row.held_why} if row.held_at else {})
    record(connection, change, "journey stopped", f"journey/{name}", was)
    return True, waiting


def _stoppable(connection: Connection, name: str, version: int | None) -> AnyRow:
    row = find_journey(connection, name)
    numbers = connection.execute(_NUMBERS, {"named": name}).scalars().all()
    if not numbers:
        raise Conflict(f'Journey "{row.name}" is a draft: there is nothing to stop.')
    if version is not None and version not in numbers:
        raise Unknown(f'Journey "{name}" has no version {version}. It has {", ".join(map(str, numbers))}.')
    return row


async def _end_everybody(store: Store, name: str, version: int | None, now: datetime) -> Counter[int]:
    """How many runs by version."""
    ended = Counter[int]()
    while (some := await _end_some(store, name, version, now)) is not None:
        ended += some
        await asyncio.sleep(BREATH)
    return ended


@read_transaction
def _in_flight(connection: Connection, name: str, version: int | None) -> int:
    return in_flight_of(connection, name, version, over=True)


def _told(
    name: str, version: int | None, ended: Counter[int], in_flight: int, *, waiting: int, changed: bool
) -> Stopped:
    return Stopped(
        journey=name,
        inside=tuple(Inside(version=number, runs=n) for number, n in sorted(ended.items())),
        runs=ended.total(),
        in_flight=in_flight,
        waiting=waiting,
        version=version,
        changed=changed,
        dry_run=False,
    )


async def _end_some(store: Store, name: str, version: int | None, now: datetime) -> Counter[int] | None:
    """End some of those that are inside. None where nobody is."""
    ids = await _some_inside(store, name, version)
    return await _end(store, name, ids, now) if ids else None


@read_transaction
def _some_inside(connection: Connection, name: str, version: int | None) -> list[str]:
    # Apart from their end: a writer of SQLite holds up all others.
    return some_stopped(connection, name, TOGETHER, version)


@write_transaction
def _end(connection: Connection, name: str, ids: Sequence[str], now: datetime) -> Counter[int]:
    locked = lock_these(connection, ids)  # others may have ended them meanwhile
    connection.execute(_CANCEL, {"runs": list(locked), "now": now})
    end_these(connection, name, locked, "stop", STOPPED, now)
    return Counter(locked.values())


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
        versions.c.stopped_at < bindparam("before"),
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
