"""Journeys: the draft, and its published versions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Text, bindparam, func, insert, select, update

from journeys.checks.review import Catalogue
from journeys.definition import Journey
from journeys.interactions import Kind
from journeys.language.clock import say_instant
from journeys.models import Frozen
from journeys.nearest import did_you_mean
from journeys.problems import Conflict, Flaw, Invalid, Unavailable, Unknown
from journeys.publishing import check, version_of, warn
from journeys.reading import read_journey
from journeys.versions import Version
from store.ab_tests import goes_on
from store.audit import Change, record
from store.catalogue import read_catalogue
from store.changing import add, alter
from store.counts import GoalCount, JourneyView, read_views, to_go
from store.locks import lock_house
from store.schema import AnyRow, Time, journeys, versions
from store.showing import Unreadable, all_shown, shown
from store.store import MOST_ATTEMPTS, Store, read_transaction, write_transaction
from store.versions import load
from store.waiting_starts import drop_the_rest

__all__ = [
    "GoalCount",
    "JourneyView",
    "Published",
    "find_journey",
    "get_journey",
    "get_version",
    "list_journeys",
    "publish",
    "put_journey",
    "still_to_go",
]


class Published(Frozen):
    """The version that newcomers take from now on. *new*: False where it was so before.

    *warnings*: what it was published with, and its author should know.
    """

    journey: str
    version: int
    hash: str
    new: bool
    warnings: tuple[Flaw, ...] = ()


@write_transaction
def put_journey(connection: Connection, journey: Journey, change: Change) -> bool:
    """Write a journey's draft; nobody walks it before it is published. Returns whether the journey is new."""
    definition = _dump(journey)
    row = connection.execute(_LOCK, {"named": journey.journey}).one_or_none()
    if row is None:
        add(connection, journeys, journey.journey, change, definition=definition)
        return True
    alter(connection, journeys, row, change, "put", definition=definition)
    return False


Also = Callable[[Connection, Version], None]
"""What else is written of the version that newcomers take from now on, in the transaction that publishes it."""


async def publish(
    store: Store, name: str, change: Change, channels: frozenset[Kind], also: Also | None = None
) -> Published:
    """Make the draft the version that newcomers take. People inside stay on theirs, unless *also* says otherwise.

    One that was over is live again. What is live already is not published again. Raises Unknown, Conflict where it is
    archived, and Invalid with every flaw.
    """
    for _ in range(MOST_ATTEMPTS):
        draft = await read_draft(store, name, channels)
        # In a thread, and before the transaction: a check may take a second, and events go on meanwhile.
        journey, warnings = await asyncio.to_thread(checked, draft, change.at)
        if published := await _go_live(store, draft, journey, warnings, change, channels, also):
            return published
    raise Unavailable(f'Journey "{name}" was changed again and again while it was checked. Publish it once more.')


class Draft(NamedTuple):
    """What is published: a journey as it is written, and all that it may refer to."""

    name: str
    definition: dict[str, Any]
    live: str | None  # the hash of what newcomers take
    catalogue: Catalogue


@read_transaction
def read_draft(connection: Connection, name: str, channels: frozenset[Kind]) -> Draft:
    """What would be published now. Raises Unknown."""
    return _draft(connection, name, channels)


def _draft(connection: Connection, name: str, channels: frozenset[Kind]) -> Draft:
    row = find_journey(connection, name)
    if row.archived_at is not None:
        raise Conflict(f'Journey "{name}" is archived. Take it back first: sojourn archive {name} --undo')
    live = None if row.live_version is None else _hash(connection, name, row.live_version)
    return Draft(name, row.definition, live, read_catalogue(connection, channels))


def checked(draft: Draft, now: datetime) -> tuple[Journey, tuple[Flaw, ...]]:
    """The journey of a draft, held to all that holds for what is written now, and what its author should know.

    Raises Invalid with every flaw.
    """
    journey = read_journey(draft.definition)
    if journey.hash != draft.live and (flaws := check(journey, draft.catalogue, now=now)):
        raise Invalid(f'Journey "{draft.name}" cannot be published as it is.', flaws)
    return journey, tuple(warn(journey, draft.catalogue))


