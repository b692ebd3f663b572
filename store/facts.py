"""What is known of the customers of a group of events: read in a few statements, kept up while it is decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, TableValuedAlias, bindparam, case, func, or_, select, union_all

from journeys.catalogue import CUSTOMER_TRIGGERS, INTERACTION_TRIGGERS, CustomerEvent, Event
from journeys.chains import Maker, machine
from journeys.facts import ExitName, Facts, RunFacts, SendFacts
from journeys.versions import Version
from journeys.walk.position import Arrival
from store.answers import answers
from store.lifecycle import STATE, RunState, state_of
from store.own_runs import OwnRuns
from store.schema import AnyRow, Texts, among, customers, diary, entries, events, runs, sends
from store.versions import live_and_paused, load

EntryKey = tuple[str, str | None]

_INSTANT = timedelta(microseconds=1)
"""What comes right after something else comes so much later: databases keep no less."""


@dataclass
class BatchFacts:
    """Facts by customer, and where each of their runs stands."""

    live: Sequence[Version]
    day: timedelta
    now: datetime
    sends: Mapping[str, SendFacts]
    made_by: Maker | None = None
    paused: frozenset[str] = frozenset()
    customers: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    runs: dict[str, OwnRuns] = field(default_factory=lambda: defaultdict(OwnRuns))
    states: dict[str, RunState] = field(default_factory=dict)
    entries: dict[str, dict[EntryKey, datetime]] = field(default_factory=lambda: defaultdict(dict))
    exits: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    leaving: dict[ExitName, bool] = field(default_factory=dict)
    latest: dict[str, datetime] = field(default_factory=dict)

    def moment(self, customer: str | None) -> datetime:
        """When something happens that names no time: now, but after all that is known of the customer.

        The clock of whoever wrote that may be ahead of ours, and ours may have gone back.
        """
        latest = self.latest.get(customer or "")
        at = self.now if latest is None else max(self.now, latest + _INSTANT)
        self.knows_of(customer or "", at)
        return at

    def knows_of(self, customer: str, at: datetime) -> None:
        """Something of the customer is known that happened then."""
        self.latest[customer] = max(at, self.latest.get(customer, at))

    def of(self, event: Event) -> Facts:
        """All that decides what *event* does."""
        customer = event.customer or ""
        starts = [version for version in self.live if event.trigger in version.journey.start.triggers]
        send = self.sends.get(send_of(event))
        return Facts(
            customer=self.customers.get(customer, {}),
            runs=self.runs[customer].touched(event, starts, send.run if send else None),
            starts=starts,
            last_entries=self.entries[customer],
            known=self.exits[customer],
            leaving=self.leaving,
            send=send,
            day=self.day,
            received_at=self.now,
            listening=[version for version in self.live if event.trigger in version.run_triggers],
            made_by=self.maker_of(event),
            paused=self.paused,
        )

    def maker_of(self, event: Event) -> Maker | None:
        """The run that made an event, or sent the message that a machine tells of; None where it is from outside."""
        send = self.sends.get(send_of(event))
        sender = self.states.get(send.run) if send else None
        return self.made_by or (machine(event, sender.version.name, sender.chain) if sender else None)

    def heard(self, event: Event) -> None:
        """From now on the event is one of those that came earlier."""
        if any(event.trigger == leaving.trigger for version in self.live for leaving in version.journey.event_exits):
            self.exits[event.customer or ""].append(event)

    def entered(self, customer: str, run: RunFacts, state: RunState) -> None:
        """A run has started."""
        self.runs[customer].put(run)
        self.states[run.id] = state
        name = (run.version.name, run.key)
        last = self.entries[customer].get(name)
        self.entries[customer][name] = max(last or run.entered_at, run.entered_at)

    def answered(self, customer: str, state: RunState, arrival: Arrival) -> None:
        """A question of a run may have an answer."""
        was = self.runs[customer][state.id]
        self.runs[customer].put(replace(was, heard=(*was.heard, arrival), chain=state.chain))
        self.states[state.id] = state

    def met_goal(self, customer: str, run: str) -> None:
        """A run has met its goal."""
        self.runs[customer].put(replace(self.runs[customer][run], goal_met=True))

    def ended(self, customer: str, state: RunState, at: datetime) -> None:
        """A run has ended."""
        self.runs[customer].put(replace(self.runs[customer][state.id], ended=state.ended, ended_at=at))
        self.states[state.id] = state


def send_of(event: Event) -> str:
    """The id of the send that an interaction is about; nothing for other events."""
    return str(event.attributes.get("send_id", "")) if event.trigger in INTERACTION_TRIGGERS else ""


class SentTo(NamedTuple):
    """The send that an interaction is about, and the customer it went to."""

    facts: SendFacts
    customer: str


def find_sends(connection: Connection, events: Sequence[Event]) -> dict[str, SentTo]:
    """The sends that *events* are about, by id. Those that there are not are missing."""
    if not (ids := sorted({send_of(event) for event in events} - {""})):
        return {}
    rows = connection.execute(_SENDS, {"ids": ids}).all()
    about = {
        (send_of(event), INTERACTION_TRIGGERS[event.trigger][0])
        for event in events
        if event.trigger in INTERACTION_TRIGGERS
    }
    return {
        row.id: SentTo(_send(row), row.customer)
        for row in rows
        if (row.id, row.kind) in about  # nobody opens a push by opening an email
    }


def read_facts(
    connection: Connection,
    heard: Sequence[Event],
    sent: Mapping[str, SentTo],
    now: datetime,
    day: timedelta,
    made_by: Maker | None = None,
) -> BatchFacts:
    """Everything that decides what the events *heard* do, which came in *now*. Their customers are locked.

    Those without a time occurred now, or later. *made_by*: the run that made them, if one did.
    """
    # A clock that is ahead of ours is not believed, and what has come in time by ours is not to be missed.
    since = min([now, *(event.occurred_at for event in heard if event.occurred_at)])
    live, paused = live_and_paused(connection)
    facts = BatchFacts(
        live=live,
        paused=paused,
        day=day,
        now=now,
        sends={id: sent.facts for id, sent in sent.items()},
        made_by=made_by,
    )
    if whose := sorted({event.customer for event in heard if event.customer}):
        rows = connection.execute(_CUSTOMERS, {"customers": whose})
        facts.customers = {row.id: row.attributes for row in rows}
        for row in connection.execute(_LATEST[connection.dialect.name], {"customers": whose}):
            facts.knows_of(row.customer, row.at)
        _read_runs(connection, facts, heard, since, whose)
        _read_entries(connection, facts, heard, whose)
        _read_exits(connection, facts, heard, since, whose)
    return facts


def _read_runs(
    connection: Connection,
    facts: BatchFacts,
    heard: Sequence[Event],
    since: datetime,
    whose: Sequence[str],
) -> None:
    """The runs under way, those whose goal may still be met, and those whose sends the events are about."""
    sending = sorted({send.run for send in facts.sends.values()})
    rows = connection.execute(_RUNS, {"customers": whose, "since": since, "sending": sending}).all()
    versions = load(connection, {(row.journey, row.version) for row in rows})
    named = {event.trigger for event in heard}
    asked = [row.id for row in rows if not named.isdisjoint(versions[row.journey, row.version].question_triggers)]
    answered = answers(connection, asked) if asked else {}
    inside = _inside(connection, rows, versions)
    for row in sorted(rows, key=lambda row: (row.entered_at, row.id)):
        version = versions[row.journey, row.version]
        facts.runs[row.customer].put(_run(row, version, answered.get(row.id, ()), inside.get(row.id, {})))
        facts.states[row.id] = state_of(row, version)
        facts.knows_of(row.customer, max(row.entered_at, row.step_at or row.entered_at))


def _read_entries(connection: Connection, facts: BatchFacts, heard: Sequence[Event], whose: Sequence[str]) -> None:
    """When these customers last entered the journeys that they might enter now, where that matters."""
    names = [version.name for version in _starting(facts, heard) if version.journey.start.repeat != "immediately"]
    if names:
        for row in connection.execute(_ENTRIES, {"customers": whose, "journeys": names}):
            facts.entries[row.customer][row.journey, row.key] = row.entered_at


def _read_exits(
    connection: Connection, facts: BatchFacts, heard: Sequence[Event], since: datetime, whose: Sequence[str]
) -> None:
    """What came before but occurred after, and would have ended the runs that these customers might start now."""
    starting = _starting(facts, heard)
    names = sorted({leaving.trigger for version in starting for leaving in version.journey.event_exits})
    if names:
        for row in connection.execute(_EXITS, {"customers": whose, "triggers": names, "since": since}):
            facts.exits[row.customer].append(event_of(row))


def event_of(row: AnyRow) -> Event:
    """The event that a row holds."""
    model = CustomerEvent if row.trigger in CUSTOMER_TRIGGERS else Event
    return model.model_construct(**row._asdict())


def _starting(facts: BatchFacts, heard: Sequence[Event]) -> list[Version]:
    """The versions that one of the events may start."""
    named = {event.trigger for event in heard}
    return [version for version in facts.live if not named.isdisjoint(version.journey.start.triggers)]


def _send(row: AnyRow) -> SendFacts:
    at = row.at if row.state in ("accepted", "blocked", "failed") else None
    return SendFacts(id=row.id, run=row.run, step=row.step, kind=row.kind, at=at)


def _inside(
    connection: Connection, rows: Sequence[AnyRow], versions: Mapping[tuple[str, int], Version]
) -> dict[str, dict[str, datetime]]:
    """For each run, the series around the step where it stands, with when they were entered."""
    around: dict[str, frozenset[str]] = {}
    for row in rows:
        version = versions[row.journey, row.version]
        if row.step and version.series:
            around[row.id] = version.around(row.step)
    ids = [run for run, series in around.items() if series]
    entered: dict[str, dict[str, datetime]] = defaultdict(dict)
    for row in connection.execute(_ENTERED, {"runs": ids}) if ids else ():
        if row.step in around[row.run]:
            entered[row.run].setdefault(row.step, row.at)
    for row in rows if ids else ():
        for step in around.get(row.id, ()):  # who was moved into a series came with its step
            entered[row.id].setdefault(step, row.step_at)
    return entered


def _run(row: AnyRow, version: Version, heard: tuple[Arrival, ...], inside: Mapping[str, datetime]) -> RunFacts:
    return RunFacts(
        id=row.id,
        version=version,
        key=row.key,
        entered_at=row.entered_at,
        day=timedelta(seconds=row.day_seconds),
        ended=row.ended,
        ended_at=row.ended_at,
        goal_met=row.goal_met_at is not None,
        measured_until=row.goal_until,
        step=row.step,
        step_at=row.step_at,
        heard=heard,
        inside=inside,
        chain=tuple(row.chain),
    )


_SENDS = select(sends.c.id, sends.c.run, sends.c.step, sends.c.kind, sends.c.customer, sends.c.state, sends.c.at).where(
    among(sends.c.id, "ids")
)
_CUSTOMERS = select(customers.c.id, customers.c.attributes).where(among(customers.c.id, "customers"))


def _latest(each: TableValuedAlias) -> Select[Any]:
    # By the end of the index for each customer: one may have very many events.
    at = select(func.max(events.c.received_at)).where(events.c.customer == each.c.value).scalar_subquery()
    found = select(each.c.value.label("customer"), at.label("at")).subquery()
    return select(found.c.customer, found.c.at).where(found.c.at.is_not(None))


_customers = bindparam("customers", type_=Texts())
_LATEST = {
    "postgresql": _latest(func.unnest(_customers).table_valued("value").render_derived()),
    "sqlite": _latest(func.json_each(_customers).table_valued("value")),
}
_RUNS = (
    select(
        *STATE,
        runs.c.key,
        runs.c.entered_at,
        runs.c.step_at,
        runs.c.ended_at,
        runs.c.goal_met_at,
        runs.c.goal_until,
    )
    .where(
        or_(
            among(runs.c.customer, "customers")
            & or_(
                runs.c.ended.is_(None),
                runs.c.goal_met_at.is_(None) & (runs.c.goal_until >= bindparam("since")),
            ),
            among(runs.c.id, "sending"),
        )
    )
    .order_by(runs.c.id)  # everybody locks them in this order
    .with_for_update()
)
# One statement, which sees one moment: an entry is in the one table or the other while its run is pruned.
_each_entry = union_all(
    select(runs.c.customer, runs.c.journey, runs.c.key, runs.c.entered_at).where(
        among(runs.c.customer, "customers"), among(runs.c.journey, "journeys")
    ),
    select(entries.c.customer, entries.c.journey, case((entries.c.keyed, entries.c.key)), entries.c.last_at).where(
        among(entries.c.customer, "customers"), among(entries.c.journey, "journeys")
    ),
).subquery()
_ENTRIES = select(
    _each_entry.c.customer,
    _each_entry.c.journey,
    _each_entry.c.key,
    func.max(_each_entry.c.entered_at).label("entered_at"),
).group_by(_each_entry.c.customer, _each_entry.c.journey, _each_entry.c.key)
_ENTERED = (
    select(diary.c.run, diary.c.step, diary.c.at)
    .where(among(diary.c.run, "runs"), diary.c.did == "entered")
    .order_by(diary.c.run, diary.c.n)
)
AN_EVENT = (
    events.c.id,
    events.c.source,
    events.c.trigger,
    events.c.customer,
    events.c.occurred_at,
    events.c.attributes,
    events.c.before,
)
"""The columns that event_of() reads."""

_EXITS = select(*AN_EVENT).where(
    among(events.c.customer, "customers"),
    among(events.c.trigger, "triggers"),
    events.c.occurred_at >= bindparam("since"),
)
