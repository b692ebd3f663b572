"""Which questions of a run an event answers, and why it answers none."""

from __future__ import annotations

from datetime import datetime

from journeys.catalogue import CUSTOMER_TRIGGERS, INTERACTION_TRIGGERS, Event
from journeys.facts import Decision, Facts, RunFacts
from journeys.language.clock import say_instant
from journeys.links import fits
from journeys.replies import is_one_of
from journeys.steps import (
    BecomesQuestion,
    EventQuestion,
    Listening,
    MessageQuestion,
    Question,
)
from journeys.walk.answer_window import Window, window
from journeys.walk.pace import at_pace, later

MOST_AHEAD = 20
"""So many answers to a question may wait until it is asked. More are no news."""

PAST = "the run is past it"

OWN = "the run itself made it, before it asks"


def resume(event: Event, at: datetime, run: RunFacts, facts: Facts) -> tuple[Decision | None, str]:
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
    return run.decision("resumed", f"{event.trigger} for {', '.join(answers)}", answers), ""


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
        return f"it occurred at {say_instant(at)}, and is asked for from {say_instant(asked_at)} on"
    waiting = [arrival for arrival in run.heard if asked.answer in arrival.answers]
    when = _when(asked, asked_at, run, facts)
    if when is None:
        return f"{MOST_AHEAD} answers wait for it already" if len(waiting) >= MOST_AHEAD else None
    if at > when.until:
        return f"it occurred at {say_instant(at)}, after its limit at {say_instant(when.until)}"
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
