"""What an event does: one pure function that accepting and preview both call.

For every run of the customer, in this order: goal, exit, resume. Then the journeys that it starts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from journeys.answering import resume
from journeys.catalogue import CUSTOMER_TRIGGERS, INTERACTION_TRIGGERS, Event
from journeys.definition import ConditionExit, EventExit, Goal
from journeys.facts import Decision, Facts, RunFacts
from journeys.language.clock import say_instant
from journeys.starting import start
from journeys.versions import Version, key_of
from journeys.walk.pace import at_pace, later

MOST_OTHERS = 20
"""So many of a customer's runs of one version that are about other keys than an event are told that they ignore it."""


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
        if not any(decision.ends for decision in made):
            runs.append(run)
    for version in facts.starts:
        decisions += start(event, at, version, replace(facts, runs=runs))
    return decisions + _in_vain(event, facts.listening, decisions)


def occurred(event: Event, now: datetime) -> datetime:
    """When an event occurred, as we take it: now where it does not say, or says what is still to come."""
    return min(event.occurred_at or now, now)


def _on_run(event: Event, at: datetime, run: RunFacts, facts: Facts) -> Iterator[Decision]:
    if event.trigger not in run.version.run_triggers:
        return
    if facts.send and facts.send.run != run.id:
        return  # an interaction belongs to the run that sent the message, and to no other
    effects: list[Decision] = []
    refusals = [_not_for_this_run(event, at, run, facts)]
    if not refusals[0]:
        for effect in (_goal, _exit, resume):
            if effects and effects[-1].ends:
                break
            decision, refusal = effect(event, at, run, facts)
            effects += [decision] if decision else []
            refusals += [refusal]
    if not effects and run.active and any(refusals):
        effects.append(run.decision("ignored", "; ".join(filter(None, refusals))))
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
        return run.decision("goal met", f"{event.trigger} during the run"), ""
    if in_time_for_goal(goal, run, at):
        return run.decision("goal met", f"{event.trigger} in time, though the run has ended"), ""
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
            return run.decision("exited", f"exit: {leaving.words}"), ""
        refusals.append(f"exit: {verdict.reason}")
    return None, "; ".join(refusals)


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
        return f"it occurred at {say_instant(at)}, before the run was entered at {say_instant(run.entered_at)}"
    return ""


def _is_about_another(event: Event, run: RunFacts) -> bool:
    if run.key is None or event.trigger not in run.version.run_triggers:
        return False
    key = key_of(run.version, event)
    return key is not None and key != run.key
