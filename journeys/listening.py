"""What an event does: one pure function that accepting and preview both call.

For every run of the customer, in this order: goal, exit, resume. Then the journeys that it starts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import Literal

from journeys.catalogue import CHANGED, CUSTOMER, CUSTOMER_TRIGGERS, INTERACTION_TRIGGERS, Event, before_of
from journeys.chains import Chain, Maker, circle
from journeys.definition import After, ConditionExit, EventExit, Goal, Journey, run_id
from journeys.interactions import Kind
from journeys.language import conditions
from journeys.language.attributes import Schema, reference
from journeys.language.durations import say
from journeys.language.scopes import Scope, scope_of, values_of
from journeys.links import fits
from journeys.models import Frozen
from journeys.replies import is_one_of
from journeys.steps import (
    MEANWHILE,
    AnyStep,
    BecomesQuestion,
    EventQuestion,
    Listening,
    MessageQuestion,
    Question,
    every_step,
    listening,
)
from journeys.walk.ahead import ahead
from journeys.walk.diary import Ended
from journeys.walk.pace import DAY, at_pace, later
from journeys.walk.position import Arrival, way_to
from journeys.walk.walk import Window, clock, window

MOST_OTHERS = 20
"""So many of a customer's runs of one version that are about other keys than an event are told that they ignore it."""

MOST_AHEAD = 20
"""So many answers to a question may wait until it is asked. More are no news."""


PAST = "the run is past it"
OWN = "the run itself made it, before it asks"


class Decision(Frozen):
    """What one journey made of one event, and why. *answers* are the ``if`` steps that a resume answers.

    ``refused``: it would have started a run, and journeys would have started one another in a circle.
    """

    journey: str
    version: int
    did: Literal["started", "resumed", "exited", "goal met", "ignored", "refused"]
    why: str
    run: str | None = None
    answers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Version:
    """A published journey, complete in itself: its definition, and the attribute types it was checked against."""

    number: int
    journey: Journey
    schemas: Mapping[str, Schema]
    customer: Schema = field(default_factory=lambda: CUSTOMER)

    @property
    def name(self) -> str:
        return self.journey.journey

    @cached_property
    def steps(self) -> Mapping[str, AnyStep]:
        """All its steps, by id."""
        return {step.id: step for step in every_step(self.journey.steps)}

    @cached_property
    def run_triggers(self) -> frozenset[str]:
        """The names of the triggers that do something to its runs."""
        return self.journey.run_triggers

    @cached_property
    def triggers(self) -> frozenset[str]:
        """The names of all triggers that it listens to, that of its start included."""
        return self.journey.triggers

    @cached_property
    def endpoints(self) -> frozenset[str]:
        """The names of the endpoints that it calls."""
        return self.journey.endpoints

    @cached_property
    def question_triggers(self) -> frozenset[str]:
        """The names of the triggers whose events may answer its steps."""
        return self.journey.question_triggers

    @cached_property
    def soonest(self) -> Callable[[str], Mapping[str, timedelta]]:
        """For a step, those that a run may come to from there, that one first, and how long this takes at least."""
        steps = self.journey.steps
        return lru_cache(maxsize=200)(lambda at: {step.id: soonest for step, soonest in ahead(steps, at)})

    @cached_property
    def _scope(self) -> Callable[[str], Scope]:
        """What a condition on an event of a trigger may name. Many are asked, and it never changes."""
        return lru_cache(maxsize=200)(lambda trigger: scope_at(trigger, self.schemas[trigger], self.customer))

    @cached_property
    def _scope_now(self) -> Scope:
        return scope_of(customer=self.customer)

    @cached_property
    def questions(self) -> tuple[Listening, ...]:
        """What its steps listen to."""
        return tuple(listening(self.journey.steps))

    @cached_property
    def series(self) -> frozenset[str]:
        """The steps that walk others until something happens."""
        steps = every_step(self.journey.steps)
        return frozenset(step.id for step in steps if any(arm.meanwhile for arm in step.arms))

    def around(self, step: str) -> frozenset[str]:
        """The series that a step is walked in."""
        turns = way_to(self.journey.steps, step) or () if self.series else ()
        return frozenset(turn.step for turn in turns if turn.arm == MEANWHILE) & self.series

    def holds(self, where: str | None, event: Event, customer: Mapping[str, object]) -> conditions.Verdict:
        """Whether a condition on an event holds, and if not, why, with the values that decided."""
        if where is None:
            return conditions.Verdict(holds=True, reason="")
        schema, before = self.schemas[event.trigger], before_of(event) or {}
        values = values_of(
            event=(schema, event.attributes),
            customer=(self.customer, customer),
            before=(self.customer, before) if event.trigger == CHANGED else None,
        )
        return conditions.ask(where, self._scope(event.trigger), values)

    def holds_now(self, when: str, customer: Mapping[str, object]) -> conditions.Verdict:
        """Whether a condition on the customer holds, and if not, why, with the values that decided."""
        values = values_of(customer=(self.customer, customer))
        return conditions.ask(when, self._scope_now, values)

    def exited_by(self, customer: Mapping[str, object]) -> str:
        """The exit on a condition that the customer meets, in words and without values; nothing where there is none."""
        for leaving in self.journey.condition_exits:
            if self.holds_now(leaving.when, customer).holds:
                return leaving.words
        return ""


