"""Who may not be messaged: what customers have said, and addresses that must not be written to any more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, get_args

from pydantic import AwareDatetime
from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from journeys.clearance.addresses import fingerprint
from journeys.clearance.consent import About, Choice, Consent, Purpose, said
from journeys.interactions import Kind
from journeys.models import Frozen
from store.locks import lock_customers
from store.schema import among, consents, sends, suppressions
from store.store import Store, retried

STOPPED = "opted out by a text"


class ConsentLine(Frozen):
    """One line of the log: what was said, where it was said (*source*, *detail*), and when (aware UTC)."""

    channel: Kind
    purpose: Purpose
    topic: str | None
    choice: Choice
    source: str
    at: AwareDatetime
    detail: str

    @property
    def consent(self) -> Consent:
        """What was said."""
        return Consent(channel=self.channel, purpose=self.purpose, topic=self.topic, choice=self.choice)


class ConsentView(Frozen):
    """What a customer has said: what holds now, and all of it in the order in which it was said."""

    said: tuple[Consent, ...]
    log: tuple[ConsentLine, ...]


@retried
async def put_consents(
    store: Store, customer: str, consents: Sequence[Consent], source: str, now: datetime, detail: str = ""
) -> None:
    """Log what a customer says. What they said about anything else still holds, and the latest said counts.

    The same *detail* from the same source, such as a report's id, is logged once; without one, every time.
    Once this returns, no send is claimed against it. The customer need not be known yet.
    """
    async with store.write() as connection:
        await _log(connection, [customer], consents, _Told(source, now, detail))


async def get_consents(store: Store, customer: str) -> ConsentView:
    """What a customer has said; nothing for one that never said anything."""
    async with store.read() as connection:
        rows = (await connection.execute(_ALL, {"customer": customer})).all()
    log = tuple(ConsentLine(**row._asdict()) for row in rows)
    latest = said(line.consent for line in log)
    return ConsentView(said=tuple(_consent(about, choice) for about, choice in latest.items()), log=log)


@retried
async def suppress(store: Store, channel: Kind, address: str, reason: str, now: datetime) -> None:
    """Never write to *address* again on this channel. The first reason stays."""
    async with store.write() as connection:
        await _suppress(connection, _to(channel, address), reason, now)


@retried
async def opt(
    store: Store,
    channel: Kind,
    address: str,
    choice: Literal["in", "out"],
    source: str,
    now: datetime,
    detail: str = "",
) -> tuple[str, ...]:
    """STOP or START from an address: log it, for every purpose, for the customers whose latest send went there.

    After a STOP by text nothing is sent to the number, whoever has it, until a START. *detail* as in put_consents().
    Returns these customers' ids.
    """
    async with store.write() as connection:
        to = _to(channel, address)
        customers = tuple((await connection.execute(_AT, to)).scalars())
        everything = [_consent(About(channel, purpose), choice) for purpose in get_args(Purpose)]
        new = await _log(connection, customers, everything, _Told(source, now, detail))
        if channel == "text" and (new or not customers):
            if choice == "out":
                await _suppress(connection, to, STOPPED, now)
            else:
                await connection.execute(_START, to)
        return customers


async def said_by(connection: AsyncConnection, customer: str, channel: Kind) -> dict[About, Choice]:
    """What holds for a customer on a channel, for whoever is about to send."""
    rows = await connection.execute(_SAID, {"customer": customer, "channel": channel})
    return {About(channel, row.purpose, row.topic): row.choice for row in rows}


async def suppressed(connection: AsyncConnection, channel: Kind, addresses: Iterable[str]) -> dict[str, str]:
    """Those of *addresses* that must not be written to, as they are written, with the reason."""
    prints = {address: fingerprint(channel, address) for address in addresses}
    rows = await connection.execute(_SUPPRESSED, {"channel": channel, "addresses": sorted(set(prints.values()))})
    reasons = {row.address: row.reason for row in rows}
    return {address: reasons[print_] for address, print_ in prints.items() if print_ in reasons}


class _Told(NamedTuple):
    """Where and when something was said."""

    source: str
    at: datetime
    detail: str


def _to(channel: Kind, address: str) -> dict[str, str]:
    return {"channel": channel, "address": fingerprint(channel, address)}


async def _log(connection: AsyncConnection, customers: Collection[str], said: Iterable[Consent], told: _Told) -> bool:
    """Add the lines that are new. Returns whether there are any."""
    # Whoever claims has the customer's lock: what was claimed before is committed now, what is claimed later sees this.
    await lock_customers(connection, customers)
    whose = {"customers": sorted(customers)}
    before = set()
    if told.detail:
        rows = await connection.execute(_BEFORE, {**whose, "source": told.source, "detail": told.detail})
        before = {(row.customer, About(row.channel, row.purpose, row.topic), row.choice) for row in rows}
    new = [
        {"customer": customer, **consent.model_dump(), **told._asdict()}
        for customer in whose["customers"]
        for consent in said
        if (customer, consent.about, consent.choice) not in before
    ]
    if new:
        await connection.execute(_LOG, new)
    return bool(new)


async def _suppress(connection: AsyncConnection, to: Mapping[str, str], reason: str, now: datetime) -> None:
    found = (await connection.execute(_REASON, to)).scalar_one_or_none()
    if found is None:
        await connection.execute(insert(suppressions), {**to, "reason": reason, "at": now})
    elif found == STOPPED:  # a START must not bring back an address that is dead as well
        await connection.execute(_RENAME, {**{f"of_{name}": value for name, value in to.items()}, "to_reason": reason})


def _consent(about: About, choice: Choice) -> Consent:
    return Consent(**about._asdict(), choice=choice)


_ALL = select(consents).where(consents.c.customer == bindparam("customer")).order_by(consents.c.at, consents.c.id)
_SAID = _ALL.where(consents.c.channel == bindparam("channel"))
_BEFORE = select(consents).where(
    among(consents.c.customer, "customers"),
    consents.c.source == bindparam("source"),
    consents.c.detail == bindparam("detail"),
)
_LOG = insert(consents)
_THERE = (suppressions.c.channel == bindparam("channel"), suppressions.c.address == bindparam("address"))
_REASON = select(suppressions.c.reason).where(*_THERE)
_START = delete(suppressions).where(*_THERE, suppressions.c.reason == STOPPED)
_RENAME = (
    update(suppressions)
    .where(suppressions.c.channel == bindparam("of_channel"), suppressions.c.address == bindparam("of_address"))
    .values(reason=bindparam("to_reason"))
)
_SUPPRESSED = select(suppressions.c.address, suppressions.c.reason).where(
    suppressions.c.channel == bindparam("channel"), among(suppressions.c.address, "addresses")
)

_later = sends.alias()
_AT = (
    select(sends.c.customer)
    .distinct()
    .where(
        sends.c.kind == bindparam("channel"),
        sends.c.address == bindparam("address"),
        ~(
            select(_later.c.id)
            .where(
                _later.c.customer == sends.c.customer,
                _later.c.kind == sends.c.kind,
                _later.c.claimed_at > sends.c.claimed_at,
            )
            .exists()
        ),
    )
    .order_by(sends.c.customer)
)
