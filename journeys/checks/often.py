"""How many messages of a journey come due within some time, on the way on which they are most; and which in vain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from journeys.checks.course import NO_TIME, Course, Elapsed
from journeys.steps import AnyStep
from journeys.walk.position import Turn

MOST_ABOVE = 10
"""So many above a limit are counted; more are no other news."""


class Limit(NamedTuple):
    """*at_most* so many of *messages* within *per* seconds; it holds for those of them in *held_to*."""

    messages: frozenset[str]
    held_to: frozenset[str]
    at_most: int
    per: int


class Crowd(NamedTuple):
    """Messages that may come due within the time of a limit, and the arms that lead past them."""

    messages: tuple[str, ...]
    way: tuple[Turn, ...]


class Found(NamedTuple):
    """The largest *crowd* that is above a limit. *never*: for these it leaves no place, whatever way they come by."""

    crowd: Crowd | None
    never: tuple[str, ...]


def above(limit: Limit, steps: Sequence[AnyStep], course: Course) -> Found:
    """What a journey sends above a *limit*, where all comes due as soon as it can."""
    if len(limit.messages) <= limit.at_most:
        return Found(None, ())
    search = _Search(limit, course)
    search.through(steps, _Here((), ()))
    return Found(search.crowd, tuple(search.never))


_Trail = tuple["_Trail", str | Turn] | None
"""What was passed, the latest last: messages and arms."""

_Due = tuple[tuple[int, _Trail], ...]
"""How long ago the latest message came due at least, the latest two, and so on, each with what was passed since."""

_Surely = tuple[int, ...]
"""How long ago the latest message went out at most, the latest two, and so on, on whatever way."""


class _Here(NamedTuple):
    due: _Due
    surely: _Surely


class _Search:
    def __init__(self, limit: Limit, course: Course) -> None:
        self.crowd: Crowd | None = None
        self.never: list[str] = []
        self._limit = limit
        self._course = course
        self._turns: list[Turn] = []
        self._left: list[_Due] = []  # of each series around: as it may be left after any of its messages

    def through(self, steps: Sequence[AnyStep], here: _Here | None) -> _Here | None:
        for step in steps:
            if here is not None:
                here = self._out_of(step, here)
        return here

    def _out_of(self, step: AnyStep, here: _Here) -> _Here | None:
        for arm in step.arms:
            if arm.meanwhile:
                here = self._series(arm.steps, here)
        ways = [arm for arm in step.arms if not arm.meanwhile]
        if not ways:
            here = self._later(here, self._course.taking.get((step.id, ""), NO_TIME))
            return self._sent(step.id, here) if step.leads_on else None
        out: _Here | None = None
        for arm in ways:
            turn = Turn(step.id, arm.name)
            on = self._later(here, self._course.taking.get((step.id, arm.name), NO_TIME))
            self._turns.append(turn)
            inside = self.through(arm.steps, on._replace(due=tuple((ago, (trail, turn)) for ago, trail in on.due)))
            self._turns.pop()
            out = _either(out, inside)
        return out

    def _series(self, steps: Sequence[AnyStep], here: _Here) -> _Here:
        """A series may be left at any moment: of its messages none has surely gone out."""
        self._left.append(here.due)
        inside = self.through(steps, here)
        left = self._left.pop()
        return _Here(_nearest(left, inside.due) if inside else left, here.surely)

    def _sent(self, step: str, here: _Here) -> _Here:
        if step not in self._limit.messages:
            return here
        due: _Due = tuple((ago, (trail, step)) for ago, trail in here.due)
        due = ((0, self._begin(step)), *due)[: self._limit.at_most + MOST_ABOVE]
        self._left = [_nearest(left, due) for left in self._left]
        if step not in self._limit.held_to:
            return _Here(due, (0, *here.surely))
        if len(due) <= self._limit.at_most:
            return _Here(due, (0, *here.surely))
        if self.crowd is None or len(due) > len(self.crowd.messages):
            self.crowd = _crowd(due[-1][1])
        if len(here.surely) >= self._limit.at_most:
            self.never.append(step)
        return _Here(due, here.surely)

    def _begin(self, step: str) -> _Trail:
        trail: _Trail = None
        for turn in self._turns:
            trail = (trail, turn)
        return (trail, step)

    def _later(self, here: _Here, by: Elapsed) -> _Here:
        if by == NO_TIME:
            return here
        per = self._limit.per
        due = tuple((ago + by.least, trail) for ago, trail in here.due if ago + by.least < per)
        return _Here(due, tuple(ago + by.most for ago in here.surely if ago + by.most < per))


def _either(one: _Here | None, other: _Here | None) -> _Here | None:
    """What holds where one of two ways was taken, each of which may lead nowhere."""
    if one is None or other is None:
        return one or other
    return _Here(_nearest(one.due, other.due), tuple(map(max, one.surely, other.surely)))


def _nearest(one: _Due, other: _Due) -> _Due:
    longer = max(one, other, key=len)
    both = [first if first[0] <= second[0] else second for first, second in zip(one, other, strict=False)]
    return (*both, *longer[len(both) :])


def _crowd(trail: _Trail) -> Crowd:
    passed: list[str | Turn] = []
    while trail is not None:
        trail, latest = trail
        passed.append(latest)
    passed.reverse()
    messages = tuple(each for each in passed if isinstance(each, str))
    return Crowd(messages, tuple(each for each in passed if isinstance(each, Turn)))
