"""What a run may still come to from where it stands."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import timedelta

from journeys.steps import AnyStep, every_step

Ahead = Generator[tuple[AnyStep, timedelta], None, timedelta | None]
"""Steps, each with how long it takes at least to enter it; in the end, to leave them all. None: nobody leaves them."""


def ahead(steps: Sequence[AnyStep], at: str) -> Ahead:
    """The steps that a run may come to from the step *at*, that one first. Those of arms that it passed are not."""
    for index, step in enumerate(steps):
        if step.id == at:
            return (yield from _through(steps[index:], timedelta(0)))
        for arm in step.arms:
            if any(inner.id == at for inner in every_step(arm.steps)):
                soonest = yield from ahead(arm.steps, at)
                if arm.meanwhile:  # it is still asked, and may be left at once
                    yield step, timedelta(0)
                    soonest = yield from _ways_out(step, timedelta(0))
                return (yield from _through(steps[index + 1 :], soonest))
    return None


def _through(steps: Sequence[AnyStep], soonest: timedelta | None) -> Ahead:
    for step in steps:
        if soonest is None:
            return None
        yield step, soonest
        soonest = yield from _out_of(step, soonest + step.shortest)
    return soonest


def _out_of(step: AnyStep, soonest: timedelta) -> Ahead:
    """The steps in its arms, if it has any, and when it is left."""
    for arm in step.arms:
        if arm.meanwhile:
            yield from _through(arm.steps, soonest)
    return (yield from _ways_out(step, soonest))


def _ways_out(step: AnyStep, soonest: timedelta) -> Ahead:
    ways = [arm for arm in step.arms if not arm.meanwhile]
    if not ways:
        return soonest if step.leads_on else None
    left: timedelta | None = None
    for arm in ways:
        way = yield from _through(arm.steps, soonest)
        left = way if left is None else left if way is None else min(left, way)
    return left
