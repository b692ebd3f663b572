"""What customers have said about being messaged: a log, by customer and by address, of which the latest counts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, get_args

from pydantic import AwareDatetime
from sqlalchemy import Connection, bindparam, func, insert, or_, select

from journeys.clearance.addresses import fingerprint
from journeys.clearance.consent import About, Choice, Consent, Purpose, said
from journeys.interactions import Kind
from journeys.models import Frozen
from store.addresses import address_attributes, fingerprints
from store.links import Linked, link_of
from store.locks import lock_addresses, lock_customers
from store.schema import AnyRow, among, consents, customers, sends
from store.store import Store, read_transaction, write_transaction
from store.suppressions import STOPPED, add_suppression, remove_stop


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


@write_transaction
def put_consents(
    connection: Connection,
    customer: str,
    said: Sequence[Consent],
    source: str,
    now: datetime,
    detail: str = "",
    of_send: str | None = None,
) -> None:
    """Log what a customer says. What they said about anything else still holds, and the latest said counts.

    An opt-out holds for whoever has the same address, too. The same *detail* from the same source, such as a report's
    id, is logged once; without one, every time.
    Once this returns, no send to the customer is claimed against it. The customer need not be known yet.
    *of_send*: it was said of this send, and is not logged where the customer was erased since.
    """
    lock_customers(connection, [customer])
    if of_send and link_of(connection, of_send) is None:
        return
    theirs = _addresses(connection, customer)
    out = [
        _Line(None, address, consent)
        for consent in said
        for channel, address in sorted(theirs)
        if consent.choice == "out" and channel == consent.channel
    ]
    lines = [_Line(customer, None, consent) for consent in said] + out
    _log(connection, lines, _Told(source, now, detail))


@read_transaction
def get_consents(connection: Connection, customer: str) -> ConsentView:
    """What a customer has said, and what was said at their addresses; nothing where nothing was."""
    theirs = _addresses(connection, customer)
    asked = {"customers": [customer], "addresses": sorted({address for _, address in theirs})}
    rows = connection.execute(_ALL, asked).all()
    own = {_line(row) for row in rows if row.customer == customer}
    there = {row.id for row in rows if (row.channel, row.address) in theirs and _line(row) not in own}
    log = tuple(_line(row) for row in rows if row.customer == customer or row.id in there)
    latest = said(line.consent for line in log)
    return ConsentView(said=tuple(_consent(about, choice) for about, choice in latest.items()), log=log)


async def opt(
    store: Store,
    channel: Kind,
    address: str,
    choice: Literal["in", "out"],
    source: str,
    now: datetime,
    detail: str = "",
) -> tuple[str, ...]:
    """STOP or START from an address: log it for every purpose, for the address and for whom its latest sends were.

    After a STOP by text nothing is sent to the number, whoever has it, until a START. *detail* as in put_consents().
    Returns these customers' ids.
    """
    told = _Told(source, now, detail)
    everything = [_consent(About(channel, purpose), choice) for purpose in get_args(Purpose)]
    there = fingerprint(channel, address)
    await _opt_address(store, there, everything, told)  # first, and committed: whatever else fails, this is heard
    return await _opt_customers(store, there, everything, told)


@write_transaction
def opt_out(connection: Connection, link: Linked, source: str, now: datetime) -> bool:
    """A link in a message: opt out the customer that it was for, and whoever else has the address that it went to.

    Nothing is added where all of them are out already. Returns False where the customer was erased meanwhile.
    """
    about, there = link.about, fingerprint(link.kind, link.recipient) if link.recipient else None
    out = _consent(about, "out")
    others = _customers_at(connection, about.channel, there) if there else ()
    everybody = {link.customer, *others}
    lock_customers(connection, everybody)
    if link_of(connection, link.send) is None:
        return False
    heard = [said_by(connection, each, about.channel, [there] if there else []) for each in sorted(everybody)]
    if any(said.get(about) != "out" for said in heard):
        lines = [_Line(link.customer, None, out)] + ([_Line(None, there, out)] if there else [])
        _log(connection, lines, _Told(source, now, ""))
    return True


def said_by(
    connection: Connection, customer: str | None, channel: Kind, addresses: Collection[str]
) -> dict[About, Choice]:
    """What holds for a customer on a channel, and at *addresses* (fingerprints), for whoever is about to send."""
    asked = {"channel": channel, "customers": [customer] if customer else [], "addresses": list(addresses)}
    rows = connection.execute(_SAID, asked)
    return {About(channel, row.purpose, row.topic): row.choice for row in rows}


class _Told(NamedTuple):
    """Where and when something was said."""

    source: str
    at: datetime
    detail: str


class _Line(NamedTuple):
    """What was said, by a customer or at an address."""

    customer: str | None
    address: str | None
    consent: Consent


@write_transaction
def _opt_address(connection: Connection, address: str, everything: Sequence[Consent], told: _Told) -> None:
    channel, choice = everything[0].channel, everything[0].choice
    new = _log(connection, [_Line(None, address, consent) for consent in everything], told)
    if channel == "text" and new:
        if choice == "out":
            add_suppression(connection, channel, address, STOPPED, told.at)
        else:
            remove_stop(connection, channel, address)


@write_transaction
def _opt_customers(connection: Connection, address: str, everything: Sequence[Consent], told: _Told) -> tuple[str, ...]:
    theirs = _customers_at(connection, everything[0].channel, address)
    # Whoever claims has the customer's lock: what was claimed before is committed then, what comes later sees this.
    lock_customers(connection, theirs)
    theirs = tuple(sorted({*theirs} & {*_customers_at(connection, everything[0].channel, address)}))  # if not erased
    _log(connection, [_Line(customer, None, consent) for customer in theirs for consent in everything], told)
    return theirs


def _customers_at(connection: Connection, channel: Kind, address: str) -> tuple[str, ...]:
    return tuple(connection.execute(_AT, {"channel": channel, "address": address}).scalars())


def _addresses(connection: Connection, customer: str) -> set[tuple[Kind, str]]:
    attributes = connection.execute(_ATTRIBUTES, {"customer": customer}).scalar_one_or_none()
    return fingerprints(attributes, address_attributes(connection)) if attributes else set()


def _log(connection: Connection, lines: Sequence[_Line], told: _Told) -> bool:
    """Add the lines that are new. Returns whether there are any."""
    if not lines:
        return False
    whose = {
        "customers": sorted({line.customer for line in lines if line.customer}),
        "addresses": sorted({line.address for line in lines if line.address}),
    }
    lock_addresses(connection, whose["addresses"])
    before = set()
    if told.detail:
        rows = connection.execute(_BEFORE, {**whose, "source": told.source, "detail": told.detail})
        before = {_Line(row.customer, row.address, _line(row).consent) for row in rows}
    new = [
        {"customer": line.customer, "address": line.address, **line.consent.model_dump(), **told._asdict()}
        for line in lines
        if line not in before
    ]
    if new:
        connection.execute(insert(consents), new)
    return bool(new)


def _line(row: AnyRow) -> ConsentLine:
    return ConsentLine(**{name: getattr(row, name) for name in ConsentLine.model_fields})


def _consent(about: About, choice: Choice) -> Consent:
    return Consent(**about._asdict(), choice=choice)


_THEIRS = or_(among(consents.c.customer, "customers"), among(consents.c.address, "addresses"))
_ALL = select(consents).where(_THEIRS).order_by(consents.c.at, consents.c.id)
_SAID = _ALL.where(consents.c.channel == bindparam("channel"))
_BEFORE = select(consents).where(
    _THEIRS, consents.c.source == bindparam("source"), consents.c.detail == bindparam("detail")
)
_ATTRIBUTES = select(customers.c.attributes).where(customers.c.id == bindparam("customer"))

_there = (
    select(sends.c.customer, func.max(sends.c.claimed_at).label("at"))
    .where(sends.c.kind == bindparam("channel"), sends.c.address == bindparam("address"))
    .group_by(sends.c.customer)
    .subquery()
)
_last = (
    select(func.max(sends.c.claimed_at))
    .where(sends.c.customer == _there.c.customer, sends.c.kind == bindparam("channel"))
    .scalar_subquery()
)
# Those whose latest send on the channel went there: one look at an index for each, however many sends there were.
_AT = select(_there.c.customer).where(_there.c.at == _last).order_by(_there.c.customer)
