"""The end of a journey in peace: nobody enters any more, people inside finish, and what is over can be put away."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from sqlalchemy import Connection, Text, bindparam, update

from journeys.models import Frozen
from journeys.problems import Conflict
from store.audit import Change, record
from store.counts import read_standing
from store.inside import Affected, read_inside
from store.journeys import find_journey
from store.locks import lock_house
from store.schema import AnyRow, Time, journeys
from store.store import Store, read_transaction, write_transaction
from store.turns import A_REQUEST, in_lots
from store.versions import load
from store.waiting_starts import start_some


class Completed(Affected):
    """Who is still inside, and finishes. *waiting*: those who waited for the journey to be resumed do not start.

    *parked*: those of the runs that stand where something has failed, and finish once they are repaired.
    *changed*: False where nobody could enter before. *dry_run*: this is what would be done.
    """

    parked: int
    changed: bool
    dry_run: bool


class Archived(Frozen):
    """Whether the journey is *archived*. *changed*: False where it was so before. *dry_run*: this would be done."""

    journey: str
    archived: bool
    changed: bool
    dry_run: bool


async def complete(store: Store, name: str, change: Change, *, dry_run: bool = False) -> Completed:
    """Nobody enters any more, and people inside finish. With the last one the journey is completed, by itself.

    One that nobody may enter stays as it is. Raises Unknown, and Conflict where it is a draft or was stopped.
    """
    if dry_run:
        return await _would_complete(store, name)
    answer = await _complete(store, name, change)
    await in_lots(A_REQUEST, partial(start_some, store, name, change.at))  # they do not start: workers tell the rest
    return answer


async def archive(store: Store, name: str, change: Change, *, archived: bool = True, dry_run: bool = False) -> Archived:
    """Hide a journey that is over from lists, or show it there again. Nothing of it is lost.

    Raises Unknown, and Conflict where it is not over.
    """
    return await (
        _would_archive(store, name, change.at, archived) if dry_run else _archive(store, name, change, archived)
    )


@read_transaction
def _would_complete(connection: Connection, name: str) -> Completed:
    return _completing(connection, _completable(connection, name), dry_run=True)


@write_transaction
def _complete(connection: Connection, name: str, change: Change) -> Completed:
    lock_house(connection)  # who is entering just now has entered, and nobody else does
    row = _completable(connection, name)
    answer = _completing(connection, row, dry_run=False)
    if answer.changed:
        _close(connection, name, change.at)
        detail = {"version": row.live_version, "runs": answer.runs}
        record(connection, change, "journey completed", f"journey/{name}", detail)
    return answer


def _close(connection: Connection, name: str, now: datetime) -> None:
    connection.execute(_CLOSE, {"named": name, "now": now})


def _completable(connection: Connection, name: str) -> AnyRow:
    row = find_journey(connection, name)
    if row.stopped_at is not None:
        raise Conflict(f'Journey "{name}" is stopped: everybody who was inside has stopped with it.')
    _refuse_draft(row, "there is nobody to complete it")
    return row


def _completing(connection: Connection, row: AnyRow, *, dry_run: bool) -> Completed:
    there, changed = read_inside(connection, row.name), row.live_version is not None
    waiting, parked = there.waiting if changed else 0, _parked(connection, row)
    return Completed(**dict(there) | {"waiting": waiting}, parked=parked, changed=changed, dry_run=dry_run)


@read_transaction
def _would_archive(connection: Connection, name: str, now: datetime, archived: bool) -> Archived:  # noqa: FBT001
    return _archiving(connection, name, now, archived=archived, dry_run=True)


@write_transaction
def _archive(connection: Connection, name: str, change: Change, archived: bool) -> Archived:  # noqa: FBT001
    lock_house(connection)
    answer = _archiving(connection, name, change.at, archived=archived, dry_run=False)
    if answer.changed:
        row = find_journey(connection, name)
        if archived and row.live_version is not None:  # its end has come, and nobody enters who is late
            _close(connection, name, change.at)
        connection.execute(_ARCHIVE, {"named": name, "at": change.at if archived else None})
        did = "journey archived" if archived else "journey taken back"
        record(connection, change, did, f"journey/{name}")
    return answer


def _archiving(connection: Connection, name: str, now: datetime, *, archived: bool, dry_run: bool) -> Archived:
    row = find_journey(connection, name)
    changed = archived is (row.archived_at is None)
    if archived and changed:
        _refuse_what_goes_on(connection, row, now)
    return Archived(journey=name, archived=archived, changed=changed, dry_run=dry_run)


def _parked(connection: Connection, row: AnyRow) -> int:
    return read_standing(connection, [row])[row.name].parked


def _refuse_what_goes_on(connection: Connection, row: AnyRow, now: datetime) -> None:
    """Raises Conflict where a journey is not over."""
    _refuse_draft(row, "only what is over can be archived")
    there = read_inside(connection, row.name)
    if there.runs:
        by_version = ", ".join(f"{each.runs} in version {each.version}" for each in there.inside)
        parked = _parked(connection, row)
        repair = (
            f"Of these {parked} {'is' if parked == 1 else 'are'} parked: sojourn repair {row.name}. " if parked else ""
        )
        raise Conflict(
            f'Journey "{row.name}" is not over: {_under_way(there.runs)} under way, {by_version}. {repair}'
            f"Let nobody enter and wait for the last one: sojourn complete {row.name}. "
            f"Or end it: sojourn stop {row.name}"
        )
    if _may_be_entered(connection, row, now):
        raise Conflict(
            f'Journey "{row.name}" is not over: newcomers take version {row.live_version}. '
            f"Let nobody enter any more: sojourn complete {row.name}"
        )


def _refuse_draft(row: AnyRow, so: str) -> None:
    if row.live_version is None and row.closed_at is None and row.stopped_at is None:
        raise Conflict(f'Journey "{row.name}" is a draft: {so}.')


def _may_be_entered(connection: Connection, row: AnyRow, now: datetime) -> bool:
    if row.live_version is None:
        return False
    live = (row.name, row.live_version)
    until = load(connection, [live])[live].journey.start.until
    return until is None or now < until


def _under_way(runs: int) -> str:
    return "1 run is" if runs == 1 else f"{runs} runs are"


_named = bindparam("named", type_=Text())
_CLOSE = update(journeys).where(journeys.c.name == _named).values(live_version=None, closed_at=bindparam("now"))
_ARCHIVE = update(journeys).where(journeys.c.name == _named).values(archived_at=bindparam("at", type_=Time()))
