"""Pruning: what was over for longer than the policy keeps it goes, some at a time, and holds nobody up.

A run is pruned with all that is theirs by store/lifecycle_pruning.py. An event goes with what was decided about it,
once no run and no start that waits refers to it any more. What decides later stays: see docs/keeping.md.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, func, or_, select, tuple_

from journeys.catalogue import INTERACTION_TRIGGERS
from journeys.clearance.keeping import Keep
from store.known_events import remember
from store.lifecycle_pruning import NOT_LONG_OVER, TABLES, carry_over, counting, prune_runs, some_long_over
from store.policy import in_force
from store.schema import AnyRow, Time, audit, decisions, events, known_events, links, runs, waiting_starts
from store.store import Store, read_transaction, write_transaction
from store.turns import BREATH, TOGETHER
from store.versions import live_versions

SHARE = 4
"""One part of the time is for pruning, the others are for whoever else has something to do."""

Pruned = Counter[str]
"""How many rows of which table."""

ALL_TABLES = (*TABLES, "events", "decisions", "known_events", "links", "audit")

On = Callable[[Pruned], None]
"""Called with what was pruned, each time that something was."""


class Limits(NamedTuple):
    """What is from before these instants is pruned: runs by their end, events by when they came in."""

    runs: datetime
    events: datetime
    ids: datetime
    audit: datetime


async def prune(store: Store, now: datetime, on: On | None = None) -> Pruned:
    """Prune all that is to be pruned *now*. Cut off, it is gone on with the next time; any number may do it at once."""
    limits, pruned = await read_limits(store, now), Counter[str]()

    async def some(of: Callable[[Any], Awaitable[tuple[Pruned, Any]]]) -> None:
        """Prune some, until there are none: each time from where the last one ended."""
        after: Any = None
        while True:
            began = monotonic()
            gone, after = await of(after)
            pruned.update(gone)
            if on:
                on(gone)
            if after is None:
                return
            await asyncio.sleep(max(BREATH, (SHARE - 1) * (monotonic() - began)))

    await some(lambda after: _some_runs(store, limits, now, after))
    await some(lambda after: _some_events(store, limits, now, after))
    await some(lambda _: _some_left(store, limits))
    return +pruned


@read_transaction
def would_prune(connection: Connection, now: datetime, keep: Keep | None = None) -> Pruned:
    """How many rows of which table prune() would delete. *keep*: where another policy were in force."""
    limits = limits_of(connection, now, keep)
    over = {"before": limits.runs, "now": now}
    counted = Counter({table: connection.execute(counting(table), over).scalar_one() for table in TABLES})
    lone = {**over, "received_before": limits.events}
    for name, statement in _COUNT_EVENTS.items():
        counted[name] = connection.execute(statement, lone).scalar_one()
    for name, table, before in _left(limits):
        about = select(func.count()).select_from(table).where(table.c.at < before)
        counted[name] = connection.execute(about).scalar_one()
    return +counted


@read_transaction
def read_limits(connection: Connection, now: datetime) -> Limits:
    """See limits_of()."""
    return limits_of(connection, now)


def limits_of(connection: Connection, now: datetime, keep: Keep | None = None) -> Limits:
    """What the policy says, or *keep*; but no journey that may be entered loses what it asks for.

    That are the entries that its own brake counts, and the exits that came in before a start that occurred before them:
    one that waits for a pause to end may do so for years.
    """
    keep = keep or in_force(connection).policy.keep
    live = [version.journey for version in live_versions(connection)]
    own = [journey.brake.entries.per for journey in live if journey.brake]
    newest = max([journey.start.newest for journey in live], default=timedelta())
    first_waits = connection.execute(select(func.min(waiting_starts.c.at, type_=Time()))).scalar_one()
    return Limits(
        runs=_ago(now, max([keep.runs, *own])),
        events=min(_ago(now, max(keep.events, newest)), _ago(first_waits or now, newest)),
        ids=_ago(now, keep.ids),
        audit=_ago(now, keep.audit),
    )


def _ago(now: datetime, how_long: timedelta) -> datetime:
    return now - how_long


_Place = tuple[datetime, str]


async def _some_runs(store: Store, limits: Limits, now: datetime, after: _Place | None) -> tuple[Pruned, _Place | None]:
    # Looked for apart from being deleted: a writer of SQLite holds up all others.
    found = await _find_runs(store, limits.runs, now, after)
    if not found:
        return Counter(), None
    pruned = await _prune_runs(store, [id for _, id in found], limits.runs, now)
    return pruned, found[-1] if len(found) == TOGETHER else None


@read_transaction
def _find_runs(connection: Connection, before: datetime, now: datetime, after: _Place | None) -> list[_Place]:
    return some_long_over(connection, before, now, after, TOGETHER)


@write_transaction
def _prune_runs(connection: Connection, ids: Sequence[str], before: datetime, now: datetime) -> Pruned:
    return prune_runs(connection, ids, before, now)


_EventPlace = tuple[datetime, str, str]


async def _some_events(
    store: Store, limits: Limits, now: datetime, after: _EventPlace | None
) -> tuple[Pruned, _EventPlace | None]:
    found = await _find_events(store, limits, now, after)
    if not found:
        return Counter(), None
    pruned = await _prune_events(store, found, now)
    last = found[-1]
    return pruned, (last.received_at, last.id, last.source) if len(found) == TOGETHER else None


@read_transaction
def _find_events(connection: Connection, limits: Limits, now: datetime, after: _EventPlace | None) -> Sequence[AnyRow]:
    place = (events.c.received_at, events.c.id, events.c.source)
    wanted = select(*place, events.c.trigger, events.c.body).where(_LONE).order_by(*place).limit(TOGETHER)
    if after is not None:
        at, id, source = after
        later = or_(events.c.received_at > at, events.c.id > id, and_(events.c.id == id, events.c.source > source))
        wanted = wanted.where(events.c.received_at >= at, later)
    return connection.execute(wanted, {"received_before": limits.events, "before": limits.runs, "now": now}).all()


@write_transaction
def _prune_events(connection: Connection, found: Sequence[AnyRow], now: datetime) -> Pruned:
    """Nothing begins to refer to an event that is over, so that none of those found is needed by now."""
    names = [(row.id, row.source) for row in found]
    posted = [(row.source, row.id) for row in found if row.body and row.trigger not in INTERACTION_TRIGGERS]
    remember(connection, posted, now)  # what nobody could post again need not be known
    about = tuple_(decisions.c.event, decisions.c.source).in_(names)
    refused = connection.execute(
        select(decisions.c.journey, decisions.c.version, func.count().label("n"))
        .where(about, decisions.c.did == "refused")
        .group_by(decisions.c.journey, decisions.c.version)
    )
    carry_over(connection, Counter({(row.journey, row.version, "refused"): row.n for row in refused}))
    decided = connection.execute(delete(decisions).where(about)).rowcount
    gone = connection.execute(delete(events).where(tuple_(events.c.id, events.c.source).in_(names))).rowcount
    return Counter(events=gone, decisions=decided)


@write_transaction
def _some_left(connection: Connection, limits: Limits) -> tuple[Pruned, bool | None]:
    """What is left of what was pruned, and the audit log: the oldest first."""
    pruned = Counter[str]()
    for name, table, before in _left(limits):
        [key] = table.primary_key.columns
        oldest = select(key).where(table.c.at < before).order_by(table.c.at).limit(TOGETHER)
        if table is audit:  # which has no index by time, but is in its order
            first = connection.execute(select(key, audit.c.at).order_by(key).limit(TOGETHER)).all()
            ids = [row.id for row in first if row.at < before]
        else:
            ids = list(connection.execute(oldest).scalars())
        if ids:
            pruned[name] = connection.execute(delete(table).where(key.in_(ids))).rowcount
    return pruned, True if pruned else None


def _left(limits: Limits) -> tuple[tuple[str, Any, datetime], ...]:
    return ("known_events", known_events, limits.ids), ("links", links, limits.ids), ("audit", audit, limits.audit)


_decided = and_(decisions.c.event == events.c.id, decisions.c.source == events.c.source)
_needed = or_(
    # What a run heard, or began with, as long as the run is there.
    select(decisions.c.id).join(runs, runs.c.id == decisions.c.run).where(_decided, NOT_LONG_OVER).exists(),
    select(runs.c.id)
    .where(
        runs.c.customer == events.c.customer,
        runs.c.event_id == events.c.id,
        runs.c.event_source == events.c.source,
        NOT_LONG_OVER,
    )
    .exists(),
    select(waiting_starts.c.id)
    .where(
        waiting_starts.c.customer == events.c.customer,
        waiting_starts.c.event == events.c.id,
        waiting_starts.c.source == events.c.source,
    )
    .exists(),
)
_LONE: ColumnElement[bool] = and_(events.c.received_at < bindparam("received_before", type_=Time()), ~_needed)
_COUNT_EVENTS = {
    "events": select(func.count()).select_from(events).where(_LONE),
    "decisions": select(func.count()).select_from(decisions.join(events, _decided)).where(_LONE),
}
