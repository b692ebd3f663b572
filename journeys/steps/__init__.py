"""The steps that a journey is made of. Each type owns its shape; whoever goes through a tree asks the steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, NamedTuple

from pydantic import Discriminator, Tag

from journeys.language.moments import is_moment
from journeys.models import when_written
from journeys.steps.actions import End, Raise, Set, Webhook
from journeys.steps.asking import MEANWHILE, Asking, Await, Awaited, BecomesArm, EventArm, If, MessageArm, Until
from journeys.steps.choosing import Branch, BranchArm, FirstArm, ShareArm, Split, Test, Tested
from journeys.steps.messages import Email, Ignore, Ignored, Message, Push, Text
from journeys.steps.questions import BecomesQuestion, EventQuestion, MessageQuestion, Question
from journeys.steps.step import Arm, Step, lead_on
from journeys.steps.waits import IN_TIME, LATE, Wait
from journeys.unions import tagged

__all__ = [
    "DEEPEST",
    "IN_TIME",
    "LATE",
    "MEANWHILE",
    "MOST_STEPS",
    "STEP_TYPES",
    "AnyStep",
    "Arm",
    "Asking",
    "Await",
    "BecomesQuestion",
    "Branch",
    "Email",
    "End",
    "EventQuestion",
    "If",
    "Ignore",
    "Ignored",
    "Listening",
    "Message",
    "MessageQuestion",
    "Push",
    "Question",
    "Raise",
    "Set",
    "Split",
    "Step",
    "Steps",
    "Test",
    "Text",
    "Until",
    "Wait",
    "Webhook",
    "WrittenSteps",
    "depth",
    "every_step",
    "lead_on",
    "listening",
    "message_in",
    "placed",
]


def _step_type(step: object) -> str | None:
    if isinstance(step, dict):
        named = next((name for name in STEP_TYPES if name in step), None)
        waits = named == "until" and "steps" not in step and is_moment(step["until"])
        return "wait" if waits else named  # a moment is what is waited for, though nothing says so
    return next((name for name, model in STEP_TYPES.items() if isinstance(step, model)), None)


AnyStep = Annotated[
    Annotated[Email, Tag("email")]
    | Annotated[Text, Tag("text")]
    | Annotated[Push, Tag("push")]
    | Annotated[Wait, Tag("wait")]
    | Annotated[If, Tag("if")]
    | Annotated[Await, Tag("await")]
    | Annotated[Branch, Tag("branch")]
    | Annotated[Split, Tag("split")]
    | Annotated[Test, Tag("test")]
    | Annotated[Until, Tag("until")]
    | Annotated[Raise, Tag("raise")]
    | Annotated[Set, Tag("set")]
    | Annotated[Webhook, Tag("webhook")]
    | Annotated[End, Tag("end")],
    Discriminator(
        _step_type,
        custom_error_type="unknown_step",
        custom_error_message="A step needs one of its type's fields",
    ),
]
"""Every type of step, by the field that only it has. This is the one list of them."""

Steps = tuple[AnyStep, ...]

STEP_TYPES: Mapping[str, type[Step]] = tagged(AnyStep)


def every_step(steps: Sequence[AnyStep]) -> Iterator[AnyStep]:
    """All steps of a tree, in the order they are written."""
    for step in steps:
        yield step
        for arm in step.arms:
            yield from every_step(arm.steps)


def placed(steps: Sequence[AnyStep], path: str) -> Iterator[tuple[str, AnyStep]]:
    """All steps of a tree with their places, in the order they are written: ``steps[1].else[0]``."""
    for index, step in enumerate(steps):
        here = f"{path}[{index}]"
        yield here, step
        for arm in step.arms:
            yield from placed(arm.steps, f"{here}.{arm.field}")


def depth(steps: Sequence[AnyStep]) -> int:
    """How deep arms lie within arms: 1 for steps without any."""
    return 1 + max((depth(arm.steps) for step in steps for arm in step.arms), default=0)


class Listening(NamedTuple):
    """One question of a step, the arm that an answer takes, and what such an answer is called."""

    step: Asking
    arm: str
    question: Question

    @property
    def answer(self) -> str:
        return self.step.answer_name(self.arm)


def listening(steps: Sequence[AnyStep]) -> Iterator[Listening]:
    """All questions of a tree, in the order they are written."""
    for step in every_step(steps):
        if isinstance(step, Asking):
            for arm, question in step.questions.items():
                yield Listening(step, arm, question)


DEEPEST = 50
MOST_STEPS = 2_000


def _walkable(steps: Steps) -> Steps:
    if (levels := depth(steps)) > DEEPEST:
        raise ValueError(
            f"arms are nested {levels} deep, at most {DEEPEST} go. Use steps after the if: both arms join."
        )
    if (number := sum(1 for _ in every_step(steps))) > MOST_STEPS:
        raise ValueError(f"there are {number} steps, at most {MOST_STEPS} go. Make a journey of each part.")
    return steps


WrittenSteps = Annotated[Steps, when_written(_walkable)]
"""All steps of a journey, as many and as deep as can be walked, shown and stored."""


def message_in(steps: Sequence[AnyStep], id: str) -> Message | None:
    """The message step of that id, or None."""
    return next((step for step in every_step(steps) if isinstance(step, Message) and step.id == id), None)


for _with_arms in (MessageArm, EventArm, BecomesArm, Awaited, BranchArm, ShareArm, FirstArm, Tested):
    _with_arms.model_rebuild(_types_namespace={"AnyStep": AnyStep})
for _step in STEP_TYPES.values():
    _step.model_rebuild(_types_namespace={"AnyStep": AnyStep})
