"""Triggers and contents: drafts, what is ready, and what may still be changed while journeys rely on it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydantic import AwareDatetime
from sqlalchemy import Connection, Table, select

from journeys.catalogue import BUILT_IN_NAMES, Content, State, Trigger
from journeys.checks.review import Catalogue
from journeys.contents import check_content
from journeys.interactions import Kind
from journeys.models import Frozen
from journeys.nearest import did_you_mean
from journeys.problems import Conflict, Flaw, Invalid, Unknown
from journeys.publishing import check
from journeys.versions import Version
from store.audit import Change
from store.changing import add, alter
from store.customer_types import customer_schema
from store.endpoints import endpoint_states
from store.locks import lock_house
from store.policy import in_force
from store.schema import AnyRow, contents, triggers
from store.showing import Unreadable, all_shown, readable, shown
from store.store import Store, read_transaction, write_transaction
from store.versions import live_versions, versions_in_use


class TriggerView(Frozen):
    """A trigger, how often it was seen, and the journeys in use that listen to it."""

    trigger: Trigger
    state: State
    seen: int
    last_seen_at: AwareDatetime | None
    journeys: tuple[str, ...]
    created_at: AwareDatetime
    changed_at: AwareDatetime


class ContentView(Frozen):
    """A content: the draft, what is sent instead of it if anything is, and the journeys in use that send it."""

    content: Content
    ready: Content | None
    state: State
    journeys: tuple[str, ...]
    created_at: AwareDatetime
    changed_at: AwareDatetime


@write_transaction
def put_trigger(connection: Connection, trigger: Trigger, change: Change) -> bool:
    """Write a trigger; a new one is a draft. Returns whether it is new.

    Raises Conflict where journeys in use listen to it and would lose or miss an attribute, or raise it and could not.
    """
    if trigger.trigger in BUILT_IN_NAMES:
        raise Conflict(f'"{trigger.trigger}" is built in. Choose another name.')
    definition = trigger.model_dump(mode="json", exclude_unset=True)
    lock_house(connection)
    row = _find(connection, triggers, trigger.trigger)
    if row is None:
        add(connection, triggers, trigger.trigger, change, definition=definition, state="draft", seen=0)
        return True
    # Whatever its state: one that is stopped may be made ready again.
    _refuse_to_break(connection, Trigger.model_validate(row.definition), trigger)
    alter(connection, triggers, row, change, "put", definition=definition)
    return False


@write_transaction
def ready_trigger(connection: Connection, name: str, change: Change) -> None:
    """Events of the trigger are accepted from now on. Raises Unknown."""
    lock_house(connection)
    alter(connection, triggers, _one(connection, triggers, name), change, "made ready", state="ready")


@write_transaction
def stop_trigger(connection: Connection, name: str, change: Change) -> tuple[str, ...]:
    """Events of the trigger are refused from now on. Returns the journeys in use that listen to it. Raises Unknown."""
    lock_house(connection)
    alter(connection, triggers, _one(connection, triggers, name), change, "stopped", state="stopped")
    return _listening(name, versions_in_use(connection))


@read_transaction
def get_trigger(connection: Connection, name: str) -> TriggerView:
    """A trigger. Raises Unknown, and Conflict where it cannot be shown."""
    row = _one(connection, triggers, name)
    in_use = versions_in_use(connection)
    return shown("trigger", row, lambda row: _trigger(row, in_use))


@read_transaction
def list_triggers(connection: Connection) -> tuple[list[TriggerView], tuple[Unreadable, ...]]:
    """All triggers by name, without the built-in ones, and those that cannot be shown."""
    in_use = versions_in_use(connection)
    rows = connection.execute(_ALL[triggers])
    return all_shown("trigger", rows, lambda row: _trigger(row, in_use))


@write_transaction
def put_content(connection: Connection, content: Content, change: Change) -> bool:
    """Write a content's draft. Returns whether it is new.

    What is ready is sent as it is, until the draft is made ready in its place.
    """
    draft = content.model_dump(mode="json", exclude_unset=True)
    lock_house(connection)
    row = _find(connection, contents, content.content)
    if row is None:
        add(connection, contents, content.content, change, draft=draft, state="draft")
        return True
    alter(connection, contents, row, change, "put", draft=draft)
    return False


async def ready_content(store: Store, name: str, change: Change) -> None:
    """Send the content as its draft is now.

    Raises Unknown, Invalid with every flaw, and Conflict where it would spoil a journey in use.
    """
    # What is found is kept: to fill in samples takes time, and the lock below is one that others need.
    await asyncio.to_thread(_refuse_to_spoil, await _would_be_ready(store, name))
    await _make_ready(store, name, change)


@read_transaction
def _would_be_ready(connection: Connection, name: str) -> _IfReady:
    row = _one(connection, contents, name)
    return _if_ready(connection, Content.model_validate(row.draft))


@write_transaction
def _make_ready(connection: Connection, name: str, change: Change) -> None:
    lock_house(connection)
    row = _one(connection, contents, name)
    _refuse_to_spoil(_if_ready(connection, Content.model_validate(row.draft)))
    alter(connection, contents, row, change, "made ready", state="ready", ready=row.draft)


@write_transaction
def stop_content(connection: Connection, name: str, change: Change) -> None:
    """The content is not sent any more. Raises Unknown, and Conflict where journeys in use send it."""
    lock_house(connection)
    row = _one(connection, contents, name)
    if senders := _sending(name, versions_in_use(connection)):
        raise Conflict(f'Content "{name}" is sent by {_and(senders)}. Stop or change that first.')
    alter(connection, contents, row, change, "stopped", state="stopped")


@read_transaction
def get_content(connection: Connection, name: str) -> ContentView:
    """A content. Raises Unknown, and Conflict where it cannot be shown."""
    row = _one(connection, contents, name)
    in_use = versions_in_use(connection)
    return shown("content", row, lambda row: _content(row, in_use))


@read_transaction
def list_contents(connection: Connection) -> tuple[list[ContentView], tuple[Unreadable, ...]]:
    """All contents by name, and those that cannot be shown."""
    in_use = versions_in_use(connection)
    rows = connection.execute(_ALL[contents])
    return all_shown("content", rows, lambda row: _content(row, in_use))


def read_catalogue(connection: Connection, channels: frozenset[Kind]) -> Catalogue:
    """All that a journey may refer to. Of a content it is what would be sent, or the draft where nothing would.

    What an earlier release let in and cannot be read is as good as not there.
    """
    known = connection.execute(_ALL[triggers]).all()
    sendable = connection.execute(_ALL[contents]).all()
    return Catalogue(
        triggers={
            row.name: (trigger, row.state) for row, trigger in readable(known, Trigger, lambda row: row.definition)
        },
        contents={
            row.name: (content, row.state)
            for row, content in readable(sendable, Content, lambda row: row.ready or row.draft)
        },
        customer=customer_schema(connection),
        channels=channels,
        endpoints=endpoint_states(connection),
        live={version.name: version.journey for version in live_versions(connection)},
        policy=in_force(connection).policy,
    )


def _refuse_to_break(connection: Connection, old: Trigger, new: Trigger) -> None:
    """Events as they are posted now must stay valid, and journeys in use must find in them what they did."""
    broken = [name for name, kind in old.attributes.items() if new.attributes.get(name) != kind]
    missing = [name for name, kind in new.attributes.items() if name not in old.attributes and not kind.endswith("?")]
    in_use = versions_in_use(connection)
    listening = _listening(old.trigger, in_use)
    if listening and broken:
        raise Conflict(
            f'{_and(listening)} listens to "{old.trigger}" and relies on {_and(broken)} as it is. '
            "Leave it as it is, or make a new trigger."
        )
    if listening and missing:
        raise Conflict(
            f'{_and(listening)} listens to "{old.trigger}", and events without {_and(missing)} are on their way. '
            "Make it optional, with a question mark."
        )
    if raising := [version for version in in_use if old.trigger in version.journey.raises]:
        _refuse_to_silence(raising, new, read_catalogue(connection, frozenset(Content.KINDS)))


def _refuse_to_silence(raising: Sequence[Version], trigger: Trigger, before: Catalogue) -> None:
    """Journeys in use that raise a trigger must be able to, as it is written now."""
    _, state = before.triggers[trigger.trigger]
    after = replace(before, triggers={**before.triggers, trigger.trigger: (trigger, state)})
    for version in raising:
        if flaws := new_flaws(version, before, after):
            raise Conflict(f'{version.name} raises "{trigger.trigger}", and could not as it is written now.', flaws)


@dataclass(frozen=True)
class _IfReady:
    """A content that is to be made ready, the catalogue *before* and *after*, and the versions in use that send it."""

    content: Content
    before: Catalogue
    after: Catalogue
    senders: tuple[Version, ...]


def _if_ready(connection: Connection, content: Content) -> _IfReady:
    before = read_catalogue(connection, frozenset(Content.KINDS))
    after = replace(before, contents={**before.contents, content.content: (content, "ready")})
    in_use = versions_in_use(connection)
    return _IfReady(content, before, after, tuple(version for version in in_use if _sends(version, content)))


def _refuse_to_spoil(would: _IfReady) -> None:
    name = would.content.content
    if flaws := check_content(would.content).flaws:
        raise Invalid(f'Content "{name}" cannot be sent as it is.', flaws)
    for version in would.senders:
        if flaws := new_flaws(version, would.before, would.after):
            raise Conflict(f'{version.name} sends "{name}", and could not as it is written now.', flaws)


def new_flaws(version: Version, before: Catalogue, after: Catalogue) -> tuple[Flaw, ...]:
    """What a version in use would have wrong with it *after* a change, and had not *before*."""
    known = set(check(version.journey, before))
    return tuple(flaw for flaw in check(version.journey, after) if flaw not in known)


def _sends(version: Version, content: Content) -> bool:
    return content.content in version.journey.contents


def _listening(trigger: str, in_use: Sequence[Version]) -> tuple[str, ...]:
    return tuple(sorted({version.name for version in in_use if trigger in version.journey.triggers}))


def _sending(content: str, in_use: Sequence[Version]) -> tuple[str, ...]:
    return tuple(sorted({version.name for version in in_use if content in version.journey.contents}))


def _trigger(row: AnyRow, in_use: Sequence[Version]) -> TriggerView:
    return TriggerView(
        trigger=Trigger.model_validate(row.definition),
        state=row.state,
        seen=row.seen,
        last_seen_at=row.last_seen_at,
        journeys=_listening(row.name, in_use),
        created_at=row.created_at,
        changed_at=row.changed_at,
    )


def _content(row: AnyRow, in_use: Sequence[Version]) -> ContentView:
    return ContentView(
        content=Content.model_validate(row.draft),
        ready=Content.model_validate(row.ready) if row.ready else None,
        state=row.state,
        journeys=_sending(row.name, in_use),
        created_at=row.created_at,
        changed_at=row.changed_at,
    )


def _find(connection: Connection, table: Table, name: str) -> AnyRow | None:
    return connection.execute(select(table).where(table.c.name == name)).one_or_none()


def _one(connection: Connection, table: Table, name: str) -> AnyRow:
    if row := _find(connection, table, name):
        return row
    names = connection.execute(select(table.c.name)).scalars()
    raise Unknown(f'There is no {table.name.removesuffix("s")} "{name}". {did_you_mean(name, names)}')


def _and(names: Sequence[str]) -> str:
    return " and ".join(names)


_ALL = {table: select(table).order_by(table.c.name) for table in (triggers, contents)}
