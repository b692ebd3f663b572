"""Tests of arms against each other, as a journey's definition says them, for those who keep who is in which arm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from journeys.chance import identity_of_arms
from journeys.definition import Journey
from journeys.interactions import INTERACTIONS
from journeys.language.durations import say
from journeys.steps import Message, Steps, every_step
from journeys.steps.choosing import By, Tested
from journeys.walk.pace import DAY, at_pace

BY_LOT = "by lot, in a test"
AS_BEFORE = "as the first time, in a test"

WITHIN = timedelta(days=3)
"""How long after the split a click or an open counts where nothing is said. So long does a goal, too."""


@dataclass(frozen=True)
class ABTest:
    """What is tested at a step, and when it ends: so long *after* its first person, or with so many *people* in it.

    *arms* is their identity: a later version with the same one goes on with the same test. *shares* are percent by arm,
    in the order in which they are written. *messages*: by opened or clicked, the ids of the arms' messages, one each.
    *within*: how long from the split what somebody does counts. *day*: how long a day lasts in these times.
    """

    journey: str
    step: str
    arms: str
    shares: Mapping[str, Decimal]
    default: str
    by: By
    within: timedelta
    after: timedelta | None = None
    people: int | None = None
    messages: tuple[str, ...] = ()
    day: timedelta = DAY


def ab_test(journey: Journey, step: str, tested: Tested, day: timedelta = DAY) -> ABTest:
    """The test at *step* of a journey. *day*: how long a day lasts."""
    winner = tested.winner
    counted = [counted_in(arm.then, winner.by) for arm in tested.arms]
    return ABTest(
        journey=journey.journey,
        step=step,
        arms=identity_of_arms((arm.arm, arm.share, _meaning(arm.then)) for arm in tested.arms),
        shares={arm.arm: arm.share for arm in tested.arms},
        default=tested.default,
        by=winner.by,
        within=at_pace(window(journey, tested), day),
        after=None if winner.after is None else at_pace(winner.after, day),
        people=winner.people,
        messages=tuple(message.id for arm in counted for message in arm),
        day=day,
    )


def all_tests(journey: Journey, day: timedelta = DAY) -> dict[str, ABTest]:
    """The tests of a journey, by the ids of their steps, in the order in which they are written."""
    return {step.id: ab_test(journey, step.id, step.tested, day) for step in every_step(journey.steps) if step.tested}


def window(journey: Journey, tested: Tested) -> timedelta:
    """How long after the split what somebody does counts."""
    winner = tested.winner
    if winner.within is not None:
        return winner.within
    return journey.goal.within if journey.goal and winner.by == "goal" else WITHIN


def counted_in(steps: Steps, by: By) -> list[Message]:
    """The messages of an arm of which it is told whether they were opened or clicked; by goal none."""
    messages = (step for step in every_step(steps) if isinstance(step, Message))
    return [message for message in messages if by in INTERACTIONS[message.kind]]


def say_rules(test: ABTest) -> str:
    """How a test is decided, as its journey says it: ``by goal, after 14 days, within 3 days, default plain``."""
    ends = f"people {test.people}" if test.after is None else f"after {say(test.after)}"
    return f"by {test.by}, {ends}, within {say(test.within)}, default {test.default}"


def after_the_end(at: datetime, *, decided: bool) -> str:
    """Why somebody takes an arm who comes after the end of a test."""
    how = "the winner" if decided else "the default"
    return f"{how} of a test that ended on {at:%Y-%m-%d at %H:%M} UTC"


def _meaning(steps: Steps) -> str:
    """The steps of an arm, however they are spelled."""
    written = (step.model_dump_json(by_alias=True, exclude_defaults=True) for step in steps)
    return f"[{','.join(written)}]"
