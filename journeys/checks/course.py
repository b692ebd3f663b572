"""The course of a journey: what clocks may show as each step is entered, and how long it takes, if that is known."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import time, timedelta
from typing import NamedTuple

from journeys.clearance.quiet import DAY, WEEK, Stretches
from journeys.language.clock import EVERY_DAY
from journeys.language.moments import Until, UntilDate, UntilTimeOfDay
from journeys.steps import IN_TIME, AnyStep, Message, Step, every_step

SECOND = timedelta(seconds=1)
MOST_STRETCHES = 200
"""Clocks that may show more than that may as well show anything."""


class Elapsed(NamedTuple):
    """How many seconds something takes at *least*, and at *most*."""

    least: int
    most: int


NO_TIME = Elapsed(0, 0)


class Part(NamedTuple):
    """Some seconds of a week, both ends included; quiet until *end*, or not at all."""

    first: int
    last: int
    end: int | None


class Clocks(NamedTuple):
    """What the clocks of whoever is there may show: stretches of seconds since Monday 00:00, both ends included."""

    within: tuple[tuple[int, int], ...]

    @property
    def known(self) -> bool:
        """Whether anything is known."""
        return self != ANY

    def later(self, by: Elapsed) -> Clocks:
        """What they show after that."""
        return self if by == NO_TIME else clocks((first + by.least, last + by.most) for first, last in self.within)

    def until(self, points: Sequence[int]) -> Elapsed:
        """How long it is from now to the next of some *points* of the week, which is strictly later."""
        waits = [_next(points, at) - at for first, last in self.within for at in (first, last)]
        passed = [point for first, last in self.within for point in points if _holds(first, last, point)]
        at_once = any(_holds(first + 1, last, point) for first, last in self.within for point in passed)
        return Elapsed(0 if at_once else min(waits), max([*waits, *(_next(points, point) - point for point in passed)]))

    def parts(self, quiet: Stretches) -> list[Part]:
        """The same, part by part, each quiet or not. What is quiet leaves some of a week."""
        parts: list[Part] = []
        for first, last in self.within:
            at = first
            while at <= last:
                week = at - at % WEEK
                end = quiet.end(at - week) + week
                begins = quiet.beginning(at - week)
                until = end if end > at else last + 1 if begins is None else begins + week
                parts.append(Part(at, min(last, until - 1), end if end > at else None))
                at = until
        return parts


ANY = Clocks(((0, WEEK),))


def clocks(within: Iterable[tuple[int, int]]) -> Clocks:
    """Clocks that show one of these seconds, which may be those of any week."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted((first % WEEK, first % WEEK + last - first) for first, last in within):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = joined[-1][0], max(last, joined[-1][1])
        else:
            joined.append((first, last))
    while len(joined) > 1 and joined[-1][1] - WEEK >= joined[0][0] - 1:  # into the next week
        _, last = joined.pop(0)
        joined[-1] = joined[-1][0], max(last + WEEK, joined[-1][1])
    some = len(joined) <= MOST_STRETCHES and all(last - first < WEEK - 1 for first, last in joined)
    return Clocks(tuple(joined)) if some else ANY


