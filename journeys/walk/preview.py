"""A virtual clock for whole journeys: a sample customer and a script in, a timeline out, and nothing is sent.

The walk, the rules for events and the rules for messages are the ones that production runs.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Self

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from journeys.acting import Impossible, Setting, action, done, impossible, told
from journeys.catalogue import (
    BUILT_IN_NAMES,
    CHANGED,
    CUSTOMER_SOURCE,
    CUSTOMER_TRIGGERS,
    Content,
    CustomerEvent,
    CustomerId,
    Event,
)
from journeys.chains import Maker, joined, maker
from journeys.choices import choose
from journeys.clearance.clearance import (
    Blocked,
    Circumstances,
    Clear,
    clearance,
    no_longer_than_it_may_be_sent,
    written,
)
from journeys.clearance.consent import NOBODY, Asked
from journeys.contents import render_content
from journeys.dates import UTC_EVERYWHERE, Dated
from journeys.definition import send_id
from journeys.interactions import Interaction, Kind, interaction_trigger
from journeys.known import Known
from journeys.language.attributes import Attributes, Value, check_attributes, merged
from journeys.language.durations import Duration
from journeys.language.moments import Moment
from journeys.language.templates import TemplateError
from journeys.listening import Decision, Facts, RunFacts, SendFacts, Version, decide, key_of, occurred
from journeys.models import Model, Name
from journeys.problems import Flaw, did_you_mean
from journeys.publishing import Catalogue
from journeys.steps import Webhook
from journeys.walk.diary import Choice, Delivery, Ended, Entry, Held, Outcome
from journeys.walk.lots import StagedLots
from journeys.walk.position import Arrival, Position
from journeys.walk.walk import Walk
from journeys.walk.world import Visit

DEFAULT_START = datetime(2026, 1, 1, 9, 0, tzinfo=UTC)


class Happening(Model):
    """One line of a preview's script: an event of a trigger, an interaction with a message, or a customer's change.

    *at* counts from the beginning of the script. *run* picks a run where there are several: 1 is the first one
    entered; without it, the interaction is with the latest run that sent that message.
    *customer*: attributes that the customer has from then on; null takes one away.
    *trigger*: what happens, with its *attributes*.
    *attributes*: what the event carries.
    *message*: the message step that it is about, with *is*.
    *is*: what became of that message.
    *id*: of the event; the same id is the same event.
    *occurred_at*: when it occurred, where it is heard of later.
    """

    exactly_one = ("trigger", "message", "customer")

    at: Duration = timedelta(0)
    trigger: Name | None = None
    customer: Attributes | None = None
    attributes: Attributes = Field(default_factory=dict)
    message: Name | None = None
    is_: Interaction | None = Field(None, alias="is")
    run: int | None = Field(None, ge=1)
    id: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    occurred_at: Duration | None = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if [self.trigger, self.message, self.customer].count(None) != 2:
            raise ValueError(
                "a line of the script has either a trigger, or a message and what it is, or a customer's new attributes"
            )
        if self.customer is not None and (self.attributes or self.occurred_at is not None):
            raise ValueError("a customer changes as soon as it is told, to what is told: {customer: {plan: pro}}")
        if (self.message is None) != (self.is_ is None):
            raise ValueError("message and is go together: {message: initial-reminder, is: opened}")
        return self


def check_happening(line: Happening, catalogue: Catalogue) -> Iterator[Flaw]:
    """What is wrong with an event of a script: a trigger that is not there, or attributes that it does not take."""
    if line.customer is not None:
        given = {name: value for name, value in line.customer.items() if value is not None}
        yield from (flaw.within("customer") for flaw in check_attributes(catalogue.customer, given))
    if line.trigger == CHANGED:
        message = "a change is written as what the customer is from then on."
        yield Flaw(path="trigger", message=message, hint="Write customer: {plan: pro} instead of a trigger.")
    if line.trigger is None:
        return
    schema = catalogue.schema(line.trigger)
    if schema is None:
        hint = did_you_mean(line.trigger, {*catalogue.triggers, *BUILT_IN_NAMES})
        yield Flaw(path="trigger", message=f'no trigger "{line.trigger}".', hint=hint)
        return
    yield from (flaw.within("attributes") for flaw in check_attributes(schema, line.attributes))


class PreviewSend(Model):
    """One message that would go out, or would be blocked."""

    step: str
    kind: Kind
    content: str
    at: AwareDatetime
    outcome: str
    to: str | None = None
    reason: str = ""
    parts: dict[str, str] = Field(default_factory=dict)


class PreviewCall(Model):
    """One call of an endpoint, with what it would be told. It is taken to succeed."""

    step: str
    endpoint: str
    at: AwareDatetime
    data: Attributes


class PreviewRun(Model):
    """What one run would do."""

    id: str
    version: int
    key: str | None
    entered_at: AwareDatetime
    ended: Ended | None
    ended_at: AwareDatetime | None
    why: str
    goal_met_at: AwareDatetime | None
    sends: tuple[PreviewSend, ...]
    calls: tuple[PreviewCall, ...] = ()
    diary: tuple[Entry, ...]


class Heard(Model):
    """One event of the script with what it did."""

    event: str
    trigger: str
    at: AwareDatetime
    decisions: tuple[Decision, ...]


class Made(Heard):
    """One event that a run made at a step, with what it did."""

    run: str
    step: str


class Timeline(Model):
    """The outcome of a preview: every event with its decisions, every run with its sends and its diary.

    *made*: the events that are not in the script, as runs made them.
    """

    started_at: AwareDatetime
    events: tuple[Heard, ...]
    runs: tuple[PreviewRun, ...]
    made: tuple[Made, ...] = ()


def preview(  # noqa: PLR0913 - all but the first are named at the call
    version: Version,
    script: Sequence[Happening],
    customer: Mapping[str, Value],
    *,
    customer_id: CustomerId = "sample",
    contents: Mapping[str, Content] | None = None,
    asked: Asked = NOBODY,
    house: str = UTC_EVERYWHERE,
    started_at: datetime = DEFAULT_START,
) -> Timeline:
    """Play *script* for one sample customer and return who would get what, and when.

    The script starts at *started_at* (aware UTC). The runs are walked to their ends, however long that takes.
    *asked*: the customer's consents and the rules they are held against; by default nobody is asked for consent.
    *house*: the time zone where neither the customer nor the journey names one.
    """
    stage = Stage(customer, customer_id=customer_id, contents=contents, asked=asked, house=house, started_at=started_at)
    stage.publish(version)
    for happening in sorted(script, key=lambda line: line.at):
        stage.happen(happening)
    return stage.finish()


class Stage:
    """The virtual world: a clock, one customer, the versions that are live, and the runs under way."""

    def __init__(
        self,
        customer: Mapping[str, Value],
        *,
        customer_id: CustomerId = "sample",
        contents: Mapping[str, Content] | None = None,
        asked: Asked = NOBODY,
        house: str = UTC_EVERYWHERE,
        started_at: datetime = DEFAULT_START,
    ) -> None:
        self.now = self.started_at = started_at
        self.customer = merged(customer, {})
        self.contents = contents or {}
        self.asked = asked
        self.house = house
        self.customer_id = customer_id
        self.lots = StagedLots()
        self._live: dict[str, Version] = {}
        self._runs: list[_Run] = []
        self._events: list[Event] = []
        self._heard: list[Heard] = []
        self._made: list[Made] = []

    def publish(self, version: Version) -> None:
        """Make *version* the one that newcomers take. People inside stay on theirs."""
        self._live[version.name] = version

    def stop(self, journey: str) -> None:
        """Nobody enters any more, and everybody inside stops where they are, whatever their version."""
        self._live.pop(journey, None)
        for run in self._runs:
            if run.facts.version.name == journey:
                run.end("stopped", "the journey was stopped", self.now)

    def happen(self, happening: Happening) -> Heard:
        """Let time pass until the line's moment, then let it happen. A deadline at the same moment comes after."""
        self.advance(self.started_at + happening.at)
        event, send = self._event(happening)
        changed = None if happening.customer is None else merged(self.customer, happening.customer)
        known = any((past.source, past.id) == (event.source, event.id) for past in self._events)
        if known or changed == self.customer:
            heard = Heard(event=event.id, trigger=event.trigger, at=self.now, decisions=())
        else:
            self.customer = self.customer if changed is None else changed
            heard = self._accept(event, send)
        self._heard.append(heard)
        return heard

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

    def _changing(self, setting: Setting, made_by: Maker) -> Event | None:
        """Change the customer, and return the event of it; None where nothing is another."""
        before, self.customer = self.customer, merged(self.customer, setting.attributes)
        if before == self.customer:
            return None
        told = {"id": made_by.event, "source": made_by.source, "customer": self.customer_id, "before": before}
        return CustomerEvent.model_validate({**told, "trigger": CHANGED})

    def _accept(self, event: Event, send: SendFacts | None, made_by: Maker | None = None) -> Heard:
        at = occurred(event, self.now)
        event = event.model_copy(update={"occurred_at": at})
        entries: dict[tuple[str, str | None], datetime] = {}
        for run in self._runs:
            name = (run.facts.version.name, run.facts.key)
            entries[name] = max(entries.get(name, run.facts.entered_at), run.facts.entered_at)
        facts = Facts(
            customer=self.customer,
            runs=[run.facts_now for run in self._runs],
            starts=[version for version in self._live.values() if event.trigger in version.journey.start.triggers],
            last_entries=entries,
            known=list(self._events),
            send=send,
            listening=[version for version in self._live.values() if event.trigger in version.run_triggers],
            made_by=made_by,
        )
        self._events.append(event)
        decisions = decide(event, at, facts)
        moved = [run for decision in decisions for run in self._carry_out(decision, event, at, made_by)]
        for run in moved:  # all at once, as in the store: what one of them does now finds the others where they are
            run.resume()
        return Heard(event=event.id, trigger=event.trigger, at=at, decisions=tuple(decisions))

    def _carry_out(self, decision: Decision, event: Event, at: datetime, made_by: Maker | None) -> Iterator[_Run]:
        """Do what was decided, and return whoever goes on by it."""
        match decision.did:
            case "started":
                version = self._live[decision.journey]
                run = _Run(_entering(decision, version, event, at, made_by), event, self)
                self._runs.append(run)
                yield run
            case "goal met":
                self._run(decision.run).meet_goal(at)
            case "exited":
                self._run(decision.run).end("exited", decision.why, self.now)
            case "resumed":
                run = self._run(decision.run)
                run.hear(Arrival(event=event.id, at=at, answers=decision.answers), made_by)
                yield run
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
            id=happening.id or f"line-{len(self._heard) + 1}",
            trigger=trigger,
            customer=self.customer_id,
            occurred_at=self.started_at + offset,
            attributes=attributes,
        )
        if trigger in CUSTOMER_TRIGGERS:
            before = self.customer if trigger == CHANGED else {}
            event = CustomerEvent.model_validate({**dict(event), "source": CUSTOMER_SOURCE, "before": before})
        return event, send

    def _sender(self, happening: Happening) -> tuple[_Run, PreviewSend]:
        runs = self._runs if happening.run is None else self._runs[happening.run - 1 : happening.run]
        for run in reversed(runs):
            for sent in run.sends:
                if sent.step == happening.message:
                    return run, sent
        raise ValueError(
            f'the script has "{happening.message}" {happening.is_} at {happening.at}, but it was not sent by then'
        )

    def _run(self, run_id: str | None) -> _Run:
        return next(run for run in self._runs if run.facts.id == run_id)


