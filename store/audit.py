"""The audit log: who changed what, and when. Each entry is written in the transaction of the change itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from pydantic import AwareDatetime
from sqlalchemy import Connection, func, insert, select

from journeys.models import Frozen
from store.schema import audit
from store.store import read_transaction

BY_ITSELF = "Sojourn"
"""Who changed what no key did. Names of keys are in small letters, so none is called so."""


class Change(NamedTuple):
    """Who changes something, by the name of their key, and when (aware UTC)."""

    by: str
    at: datetime


class AuditEntry(Frozen):
    """One change: who made it, when, what was done, to what, such as ``journey/welcome``, and the *detail* of it."""

    id: int
    at: AwareDatetime
    by: str
    did: str
    what: str
    detail: dict[str, object]


class AuditPage(Frozen):
    """Some changes, the latest first. *next* is the ``before`` of the next page; None on the last one."""

    entries: tuple[AuditEntry, ...]
    next: int | None


def record(
    connection: Connection, change: Change, did: str, what: str, detail: Mapping[str, object] | None = None
) -> None:
    """Keep that *change* was made: what it did ("journey published"), and to what ("journey/welcome").

    Called in the transaction of the change, and only where something changes. *detail* goes into JSON; nothing in it,
    nor in *what*, is about a customer.
    """
    row = {"at": change.at, "by": change.by, "did": did, "what": what, "detail": dict(detail or {})}
    connection.execute(insert(audit), row)


@read_transaction
def list_audit(
    connection: Connection,
    *,
    what: str | None = None,
    by: str | None = None,
    since: datetime | None = None,
    limit: int = 50,
    before: int | None = None,
) -> AuditPage:
    """What was changed, the latest first. *before*: the ``next`` of the page before.

    *what* is one thing, such as ``journey/welcome``, or all of a kind: ``journey``.
    """
    wanted = select(audit).order_by(audit.c.id.desc()).limit(limit + 1)
    if what is not None:
        # Not LIKE: SQLite's takes capitals for small letters, and no long pattern.
        kind = func.substr(audit.c.what, 1, len(what) + 1)
        wanted = wanted.where((audit.c.what == what) | (kind == f"{what}/"))
    if by is not None:
        wanted = wanted.where(audit.c.by == by)
    if since is not None:
        wanted = wanted.where(audit.c.at >= since)
    if before is not None:
        wanted = wanted.where(audit.c.id < before)
    rows = connection.execute(wanted).all()
    page = tuple(AuditEntry(**row._asdict()) for row in rows[:limit])
    return AuditPage(entries=page, next=page[-1].id if len(rows) > limit else None)
