"""Ids of events that are kept no more: whoever posts one of them again posts nothing new, however late."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from store.many import write_each
from store.schema import known_events


def digest_of(source: str, id: str) -> str:
    """A hash of an event's source and id: it tells the same event again, and not what it was called."""
    return hashlib.sha256(f"{source}\0{id}".encode()).hexdigest()[:32]


def digests_of(names: Iterable[tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """The sources and ids of events, by their hashes."""
    return {digest_of(source, id): (source, id) for source, id in names}


def remember(connection: Connection, names: Sequence[tuple[str, str]], now: datetime) -> None:
    """Know these sources and ids from now on, in the transaction in which their events go."""
    rows = [{"digest": digest, "at": now} for digest in sorted(digests_of(names))]
    write_each(connection, _REMEMBER[connection.dialect.name], rows)


_REMEMBER = {
    "postgresql": postgresql.insert(known_events).on_conflict_do_nothing(),
    "sqlite": sqlite.insert(known_events).on_conflict_do_nothing(),
}
