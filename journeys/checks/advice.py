"""What is allowed in a journey, and seldom meant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from journeys.catalogue import BUILT_IN_NAMES
from journeys.checks.review import Review
from journeys.checks.series import cut_off
from journeys.definition import EventExit
from journeys.findings import Findings, warning
from journeys.language.durations import say
from journeys.steps import Message, every_step, placed

A_YEAR = timedelta(days=366)


def advise(review: Review) -> Iterator[Findings]:
    """Warnings about the whole of a journey."""
    steps = review.journey.steps
    if not review.journey.exit and any(step.longest for step in every_step(steps)):
        hint = "Name what makes the rest needless, such as exit: [{trigger: purchase-completed}]."
        yield warning("exit", "nothing ends a run before its last step.", hint)
    yield from _exits_of_all(review)
    yield from cut_off(steps)
    for path, step in placed(steps, "steps"):
        if isinstance(step, Message) and step.kind == "text" and step.expires is None:
            hint = "Say until when it is of use, such as expires: 2 hours."
            yield warning(path, "a text that is held up goes out however late it is.", hint)
        if step.shortest > A_YEAR:
            yield warning(f"{path}.wait", f"lasts {say(step.shortest)}, which is more than a year.")


def _exits_of_all(review: Review) -> Iterator[Findings]:
    """Exits that do not tell apart what the key tells apart, and so end all runs of a customer."""
    start = review.journey.start
    if start.key is None or start.repeat == "never":
        return
    name = start.key.partition(".")[2]
    for index, leaving in enumerate(review.journey.exit):
        if not isinstance(leaving, EventExit) or leaving.trigger in BUILT_IN_NAMES:
            continue
        schema = review.catalogue.schema(leaving.trigger)
        if schema is not None and name not in schema:
            message = f'"{leaving.trigger}" has no {name}, so it ends the runs of every {start.key}.'
            hint = f"Declare {name} in the trigger, if only one of them is meant."
            yield warning(f"exit[{index}].trigger", message, hint)
