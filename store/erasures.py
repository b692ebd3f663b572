"""Ids of customers who were erased, as hashes: whoever has the id can ask whether and when, and nobody can read it."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from store.audit import BY_ITSELF, Change, record
from store.schema import erasures


def digest_of(customer: str) -> str:
    """A hash of a customer's id."""
    return hashlib.sha256(f"customer\0{customer}".encode()).hexdigest()[:32]


def subject_of(customer: str) -> str:
    """What the audit log calls a customer who was erased."""
    return f"customer/{digest_of(customer)[:16]}"


def erased_before(connection: Connection, customer: str) -> datetime | None:
    """When the customer was erased the last time, if ever (aware UTC)."""
    at: datetime | None = connection.execute(_BEFORE, {"digest": digest_of(customer)}).scalar_one_or_none()
    return at


def note_erasure(connection: Connection, customer: str, now: datetime) -> None:
    """The customer is erased now."""
    connection.execute(_ERASED[connection.dialect.name], {"digest": digest_of(customer), "at": now})


def note_new_customer(connection: Connection, customer: str, now: datetime) -> None:
    """A customer is made: where the id was erased before, the audit log says so."""
    if before := erased_before(connection, customer):
        detail = {"erased_at": before.isoformat()}
        record(connection, Change(BY_ITSELF, now), "erased id used again", subject_of(customer), detail)


def _again(new: postgresql.Insert | sqlite.Insert) -> postgresql.Insert | sqlite.Insert:
    return new.on_conflict_do_update(index_elements=erasures.primary_key, set_={"at": new.excluded.at})


_BEFORE = select(erasures.c.at).where(erasures.c.digest == bindparam("digest"))
_ERASED = {"postgresql": _again(postgresql.insert(erasures)), "sqlite": _again(sqlite.insert(erasures))}
