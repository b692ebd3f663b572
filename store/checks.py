"""What is wrong with events, found before any of them is stored."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain, islice

from sqlalchemy import Connection, select

from journeys.catalogue import (
    BUILT_IN_NAMES,
    CUSTOMER_TRIGGERS,
    INTERACTION_SCHEMA,
    INTERACTION_TRIGGERS,
    Event,
    State,
    Trigger,
)
from journeys.chains import SOURCE, Maker
from journeys.language.attributes import check_attributes, flaws_of_attributes
from journeys.nearest import did_you_mean
from journeys.problems import Flaw, Invalid
from journeys.storable import MOST_FLAWS
from store.many import beside
from store.schema import among, triggers

# Clocks of senders differ a little; what claims to come from later than this has a wrong time.
MOST_AHEAD = timedelta(minutes=5)

Triggers = Mapping[str, tuple[Trigger, State]]

_BY_NAME = select(triggers.c.name, triggers.c.definition, triggers.c.state).where(among(triggers.c.name, "names"))
_ALL_NAMES = select(triggers.c.name)


def check(connection: Connection, events: Sequence[Event], now: datetime, made_by: Maker | None = None) -> Triggers:
    """The triggers of *events*, by name. Raises Invalid with the flaws: ``[3].attributes.total``.

    *made_by*: the run that made them; only a run may name a journey as their source.
    """
    triggers, names = _triggers(connection, events)
    if flaws := beside(connection, len(events), _flaws, events, triggers, names, now, made_by):
        wrong = len({flaw.path.partition("]")[0] for flaw in flaws})
        raise Invalid(f"{wrong} of {len(events)} events are not valid, so none was accepted.", flaws)
    return triggers


def _flaws(
    events: Sequence[Event], triggers: Triggers, names: Collection[str], now: datetime, made_by: Maker | None
) -> list[Flaw]:
    """Every flaw of the first events that have any, and beyond MOST_FLAWS one of each event that is wrong."""
    found: list[Flaw] = []
    for index, event in enumerate(events):
        flaws = chain(_of_trigger(event, triggers, names), _of_event(event, triggers, now, made_by))
        found += (flaw.within(f"[{index}]") for flaw in islice(flaws, max(1, MOST_FLAWS - len(found))))
    return found


def _triggers(connection: Connection, events: Sequence[Event]) -> tuple[Triggers, Collection[str]]:
    """The triggers that the events name, and, if one of them is not there, the names of all that there are."""
    named = sorted({event.trigger for event in events} - BUILT_IN_NAMES)
    rows = connection.execute(_BY_NAME, {"names": named}).all() if named else ()
    found: Triggers = {row.name: (Trigger.model_validate(row.definition), row.state) for row in rows}
    if len(found) == len(named):
        return found, found.keys()
    return found, [*connection.execute(_ALL_NAMES).scalars(), *INTERACTION_TRIGGERS]  # what can be posted


def _of_trigger(event: Event, triggers: Triggers, names: Collection[str]) -> Iterator[Flaw]:
    if event.trigger in INTERACTION_TRIGGERS:
        return
    if event.trigger in CUSTOMER_TRIGGERS:
        message = f'"{event.trigger}" cannot be posted: it happens by itself where a customer is changed.'
        yield Flaw(path="trigger", message=message, hint="Change the customer: PATCH or PUT /v1/customers/{id}.")
        return
    if event.trigger not in triggers:
        hint = did_you_mean(event.trigger, names)
        yield Flaw(path="trigger", message=f'no trigger "{event.trigger}".', hint=hint)
        return
    state = triggers[event.trigger][1]
    if state != "ready":
        hint = f"Mark it ready: POST /v1/triggers/{event.trigger}/ready."
        yield Flaw(path="trigger", message=f'trigger "{event.trigger}" is {state}, not ready.', hint=hint)


def _of_event(event: Event, triggers: Triggers, now: datetime, made_by: Maker | None) -> Iterator[Flaw]:
    yield from check_attributes({"id": "text", "source": "text"}, {"id": event.id, "source": event.source})
    if event.source.startswith(SOURCE) and not made_by:
        message = f"found {event.source}; sources that begin with {SOURCE} are those of events that journeys raise."
        yield Flaw(path="source", message=message, hint="Name the system that the event comes from, such as shop.")
    if event.customer is None and event.trigger not in INTERACTION_TRIGGERS:
        yield Flaw(path="customer", message="it is missing.", hint="Say to which customer this happened.")
    if event.occurred_at and event.occurred_at > now + MOST_AHEAD:
        message = f"found {event.occurred_at.isoformat()}, which is still to come: here it is {now.isoformat()}."
        yield Flaw(path="occurred_at", message=message, hint="Set the sender's clock, or leave occurred_at out.")
    if (schema := _schema(event, triggers)) is not None:
        yield from (flaw.within("attributes") for flaw in flaws_of_attributes(schema, event.attributes))


def _schema(event: Event, triggers: Triggers) -> Mapping[str, str] | None:
    if event.trigger in INTERACTION_TRIGGERS:
        return INTERACTION_SCHEMA
    return triggers[event.trigger][0].attributes if event.trigger in triggers else None
