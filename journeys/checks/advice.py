"""What is allowed in a journey, and seldom meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from journeys.address_attributes import BUILT_IN
from journeys.catalogue import BUILT_IN_NAMES
from journeys.checks.house import check_house
from journeys.checks.review import Review
from journeys.checks.series import cut_off
from journeys.definition import EventExit
from journeys.findings import Findings, warning
from journeys.interactions import Kind
from journeys.language.durations import say
from journeys.steps import Message, Question, Step, every_step, placed

A_YEAR = timedelta(days=366)


def advise(review: Review) -> Iterator[Findings]:
    """Warnings about the whole of a journey."""
    steps = review.journey.steps
    if not review.journey.exit and any(step.longest for step in every_step(steps)):
        hint = "Name what makes the rest needless, such as exit: [{trigger: purchase-completed}]."
        yield warning("exit", "nothing ends a run before its last step.", hint)
    yield from _exits_of_all(review)
    yield from cut_off(steps)
    yield from check_house(review)
    for path, step in placed(steps, "steps"):
        if isinstance(step, Message) and step.kind == "text" and step.expires is None:
            hint = "Say until when it is of use, such as expires: 2 hours."
            yield warning(path, "a text that is held up goes out however late it is.", hint)
        if isinstance(step, Message):
            yield from _addresses(path, step)
        yield from _asked_twice(step, path)
        if step.shortest > A_YEAR:
            yield warning(f"{path}.wait", f"lasts {say(step.shortest)}, which is more than a year.")


def _addresses(path: str, step: Message) -> Iterator[Findings]:
    """Addresses that are those of another channel: a phone number of an email."""
    for address in step.addresses:
        if other := next((kind for kind, own in _OWN.items() if own == address and kind != step.kind), None):
            message = f"{address} is where {other} messages go, and this one is of the kind {step.kind}."
            yield warning(f"{path}.to", message, f"Such as to: {_OWN[step.kind]}.")


_OWN: Mapping[Kind, str] = {kind: f"customer.{name}" for name, kind in BUILT_IN.items()}
"""The attributes that every customer may have for each kind of message."""


def _asked_twice(step: Step, path: str) -> Iterator[Findings]:
    """Arms that ask what an earlier one asks, which is always taken first."""
    asked: list[tuple[str, Question]] = []
    for arm in step.arms:
        if not arm.is_named or (question := step.questions.get(arm.name)) is None:
            continue
        first = next((name for name, other in asked if other == question), None)
        if first and first != arm.name:
            message = f'"{arm.name}" asks what "{first}" asks before it, so it is never taken.'
            yield warning(f"{path}.{arm.field.rpartition('.')[0]}", message, "Ask for something else, or remove it.")
        asked.append((arm.name, question))


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