def scope_at(trigger: str | None, schema: Schema, customer: Schema) -> Scope:
    """What a condition on an event of *trigger* may name, with the type of each."""
    return scope_of(event=schema, customer=customer, before=customer if trigger == CHANGED else None)


@dataclass(frozen=True)
class RunFacts:
    """What has to be known of a run to decide what an event does to it. Times are aware UTC.

    It stands at *step* since *step_at*, by default at the first one since it was entered. *heard*: the answers to its
    questions that were accepted, in that order. *inside*: the series around the step, with when they were entered.
    *chain*: the journeys that led here. *measured_until*: so long a goal counts however the run ends, as in a test.
    """

    id: str
    version: Version
    key: str | None
    entered_at: datetime
    day: timedelta = DAY
    ended: Ended | None = None
    ended_at: datetime | None = None
    goal_met: bool = False
    measured_until: datetime | None = None
    step: str | None = None
    step_at: datetime | None = None
    heard: tuple[Arrival, ...] = ()
    inside: Mapping[str, datetime] = field(default_factory=dict)
    chain: Chain = ()

    @property
    def active(self) -> bool:
        return self.ended_at is None

    @property
    def stands_at(self) -> str:
        return self.step or self.version.journey.steps[0].id

    @property
    def stands_since(self) -> datetime:
        return self.step_at or self.entered_at


@dataclass(frozen=True)
class SendFacts:
    """The send that an interaction is about, the kind of its message, and since when its outcome is known, if it is."""

    id: str
    run: str
    step: str
    kind: Kind
    at: datetime | None = None


ExitName = tuple[str, int, str, str]
"""A version's name and number, and an event's source and id."""


@dataclass(frozen=True)
class Facts:
    """All that decides what an event does. Gathered by the store in one transaction, or by the preview."""

    customer: Mapping[str, object]
    runs: Sequence[RunFacts] = ()
    starts: Sequence[Version] = ()
    last_entries: Mapping[tuple[str, str | None], datetime] = field(default_factory=dict)
    known: Sequence[Event] = ()  # earlier received events of this customer that could be exits
    leaving: dict[ExitName, bool] = field(default_factory=dict)  # whether these are exits, as far as it was asked
    send: SendFacts | None = None
    day: timedelta = DAY
    received_at: datetime | None = None  # None: as it occurs
    listening: Sequence[Version] = ()  # live versions whose runs the event's trigger does something to
    made_by: Maker | None = None  # the run that made the event, if one did


def decide(event: Event, at: datetime, facts: Facts) -> list[Decision]:
    """Everything that *event*, which occurred at *at*, does: one decision per run and per journey looked at.

    A change of the customer is an event too. Beside those who name its trigger, it is told to runs that have an exit on
    a condition of the customer (see Journey.run_triggers).
    """
    decisions: list[Decision] = []
    runs: list[RunFacts] = []
    others = Counter[tuple[str, int]]()
    for run in facts.runs:
        if not facts.send and run.active and _is_about_another(event, run):
            others[run.version.name, run.version.number] += 1
            if others[run.version.name, run.version.number] > MOST_OTHERS:
                continue
        made = list(_on_run(event, at, run, facts))
        decisions += made
        if not any(decision.did == "exited" for decision in made):
            runs.append(run)
    for version in facts.starts:
        decisions += _on_start(event, at, version, replace(facts, runs=runs))
    return decisions + _in_vain(event, facts.listening, decisions)


