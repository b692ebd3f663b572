"""Accepting events: one transaction decides everything that they do, and nothing else decides."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import AwareDatetime
from sqlalchemy import Connection, and_, bindparam, null, or_, select, union_all

from journeys.catalogue import INTERACTION_TRIGGERS, Event
from journeys.chains import Maker
from journeys.facts import Decision
from journeys.language.attributes import Attributes
from journeys.listening import decide, occurred
from journeys.models import Frozen
from journeys.problems import Conflict, Flaw, Unknown
from journeys.walk.pace import DAY
from store.checks import Triggers, check
from store.effects import Effects
from store.facts import BatchFacts, SentTo, find_sends, read_facts, send_of
from store.inside import count_in_flight
from store.known_events import digest_of, digests_of
from store.locks import lock_customers
from store.many import beside
from store.schema import AnyRow, among, decisions, events, known_events, sends
from store.store import read_transaction, write_transaction
from store.unsought import unsought

EventName = tuple[str, str]
"""An event's source and id."""


class Receipt(Frozen):
    """What became of a posted event. It is durable.

    *duplicate*: it was here before, and these are the decisions of then.
    *in_flight*: sends of the runs that it ended that may still be on their way to a provider; *already_sent*: the
    message steps of these runs that a provider has, or may have.
    """

    event: str
    source: str
    duplicate: bool = False
    decisions: tuple[Decision, ...] = ()
    in_flight: int = 0
    already_sent: tuple[str, ...] = ()

    @property
    def exited(self) -> tuple[str, ...]:
        """The runs that the event ended."""
        return tuple(made.run for made in self.decisions if made.ends and made.run)


class StoredEvent(Frozen):
    """An event that was kept, and what each journey made of it. *before*: of a customer that was changed, as it was."""

    id: str
    source: str
    trigger: str
    customer: str | None
    occurred_at: AwareDatetime
    received_at: AwareDatetime
    attributes: Attributes
    before: Attributes | None = None
    decisions: tuple[Decision, ...]


class Before(NamedTuple):
    """What is remembered of an event that was here before. *body* is None where that it was here is all there is."""

    body: str | None
    decisions: tuple[Decision, ...]


@write_transaction
def accept(connection: Connection, events: Sequence[Event], now: datetime, *, day: timedelta = DAY) -> list[Receipt]:
    """Accept *events*, all or none, and return a receipt for each. *day* is the pace of the runs that they start.

    Raises Invalid with every flaw of every event, ``[3].attributes.total``, Conflict with every event whose id was
    another's, and Unavailable: then nothing is written.
    """
    return accept_here(connection, events, now, day=day)


def accept_here(
    connection: Connection,
    events: Sequence[Event],
    now: datetime,
    *,
    day: timedelta = DAY,
    made_by: Maker | None = None,
) -> list[Receipt]:
    """The same within a transaction, such as that of a run, *made_by*, which made them.

    It takes the locks of the house, the customers and their runs, and raises Invalid before it has written anything.
    """
    triggers = check(connection, events, now, made_by)
    sent = find_sends(connection, events)
    about = [_of_its_customer(event, sent) for event in events]
    lock_customers(connection, {event.customer for event in about if event.customer})
    if sent:  # some may be of somebody who was erased meanwhile: what they did is not kept
        sent = find_sends(connection, events)
        about = [_of_its_customer(event, sent) for event in events]
    seen = _seen_before(connection, events)
    facts = read_facts(connection, about, sent, now, day, made_by)
    heard = [_filled_in(event, facts.moment(event.customer)) for event in about]
    effects = Effects(facts, now)
    many = len(events) + len(facts.states)
    receipts = beside(connection, many, _accept_each, events, heard, triggers, seen, facts, effects)
    effects.write(connection)
    return _with_sends(connection, receipts)  # 5. Returning commits.


def take_effect(
    connection: Connection, event: Event, now: datetime, *, day: timedelta = DAY, made_by: Maker | None = None
) -> Receipt:
    """Do all that one event of our own does, such as a change of a customer, and keep it where anybody listens.

    The transaction has the locks of its customer, and none of a run yet: those are taken here, in their order; or it
    has all of them, where a run *made* it.
    """
    facts = read_facts(connection, [event], {}, now, day, made_by)
    event = _filled_in(event, facts.moment(event.customer))
    effects = Effects(facts, now)
    made = _decide(event, facts)
    effects.apply(event, made)
    if made or _is_named(event, facts):
        effects.keep(event, "", made)  # it comes from nobody who could say it again
    effects.write(connection)
    return _with_sends(connection, [Receipt(event=event.id, source=event.source, decisions=made)])[0]


