"""Addresses that must not be written to any more: why, since when, and how they are written to again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime
from sqlalchemy import Connection, Select, Table, bindparam, delete, insert, select

from journeys.clearance.addresses import fingerprint
from journeys.interactions import Kind
from journeys.models import Frozen
from journeys.problems import Conflict, Unknown
from store.audit import Change, record
from store.schema import AnyRow, among, liftings, sends, suppressions
from store.store import Store, read_transaction, write_transaction

STOPPED = "opted out by a text"

BY_START = "Only START from that number takes it back: it is the customer's own word. Providers block the number too."
BY_US = "If messages can arrive there again, lift it. The provider may have a list of its own: see docs/consent.md."


class Suppressed(Frozen):
    """An address on one channel, and who had it: *recipient* and *customer* are of the latest send there, if any."""

    id: int
    channel: Kind
    reason: str
    recipient: str | None
    customer: str | None


class Suppression(Suppressed):
    """An address that must not be written to any more, since *at*. *hint*: how it is written to again."""

    at: AwareDatetime
    hint: str


class Lifting(Suppressed):
    """A suppression that was lifted: *why*, where that was said (*source*), and when (*at*, aware UTC)."""

    suppressed_at: AwareDatetime
    why: str
    source: str
    at: AwareDatetime


class SuppressionPage(Frozen):
    """Some suppressions, the latest first. *next* is the ``before`` of the next page; None on the last one."""

    suppressions: tuple[Suppression, ...]
    next: int | None


class LiftingPage(Frozen):
    """Some that were lifted, the latest first. *next* as in SuppressionPage."""

    lifted: tuple[Lifting, ...]
    next: int | None


class AddressView(Frozen):
    """What holds for one address, and what held once and was lifted; the latest first."""

    suppressions: tuple[Suppression, ...]
    lifted: tuple[Lifting, ...]


@write_transaction
def suppress(connection: Connection, channel: Kind, address: str, reason: str, now: datetime) -> None:
    """Never write to *address* again on this channel. What was a reason before stays one."""
    add_suppression(connection, channel, fingerprint(channel, address), reason, now)


def add_suppression(connection: Connection, channel: Kind, address: str, reason: str, now: datetime) -> None:
    """*address* is a fingerprint."""
    row = {"channel": channel, "address": address, "reason": reason}
    if connection.execute(_SAME, row).scalar_one_or_none() is None:
        connection.execute(insert(suppressions), {**row, "at": now})


def remove_stop(connection: Connection, channel: Kind, address: str) -> None:
    """After a START: what else speaks against the address, a fingerprint, stays."""
    connection.execute(_START, {"channel": channel, "address": address, "reason": STOPPED})


def suppressed(connection: Connection, channel: Kind, addresses: Iterable[str]) -> dict[str, str]:
    """Those of *addresses* that must not be written to, as they are written, with the first reason."""
    prints = {address: fingerprint(channel, address) for address in addresses}
    rows = connection.execute(_SUPPRESSED, {"channel": channel, "addresses": sorted(set(prints.values()))})
    reasons: dict[str, str] = {}
    for row in rows:
        reasons.setdefault(row.address, row.reason)
    return {address: reasons[print_] for address, print_ in prints.items() if print_ in reasons}


async def list_suppressions(
    store: Store, *, channel: Kind | None = None, limit: int = 50, before: int | None = None
) -> SuppressionPage:
    """What is suppressed, the latest first. *before*: the ``next`` of the page before."""
    wanted = _latest_first(suppressions, before)
    rows = await _rows(store, wanted.where(suppressions.c.channel == channel) if channel else wanted, limit + 1)
    page = tuple(_suppression(row) for row in rows[:limit])
    return SuppressionPage(suppressions=page, next=page[-1].id if len(rows) > limit else None)


async def list_liftings(store: Store, *, limit: int = 50, before: int | None = None) -> LiftingPage:
    """What was lifted, and why, the latest first."""
    rows = await _rows(store, _latest_first(liftings, before), limit + 1)
    page = tuple(_lifting(row) for row in rows[:limit])
    return LiftingPage(lifted=page, next=page[-1].id if len(rows) > limit else None)


async def get_address(store: Store, channel: Kind, address: str) -> AddressView:
    """What speaks against an address, and what did once. Any spelling will do."""
    there = fingerprint(channel, address)
    now = await _rows(store, _about(suppressions, channel, there))
    once = await _rows(store, _about(liftings, channel, there))
    return AddressView(suppressions=tuple(map(_suppression, now)), lifted=tuple(map(_lifting, once)))


@write_transaction
def lift(connection: Connection, id: int, why: str, source: str, change: Change) -> Lifting:
    """Write to an address again, as far as this suppression goes, and keep who wanted it, and why.

    What the customer said stays: their consents, and STOP. Raises Unknown, and Conflict for a STOP.
    """
    row = connection.execute(_TAKE, {"suppression": id}).one_or_none()
    if row is None:
        raise Unknown(f"There is no suppression {id}. It may have been lifted already.")
    if row.reason == STOPPED:
        raise Conflict(f"This customer {STOPPED}, and nobody else can take that back. {BY_START}")
    connection.execute(_LIFT, {"suppression": id})
    was = {"channel": row.channel, "address": row.address, "reason": row.reason, "suppressed_at": row.at}
    added = insert(liftings).values({**was, "why": why, "source": source, "at": change.at}).returning(liftings.c.id)
    written = connection.execute(added).scalar_one()
    # Not why: that is kept with the lifting, and may be about somebody.
    record(connection, change, "suppression lifted", f"suppression/{id}", {"channel": row.channel, "lifting": written})
    made = _latest_first(liftings).where(liftings.c.id == written)
    return _lifting(connection.execute(made).one())


@read_transaction
def _rows(connection: Connection, wanted: Select[*tuple[Any, ...]], limit: int | None = None) -> Sequence[AnyRow]:
    return connection.execute(wanted.limit(limit)).all()


def _suppression(row: AnyRow) -> Suppression:
    return Suppression(**row._asdict(), hint=BY_START if row.reason == STOPPED else BY_US)


def _lifting(row: AnyRow) -> Lifting:
    return Lifting(**row._asdict())


def _about(table: Table, channel: Kind, address: str) -> Select[*tuple[Any, ...]]:
    return _latest_first(table).where(table.c.channel == channel, table.c.address == address)


def _latest_first(table: Table, before: int | None = None) -> Select[*tuple[Any, ...]]:
    """All of a table, with the customer of the latest send to each address, and how the address was written then."""
    there = sends.alias()
    latest = (
        select(there.c.id)
        .where(there.c.kind == table.c.channel, there.c.address == table.c.address)
        .order_by(there.c.claimed_at.desc(), there.c.id)
        .limit(1)
        .scalar_subquery()
    )
    shown = [column for column in table.c if column.name != "address"]
    person = (sends.c.recipient, sends.c.customer)
    wanted = select(*shown, *person).select_from(table).outerjoin(sends, sends.c.id == latest)
    wanted = wanted if before is None else wanted.where(table.c.id < before)
    return wanted.order_by(table.c.id.desc())


_SAME = select(suppressions.c.id).where(
    suppressions.c.channel == bindparam("channel"),
    suppressions.c.address == bindparam("address"),
    suppressions.c.reason == bindparam("reason"),
)
_START = delete(suppressions).where(
    suppressions.c.channel == bindparam("channel"),
    suppressions.c.address == bindparam("address"),
    suppressions.c.reason == bindparam("reason"),
)
_SUPPRESSED = (
    select(suppressions.c.address, suppressions.c.reason)
    .where(suppressions.c.channel == bindparam("channel"), among(suppressions.c.address, "addresses"))
    .order_by(suppressions.c.id)
)
_TAKE = select(suppressions).where(suppressions.c.id == bindparam("suppression")).with_for_update()
_LIFT = delete(suppressions).where(suppressions.c.id == bindparam("suppression"))
