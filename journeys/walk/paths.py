"""Every way through a journey, with when each message would go on it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import datetime, timedelta

from journeys.definition import Journey
from journeys.interactions import Kind
from journeys.language.durations import Duration
from journeys.language.moments import Moment
from journeys.models import Model
from journeys.problems import Invalid
from journeys.publishing import check_tree
from journeys.steps import LATE, Message, Step, every_step
from journeys.walk.diary import Choice, Delivery
from journeys.walk.position import Arrival, Position
from journeys.walk.preview import DEFAULT_START
from journeys.walk.walk import Walk, asked
from journeys.walk.world import Visit

MOST_PATHS = 1000
MOST_VISITS = 20_000
"""On all paths together, so that a long journey is not walked for minutes."""


class PathMessage(Model):
    """A message on a path: no earlier than *earliest* and no later than *latest* after entering the journey."""

    step: str
    kind: Kind
    content: str
    earliest: Duration
    latest: Duration


class PathChoice(Model):
    """Which arm of a step a path takes."""

    step: str
    arm: str
    why: str


class Path(Model):
    """One way through the journey, its messages, and how long it takes."""

    choices: tuple[PathChoice, ...]
    messages: tuple[PathMessage, ...]
    earliest_end: Duration
    latest_end: Duration


def every_path(journey: Journey) -> list[Path]:
    """All ways through *journey* that reach its end, as if every message were accepted at once.

    An answer may come at any moment up to its limit, so that a message after it has an earliest and a latest time.
    At most MOST_PATHS are listed, of a long journey fewer; an exit can end any of them at any moment.
    Raises Invalid where nobody could walk it.
    """
    if flaws := check_tree(journey):
        raise Invalid(f'The journey "{journey.journey}" cannot be walked as it is.', flaws)
    most = min(MOST_PATHS, MOST_VISITS // sum(1 for _ in every_step(journey.steps)))
    paths: list[Path] = []
    pending: list[tuple[str, ...]] = [()]
    while pending and len(paths) < most:
        arms = pending.pop()
        at_once, at_last = _trace(journey, arms, late=False), _trace(journey, arms, late=True)
        paths.append(_path(at_once, at_last))
        # Each step that was met beyond the given arms took its last one; each other arm is a path of its own.
        taken = [choice.arm for choice in at_once.asked]
        for number in reversed(range(len(arms), len(taken))):
            pending += [(*taken[:number], arm) for arm in at_once.others[number]]
    return paths


def _trace(journey: Journey, arms: tuple[str, ...], *, late: bool) -> _Trace:
    trace = _Trace(journey, arms, late=late)
    steps: Generator[None, None, str] = trace.walk.go(trace).__await__()  # nothing in this world ever suspends
    for _ in steps:
        raise AssertionError("a path never waits")
    return trace


def _path(at_once: _Trace, at_last: _Trace) -> Path:
    messages = tuple(
        PathMessage(step=step.id, kind=step.kind, content=step.content, earliest=early, latest=late)
        for (step, early), (_, late) in zip(at_once.sent, at_last.sent, strict=True)
    )
    return Path(
        choices=tuple(at_once.asked),
        messages=messages,
        earliest_end=at_once.elapsed,
        latest_end=at_last.elapsed,
    )


class _Trace:
    """A world in which every step with arms goes a given way: by an answer at once, or at the last moment for it."""

    def __init__(self, journey: Journey, arms: tuple[str, ...], *, late: bool) -> None:
        self.walk = Walk(journey.steps, Position.at_start(journey.steps[0].id, DEFAULT_START))
        self.sent: list[tuple[Message, timedelta]] = []
        self.asked: list[PathChoice] = []
        self.others: list[list[str]] = []  # the other arms of each of them
        self._steps = {step.id: step for step in every_step(journey.steps)}
        self._arms = arms
        self._late = late
        self._now = DEFAULT_START

    @property
    def elapsed(self) -> timedelta:
        return self._now - DEFAULT_START

    def now(self) -> datetime:
        return self._now

    async def deliver(self, visit: Visit) -> Delivery:
        self.sent.append((visit.message, self.elapsed))
        return Delivery(outcome="accepted", at=self._now)

    async def perform(self, visit: Visit) -> Delivery:
        del visit
        return Delivery(outcome="accepted", at=self._now)

    async def decide(self, visit: Visit) -> Choice | None:
        step = self._steps[visit.at_step]
        if step.questions:
            return None  # answers come while it waits
        return Choice(arm=self._arm_of(step), why="")

    async def moment(self, visit: Visit) -> Moment:
        step = self._steps[visit.at_step]
        if step.arms and self._arm_of(step) == LATE:
            return Moment(late=True)
        return Moment(at=self._now + step.longest * self._late)

    async def wait(self, until: datetime, arrived: Callable[[], bool], why: str) -> bool:
        del why
        step = self._steps.get(self.walk.diary.at_step or "")
        answered = step is not None and bool(step.questions) and self._choose(step, until)
        if not answered or self._late:
            self._now = max(self._now, until)
        return arrived()

    def _choose(self, step: Step, until: datetime) -> bool:
        """Take the arm that is given for a step that asks. Returns whether it was answered."""
        arm = self._arm_of(step)
        if arm not in step.questions:
            return False
        at = until if self._late else min(self._now, until)
        self.walk.arrive(Arrival(event=step.id, at=at, answers=(step.answer_name(arm),)))
        return True

    def _arm_of(self, step: Step) -> str:
        """The arm that is given for a step, or else its last one, which is the one for no answer."""
        arms = [arm.name for arm in step.arms if not arm.meanwhile]
        number = len(self.asked)
        arm = self._arms[number] if number < len(self._arms) else arms[-1]
        why = step.condition_of(arm) or (f"no {asked(step)}" if step.questions else "")
        self.asked.append(PathChoice(step=step.id, arm=arm, why=why))
        self.others.append(arms[:-1])
        return arm
