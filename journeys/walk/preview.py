"""A virtual clock for whole journeys: a sample customer and a script in, a timeline out, and nothing is sent.

The walk, the rules for events and the rules for messages are the ones that production runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal, NamedTuple

from journeys.acting import Setting, refuse_unfit
from journeys.address_attributes import holding_addresses, spelled
from journeys.catalogue import CHANGED, CUSTOMER_SOURCE, CUSTOMER_TRIGGERS, Content, CustomerEvent, CustomerId, Event
from journeys.chains import Maker, machine
from journeys.clearance.consent import NOT_ASKED, About, Choice
from journeys.clearance.policy import NO_POLICY, Policy
from journeys.clearance.releases import CatchUp, Over, Resumption
from journeys.clearance.windows import Sent
from journeys.definition import Journey, send_id
from journeys.facts import Decision, Facts, RunFacts, SendFacts
from journeys.interactions import interaction_trigger
from journeys.language.attributes import Value, merged
from journeys.listening import decide, occurred
from journeys.moving import NO_NAMES, Names, People
from journeys.starting import start_after_a_pause
from journeys.versions import Version, key_of
from journeys.walk.diary import Delivery
from journeys.walk.lots import StagedLots
from journeys.walk.position import Arrival
from journeys.walk.script import DEFAULT_START, Happening
from journeys.walk.timeline import Heard, Made, PreviewCall, PreviewMove, PreviewRun, PreviewSend, Timeline
from journeys.walk.virtual_run import VirtualRun

Compile = Callable[[Journey, int], Version]
"""What makes the version of that number of a journey."""


def preview(  # noqa: PLR0913 - all but the first are named at the call
    version: Version,
    script: Sequence[Happening],
    customer: Mapping[str, Value],
    *,
    customer_id: CustomerId = "sample",
    contents: Mapping[str, Content] | None = None,
    said: Mapping[About, Choice] | None = None,
    policy: Policy = NO_POLICY,
    started_at: datetime = DEFAULT_START,
    compiled: Compile | None = None,
) -> Timeline:
    """Play *script* for one sample customer and return who would get what, and when.

    The script starts at *started_at* (aware UTC). The runs are walked to their ends, however long that takes.
    *said*: the customer's consents; without them, nobody is asked for consent. *policy*: the house's. *compiled*: makes
    the versions that the script publishes, if it does.
    Raises ValueError where the script does not go with the journey.
    """
    stage = Stage(
        customer,
        customer_id=customer_id,
        contents=contents,
        said=said,
        policy=policy,
        started_at=started_at,
        compiled=compiled,
    )
    stage.publish(version)
    for happening in sorted(script, key=lambda line: line.at):
        stage.happen(happening)
    return stage.finish()


class _Waiting(NamedTuple):
    """A start that waits for its journey to be resumed."""

    journey: str
    event: Event
    at: datetime
    made_by: Maker | None


class Stage:
    """The virtual world: a clock, one customer, the versions that are live, and the runs under way."""

    def __init__(
        self,
        customer: Mapping[str, Value],
        *,
        customer_id: CustomerId = "sample",
        contents: Mapping[str, Content] | None = None,
        said: Mapping[About, Choice] | None = None,
        policy: Policy = NO_POLICY,
        started_at: datetime = DEFAULT_START,
        compiled: Compile | None = None,
    ) -> None:
        self.now = self.started_at = started_at
        self.customer = merged(customer, {})
        self.contents = contents or {}
        self.said = said or {}
        self.policy = policy if said is not None else policy.model_copy(update={"consent": NOT_ASKED})
        self.held: dict[str, str] = {}
        self.let_go_at: dict[str, datetime] = {}
        self.paused: set[str] = set()
        self.resumed: dict[str, Resumption] = {}
        self.sent: list[Sent] = []
        self.customer_id = customer_id
        self.lots = StagedLots()
        self._compiled = compiled
        self._live: dict[str, Version] = {}
        self._last: dict[str, Version] = {}
        self._runs: list[VirtualRun] = []
        self._events: list[Event] = []
        self._heard: list[Heard] = []
        self._made: list[Made] = []
        self._waiting: list[_Waiting] = []
        self._moves: list[PreviewMove] = []

    def publish(self, version: Version, people: People = "stay", names: Names = NO_NAMES) -> None:
        """Make *version* the one that newcomers take. People inside stay on theirs, or go on in it where they can."""
        self._live[version.name] = self._last[version.name] = version
        older = [run for run in self._inside(version.name) if run.facts.version.number < version.number]
        for run in older if people == "move" else ():
            stays = run.move(version, names)
            self._moves.append(PreviewMove(run=run.facts.id, version=version.number, at=self.now, stays=stays))

    def complete(self, journey: str) -> None:
        """Nobody enters any more, and people inside finish."""
        self._live.pop(journey, None)
        self._waiting = [start for start in self._waiting if start.journey != journey]

    def stop(self, journey: str, version: int | None = None) -> None:
        """Nobody enters any more, and everybody inside stops where they are: all, or those of one *version*."""
        live = self._live.get(journey)
        if version is None or (live and live.number == version):
            self.complete(journey)
        for run in self._runs:
            of = run.facts.version
            if of.name == journey and version in (None, of.number):
                run.end("stop", "the journey was stopped", self.now)
        if journey not in self._live and not any(self._inside(journey)):
            self.paused.discard(journey)

    def _inside(self, journey: str) -> Iterator[VirtualRun]:
        return (run for run in self._runs if run.facts.version.name == journey and run.facts.active)

    def hold(self, journey: str, why: str) -> None:
        """The brake holds a journey: everybody inside stays, and nothing is sent."""
        self.held.setdefault(journey, why)

    def let_go(self, journey: str) -> None:
        """What a journey held goes out, one after the other."""
        if self.held.pop(journey, None) is not None:
            self.let_go_at[journey] = self.now
            for run in [run for run in self._runs if run.facts.version.name == journey]:
                run.let_go()

    def pause(self, journey: str) -> None:
        """Nobody enters a journey and nothing goes out: both wait, while everything else goes on."""
        self.paused.add(journey)

    def resume(self, journey: str, catch_up: CatchUp = "now") -> tuple[Decision, ...]:
        """A journey goes on with what has waited, or leaves it out. Returns what became of the starts that waited."""
        if journey not in self.paused:
            return ()
        self.paused.remove(journey)
        self.resumed.pop(journey, None)
        if catch_up != "skip":
            self.resumed[journey] = Resumption(self.now, catch_up.over if isinstance(catch_up, Over) else None)
        inside = [run for run in self._runs if run.facts.version.name == journey]
        decisions, entered = self._start_waiting(journey, skip=catch_up == "skip")
        for run in inside:
            run.catch_up(skip=catch_up == "skip")
        for run in entered:
            run.resume()
        return decisions

    def repair(
        self, *, step: str | None = None, reason: str | None = None, instead: Literal["go on"] | None = None
    ) -> None:
        """Whoever is parked tries again what has failed, or *instead* goes on: at this *step*, for this *reason*."""
        for run in [*self._runs]:
            run.repair(step, reason or "", instead)

    def happen(self, happening: Happening) -> Heard:
        """Let time pass until the line's moment, then let it happen. A deadline at the same moment comes after."""
        self.advance(self.started_at + happening.at)
        heard = self._govern(happening) if happening.governs else self._hear(happening)
        self._heard.append(heard)
        return heard

    def _govern(self, happening: Happening) -> Heard:
        """Somebody releases, pauses, resumes or repairs the journeys on stage, or publishes one of them."""
        decisions: tuple[Decision, ...] = ()
        if happening.release:
            for journey in [*self.held]:
                self.let_go(journey)
        if happening.pause:
            for journey in self._live:
                self.pause(journey)
        if happening.resume:
            for journey in sorted(self.paused):
                decisions += self.resume(journey, happening.resume)
        if happening.repair:
            self.repair()
        if happening.publish:
            self.publish(self._next(happening.publish), happening.people, happening.map)
        return Heard(event=self._name(happening), trigger="", at=self.now, decisions=decisions)

    def _next(self, journey: Journey) -> Version:
        """The version that publishing makes, or the one that is live as it is."""
        last = self._last.get(journey.journey)
        if last is None or self._compiled is None:
            raise ValueError(f'the script publishes "{journey.journey}", which is not the journey of this preview')
        if self._live.get(last.name) is last and last.journey.hash == journey.hash:
            return last
        return self._compiled(journey, last.number + 1)

    def _hear(self, happening: Happening) -> Heard:
        event, send = self._event(happening)
        changed = None if happening.customer is None else merged(self.customer, happening.customer)
        known = any((past.source, past.id) == (event.source, event.id) for past in self._events)
        if known or changed == self.customer:
            return Heard(event=event.id, trigger=event.trigger, at=self.now, decisions=())
        self.customer = self.customer if changed is None else changed
        return self._accept(event, send)

    def advance(self, to: datetime | None = None) -> None:
        """Let time pass: every wait that ends before *to* ends at its own moment. Without *to*, all of them."""
        while waiting := [run for run in self._runs if run.until and (to is None or run.until < to)]:
            run = min(waiting, key=lambda run: run.until or self.now)
            self.now = max(self.now, run.until or self.now)
            run.resume()
        if to is not None:
            self.now = max(self.now, to)

    def finish(self) -> Timeline:
        """Let all time pass, and say what became of everybody."""
        self.advance()
        return Timeline(
            started_at=self.started_at,
            events=tuple(self._heard),
            runs=self.so_far,
            made=tuple(self._made),
            moves=tuple(self._moves),
        )

    @property
    def so_far(self) -> tuple[PreviewRun, ...]:
        """What became of everybody up to now."""
        return tuple(run.summary() for run in self._runs)

    def make(self, does: Event | Setting, made_by: Maker) -> tuple[Decision, ...]:
        """A run makes an event, which is accepted like any other: it may end that run, or answer it."""
        event = self._changing(does, made_by) if isinstance(does, Setting) else does
        if event is None:
            return ()
        heard = self._accept(event, None, made_by)
        self._made.append(Made(**dict(heard), run=made_by.run, step=made_by.step))
        return heard.decisions

    def was_made(self, event: str) -> bool:
        """Whether a run made an event of that id before."""
        return any(made.event == event for made in self._made)

    def answer(self, call: PreviewCall) -> Delivery:
        """An endpoint is called: it is taken to answer at once, and well."""
        return Delivery(outcome="accepted", at=call.at)

    def _changing(self, setting: Setting, made_by: Maker) -> Event | None:
        """Change the customer, and return the event of it; None where nothing is another. Raises Impossible."""
        told, unsendable = spelled(setting.attributes, holding_addresses(self._live.values()))
        refuse_unfit(unsendable)
        before, self.customer = self.customer, merged(self.customer, told)
        if before == self.customer:
            return None
        named = {"id": made_by.event, "source": made_by.source, "customer": self.customer_id, "before": before}
        return CustomerEvent.model_validate({**named, "trigger": CHANGED})

    def _accept(self, event: Event, send: SendFacts | None, made_by: Maker | None = None) -> Heard:
        if send:
            sender = self._run(send.run).facts
            made_by = machine(event, sender.version.name, sender.chain)
        at = occurred(event, self.now)
        event = event.model_copy(update={"occurred_at": at})
        facts = self._facts(event, send, made_by)
        self._events.append(event)
        decisions = decide(event, at, facts)
        moved = [run for decision in decisions for run in self._carry_out(decision, event, at, made_by)]
        for run in moved:  # all at once, as in the store: what one of them does now finds the others where they are
            run.resume()
        return Heard(event=event.id, trigger=event.trigger, at=at, decisions=tuple(decisions))

    def _facts(self, event: Event, send: SendFacts | None, made_by: Maker | None) -> Facts:
        """All that decides what an event does."""
        entries: dict[tuple[str, str | None], datetime] = {}
        for run in self._runs:
            name = (run.facts.version.name, run.facts.key)
            entries[name] = max(entries.get(name, run.facts.entered_at), run.facts.entered_at)
        return Facts(
            customer=self.customer,
            runs=[run.facts_now for run in self._runs],
            starts=[version for version in self._live.values() if event.trigger in version.journey.start.triggers],
            last_entries=entries,
            known=list(self._events),
            send=send,
            listening=[version for version in self._live.values() if event.trigger in version.run_triggers],
            made_by=made_by,
            paused=self.paused,
        )

    def _start_waiting(self, journey: str, *, skip: bool) -> tuple[tuple[Decision, ...], list[VirtualRun]]:
        """Decide anew about the starts that wait. Returns what was decided, and who enters."""
        mine = [start for start in self._waiting if start.journey == journey]
        self._waiting = [start for start in self._waiting if start.journey != journey]
        decisions: list[Decision] = []
        entered: list[VirtualRun] = []
        for _, event, at, made_by in mine:
            known = replace(self._facts(event, None, made_by), resumed_at=self.now)
            made = list(start_after_a_pause(event, at, self._live[journey], known, skip=skip))
            decisions += made
            for decision in made:
                entered += self._carry_out(decision, event, max(at, self.now), made_by)
        return tuple(decisions), entered

    def _carry_out(self, decision: Decision, event: Event, at: datetime, made_by: Maker | None) -> Iterator[VirtualRun]:
        """Do what was decided, and return whoever goes on by it."""
        match decision.did:
            case "started":
                version = self._live[decision.journey]
                run = VirtualRun(_entering(decision, version, event, at, made_by), event, self)
                self._runs.append(run)
                yield run
            case "goal met":
                self._run(decision.run).meet_goal(at)
            case "exited":
                self._run(decision.run).end("exit", decision.why, self.now)
            case "restarted":
                self._run(decision.run).end("restart", decision.why, self.now)
            case "resumed":
                run = self._run(decision.run)
                run.hear(Arrival(event=event.id, at=at, answers=decision.answers), made_by)
                yield run
            case "waiting":
                self._waiting.append(_Waiting(decision.journey, event, at, made_by))
            case "ignored" | "refused":
                pass

    def _event(self, happening: Happening) -> tuple[Event, SendFacts | None]:
        offset = happening.at if happening.occurred_at is None else happening.occurred_at
        send = None
        trigger = happening.trigger or ("" if happening.customer is None else CHANGED)
        attributes = happening.attributes
        if happening.message:
            run, sent = self._sender(happening)
            trigger = interaction_trigger(sent.kind, happening.is_ or "opened")
            id = send_id(run.facts.id, sent.step)
            send = SendFacts(id=id, run=run.facts.id, step=sent.step, kind=sent.kind, at=sent.at)
            attributes = {**attributes, "send_id": send.id}
        event = Event(
            id=self._name(happening),
            trigger=trigger,
            customer=self.customer_id,
            occurred_at=self.started_at + offset,
            attributes=attributes,
        )
        if trigger in CUSTOMER_TRIGGERS:
            before = self.customer if trigger == CHANGED else {}
            event = CustomerEvent.model_validate({**dict(event), "source": CUSTOMER_SOURCE, "before": before})
        return event, send

    def _name(self, happening: Happening) -> str:
        return happening.id or f"line-{len(self._heard) + 1}"

    def _sender(self, happening: Happening) -> tuple[VirtualRun, PreviewSend]:
        runs = self._runs if happening.run is None else self._runs[happening.run - 1 : happening.run]
        for run in reversed(runs):
            for sent in run.sends:
                if sent.step == happening.message:
                    return run, sent
        raise ValueError(
            f'the script has "{happening.message}" {happening.is_} at {happening.at}, but it was not sent by then'
        )

    def _run(self, run_id: str | None) -> VirtualRun:
        return next(run for run in self._runs if run.facts.id == run_id)


def _entering(decision: Decision, version: Version, event: Event, at: datetime, made_by: Maker | None) -> RunFacts:
    chain = made_by.chain if made_by else ()
    return RunFacts(id=decision.run or "", version=version, key=key_of(version, event), entered_at=at, chain=chain)