def occurred(event: Event, now: datetime) -> datetime:
    """When an event occurred, as we take it: now where it does not say, or says what is still to come."""
    return min(event.occurred_at or now, now)


def key_of(version: Version, event: Event) -> str | None:
    """The value that tells this event's run apart, None where the journey or the event has none."""
    if version.journey.start.key is None:
        return None
    value = event.attributes.get(reference(version.journey.start.key)[1])
    if value is None:
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _on_run(event: Event, at: datetime, run: RunFacts, facts: Facts) -> Iterator[Decision]:
    if event.trigger not in run.version.run_triggers:
        return
    if facts.send and facts.send.run != run.id:
        return  # an interaction belongs to the run that sent the message, and to no other
    effects: list[Decision] = []
    refusals = [_not_for_this_run(event, at, run, facts)]
    if not refusals[0]:
        for effect in (_goal, _exit, _resume):
            if effects and effects[-1].did == "exited":
                break
            decision, refusal = effect(event, at, run, facts)
            effects += [decision] if decision else []
            refusals += [refusal]
    if not effects and run.active and any(refusals):
        effects.append(_made(run, "ignored", "; ".join(filter(None, refusals))))
    yield from effects


def _in_vain(event: Event, listening: Sequence[Version], made: Sequence[Decision]) -> list[Decision]:
    """A decision for each journey that listens, and has no run that the event could do something to."""
    told = {decision.journey for decision in made}
    why = f"{event.trigger} only does something to runs, and this customer has none under way here"
    return [
        Decision(journey=version.name, version=version.number, did="ignored", why=why)
        for version in listening
        if version.name not in told
        and event.trigger not in INTERACTION_TRIGGERS
        and event.trigger in version.triggers  # changes of customers are not written down for who only has a condition
    ]


def _goal(event: Event, at: datetime, run: RunFacts, facts: Facts) -> tuple[Decision | None, str]:
    goal = run.version.journey.goal
    if not goal or goal.trigger != event.trigger or run.goal_met:
        return None, ""
    verdict = run.version.holds(goal.where, event, facts.customer)
    if not verdict.holds:
        return None, f"goal: {verdict.reason}"
    if run.active:
        return _made(run, "goal met", f"{event.trigger} during the run"), ""
    if in_time_for_goal(goal, run, at):
        return _made(run, "goal met", f"{event.trigger} in time, though the run has ended"), ""
    return None, ""


def _exit(event: Event, at: datetime, run: RunFacts, facts: Facts) -> tuple[Decision | None, str]:
    del at
    refusals: list[str] = []
    for leaving in run.version.journey.exit if run.active else ():
        match leaving:
            case EventExit(trigger=trigger, where=where) if trigger == event.trigger:
                verdict = run.version.holds(where, event, facts.customer)
            case ConditionExit(when=when) if event.trigger in CUSTOMER_TRIGGERS:
                verdict = run.version.holds_now(when, facts.customer)
            case _:
                continue
        if verdict.holds:
            return _made(run, "exited", f"exit: {leaving.words}"), ""
        refusals.append(f"exit: {verdict.reason}")
    return None, "; ".join(refusals)


def _resume(event: Event, at: datetime, run: RunFacts, facts: Facts) -> tuple[Decision | None, str]:
    """Which questions of steps that the run may still come to this event answers, and why others are not."""
    answered: list[Listening] = []
    refusals: list[str] = []
    for asked in run.version.questions if run.active else ():
        if isinstance(asked.question, BecomesQuestion) and not _is_asked(asked, run):
            continue  # it is looked at when its step is entered
        refusal = _no_answer(asked.question, event, run, facts)
        if refusal is None:
            refusal = _not_any_more(asked, at, run, facts)
        if refusal is None:
            answered.append(asked)
        elif refusal:
            refusals.append(f"{asked.answer}: {refusal}")
    if not answered:
        return None, "; ".join(refusals)
    here = [asked for asked in answered if _is_asked(asked, run)]
    if here and not facts.send and not _may_be_elsewhere(run):
        answered = here  # one event answers one question; what is asked after it is about later ones
    answers = tuple(asked.answer for asked in answered)
    return _made(run, "resumed", f"{event.trigger} for {', '.join(answers)}", answers), ""


