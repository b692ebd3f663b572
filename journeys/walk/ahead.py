"""What a run may still come to from where it stands."""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta

from journeys.steps import AnyStep, Steps, every_step

Ahead = Generator[tuple[AnyStep, timedelta], None, timedelta | None]
"""Steps, each with how long it takes at least to enter it; in the end, to leave them all. None: nobody leaves them."""


def ahead(steps: Steps, at: str) -> Ahead:
    """The steps that a run may come to from the step *at*, that one first. Those of arms that it passed are not."""
    for index, step in enumerate(steps):
        if step.id == at:
            return (yield from _through(steps[index:], timedelta(0)))
        for arm in step.arms:
            if any(inner.id == at for inner in every_step(arm.steps)):
                soonest = yield from ahead(arm.steps, at)
                return (yield from _through(steps[index + 1 :], soonest))
    return None


def _through(steps: Steps, soonest: timedelta | None) -> Ahead:
    for step in steps:
        if soonest is None:
            return None
        yield step, soonest
        soonest = yield from _out_of(step, soonest + step.shortest)
    return soonest


def _out_of(step: AnyStep, soonest: timedelta) -> Ahead:
    """The steps in its arms, if it has any, and when it is left."""
    if not step.arms:
        return soonest if step.leads_on else None
    left: timedelta | None = None
    for arm in step.arms:
        way = yield from _through(arm.steps, soonest)
        left = way if left is None else left if way is None else min(left, way)
    return left
