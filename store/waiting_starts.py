"""Starts that wait for a journey to be resumed: what becomes of them then, or where it never is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Insert, Text, bindparam, delete, func, insert, literal, or_, select

from journeys.catalogue import Event
from journeys.chains import Maker
from journeys.starting import WAITED, start_after_a_pause
from store.effects import Effects
from store.facts import AN_EVENT, event_of, read_facts
from store.lifecycle import STOPPED
from store.locks import lock_customers
from store.schema import AnyRow, among, decisions, events, journeys, versions, waiting_starts


def start_some(connection: Connection, name: str, most: int, now: datetime) -> int:
    """Decide about some starts of a journey anew, unless it is paused. Returns how many there were.

    In the order in which they came, each under its customer's lock.
    """
    some = _some(connection, name, most)
    if not some:
        return 0
    journey = connection.execute(_JOURNEY, {"named": name}).one()
    if journey.live_version is None:
        why = STOPPED if journey.stopped_at else "nobody enters the journey any more"
        return drop_waiting(connection, journey.name, why, now)
    lock_customers(connection, {row.customer for row in some})
    taken = connection.execute(_TAKE, {"ids": [row.id for row in some]}).scalars().all()
    # Others may have taken some meanwhile, and what was erased is not there any more.
    waiting = _with_events(connection, [row for row in some if row.id in taken])
    if waiting:
        _start(connection, journey, waiting, now)
    return len(some)


def drop_waiting(connection: Connection, journey: str, why: str, now: datetime) -> int:
    """Nobody who waits enters the journey any more, and *why* is kept with each event. Returns how many there were."""
    del now  # what is decided is in the order in which it was, without a time of its own
    connection.execute(_TELL_DROPPED, {"named": journey, "because": f"{WAITED}{why}"})
    return connection.execute(_DROP, {"named": journey}).rowcount


def drop_waiting_of(connection: Connection, customer: str, journey: str | None, why: str) -> Mapping[str, int]:
    """The same of one customer, who is locked: in all journeys, or in one. Returns how many there were by journey."""
    dropped = waiting_of(connection, customer, journey)
    for name in dropped:
        about = {"named": name, "whose": customer}
        connection.execute(_TELL_DROPPED_OF, {**about, "because": f"{WAITED}{why}"})
        connection.execute(_DROP_OF, about)
    return dropped


def waiting_of(connection: Connection, customer: str, journey: str | None) -> Mapping[str, int]:
    """How many starts of a customer wait, by journey."""
    rows = connection.execute(_WAITING_OF, {"whose": customer, "only": journey})
    return {row.journey: row.n for row in rows}


class _Waiting(NamedTuple):
    """A start that waits, and its event."""

    row: AnyRow
    event: Event


def _some(connection: Connection, journey: str, most: int) -> Sequence[AnyRow]:
    """The first that wait in a journey, as far as they go by one pace and nobody else has made them."""
    rows = connection.execute(_FIRST, {"named": journey, "most": most}).all()
    alike = (rows[0].day_seconds, rows[0].made_by) if rows else None
    return list(takewhile(lambda row: (row.day_seconds, row.made_by) == alike, rows))


def _with_events(connection: Connection, rows: Sequence[AnyRow]) -> list[_Waiting]:
    found = connection.execute(_EVENTS, {"ids": sorted({row.event for row in rows})}).all() if rows else ()
    about = {(row.source, row.id): event_of(row) for row in found}
    return [_Waiting(row, about[row.source, row.event]) for row in rows if (row.source, row.event) in about]


def _start(connection: Connection, journey: AnyRow, waiting: Sequence[_Waiting], now: datetime) -> None:
    first = waiting[0].row
    maker = Maker(first.made_by[0], first.made_by[1], tuple(first.made_by[2])) if first.made_by else None
    day = timedelta(seconds=first.day_seconds)
    facts = read_facts(connection, [one.event for one in waiting], {}, now, day, maker)
    effects = Effects(facts, now)
    others_paused = facts.paused - {journey.name}  # paused again since: who is let go here was so before
    version = next(version for version in facts.live if version.name == journey.name)
    for row, event in waiting:
        at = event.occurred_at or row.at
        known = replace(facts.of(event), received_at=row.at, resumed_at=journey.resumed_at, paused=others_paused)
        made = list(start_after_a_pause(event, at, version, known, skip=journey.catch_up == "skip"))
        effects.carry_out(event, made, max(at, journey.resumed_at))
        effects.tell(event, made)
    effects.write(connection)


_named = bindparam("named", type_=Text())
_last = select(func.max(versions.c.number)).where(versions.c.journey == _named).scalar_subquery()
MAY_START = (
    journeys.c.paused_at.is_(None)
    & select(waiting_starts.c.id).where(waiting_starts.c.journey == journeys.c.name).exists()
)
"""Whether in a journey starts wait for the end of a pause that is over."""

_FIRST = (
    select(waiting_starts)
    .join(journeys, journeys.c.name == waiting_starts.c.journey)
    .where(waiting_starts.c.journey == _named, journeys.c.paused_at.is_(None))
    .order_by(waiting_starts.c.id)
    .limit(bindparam("most"))
)
_TAKE = (
    delete(waiting_starts)
    .where(waiting_starts.c.id.in_(bindparam("ids", expanding=True)))
    .returning(waiting_starts.c.id)
)
_JOURNEY = select(journeys).where(journeys.c.name == _named)
_EVENTS = select(*AN_EVENT).where(among(events.c.id, "ids"))


def _telling(which: ColumnElement[bool]) -> Insert:
    """The decision about each of these starts that it does not happen."""
    return insert(decisions).from_select(
        ["event", "source", "journey", "version", "did", "why", "answers"],
        select(
            waiting_starts.c.event,
            waiting_starts.c.source,
            waiting_starts.c.journey,
            _last,
            literal("ignored"),
            bindparam("because", type_=Text()),
            literal([], decisions.c.answers.type),
        )
        .where(which)
        .order_by(waiting_starts.c.id),
    )


_in_journey = waiting_starts.c.journey == _named
_of_customer = waiting_starts.c.customer == bindparam("whose")
_TELL_DROPPED, _DROP = _telling(_in_journey), delete(waiting_starts).where(_in_journey)
_TELL_DROPPED_OF = _telling(_in_journey & _of_customer)
_DROP_OF = delete(waiting_starts).where(_in_journey, _of_customer)
_only = bindparam("only", type_=Text())
_WAITING_OF = (
    select(waiting_starts.c.journey, func.count().label("n"))
    .where(_of_customer, or_(_only.is_(None), waiting_starts.c.journey == _only))
    .group_by(waiting_starts.c.journey)
    .order_by(waiting_starts.c.journey)
)