def _accept_each(
    events: Sequence[Event],
    heard: Sequence[Event],
    triggers: Triggers,
    seen: dict[EventName, Before],
    facts: BatchFacts,
    effects: Effects,
) -> list[Receipt]:
    """A receipt for each event, with what it does in *effects*. Raises Conflict."""
    receipts = []
    taken: list[Flaw] = []
    for index, (posted, event) in enumerate(zip(events, heard, strict=True)):
        # 1. Seen before: the answer is the one of then.
        if before := seen.get(_name(event)):
            receipts.append(Receipt(event=event.id, source=event.source, duplicate=True, decisions=before.decisions))
            taken += [_taken(event).within(f"[{index}]")] if before.body not in (None, _body(posted)) else []
            continue
        # 2. The runs of the customer: goal, exit, resume. 3. The journeys that it starts.
        made = _decide(event, facts)
        effects.apply(event, made)
        # 4. One decision for each journey looked at, with its reason.
        if made or _is_kept(event, triggers, facts):
            seen[_name(event)] = Before(body := _body(posted), made)
            effects.keep(_without_a_person(event, facts), body, made)
        receipts.append(Receipt(event=event.id, source=event.source, decisions=made))
    if taken:
        raise Conflict(f"{_ids(len(taken))} already, with another content. Nothing was accepted.", taken)
    return receipts


@read_transaction
def in_flight(connection: Connection, runs: Sequence[str]) -> int:
    """How many sends of *runs* are between claim and outcome."""
    return count_in_flight(connection, runs)


@read_transaction
def get_event(connection: Connection, source: str, id: str) -> StoredEvent:
    """An event with its decisions. Raises Unknown where it was never accepted, or only counted."""
    row = connection.execute(_EVENT, {"event": id, "source": source}).one_or_none()
    if row is None:
        why = "It was not accepted, its trigger keeps none, or it was pruned."
        raise Unknown(f'There is no event "{id}" from "{source}". {why}')
    made = decisions_of(connection, [id])
    return _stored(row, made.get((source, id), ()))


@read_transaction
def list_events(
    connection: Connection, customer: str, *, limit: int = 50, before: tuple[datetime, str] | None = None
) -> list[StoredEvent]:
    """A customer's events with their decisions, the latest received first.

    *before*: received_at and id of the last one on the page before.
    """
    wanted = select(events).where(events.c.customer == customer)
    if before is not None:
        at, id = before
        wanted = wanted.where(
            or_(events.c.received_at < at, and_(events.c.received_at == at, events.c.id < id)),
        )
    latest = wanted.order_by(events.c.received_at.desc(), events.c.id.desc()).limit(limit)
    rows = connection.execute(latest).all()
    made = decisions_of(connection, [row.id for row in rows])
    return [_stored(row, made.get((row.source, row.id), ())) for row in rows]


def is_known(connection: Connection, source: str, id: str) -> bool:
    """Whether there was such an event, which may be kept no more."""
    rows = connection.execute(_BODIES, {"ids": [id], "digests": [digest_of(source, id)]})
    return any(row.body is None or row.source == source for row in rows)


def decisions_of(connection: Connection, ids: Iterable[str]) -> dict[EventName, tuple[Decision, ...]]:
    """The decisions about events of these ids, in the order in which they were made."""
    made: dict[EventName, tuple[Decision, ...]] = {}
    for row in connection.execute(_DECISIONS, {"ids": sorted(set(ids))}):
        name = (row.source, row.event)
        made[name] = (*made.get(name, ()), decision_of(row))
    return made


def decision_of(row: AnyRow) -> Decision:
    """The decision that a row holds."""
    return Decision(
        journey=row.journey, version=row.version, did=row.did, why=row.why, run=row.run, answers=tuple(row.answers)
    )


def _of_its_customer(event: Event, sent: Mapping[str, SentTo]) -> Event:
    """The event; an interaction with the customer that its send went to."""
    send = sent.get(send_of(event))
    return event.model_copy(update={"customer": send.customer}) if send else event


def _filled_in(event: Event, moment: datetime) -> Event:
    """The event with its time."""
    return event.model_copy(update={"occurred_at": occurred(event, moment)})


