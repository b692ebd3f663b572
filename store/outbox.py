"""The outbox: what Temporal is still to be told, in order per run. It is written where it is decided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from sqlalchemy import bindparam, delete, func, select, update

from journeys.models import Frozen
from journeys.walk.position import Arrival
from store.schema import outbox
from store.store import Store, retried

JobKind = Literal["start", "arrive", "cancel"]


class Job(Frozen):
    """One thing to tell Temporal about a run. The payload depends on the kind:

    ``start``: id, steps, started_at, day (seconds, or None for a real day), journey, version, customer, trigger.
    ``arrive``: a position.Arrival: event, at, answers. ``cancel``: reason.
    *attempts*: how often it was postponed.
    """

    id: int
    run: str
    kind: JobKind
    payload: dict[str, Any]
    attempts: int = 0


class Backlog(NamedTuple):
    """How much waits to be told, and since when (aware UTC)."""

    waiting: int
    oldest: datetime | None


@retried
async def lease(store: Store, now: datetime, limit: int, lease_for: timedelta) -> list[Job]:
    """Up to *limit* jobs that are due, oldest first, and nobody else's until *lease_for* has passed.

    Only the first job of each run is given out: the next one follows when that one is done.
    """
    async with store.write() as connection:
        parameters = {"now": now, "limit": limit, "to_due_at": now + lease_for}
        rows = await connection.execute(_LEASE, parameters)
        return [Job(**row._asdict()) for row in sorted(rows, key=lambda row: row.id)]


@retried
async def done(store: Store, ids: Sequence[int]) -> None:
    """Temporal has them: these jobs are over."""
    async with store.write() as connection:
        await connection.execute(_DONE, [{"job": id} for id in ids])


@retried
async def postpone(store: Store, id: int, until: datetime, error: str) -> None:
    """Temporal did not take it: give it out again from *until* on. The run's later jobs wait behind it."""
    async with store.write() as connection:
        await connection.execute(_POSTPONE, {"job": id, "to_due_at": until, "to_error": error})


async def backlog(store: Store) -> Backlog:
    """What waits, leased or not."""
    async with store.read() as connection:
        return Backlog(*(await connection.execute(_BACKLOG)).one())


_earlier = outbox.alias("earlier")
_due = (
    select(outbox.c.id)
    .where(
        outbox.c.due_at <= bindparam("now"),
        ~select(_earlier.c.id).where(_earlier.c.run == outbox.c.run, _earlier.c.id < outbox.c.id).exists(),
    )
    .order_by(outbox.c.id)
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
_POSTPONE = (
    update(outbox)
    .where(outbox.c.id == bindparam("job"))
    .values(due_at=bindparam("to_due_at"), attempts=outbox.c.attempts + 1, error=bindparam("to_error"))
)
_BACKLOG = select(func.count(), func.min(outbox.c.created_at)).select_from(outbox)


async def untold(store: Store, run: str) -> tuple[Arrival, ...]:
    """The answers to a run's ifs that Temporal has not been told of yet."""
    async with store.read() as connection:
        rows = await connection.execute(_UNTOLD, {"run": run})
        return tuple(Arrival.model_validate(row.payload) for row in rows)


_UNTOLD = (
    select(outbox.c.payload).where(outbox.c.run == bindparam("run"), outbox.c.kind == "arrive").order_by(outbox.c.id)
)
