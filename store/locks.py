"""Who waits for whom. In SQLite a writer is alone anyway; in PostgreSQL these are locks until the transaction ends."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from sqlalchemy import Connection, text

_NO_HURRY = text("SET LOCAL statement_timeout = 0")
"""For what may take its time. What waits for that meanwhile has a time limit of its own."""

# Two numbers, so that the locks of the house have keys of their own, apart from those of customers.
_HOUSE = text("SELECT pg_advisory_xact_lock(1, 0)")
_HOUSE_SHARED = text("SELECT pg_advisory_xact_lock_shared(1, 0)")
_CUSTOMER = text("SELECT pg_advisory_xact_lock(:key)")
_CUSTOMERS = text("SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) AS key")


def lock_house(connection: Connection) -> None:
    """Be the only one who changes what journeys are made of, and wait for events that are being accepted."""
    take_time(connection)  # to migrate a million runs
    if connection.dialect.name == "postgresql":
        connection.execute(_HOUSE)


def take_time(connection: Connection) -> None:
    """Let the statements of this transaction last as long as they need."""
    if connection.dialect.name == "postgresql":
        connection.execute(_NO_HURRY)


def lock_customers(connection: Connection, customers: Iterable[str]) -> None:
    """Be the only one who decides about these customers. Always in the same order, so that no two wait in a circle."""
    if connection.dialect.name == "postgresql":
        connection.execute(_HOUSE_SHARED)
        connection.execute(_CUSTOMERS, {"keys": sorted({_key(customer) for customer in customers})})


def lock_customer(connection: Connection, customer: str) -> None:
    """Be the only one who decides about a customer, whatever becomes of journeys meanwhile. Take no lock before it."""
    if connection.dialect.name == "postgresql":
        connection.execute(_CUSTOMER, {"key": _key(customer)})


def lock_addresses(connection: Connection, fingerprints: Iterable[str]) -> None:
    """Be the only one who writes down what is said at these addresses. After the locks of customers, never before."""
    if connection.dialect.name == "postgresql":
        connection.execute(_CUSTOMERS, {"keys": sorted({_key(address) for address in fingerprints})})


def _key(customer: str) -> int:
    return int.from_bytes(hashlib.blake2b(customer.encode(), digest_size=8).digest(), signed=True)
