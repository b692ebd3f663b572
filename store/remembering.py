"""What a database forgot as it was set back, as far as Temporal still knows it: messages that went out meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from journeys.definition import send_id
from journeys.interactions import Kind
from journeys.walk.diary import Outcome
from store.erasures import erased_before
from store.lifecycle import lock_these
from store.locks import lock_customers
from store.schema import among, runs, sends
from store.store import read_transaction, write_transaction

FORGOTTEN = "the database was set back; this is what Temporal says of it"


class Remembered(NamedTuple):
    """A message of a run, as Temporal tells of it: which, what became of it, and when (aware UTC).

    What is still under way there is unknown: it may have gone out.
    """

    run: str
    customer: str
    step: str
    kind: Kind
    content: str
    outcome: Outcome
    at: datetime


@read_transaction
def forgotten(connection: Connection, told: Sequence[Remembered]) -> int:
    """How many of these the ledger does not know."""
    return len(_new(connection, told))


@write_transaction
def remember(connection: Connection, told: Sequence[Remembered]) -> int:
    """Write into the ledger what it does not know of these, so that nobody sends it again. Returns how many.

    To whom each went is not known any more.
    """
    lock_customers(connection, {each.customer for each in told})  # so that nobody is erased meanwhile
    lock_these(connection, sorted({each.run for each in told}))
    new = _new(connection, told)
    if new:
        connection.execute(insert(sends), [_row(each) for each in new])
    return len(new)


def _new(connection: Connection, told: Sequence[Remembered]) -> list[Remembered]:
    by_id = {send_id(each.run, each.step): each for each in told}
    known = set(connection.execute(_KNOWN, {"ids": list(by_id)}).scalars()) if by_id else set()
    here = {row.id for row in connection.execute(_CUSTOMERS, {"ids": sorted({each.run for each in told})})}
    # A run that is here is not of whom was erased, whose runs bear other names, but of who has the id since.
    gone = {each.customer for each in told if each.run not in here}
    erased = {whose for whose in gone if erased_before(connection, whose)}
    return [each for id, each in by_id.items() if id not in known and (each.run in here or each.customer not in erased)]


def _row(each: Remembered) -> dict[str, object]:
    sent = each.outcome in ("accepted", "failed", "unknown")
    return {
        "id": send_id(each.run, each.step),
        "run": each.run,
        "customer": each.customer,
        "step": each.step,
        "kind": each.kind,
        "content": each.content,
        "state": each.outcome,
        "attempt": int(sent),
        "claimed_at": each.at if sent else None,
        "at": each.at,
        "reason": FORGOTTEN,
    }


@read_transaction
def customers_of(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    """Whose these runs are, as far as they are here."""
    return {row.id: row.customer for row in connection.execute(_CUSTOMERS, {"ids": list(ids)})}


_KNOWN = select(sends.c.id).where(among(sends.c.id, "ids"))
_CUSTOMERS = select(runs.c.id, runs.c.customer).where(among(runs.c.id, "ids"))
