"""The steps that listen: one question, several of them, or one while other steps are walked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Annotated

from pydantic import Discriminator, Field, Tag

from journeys.interactions import Interaction
from journeys.language.cel_source import Where
from journeys.language.durations import Duration, say
from journeys.models import Expected, Model, Name
from journeys.steps.questions import (
    BecomesQuestion,
    By,
    EventQuestion,
    MessageQuestion,
    Question,
    Replies,
    asks_for,
)
from journeys.steps.step import Arm, Step
from journeys.steps.uses import Use

if TYPE_CHECKING:
    from journeys.steps import AnyStep

YES, NO = "yes", "no"
MEANWHILE = "meanwhile"
OTHERWISE = "otherwise"


class If(Step):
    """Wait for an answer within a limit: yes at once when it comes, no when the limit passes.

    The steps after an ``if`` go on for both arms.

    *if*: what is waited for, and for how long.
    *then*: the steps where it happens.
    *else*: the steps where it does not.
    """

    if_: Question = Field(alias="if")
    then: tuple[AnyStep, ...] = ()
    else_: tuple[AnyStep, ...] = Field((), alias="else")

    @property
    def words(self) -> str:
        return f"waits for {self.if_.words}, at most {say(self.if_.within)}"

    @property
    def parts(self) -> Mapping[str, str]:
        return {"waits for": self.if_.whole, "waits at most": say(self.limit)}

    @property
    def arms(self) -> tuple[Arm, ...]:
        return Arm(YES, self.then, "then"), Arm(NO, self.else_, "else")

    @property
    def questions(self) -> Mapping[str, Question]:
        return {YES: self.if_}

    @property
    def limit(self) -> timedelta:
        return self.if_.within

    @property
    def limit_counts_from(self) -> str | None:
        return self.if_.about

    @property
    def uses(self) -> Iterable[Use]:
        return self.if_.uses("if")

    @property
    def longest(self) -> timedelta:
        return self.if_.within


class _AwaitArm(Model):
    """One question of several.

    *arm*: its name, which no other arm of the step has.
    *then*: the steps where it is the first that is answered.
    """

    arm: Name
    then: tuple[AnyStep, ...] = ()


class MessageArm(_AwaitArm):
    """An arm that is taken at an interaction with a message of this run.

    *message*: the id of an earlier message step.
    *is*: what becomes of the message.
    *link*: only clicks on this address count, whatever trackers add to it; ``*`` in it stands for anything.
    *by*: whether a program that opens mail for its reader, such as Apple's, counts as well.
    *reply*: only these answers to a text count, however they are spelled.
    """

    message: Name
    is_: Interaction = Field(alias="is")
    link: str | None = None
    by: By = "people"
    reply: Replies | None = None

    def question(self, within: timedelta) -> MessageQuestion:
        """What it asks."""
        return MessageQuestion(
            message=self.message, is_=self.is_, within=within, link=self.link, by=self.by, reply=self.reply
        )


class EventArm(_AwaitArm):
    """An arm that is taken at an event of a trigger.

    *trigger*: the trigger whose events count.
    *where*: a condition on the event and the customer, such as ``event.city == "Oslo"``.
    """

    trigger: Name
    where: Where | None = None

    def question(self, within: timedelta) -> EventQuestion:
        """What it asks."""
        return EventQuestion(trigger=self.trigger, where=self.where, within=within)


class BecomesArm(_AwaitArm):
    """An arm that is taken as soon as a condition on the customer holds.

    *becomes*: the condition, such as ``customer.plan == "pro"``.
    """

    becomes: Annotated[Where, Expected('a condition on the customer, such as customer.plan == "pro"')]

    def question(self, within: timedelta) -> BecomesQuestion:
        """What it asks."""
        return BecomesQuestion(becomes=self.becomes, within=within)


AwaitArm = Annotated[
    Annotated[MessageArm, Tag("message")] | Annotated[EventArm, Tag("trigger")] | Annotated[BecomesArm, Tag("becomes")],
    Discriminator(
        asks_for,
        custom_error_type="unknown_question",
        custom_error_message="An arm of await names a message, a trigger or what becomes true",
    ),
]


class Awaited(Model):
    """Several questions with one limit, which counts from entering the step.

    *within*: the limit.
    *arms*: the questions, each with a name and its steps.
    *otherwise*: the steps where none is answered in time.
    """

    within: Duration
    arms: Annotated[
        Annotated[tuple[AwaitArm, ...], Field(min_length=1)],
        Expected("a list of arms, such as - {arm: visited, trigger: store-visit, then: []}"),
    ]
    otherwise: tuple[AnyStep, ...] = ()


class Await(Step):
    """Wait for several answers: the first one takes its arm, and where none comes in time, it is ``otherwise``.

    Of two that are found together and occurred at the same instant, the one that is written first.

    *await*: what is waited for, and for how long.
    """

    await_: Annotated[
        Awaited, Expected("a limit and arms, such as {within: 1 day, arms: [{arm: visited, trigger: store-visit}]}")
    ] = Field(alias="await")

    @property
    def words(self) -> str:
        what = ", ".join(question.words for question in self.questions.values())
        return f"waits for {what}, at most {say(self.limit)}"

    @property
    def parts(self) -> Mapping[str, str]:
        asked = {f"takes {arm} at": question.whole for arm, question in self.questions.items()}
        return {**asked, "has the arms": ", ".join(self.questions), "waits at most": say(self.limit)}

    @property
    def arms(self) -> tuple[Arm, ...]:
        written = (Arm(arm.arm, arm.then, f"await.arms[{n}].then") for n, arm in enumerate(self.await_.arms))
        return *written, Arm(OTHERWISE, self.await_.otherwise, "await.otherwise")

    @cached_property
    def questions(self) -> Mapping[str, Question]:
        return {arm.arm: arm.question(self.await_.within) for arm in self.await_.arms}

    @property
    def limit(self) -> timedelta:
        return self.await_.within

    @property
    def uses(self) -> Iterable[Use]:
        for index, arm in enumerate(self.await_.arms):
            within, *others = arm.question(self.await_.within).uses(f"await.arms[{index}]")
            if index == 0:
                yield within._replace(path="await.within")
            yield from others

    @property
    def longest(self) -> timedelta:
        return self.await_.within


class Until(Step):
    """Walk steps until something happens or a limit comes, whatever they are at then.

    ``then`` where it happened, ``else`` where it did not: the steps are done, or the limit has come.
    A message that is being sent is sent; the rest of the steps is left.

    *until*: what ends it, and how long it may take.
    *steps*: what is walked meanwhile.
    *then*: the steps where it happened.
    *else*: the steps where it did not.
    """

    until: Question
    steps: Annotated[
        Annotated[tuple[AnyStep, ...], Field(min_length=1)],
        Expected("a list of steps, such as - {id: pause, wait: 1 day}"),
    ]
    then: tuple[AnyStep, ...] = ()
    else_: tuple[AnyStep, ...] = Field((), alias="else")

    @property
    def words(self) -> str:
        return f"walks its steps until {self.until.words}, at most {say(self.until.within)}"

    @property
    def parts(self) -> Mapping[str, str]:
        return {"walks its steps until": self.until.whole, "walks them at most": say(self.limit)}

    @property
    def arms(self) -> tuple[Arm, ...]:
        return (
            Arm(MEANWHILE, self.steps, "steps", meanwhile=True),
            Arm(YES, self.then, "then"),
            Arm(NO, self.else_, "else"),
        )

    @property
    def questions(self) -> Mapping[str, Question]:
        return {YES: self.until}

    @property
    def limit(self) -> timedelta:
        return self.until.within

    @property
    def limit_counts_from(self) -> str | None:
        return self.until.about

    @property
    def uses(self) -> Iterable[Use]:
        return self.until.uses("until")

    @property
    def longest(self) -> timedelta:
        return self.until.within


Asking = If | Await | Until
"""The steps that ask something."""