def _seen_before(connection: Connection, posted: Sequence[Event]) -> dict[EventName, Before]:
    names = digests_of(_name(event) for event in posted)
    asked = {"ids": sorted({event.id for event in posted}), "digests": sorted(names)}
    rows = connection.execute(_BODIES, asked).all()
    kept = [row for row in rows if row.body is not None]
    made = decisions_of(connection, [row.id for row in kept]) if kept else {}
    known = {names[row.id]: Before(None, ()) for row in rows if row.body is None}
    return known | {(row.source, row.id): Before(row.body, made.get((row.source, row.id), ())) for row in kept}


def _taken(event: Event) -> Flaw:
    return Flaw(
        path="id",
        message=f'"{event.id}" of "{event.source}" was accepted before, as another event.',
        hint="Give a new event a new id; post one again with the same trigger, customer, time and attributes.",
    )


def _ids(number: int) -> str:
    return "The id of 1 event is known" if number == 1 else f"The ids of {number} events are known"


def _decide(event: Event, facts: BatchFacts) -> tuple[Decision, ...]:
    if event.trigger in INTERACTION_TRIGGERS and send_of(event) not in facts.sends:
        why = f'no {INTERACTION_TRIGGERS[event.trigger][0]} was sent with the id "{send_of(event)}"'
        return (Decision(journey="", version=0, did="ignored", why=why),)
    assert event.occurred_at is not None  # noqa: S101 - filled in
    return tuple(decide(event, event.occurred_at, facts.of(event)))


def _is_kept(event: Event, triggers: Triggers, facts: BatchFacts) -> bool:
    return event.trigger in INTERACTION_TRIGGERS or triggers[event.trigger][0].keep or _is_named(event, facts)


def _without_a_person(event: Event, facts: BatchFacts) -> Event:
    """An interaction with a send that there is not may be of somebody who was erased: what they did is not kept."""
    if event.trigger not in INTERACTION_TRIGGERS or send_of(event) in facts.sends:
        return event
    return event.model_copy(update={"attributes": {"send_id": send_of(event)}})


def _is_named(event: Event, facts: BatchFacts) -> bool:
    return any(event.trigger in version.triggers for version in facts.live)


def _with_sends(connection: Connection, receipts: list[Receipt]) -> list[Receipt]:
    """The receipts of exits say which sends of the ended runs are under way, and which are out."""
    runs = sorted({run for receipt in receipts for run in receipt.exited})
    if not runs:
        return receipts
    out: dict[str, list[AnyRow]] = {run: [] for run in runs}
    for row in connection.execute(_SENDS, {"runs": runs}):
        out[row.run].append(row)
    return [_with_own_sends(receipt, [row for run in receipt.exited for row in out[run]]) for receipt in receipts]


def _with_own_sends(receipt: Receipt, rows: Sequence[AnyRow]) -> Receipt:
    claimed = sum(row.state == "claimed" for row in rows)
    sent = tuple(row.step for row in rows if row.state != "claimed")
    return receipt.model_copy(update={"in_flight": claimed, "already_sent": sent}) if rows else receipt


def _name(event: Event) -> EventName:
    return event.source, event.id


def _body(posted: Event) -> str:
    """A hash of all that was said about the event but its name."""
    said = posted.model_dump(mode="json", exclude={"id", "source"}, exclude_defaults=True)
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def _stored(row: AnyRow, made: tuple[Decision, ...]) -> StoredEvent:
    columns = dict(row._asdict())
    del columns["body"]
    return StoredEvent(**columns, decisions=made)


# One statement, which sees one moment: an event is in the one table or the other while it goes.
_BODIES = union_all(
    select(events.c.id, events.c.source, events.c.body).where(among(events.c.id, "ids")),
    select(known_events.c.digest, null(), null()).where(among(known_events.c.digest, "digests")),
)
_DECISIONS = select(decisions).where(among(decisions.c.event, "ids")).order_by(decisions.c.id)
_EVENT = select(events).where(events.c.id == bindparam("event"), events.c.source == bindparam("source"))
_SENDS = (
    select(sends.c.run, sends.c.step, sends.c.state)
    .where(among(sends.c.run, "runs"), unsought(sends.c.state).in_(("claimed", "accepted", "unknown")))
    .order_by(sends.c.claimed_at, sends.c.id)
)