def _entering(decision: Decision, version: Version, event: Event, at: datetime, made_by: Maker | None) -> RunFacts:
    chain = made_by.chain if made_by else ()
    return RunFacts(id=decision.run or "", version=version, key=key_of(version, event), entered_at=at, chain=chain)


class _Until:
    """What a walk awaits in the virtual world: the stage wakes it at that time, or at an arrival."""

    def __init__(self, until: datetime) -> None:
        self.until = until

    def __await__(self) -> Generator[datetime, None, None]:
        yield self.until


class _Act:
    """An action that a walk awaits. It is done while the walk stands still, as it may end or answer that walk."""

    def __init__(self, visit: Visit) -> None:
        self.visit = visit

    def __await__(self) -> Generator[Visit, Delivery | None, Delivery]:
        did = yield self.visit
        assert did is not None  # noqa: S101 - resume() answers a visit with a delivery
        return did


class _Run:
    """One run in the virtual world. It is the world of its own walk."""

    def __init__(self, facts: RunFacts, event: Event, stage: Stage) -> None:
        self.facts = facts
        version = facts.version
        steps = version.journey.steps
        self.walk = Walk(steps, Position.at_start(steps[0].id, facts.entered_at), run=facts.id, version=version.number)
        self.sends: list[PreviewSend] = []
        self._calls: list[PreviewCall] = []
        self.until: datetime | None = None
        self._event = event
        self._stage = stage
        self._why = ""
        self._goal_met_at: datetime | None = None
        self._acts = False
        self._coroutine: Coroutine[datetime | Visit, Delivery | None, str] | None = self.walk.go(self)

    @property
    def facts_now(self) -> RunFacts:
        """What is known of it, with where it stands."""
        if not self.facts.active:
            return self.facts
        position = self.walk.position
        return replace(
            self.facts, step=position.step, step_at=position.since, heard=position.heard, inside=position.inside
        )

    def now(self) -> datetime:
        return self._stage.now

    async def deliver(self, visit: Visit) -> Delivery | Held:
        stage, step = self._stage, visit.message
        known = Circumstances(
            event=self._event.attributes,
            customer=stage.customer,
            said=stage.asked.said,
            rules=stage.asked.rules,
            content=stage.contents.get(step.content),
        )
        if until := step.expiry:
            expiry = self._dated.expiry(until, visit.position.since)
            self.walk.diary.explain(expiry.why)
            visit = visit.expiring(expiry.at)
        answer = no_longer_than_it_may_be_sent(clearance(visit, known), visit)
        if isinstance(answer, Held):
            return answer
        outcome: Outcome = "blocked" if isinstance(answer, Blocked) else "accepted"
        refused = answer.why if isinstance(answer, Blocked) else ""
        parts: dict[str, str] = {}
        try:
            parts = self._render(known.content) if known.content else {}
        except TemplateError as error:
            outcome, refused = ("blocked", refused) if refused else ("failed", f"it cannot be filled in: {error}")
        delivery = Delivery(outcome=outcome, at=visit.now, reason=refused)
        self.sends.append(
            PreviewSend(
                step=step.id,
                kind=step.kind,
                content=step.content,
                at=delivery.at,
                outcome=delivery.outcome,
                to=answer.to if isinstance(answer, Clear) else written(step, known.event, known.customer),
                reason=refused,
                parts=parts,
            )
        )
        return delivery

    async def decide(self, visit: Visit) -> Choice | None:
        return choose(self.facts.version.steps[visit.at_step], self._known(visit), self._stage.lots)

    async def perform(self, visit: Visit) -> Delivery:
        return await _Act(visit)

    async def moment(self, visit: Visit) -> Moment:
        until = self.facts.version.steps[visit.at_step].moment
        assert until is not None  # noqa: S101 - only a step that waits for one asks
        found = self._dated.moment(until, visit.position.since)
        self.walk.diary.explain(found.why)
        return found

    @property
    def _dated(self) -> Dated:
        """What is known of this run's dates now."""
        return Dated(
            self.facts.version.journey, self._event.attributes, self._stage.customer, self._stage.house, self.facts.day
        )

    def _known(self, visit: Visit) -> Known:
        return Known(
            version=self.facts.version,
            run=self.facts.id,
            customer_id=self._stage.customer_id,
            trigger=self._event.trigger,
            event=self._event.attributes,
            customer=self._stage.customer,
            now=visit.now,
            sent={step: delivery.outcome for step, delivery in visit.position.sent.items()},
        )

    async def wait(self, until: datetime, arrived: Callable[[], bool], why: str) -> bool:
        del why
        while not arrived():
            if self._stage.now >= until:
                return False
            await _Until(until)
        return True

    def hear(self, arrival: Arrival, made_by: Maker | None) -> None:
        """Hear of an answer."""
        self.facts = replace(self.facts, chain=joined(self.facts.chain, made_by))
        self.walk.arrive(arrival)

    def resume(self) -> None:
        """Walk on to the next wait, or to the end. While it acts, it goes on by itself afterwards."""
        did: Delivery | None = None
        try:
            while self._coroutine is not None and not self._acts:
                match self._coroutine.send(did):
                    case Visit() as visit:
                        did = self._do(visit)
                    case until:
                        self.until = until
                        return
        except StopIteration as over:
            self.end("completed", over.value, self._stage.now)

    def _do(self, visit: Visit) -> Delivery:
        if isinstance(visit.step, Webhook):
            return self._call(visit.step, visit)
        self._acts = True
        made_by = maker(self.facts.id, visit.at_step, self.facts.version.name, self.facts.chain)
        try:
            does = action(self.facts.version.steps[visit.at_step], self._known(visit), made_by)
            return done(self._stage.make(does, made_by), visit.now)
        except Impossible as error:
            return impossible(error, visit.now)
        finally:
            self._acts = False

    def _call(self, step: Webhook, visit: Visit) -> Delivery:
        data = told(step, self._known(visit))
        self._calls.append(PreviewCall(step=step.id, endpoint=step.webhook, at=visit.now, data=data))
        return Delivery(outcome="accepted", at=visit.now)

    def end(self, ended: Ended, why: str, at: datetime) -> None:
        if self._coroutine is None:
            return
        self._coroutine.close()
        self._coroutine = self.until = None
        self.walk.diary.leave(why, at)
        self._why = why
        self.facts = replace(self.facts, ended=ended, ended_at=at)

    def meet_goal(self, at: datetime) -> None:
        self._goal_met_at = at
        self.facts = replace(self.facts, goal_met=True)

    def summary(self) -> PreviewRun:
        return PreviewRun(
            id=self.facts.id,
            version=self.facts.version.number,
            key=self.facts.key,
            entered_at=self.facts.entered_at,
            ended=self.facts.ended,
            ended_at=self.facts.ended_at,
            why=self._why,
            goal_met_at=self._goal_met_at,
            sends=tuple(self.sends),
            calls=tuple(self._calls),
            diary=tuple(self.walk.diary.entries),
        )

    def _render(self, content: Content) -> dict[str, str]:
        values = {"event": self._event.attributes, "customer": self._stage.customer}
        return render_content(content, values, self._stage.now)