@write_transaction
def _go_live(
    connection: Connection,
    draft: Draft,
    journey: Journey,
    warnings: tuple[Flaw, ...],
    change: Change,
    channels: frozenset[Kind],
    also: Also | None,
) -> Published | None:
    """Write the version; None where something was changed since the draft was read."""
    lock_house(connection)
    if _draft(connection, draft.name, channels) != draft:
        return None
    row = find_journey(connection, draft.name)
    held = _still_held(row) + _still_paused(row)
    if draft.live == journey.hash:
        if also:
            also(connection, load(connection, [(draft.name, row.live_version)])[draft.name, row.live_version])
        return Published(journey=draft.name, version=row.live_version, hash=journey.hash, new=False, warnings=held)
    drop_the_rest(connection, row)
    last = last_number(connection, draft.name)
    version = version_of(journey, last + 1, draft.catalogue)
    connection.execute(insert(versions), _version(version, change.at))
    connection.execute(_GO_LIVE, {"named": draft.name, "number": version.number})
    if also:
        also(connection, version)
    live = {"version": version.number, "hash": journey.hash}
    record(connection, change, "journey published", f"journey/{draft.name}", live)
    warnings += (*goes_on(connection, journey, last), *held)
    return Published(journey=draft.name, version=version.number, hash=journey.hash, new=True, warnings=warnings)


def _still_held(row: AnyRow) -> tuple[Flaw, ...]:
    """A warning that a new version lets nobody go, where the journey is held."""
    if row.held_at is None:
        return ()
    message = f"It is held since {say_instant(row.held_at)}, and a new version lets nobody go: {row.held_why}."
    return (Flaw(path="", message=message, hint=f"Once all is well: sojourn release {row.name}"),)


def _still_paused(row: AnyRow) -> tuple[Flaw, ...]:
    """The same, where it is paused."""
    if row.paused_at is None:
        return ()
    message = f"It is paused since {say_instant(row.paused_at)}, and a new version resumes nobody."
    return (Flaw(path="", message=message, hint=f"To let it go on: sojourn resume {row.name}"),)


@read_transaction
def get_journey(connection: Connection, name: str, now: datetime) -> JourneyView:
    """A journey with its versions and counts. Raises Unknown, and Conflict where it cannot be shown."""
    row = find_journey(connection, name)
    return shown("journey", row, read_views(connection, [row], now))


@read_transaction
def still_to_go(connection: Connection, name: str) -> int:
    """How many runs and starts of a journey are still to be told that it was stopped, or that they go on."""
    return to_go(connection, find_journey(connection, name))


@read_transaction
def list_journeys(
    connection: Connection, now: datetime, *, archived: bool = False
) -> tuple[list[JourneyView], tuple[Unreadable, ...]]:
    """All journeys by name, and those that cannot be shown. *archived*: also those that are."""
    rows = connection.execute(_ALL if archived else _NOT_ARCHIVED).all()
    return all_shown("journey", rows, read_views(connection, rows, now))


@read_transaction
def get_version(connection: Connection, name: str, number: int) -> Version:
    """A published version. Raises Unknown."""
    if _hash(connection, name, number) is None:
        raise Unknown(no_version(name, number, last_number(connection, name)))
    return load(connection, [(name, number)])[name, number]


def no_version(name: str, number: int, last: int) -> str:
    """That a journey has no such version, and which it has, up to the *last*."""
    there = "none yet" if not last else "version 1" if last == 1 else f"versions 1 to {last}"
    return f'Journey "{name}" has no version {number}. It has {there}.'


def last_number(connection: Connection, name: str) -> int:
    """The number of a journey's last version; 0 where it has none."""
    number: int | None = connection.execute(_LAST, {"named": name}).scalar_one()
    return number or 0


def find_journey(connection: Connection, name: str) -> AnyRow:
    """The row of a journey. Raises Unknown."""
    if row := connection.execute(_ONE, {"named": name}).one_or_none():
        return row
    names = connection.execute(select(journeys.c.name)).scalars()
    raise Unknown(f'There is no journey "{name}". {did_you_mean(name, names)}')


def _dump(journey: Journey) -> dict[str, Any]:
    return journey.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _version(version: Version, now: datetime) -> dict[str, Any]:
    return {
        "journey": version.name,
        "number": version.number,
        "hash": version.journey.hash,
        "definition": _dump(version.journey),
        "schemas": {trigger: dict(schema) for trigger, schema in version.schemas.items()},
        "customer": dict(version.customer),
        "published_at": now,
    }


def _hash(connection: Connection, name: str, number: int) -> str | None:
    return connection.execute(_HASH, {"named": name, "number": number}).scalar_one_or_none()


_journey = bindparam("named", type_=Text())
_now = bindparam("now", type_=Time())

_ALL = select(journeys).order_by(journeys.c.name)
_NOT_ARCHIVED = _ALL.where(journeys.c.archived_at.is_(None))
_ONE = select(journeys).where(journeys.c.name == _journey)
_LOCK = _ONE.with_for_update()
_HASH = select(versions.c.hash).where(versions.c.journey == _journey, versions.c.number == bindparam("number"))
_LAST = select(func.max(versions.c.number)).where(versions.c.journey == _journey)
_GO_LIVE = (
    update(journeys)
    .where(journeys.c.name == _journey)
    .values(live_version=bindparam("number"), stopped_at=None, closed_at=None)
)
