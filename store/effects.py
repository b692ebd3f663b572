"""What a group of events changes: collected while it is decided, written in a few statements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, Table, bindparam, insert, update

from journeys.catalogue import BUILT_IN_NAMES, INTERACTION_TRIGGERS, Event, before_of
from journeys.chains import joined
from journeys.facts import Decision, RunFacts
from journeys.versions import Version, key_of
from journeys.walk.diary import EndedBy
from store.answers import arrival
from store.brake import brake_entries
from store.facts import BatchFacts, send_of
from store.lifecycle import Row, RunWrites
from store.many import write_each
from store.outbox import JobKind
from store.run_inputs import run_input
from store.schema import decisions, events, interactions, outbox, triggers, waiting_starts


class Effects:
    """Rows to be written, and the facts kept in step with them."""

    def __init__(self, facts: BatchFacts, now: datetime) -> None:
        self._facts = facts
        self._now = now
        self._seen = Counter[str]()
        self._new: dict[Table, list[Row]] = {table: [] for table in _INSERT}
        self._runs = RunWrites()
        self._entered: dict[str, Version] = {}

    def apply(self, event: Event, made: Sequence[Decision]) -> None:
        """Do what was decided."""
        if event.trigger not in BUILT_IN_NAMES:
            self._seen[event.trigger] += 1
        self.carry_out(event, made)

    def carry_out(self, event: Event, made: Sequence[Decision], enters_at: datetime | None = None) -> None:
        """The same for an event that was counted before. *enters_at*: when it enters what it starts, if later."""
        for decision in made:
            match decision.did:
                case "started":
                    self._start(event, decision, enters_at or _at(event))
                case "goal met":
                    self._meet_goal(event, decision)
                case "exited":
                    self._end(event, decision, "exit")
                case "restarted":
                    self._end(event, decision, "restart")
                case "resumed":
                    self._resume(event, decision)
                case "refused":
                    self._runs.refuse(self._live(decision))
                case "waiting":
                    self._new[waiting_starts].append(self._waiting(event, decision))
                case "ignored":
                    pass

    def keep(self, event: Event, body: str, made: Sequence[Decision]) -> None:
        """Keep the event, with a hash of what was posted, and the decisions about it."""
        # Whoever comes later has to come after it: nothing is received before it has occurred.
        kept = {"received_at": max(self._now, _at(event)), "body": body, "before": before_of(event)}
        self._new[events].append(vars(event) | kept)
        self.tell(event, made)
        self._facts.heard(event)
        if send_of(event) in self._facts.sends:
            self._new[interactions].append(_interaction(event))

    def tell(self, event: Event, made: Sequence[Decision]) -> None:
        """Keep decisions about an event that is kept."""
        name = {"event": event.id, "source": event.source}
        self._new[decisions] += [name | vars(decision) for decision in made]

    def write(self, connection: Connection) -> None:
        """Write everything."""
        for table, rows in self._new.items():
            write_each(connection, _INSERT[table], rows)
        if counts := self._counts():
            connection.execute(_SEEN, counts)
        self._runs.write(connection)
        brake_entries(connection, self._entered, self._now, self._facts.day)

    def _start(self, event: Event, decision: Decision, enters_at: datetime) -> None:
        version, made_by = self._live(decision), self._facts.maker_of(event)
        run = RunFacts(
            id=decision.run or "",
            version=version,
            key=key_of(version, event),
            entered_at=enters_at,
            day=self._facts.day,
            chain=made_by.chain if made_by else (),
        )
        self._facts.entered(event.customer or "", run, self._runs.start(run, event, self._now))
        told = run_input(
            run.id,
            version,
            customer=event.customer,
            trigger=event.trigger,
            entered_at=run.entered_at,
            day=run.day,
        )
        self._relay(run.id, "start", told)
        self._entered[version.name] = version

    def _waiting(self, event: Event, decision: Decision) -> Row:
        made_by = self._facts.maker_of(event)
        return {
            "journey": decision.journey,
            "customer": event.customer,
            "event": event.id,
            "source": event.source,
            "at": self._now,
            "day_seconds": self._facts.day.total_seconds(),
            "made_by": list(made_by) if made_by else None,
        }

    def _live(self, decision: Decision) -> Version:
        return next(version for version in self._facts.live if version.name == decision.journey)

    def _meet_goal(self, event: Event, decision: Decision) -> None:
        run = decision.run or ""
        self._facts.met_goal(event.customer or "", run)
        self._runs.meet_goal(self._facts.states[run], _at(event))

    def _end(self, event: Event, decision: Decision, by: EndedBy) -> None:
        """The fence: once this is committed, no send of the run is claimed."""
        run = decision.run or ""
        at = max(self._now, _at(event))
        ended = self._runs.end(self._facts.states[run], by, decision.why, at)
        self._facts.ended(event.customer or "", ended, at)
        self._relay(run, "cancel", {"reason": decision.why})

    def _resume(self, event: Event, decision: Decision) -> None:
        heard, state = arrival(event, decision), self._facts.states[decision.run or ""]
        state = self._runs.resume(state, joined(state.chain, self._facts.maker_of(event)))
        self._facts.answered(event.customer or "", state, heard)
        self._relay(state.id, "arrive", heard.model_dump(mode="json"))

    def _relay(self, run: str, kind: JobKind, payload: Mapping[str, object]) -> None:
        self._new[outbox].append(job(run, kind, payload, self._now))

    def _counts(self) -> list[Row]:
        return [{"trigger": name, "more": self._seen[name], "now": self._now} for name in sorted(self._seen)]


def job(run: str, kind: JobKind, payload: Mapping[str, object], now: datetime) -> Row:
    """A row of the outbox, due at once."""
    row = {"run": run, "kind": kind, "payload": payload, "created_at": now, "due_at": now}
    return row | {"attempts": 0, "error": ""}


def tell_each(connection: Connection, runs: Iterable[str], kind: JobKind, now: datetime) -> None:
    """Have Temporal told the same of each of very many runs: all other jobs come first."""
    write_each(connection, insert(outbox), [job(run, kind, {}, now) | {"bulk": True} for run in runs])


def _at(event: Event) -> datetime:
    assert event.occurred_at is not None  # noqa: S101 - filled in before anything is decided
    return event.occurred_at


def _interaction(event: Event) -> Row:
    return {
        "event": event.id,
        "source": event.source,
        "send": send_of(event),
        "interaction": INTERACTION_TRIGGERS[event.trigger][1],
        "at": event.occurred_at,
        "link": event.attributes.get("link"),
        "reply": event.attributes.get("reply"),
        "machine": bool(event.attributes.get("machine")),
    }


_INSERT = {table: insert(table) for table in (events, decisions, interactions, outbox, waiting_starts)}
_SEEN = (
    update(triggers)
    .where(triggers.c.name == bindparam("trigger"))
    .values(seen=triggers.c.seen + bindparam("more"), last_seen_at=bindparam("now"))
)
