"""Publishing with an eye to the people inside: what it changes for them, and what becomes of them."""

from __future__ import annotations

import asyncio
from functools import partial

from sqlalchemy import Connection

from journeys.interactions import Kind
from journeys.moving import NO_NAMES, Names, People
from journeys.people import flaws_of_asking
from journeys.problems import Invalid
from journeys.publishing import version_of
from journeys.versions import Version
from store.audit import Change
from store.journeys import Published, checked, find_journey, last_number, publish, read_draft
from store.move_progress import Move
from store.new_versions import FromVersion, inside, told, would_move
from store.people import move_people, wish
from store.store import Store, read_transaction
from store.versions import load


class PublishedFor(Published):
    """The version that newcomers take, and what that is for the people inside.

    *changes*: what is otherwise than in older versions. *people*: what becomes of those inside. *move*: how many go on
    in it, or stay. *dry_run*: this is what would be done.
    """

    changes: tuple[FromVersion, ...] = ()
    people: People = "stay"
    move: Move | None = None
    dry_run: bool = False


async def publish_for(
    store: Store,
    name: str,
    change: Change,
    channels: frozenset[Kind],
    *,
    people: People = "stay",
    names: Names = NO_NAMES,
    dry_run: bool = False,
) -> PublishedFor:
    """Publish the draft, and let the people inside older versions stay or go on in it.

    Where they are very many, some of them are still to be moved when it returns: a worker goes on with that, and so
    does whoever publishes again. Raises Unknown, and Invalid with every flaw.
    """
    would = await _would(store, name, change, channels, people, names)
    if dry_run:
        return would
    also = partial(_wish, names=names, change=change) if people == "move" else None
    published = await publish(store, name, change, channels, also)
    move = await move_people(store, name, published.version, change.at) if people == "move" else None
    return would.model_copy(update={**dict(published), "move": move, "dry_run": False})


def _wish(connection: Connection, version: Version, *, names: Names, change: Change) -> None:
    wish(connection, version, names, change)


async def _would(
    store: Store, name: str, change: Change, channels: frozenset[Kind], people: People, names: Names
) -> PublishedFor:
    draft = await read_draft(store, name, channels)
    journey, warnings = await asyncio.to_thread(checked, draft, change.at)
    is_new = journey.hash != draft.live
    number = await _number(store, name, is_new=is_new)
    new = version_of(journey, number, draft.catalogue)
    published = PublishedFor(
        journey=name, version=number, hash=journey.hash, new=is_new, warnings=warnings, people=people, dry_run=True
    )
    changes, move = await _for_people(store, new, people, names)
    return published.model_copy(update={"changes": changes, "move": move})


@read_transaction
def _number(connection: Connection, name: str, *, is_new: bool) -> int:
    row = find_journey(connection, name)
    live: int = row.live_version
    return last_number(connection, name) + 1 if is_new else live


@read_transaction
def _for_people(
    connection: Connection, new: Version, people: People, names: Names
) -> tuple[tuple[FromVersion, ...], Move | None]:
    standing = inside(connection, new.name, new.number)
    olds = list({each.version.number: each.version for each in standing}.values())
    if flaws := [*flaws_of_asking(people, names, olds, new, _steps_before(connection, new) if names else ())]:
        raise Invalid(f'People cannot go on in "{new.name}" like that.', flaws)
    live = find_journey(connection, new.name).live_version
    before = load(connection, [(new.name, live)])[new.name, live] if live not in (None, new.number) else None
    move = would_move(connection, new, standing, names) if people == "move" else None
    return told(new, before, standing, names), move


def _steps_before(connection: Connection, new: Version) -> frozenset[str]:
    """The steps of all older versions: who publishes again names what nobody stands at any more."""
    older = load(connection, [(new.name, number) for number in range(1, new.number)])
    return frozenset(step for version in older.values() for step in version.steps)
