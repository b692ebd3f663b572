"""Starts that wait for a journey to be resumed: what becomes of them then, or once nobody may enter it any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import NamedTuple

from sqlalchemy import Connection, Text, bindparam, delete, func, insert, or_, select

from journeys.catalogue import Event
from journeys.chains import Maker
from journeys.starting import WAITED, start_after_a_pause
from store.effects import Effects
from store.facts import AN_EVENT, event_of, read_facts
from store.lifecycle import STOPPED
from store.locks import lock_customers
from store.many import write_each
from store.schema import AnyRow, among, decisions, events, journeys, versions, waiting_starts
from store.store import write_transaction
from store.turns import TOGETHER

MOST_DROPPED = 500
"""So many who never enter are told so in one transaction: nothing is looked up for them."""


@write_transaction
def start_some(connection: Connection, name: str, now: datetime) -> int:
    """Decide about some starts of a journey anew, unless it is paused. Returns how many there were.

    In the order in which they came, each under its customer's lock. Where nobody may enter any more, nobody does.
    """
    some = _some(connection, name)
    if not some:
        return 0
    lock_customers(connection, {row.customer for row in some})
    journey = connection.execute(_JOURNEY, {"named": name}).one()  # nobody stops it any more before all is decided
    if journey.live_version is None:
        return _drop_some(connection, journey)
    taken = connection.execute(_TAKE, {"ids": [row.id for row in some]}).scalars().all()
    # Others may have taken some meanwhile, and what was erased is not there any more.
    waiting = _with_events(connection, [row for row in some if row.id in taken])
    if waiting:
        _start(connection, journey, waiting, now)
    return len(some)


def drop_the_rest(connection: Connection, journey: AnyRow) -> None:
    """Nobody enters a journey who waited when it was stopped or completed, although it is about to be live again."""
    while journey.live_version is None and _drop_some(connection, journey):
        pass


def _drop_some(connection: Connection, journey: AnyRow) -> int:
    """Some who wait never enter, and why is kept with each event. Returns how many."""
    dropped = connection.execute(_DROP, {"named": journey.name, "most": MOST_DROPPED}).all()
    why = STOPPED if journey.stopped_at else "nobody enters the journey any more"
    _tell(connection, journey.name, dropped, why)
    return len(dropped)


def drop_waiting_of(connection: Connection, customer: str, journey: str | None, why: str) -> Mapping[str, int]:
    """The same of one customer, who is locked: in all journeys, or in one. Returns how many there were by journey."""
    dropped = waiting_of(connection, customer, journey)
    for name in dropped:
        these = connection.execute(_DROP_OF, {"named": name, "whose": customer}).all()
        _tell(connection, name, these, why)
    return dropped


def _tell(connection: Connection, name: str, dropped: Sequence[AnyRow], why: str) -> None:
    """Keep with the event of each of these starts, which nobody else has dropped, that it does not happen."""
    if not dropped:
        return
    version = connection.execute(_LAST, {"named": name}).scalar_one()
    made = {"journey": name, "version": version, "did": "ignored", "why": f"{WAITED}{why}", "answers": []}
    write_each(connection, insert(decisions), [made | row._asdict() for row in dropped])


def waiting_of(connection: Connection, customer: str, journey: str | None) -> Mapping[str, int]:
    """How many starts of a customer wait, by journey."""
    rows = connection.execute(_WAITING_OF, {"whose": customer, "only": journey})
    return {row.journey: row.n for row in rows}


class _Waiting(NamedTuple):
    """A start that waits, and its event."""

    row: AnyRow
    event: Event


def _some(connection: Connection, journey: str) -> Sequence[AnyRow]:
    """The first that wait in a journey, as far as they go by one pace and nobody else has made them."""
    rows = connection.execute(_FIRST, {"named": journey, "most": TOGETHER}).all()
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
_LAST = select(func.max(versions.c.number)).where(versions.c.journey == _named)
_waits_no_more = journeys.c.paused_at.is_(None) | journeys.c.live_version.is_(None)
_starts = select(waiting_starts.c.id).where(waiting_starts.c.journey == journeys.c.name)
HAS_STARTS = _waits_no_more & _starts.exists()
"""Whether starts wait for a journey's pause, although it is over or nobody may enter any more."""

_FIRST = (
    select(waiting_starts)
    .join(journeys, journeys.c.name == waiting_starts.c.journey)
    .where(waiting_starts.c.journey == _named, _waits_no_more)
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
_in_journey = waiting_starts.c.journey == _named
_of_customer = waiting_starts.c.customer == bindparam("whose")
_only = bindparam("only", type_=Text())
_WAITING_OF = (
    select(waiting_starts.c.journey, func.count().label("n"))
    .where(_of_customer, or_(_only.is_(None), waiting_starts.c.journey == _only))
    .group_by(waiting_starts.c.journey)
    .order_by(waiting_starts.c.journey)
)
_AN_EVENT = waiting_starts.c.event, waiting_starts.c.source
_DROP = (
    delete(waiting_starts)
    .where(waiting_starts.c.id.in_(_FIRST.with_only_columns(waiting_starts.c.id)))
    .returning(*_AN_EVENT)
)
_DROP_OF = delete(waiting_starts).where(_in_journey, _of_customer).returning(*_AN_EVENT)
