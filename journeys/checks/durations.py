"""How long things may take: more than nothing, and not longer than can be waited."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from journeys.findings import Findings, flaw
from journeys.language.durations import LONGEST, say
from journeys.steps import AnyStep, Step, every_step


def check_positive(path: str, duration: timedelta) -> Iterator[Findings]:
    """Whether a *duration* is more than nothing."""
    if duration <= timedelta(0):
        yield flaw(path, f"found {say(duration)}; expected more than nothing, such as 1 day.")
    elif duration > LONGEST:
        yield flaw(path, f"found {say(duration)}; at most {say(LONGEST)} go.")


def check_whole(steps: tuple[AnyStep, ...]) -> Iterator[Findings]:
    """Whether all steps together can be waited for."""
    if (whole := sum(map(_longest, every_step(steps)), timedelta(0))) > LONGEST:
        yield flaw("steps", f"last {say(whole)} in all; at most {say(LONGEST)}.")


def _longest(step: Step) -> timedelta:
    """How long a step may take by itself. Bounded, so that the sum of a thousand steps is a duration still."""
    return min(step.longest, 2 * LONGEST)