def _no_answer(question: Question, event: Event, run: RunFacts, facts: Facts) -> str | None:
    """Why an event is no answer to *question*; empty where it is about something else, None where it is one."""
    match question:
        case MessageQuestion() if facts.send and facts.send.step == question.message:
            return _no_reaction(question, event)
        case EventQuestion(trigger=trigger, where=where) if trigger == event.trigger:
            verdict = run.version.holds(where, event, facts.customer)
            return None if verdict.holds else verdict.reason
        case BecomesQuestion(becomes=condition) if event.trigger in CUSTOMER_TRIGGERS:
            verdict = run.version.holds_now(condition, facts.customer)
            return None if verdict.holds else verdict.reason
        case _:
            return ""


def _no_reaction(question: MessageQuestion, event: Event) -> str | None:
    """Why an interaction with its message is no answer to *question*; empty where it asks for another one."""
    if INTERACTION_TRIGGERS[event.trigger][1] != question.is_:
        return ""
    if question.by == "people" and event.attributes.get("machine"):
        return f"a program {question.is_} it, not a person"
    link = event.attributes.get("link")
    if question.link is not None and not fits(question.link, str(link)):
        return f"it is about the link {link}, not {question.link}"
    reply = str(event.attributes.get("reply") or "")
    if question.reply is not None and not is_one_of(reply, question.reply):
        return f"the reply is not {' or '.join(question.reply)}"
    return None


def _not_any_more(asked: Listening, at: datetime, run: RunFacts, facts: Facts) -> str | None:
    """Why a run has no use for an answer that occurred *at*; None where it may have."""
    soonest = run.version.soonest(run.stands_at).get(asked.step.id)
    if soonest is None:
        return PAST
    if facts.made_by and facts.made_by.run == run.id and asked.step.id not in run.inside:
        return OWN
    asked_at = run.inside.get(asked.step.id) or later(run.stands_since, at_pace(soonest, run.day))
    if asked.question.about is None and at < asked_at:
        return f"it occurred at {clock(at)}, and is asked for from {clock(asked_at)} on"
    waiting = [arrival for arrival in run.heard if asked.answer in arrival.answers]
    when = _when(asked, asked_at, run, facts)
    if when is None:
        return f"{MOST_AHEAD} answers wait for it already" if len(waiting) >= MOST_AHEAD else None
    if at > when.until:
        return f"it occurred at {clock(at)}, after its limit at {clock(when.until)}"
    if _is_answered(asked, when, run):
        return PAST  # it goes on as soon as it hears of the answer
    return None


def _is_answered(asked: Listening, when: Window, run: RunFacts) -> bool:
    """Whether the step has an answer already, to this question or to another one of it."""
    for arm, question in asked.step.questions.items():
        of_this = [arrival.at for arrival in run.heard if asked.step.answer_name(arm) in arrival.answers]
        # At the very instant of asking, it may be what was taken by the question before.
        if any(when.has(at, question) and (question.about or at != when.asked_at) for at in of_this):
            return True
    return False


def _when(asked: Listening, asked_at: datetime, run: RunFacts, facts: Facts) -> Window | None:
    """When an answer counts; None where only the run will know."""
    counts_from = asked.step.limit_counts_from
    if counts_from is not None:
        sent_at = facts.send.at if facts.send and facts.send.step == counts_from else None
        return window(asked.step, asked_at, sent_at, run.day) if sent_at else None
    return window(asked.step, asked_at, None, run.day) if _is_asked(asked, run) else None


def _is_asked(asked: Listening, run: RunFacts) -> bool:
    """Whether the run waits for the answer now."""
    return asked.step.id == run.stands_at or asked.step.id in run.inside


def _may_be_elsewhere(run: RunFacts) -> bool:
    """Whether it may have left the steps of a series long ago, which only the run finds out, however late."""
    return bool(run.inside) or run.stands_at in run.version.series


def _made(
    run: RunFacts,
    did: Literal["resumed", "exited", "goal met", "ignored"],
    why: str,
    answers: tuple[str, ...] = (),
) -> Decision:
    version = run.version
    return Decision(journey=version.name, version=version.number, run=run.id, did=did, why=why, answers=answers)


def in_time_for_goal(goal: Goal, run: RunFacts, at: datetime) -> bool:
    """Whether a goal event still counts for a run that is over.

    It does where it occurred during the run, and, if the run completed, no later than *within* after that. Whoever is
    measured by it in a test is so for the test's time, however the run ended.
    """
    if run.ended_at is None or (run.measured_until and at <= run.measured_until):
        return True
    grace = at_pace(goal.within, run.day) if run.ended == "completed" else timedelta(0)
    return at <= later(run.ended_at, grace)


