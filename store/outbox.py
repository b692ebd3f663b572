"""The outbox: what Temporal is still to be told, in order per run. It is written where it is decided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, bindparam, case, delete, func, or_, select, update

from journeys.models import Frozen
from store.schema import among, outbox, storable
from store.store import read_transaction, write_transaction

JobKind = Literal["start", "arrive", "let go", "move", "cancel", "forget"]

HEARD: tuple[JobKind, ...] = ("arrive", "move")
"""What only a run under way has any use for."""

LONGEST_LEASE = timedelta(minutes=1)
"""Nobody leases a job for longer: what is due later, and was never postponed, was not given out yet."""


class Job(Frozen):
    """One thing to tell Temporal about a run. The payload depends on the kind:

    ``start``: id, steps, started_at, day (seconds, or None for a real day), journey, version, customer, trigger.
    ``move``: the same, and position: where the run is to go on. ``arrive``: a position.Arrival: event, at, answers.
    ``let go``, ``forget``: nothing. ``cancel``: reason.
    *attempts*: how often it was postponed.
    """

    id: int
    run: str
    kind: JobKind
    payload: dict[str, Any]
    attempts: int = 0


class Postponed(NamedTuple):
    """A job that Temporal did not take: to be given out again from *until* on. *refused*: for good, as it seems."""

    job: int
    until: datetime
    error: str
    refused: bool = False


class Backlog(NamedTuple):
    """How much waits to be told, and since when (aware UTC); and how much Temporal has refused."""

    waiting: int
    oldest: datetime | None
    refused: int


@write_transaction
def lease(connection: Connection, now: datetime, limit: int, lease_for: timedelta) -> list[Job]:
    """Up to *limit* jobs that are due, oldest first, and nobody else's until *lease_for* has passed.

    Those of a whole journey's stop come after all others. Only the first job of each run is given out: the next one
    follows when that one is done. What was refused is passed, but no answer and no move passes the start. A cancel
    overtakes what the run was still to hear, which nobody is given any more.
    """
    parameters = {"now": now, "limit": limit, "to_due_at": now + lease_for}
    rows = connection.execute(_LEASE, parameters)
    return [Job(**row._asdict()) for row in sorted(rows, key=lambda row: row.id)]


@write_transaction
def done(connection: Connection, ids: Sequence[int]) -> None:
    """Temporal has them: these jobs are over. After a cancel, so is all that its run was still to hear, and what was
    refused of it; after a forget, too.
    """
    connection.execute(_FORGET, {"jobs": list(ids)})
    connection.execute(_DONE, [{"job": id} for id in ids])


@write_transaction
def postpone(connection: Connection, jobs: Sequence[Postponed], now: datetime) -> None:
    """Temporal did not take these *now*. A run's later jobs wait behind what was not refused."""
    rows = [
        {"job": id, "to_due_at": until, "to_error": storable(error), "to_refused_at": now if refused else None}
        for id, until, error, refused in jobs
    ]
    connection.execute(_POSTPONE, rows)


@read_transaction
def backlog(connection: Connection) -> Backlog:
    """What waits, leased or not."""
    return Backlog(*connection.execute(_BACKLOG).one())


_earlier = outbox.alias("earlier")
_cancel = outbox.alias("cancel")
_first = (
    ~select(_earlier.c.id)
    .where(
        _earlier.c.run == outbox.c.run,
        _earlier.c.id < outbox.c.id,
        or_(
            _earlier.c.refused_at.is_(None) & or_(outbox.c.kind != "cancel", _earlier.c.kind.not_in(HEARD)),
            (_earlier.c.kind == "start") & outbox.c.kind.in_(HEARD),
        ),
    )
    .exists()
)
_overtaken = (
    outbox.c.kind.in_(HEARD)
    & select(_cancel.c.id).where(_cancel.c.run == outbox.c.run, _cancel.c.kind == "cancel").exists()
)
_due = (
    select(outbox.c.id)
    .where(outbox.c.due_at <= bindparam("now"), _first, ~_overtaken)
    .order_by(outbox.c.bulk, outbox.c.id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
    .cte("due")  # PostgreSQL looks into a CTE once; a plain subquery it might ask for each row anew
)
_LEASE = (
    update(outbox)
    .where(outbox.c.id.in_(select(_due.c.id)))
    .values(due_at=bindparam("to_due_at"))
    .returning(outbox.c.id, outbox.c.run, outbox.c.kind, outbox.c.payload, outbox.c.attempts)
)
_DONE = delete(outbox).where(outbox.c.id == bindparam("job"))
_FORGET = delete(outbox).where(
    or_(outbox.c.kind.in_(HEARD), outbox.c.refused_at.is_not(None)),
    outbox.c.run.in_(
        select(_cancel.c.run).where(
            _cancel.c.id.in_(bindparam("jobs", expanding=True)), _cancel.c.kind.in_(("cancel", "forget"))
        )
    ),
)
_POSTPONE = (
    update(outbox)
    .where(outbox.c.id == bindparam("job"))
    .values(
        due_at=bindparam("to_due_at"),
        attempts=outbox.c.attempts + 1,
        error=bindparam("to_error"),
        refused_at=bindparam("to_refused_at"),
    )
)
_waits = outbox.c.refused_at.is_(None)
_BACKLOG = select(
    func.count(case((_waits, 1))), func.min(case((_waits, outbox.c.created_at))), func.count(outbox.c.refused_at)
)


@read_transaction
def starting(connection: Connection, runs: Sequence[str]) -> frozenset[str]:
    """Which of these runs Temporal has still to start."""
    return told(connection, runs, "start")


def told(connection: Connection, runs: Sequence[str], *kinds: JobKind) -> frozenset[str]:
    """Of which of these runs Temporal has still to be told such a thing."""
    return frozenset(connection.execute(_TOLD, {"runs": list(runs), "kinds": kinds}).scalars())


_TOLD = select(outbox.c.run).where(among(outbox.c.run, "runs"), outbox.c.kind.in_(bindparam("kinds", expanding=True)))
