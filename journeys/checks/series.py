"""What a series is left before, by its own limit: waits that never end, and steps that nobody comes to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from journeys.findings import Findings, warning
from journeys.language.durations import say
from journeys.steps import AnyStep, placed
from journeys.walk.ahead import ahead

_HINT = "Give it less time, or the series a longer within."


def cut_off(steps: Sequence[AnyStep]) -> Iterator[Findings]:
    """A warning for each step that the limit of a series around it leaves no time for; the outermost one is named."""
    paths = {step.id: path for path, step in placed(steps, "steps")}
    told: set[str] = set()
    for _, series in placed(steps, "steps"):
        for arm in series.arms:
            for step, message in _too_late(series, arm.steps) if arm.meanwhile else ():
                if step.id not in told:
                    told.add(step.id)
                    yield warning(paths[step.id], message, _HINT)


def _too_late(series: AnyStep, inner: Sequence[AnyStep]) -> Iterator[tuple[AnyStep, str]]:
    """The waits within that do not end before the limit; where there is none, the first step that comes too late."""
    limit = f'"{series.id}" around it is left after {say(series.limit)}'
    late: list[tuple[AnyStep, timedelta]] = []
    waits = 0
    for step, soonest in ahead(inner, inner[0].id):
        if soonest >= series.limit:
            late.append((step, soonest))
        elif soonest + step.shortest > series.limit:
            waits += 1
            yield step, f"the wait of {say(step.shortest)} never ends, as {limit}."
    if late and not waits:
        step, soonest = late[0]
        yield step, f"nobody comes here: it is {say(soonest)} into the series at least, and {limit}."