def _not_for_this_run(event: Event, at: datetime, run: RunFacts, facts: Facts) -> str:
    if facts.send:
        return ""
    if _is_about_another(event, run):
        return f"it is about {run.version.journey.start.key} {key_of(run.version, event)}, this run about {run.key}"
    if at < run.entered_at:
        return f"it occurred at {clock(at)}, before the run was entered at {clock(run.entered_at)}"
    return ""


def _is_about_another(event: Event, run: RunFacts) -> bool:
    if run.key is None or event.trigger not in run.version.run_triggers:
        return False
    key = key_of(run.version, event)
    return key is not None and key != run.key


def _on_start(event: Event, at: datetime, version: Version, facts: Facts) -> Iterator[Decision]:
    key = key_of(version, event)

    def made(did: Literal["started", "ignored", "refused"], why: str, run: str | None = None) -> Decision:
        return Decision(journey=version.name, version=version.number, run=run, did=did, why=why)

    if refusal := _may_not_enter(event, at, version, key, facts):
        yield made("ignored", refusal)
        return
    if refusal := circle(facts.made_by, version.name):
        yield made("refused", refusal)
        return
    same = [run for run in facts.runs if run.active and run.version.name == version.name and run.key == key]
    if same and version.journey.start.overlap == "ignore":
        yield made("ignored", f"overlap is ignore, and {same[0].id} is still under way")
        return
    if version.journey.start.overlap == "restart" and any(run.entered_at > at for run in same):
        yield made("ignored", f"a later run, {max(same, key=lambda run: run.entered_at).id}, is under way")
        return
    if version.journey.start.overlap == "restart":
        yield from (_made(run, "exited", "restarted") for run in same)
    assert event.customer is not None  # noqa: S101 - the door gives interactions the customer of their send
    yield made("started", event.trigger, run_id(version.name, event.customer, event.source, event.id))


def _may_not_enter(event: Event, at: datetime, version: Version, key: str | None, facts: Facts) -> str:
    start = version.journey.start
    if start.from_ and at < start.from_:
        return f"it occurred at {clock(at)}, before the journey's start at {clock(start.from_)}"
    if start.until and at >= start.until:
        return f"it occurred at {clock(at)}, after the journey's end at {clock(start.until)}"
    if facts.received_at and at < facts.received_at - start.newest:
        # Not at the run's pace: a news is old by our clock.
        return f"it occurred at {clock(at)}, more than {say(start.newest)} before it came in (newest)"
    verdict = version.holds(start.where, event, facts.customer)
    if not verdict.holds:
        return f"unmet condition: {verdict.reason}"
    if why := version.exited_by(facts.customer):
        return f"already exited: {why} holds"
    if leaving := _known_exit(at, version, key, facts):
        return f"already exited: {leaving.trigger} ({leaving.id}) occurred at {clock(leaving.occurred_at or at)}"
    last = facts.last_entries.get((version.name, key))
    match start.repeat:
        case "never" if last:
            return f"repeat is never, and this customer entered at {clock(last)}"
        case After(after=after) if last and at - last < at_pace(after, facts.day):
            return f"repeat is after {say(after)}, and this customer entered at {clock(last)}"
        case _:
            return ""


def _known_exit(at: datetime, version: Version, key: str | None, facts: Facts) -> Event | None:
    """The first exit of this customer and key that occurred at or after *at* but came to us before the start did."""
    since = [known for known in facts.known if known.occurred_at and known.occurred_at >= at]
    exits = sorted(since, key=lambda known: (known.occurred_at, known.id))
    return next((known for known in exits if _would_have_ended(known, version, key, facts)), None)


def _would_have_ended(known: Event, version: Version, key: str | None, facts: Facts) -> bool:
    if known.trigger in INTERACTION_TRIGGERS:
        return False  # an interaction belongs to the run that sent the message, and keeps no other from starting
    known_key = key_of(version, known)
    if key is not None and known_key is not None and known_key != key:
        return False
    name = (version.name, version.number, known.source, known.id)
    if name not in facts.leaving:  # a list may have very many starts, and as many events that could end them
        facts.leaving[name] = any(
            leaving.trigger == known.trigger and version.holds(leaving.where, known, facts.customer).holds
            for leaving in version.journey.event_exits
        )
    return facts.leaving[name]