class Course:
    """When the steps of a journey are entered. *hold*: how long messages are held, and what clocks show afterwards.

    *entered*: what clocks may show as a step is entered. *taking*: how long a step takes, by the arm that is taken.
    """

    def __init__(self, steps: Sequence[AnyStep], hold: Callable[[Message, Clocks], tuple[Clocks, Elapsed]]) -> None:
        self.entered: dict[str, Clocks] = {}
        self.taking: dict[tuple[str, str], Elapsed] = {}
        self._hold = hold
        self._asked = {step.limit_counts_from for step in every_step(steps)}
        self._through(steps, _Here(ANY, {}))

    def _through(self, steps: Sequence[AnyStep], here: _Here | None) -> _Here | None:
        for step in steps:
            if here is not None:
                self.entered[step.id] = here.clocks
                here = self._out_of(step, here)
        return here

    def _out_of(self, step: AnyStep, here: _Here) -> _Here | None:
        for arm in step.arms:
            if arm.meanwhile:
                self._through(arm.steps, here)
        ways = [arm for arm in step.arms if not arm.meanwhile]
        if not ways:
            return self._on(step, "", here, *self._passing(step, here.clocks)) if step.leads_on else None
        out: _Here | None = None
        for arm in ways:
            on = self._on(step, arm.name, here, *_taking(step, arm.name, here))
            out = _joined(out, self._through(arm.steps, on))
        return out

    def _passing(self, step: AnyStep, now: Clocks) -> tuple[Clocks, Elapsed]:
        """What clocks show after a step without arms, and how long it takes."""
        if isinstance(step, Message):
            return self._hold(step, now)
        if step.moment is not None:
            then, takes = _until(step, step.moment, now)
            return clocks([*then.within, *now.within]) if isinstance(step.moment, UntilDate) else then, takes
        takes = _seconds(step.shortest, step.longest)
        return now.later(takes), takes

    def _on(self, step: AnyStep, arm: str, here: _Here, now: Clocks, takes: Elapsed) -> _Here:
        self.taking[step.id, arm] = takes
        since = {of: Elapsed(ago.least + takes.least, ago.most + takes.most) for of, ago in here.since.items()}
        return _Here(now, since | {step.id: NO_TIME} if step.id in self._asked else since)


class _Here(NamedTuple):
    """What is known at a place of a journey. *since*: how long ago messages went out that are asked about."""

    clocks: Clocks
    since: Mapping[str, Elapsed]


def _taking(step: Step, arm: str, here: _Here) -> tuple[Clocks, Elapsed]:
    """What clocks show where an arm is taken, and how long it takes until then."""
    if step.moment is not None:
        return _until(step, step.moment, here.clocks) if arm == IN_TIME else (here.clocks, NO_TIME)
    takes = _listening(step, arm, here) if step.questions else NO_TIME
    return here.clocks.later(takes), takes


def _listening(step: Step, arm: str, here: _Here) -> Elapsed:
    """How long a step listens until *arm* is taken. A series may be over, or left, at any moment up to its limit."""
    limit = _seconds(step.limit, step.limit)
    if arm in step.questions or any(other.meanwhile for other in step.arms):
        return Elapsed(0, limit.most)
    if step.limit_counts_from is None:
        return limit
    ago = here.since.get(step.limit_counts_from, Elapsed(0, limit.most))
    return Elapsed(max(0, limit.least - ago.most), max(0, limit.most - ago.least))


def _until(step: Step, until: Until, now: Clocks) -> tuple[Clocks, Elapsed]:
    """What clocks show after a wait until a moment that has not passed, and how long it is."""
    longest = Elapsed(0, _seconds(step.longest, step.longest).most)
    match until:
        case UntilTimeOfDay(until=at, on=on):
            points = _points(at, on)
            return clocks((point, point) for point in points), now.until(points)
        case UntilDate(at=time() as at):
            return clocks((point, point) for point in _points(at, EVERY_DAY)), longest
        case _:
            return ANY, longest


def _points(at: time, on: Iterable[int]) -> list[int]:
    return [day * DAY + at.hour * 3_600 + at.minute * 60 + at.second for day in sorted(on)]


def _next(points: Sequence[int], at: int) -> int:
    """The first of some points of the week that is later than *at*."""
    after = bisect_right(points, at % WEEK)
    return at - at % WEEK + (points[after] if after < len(points) else points[0] + WEEK)


def _holds(first: int, last: int, point: int) -> bool:
    return any(first <= point + week <= last for week in (0, WEEK))


def _joined(one: _Here | None, other: _Here | None) -> _Here | None:
    if one is None or other is None:
        return one or other
    since = {
        of: Elapsed(min(ago.least, other.since[of].least), max(ago.most, other.since[of].most))
        for of, ago in one.since.items()
        if of in other.since
    }
    return _Here(clocks([*one.clocks.within, *other.clocks.within]), since)


def _seconds(least: timedelta, most: timedelta) -> Elapsed:
    return Elapsed(least // SECOND, -(-most // SECOND))
