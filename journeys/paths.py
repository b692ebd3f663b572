"""Every way through a journey, with when each message would go on it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import datetime, timedelta

from journeys.definition import If, Journey, Kind, Message, Model, every_step
from journeys.diary import Delivery
from journeys.durations import Duration
from journeys.preview import DEFAULT_START
from journeys.walk import Arrival, Walk, awaited_words

MOST_PATHS = 1000


class PathMessage(Model):
    """A message on a path: no earlier than *earliest* and no later than *latest* after entering the journey."""

    step: str
    kind: Kind
    content: str
    earliest: Duration
    latest: Duration


class Choice(Model):
    """What happens at one ``if`` of a path."""

    step: str
    arm: str
    why: str


class Path(Model):
    """One way through the journey, its messages, and how long it takes."""

    choices: tuple[Choice, ...]
    messages: tuple[PathMessage, ...]
    earliest_end: Duration
    latest_end: Duration


def every_path(journey: Journey) -> list[Path]:
    """All ways through *journey* that reach its end, as if every message were accepted at once.

    An answer may come at any moment up to its limit, so that a message after it has an earliest and a latest time.
    At most MOST_PATHS are listed; an exit can end any of them at any moment.
    """
    paths: list[Path] = []
    pending: list[tuple[bool, ...]] = [()]
    while pending and len(paths) < MOST_PATHS:
        answers = pending.pop()
        at_once, at_last = _trace(journey, answers, late=False), _trace(journey, answers, late=True)
        asked = at_once.asked
        # Each question that went beyond the given answers was taken as no; its yes is a path of its own.
        pending += [(*answers, *[False] * more, True) for more in reversed(range(len(asked) - len(answers)))]
        paths.append(_path(at_once, at_last))
    return paths


def _trace(journey: Journey, answers: tuple[bool, ...], *, late: bool) -> _Trace:
    trace = _Trace(journey, answers, late=late)
    steps: Generator[None, None, None] = trace.walk.go(trace).__await__()  # nothing in this world ever suspends
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
    """A world in which every question has a given answer: at once, or at the last moment of its limit."""

    def __init__(self, journey: Journey, answers: tuple[bool, ...], *, late: bool) -> None:
        self.walk = Walk(journey.steps, DEFAULT_START)
        self.sent: list[tuple[Message, timedelta]] = []
        self.asked: list[Choice] = []
        self._ifs = {step.id: step for step in every_step(journey.steps) if isinstance(step, If)}
        self._answers = answers
        self._late = late
        self._now = DEFAULT_START

    @property
    def elapsed(self) -> timedelta:
        return self._now - DEFAULT_START

    def now(self) -> datetime:
        return self._now

    async def deliver(self, step: Message, following: str | None, expires_at: datetime | None) -> Delivery:
        del following, expires_at
        self.sent.append((step, self.elapsed))
        return Delivery(outcome="accepted", at=self._now)

    async def reconcile(self, step: Message, following: str | None) -> Delivery | None:
        del step, following
        raise AssertionError("on a path, every message is accepted")

    async def wait(self, until: datetime, arrived: Callable[[], bool], why: str) -> bool:
        del why
        asked = self._ifs.get(self.walk.diary.at_step or "")
        yes = asked is not None and self._answer(asked, until)
        if not yes or self._late:
            self._now = max(self._now, until)
        return arrived()

    def _answer(self, step: If, until: datetime) -> bool:
        number = len(self.asked)
        yes = number < len(self._answers) and self._answers[number]
        what = awaited_words(step)
        self.asked.append(Choice(step=step.id, arm="yes" if yes else "no", why=what if yes else f"no {what}"))
        if yes:
            at = until if self._late else min(self._now, until)
            self.walk.arrive(Arrival(event=step.id, at=at, answers=(step.id,)))
        return yes
