"""When an answer to a step counts: since when it is asked for, and until when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from journeys.language.durations import say
from journeys.steps import Asking, Question, Step
from journeys.walk.pace import at_pace, later


class Window(NamedTuple):
    """Since when a step asks, and until when an answer counts, both included (aware UTC)."""

    asked_at: datetime
    until: datetime

    def has(self, at: datetime, question: Question) -> bool:
        """Whether an answer to *question* counts that occurred then. To one about a message, it may come before."""
        return (question.about is not None or self.asked_at <= at) and at <= self.until

    def up_to(self, at: datetime) -> Window:
        """The same, where nothing is asked any more after *at*."""
        return self._replace(until=min(self.until, at))


def window(step: Asking, asked_at: datetime, sent_at: datetime | None, day: timedelta) -> Window:
    """When an answer to *step* counts. *sent_at*: when the message was sent from which its limit counts, if one is.

    Dynamics 365: "within one day after it was sent". The limit counts from the send, not from the if.
    """
    return Window(asked_at, later(sent_at or asked_at, at_pace(step.limit, day)))


def asked(step: Step) -> str:
    """What a step waits for, in a few words."""
    return " or ".join(question.words for question in step.questions.values())


def in_vain(step: Step) -> str:
    """Why a step goes on without an answer."""
    return f"no {asked(step)} within {say(step.limit)}"
