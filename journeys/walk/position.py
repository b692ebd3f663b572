"""Where a run stands, with what it has sent and heard: all that a walk needs to go on from there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from pydantic import AwareDatetime, Field

from journeys.models import Frozen
from journeys.steps import AnyStep
from journeys.walk.diary import Delivery, Did, Entry


class Arrival(Frozen):
    """An event that answers some of a run's questions. *at* is when it occurred, not when it was heard of.

    *answers*: the steps that ask, or of a step with several questions the arms: ``reaction.clicked``.
    """

    event: str
    at: AwareDatetime
    answers: tuple[str, ...]

    @property
    def steps(self) -> frozenset[str]:
        """The steps that it answers."""
        return frozenset(answer.partition(".")[0] for answer in self.answers)


class Unheard(Frozen):
    """All answers of a run that were accepted, where it took a question for unanswered that one of them answers."""

    arrivals: tuple[Arrival, ...]


class Turn(NamedTuple):
    """A step on the way to another one, and the arm that was taken there."""

    step: str
    arm: str


def way_to(steps: Sequence[AnyStep], id: str) -> tuple[Turn, ...] | None:
    """The turns that lead to a step, from the outside in; None where it is not there."""
    for step in steps:
        if step.id == id:
            return ()
        for arm in step.arms:
            if (way := way_to(arm.steps, id)) is not None:
                return (Turn(step.id, arm.name), *way)
    return None


class Position(Frozen):
    """At *step* since *since*, when it was entered (aware UTC).

    *turns*: the way there, from the outside in: the steps in whose arms it lies. Steps that were passed beside it are
    not named. *lines*: how many the run's diary has, that of entering this step included.
    *sent*: what became of its messages, by step. *heard*: what has arrived, in that order.
    *moved_at*: when it was moved there from another version, if it was: what comes next is no sooner.
    *taken*: the events among it that answered a question, each with the series around that, which it may answer too.
    *inside*: the steps whose own steps it walks, such as an ``until``, with when they were entered. Where the step that
    it stands at is among them, all within is done.
    """

    step: str
    since: AwareDatetime
    turns: tuple[Turn, ...] = ()
    lines: int = Field(1, ge=1)
    sent: Mapping[str, Delivery] = Field(default_factory=dict)
    heard: tuple[Arrival, ...] = ()
    taken: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    inside: Mapping[str, AwareDatetime] = Field(default_factory=dict)
    moved_at: AwareDatetime | None = None

    @classmethod
    def at_start(cls, step: str, at: datetime) -> Position:
        """At the first step, which is entered with the run."""
        return cls(step=step, since=at)

    def hearing(self, arrivals: Iterable[Arrival]) -> Position:
        """The same, with *arrivals* that it has not heard of yet."""
        known = {arrival.event for arrival in self.heard}
        return self.model_copy(update={"heard": (*self.heard, *(new for new in arrivals if new.event not in known))})

    @property
    def entered(self) -> Entry:
        """The diary's last line so far."""
        did: Did = "returned" if self.step in self.inside else "entered"
        return Entry(n=self.lines - 1, at=self.since, step=self.step, did=did)
