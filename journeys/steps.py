"""The steps that a journey is made of. Each type owns its shape; whoever goes through a tree asks the steps."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import AfterValidator, Discriminator, Field, StringConstraints, Tag

from journeys.interactions import Interaction, Kind, interaction_trigger
from journeys.language.cel_source import Where
from journeys.language.durations import Duration, say
from journeys.models import Expected, Model, Name, when_written
from journeys.unions import tagged


class Arm(NamedTuple):
    """One named way on from a step. *field* is where its steps are written, such as ``then``."""

    name: str
    steps: Steps
    field: str


class ChannelUse(NamedTuple):
    """A step needs a channel for a kind of message. *path*, here and below: where in the step it says so."""

    path: str
    kind: Kind


class AddressUse(NamedTuple):
    """A step takes an address from an attribute, such as ``customer.email``."""

    path: str
    attribute: str


class ContentUse(NamedTuple):
    """A step sends a content."""

    path: str
    content: str
    kind: Kind


class TriggerUse(NamedTuple):
    """A step listens to a trigger, under a condition if there is one."""

    path: str
    trigger: str
    where: str | None


class MessageUse(NamedTuple):
    """A step asks what became of an earlier message."""

    path: str
    message: str
    interaction: Interaction


class LinkUse(NamedTuple):
    """A step asks for a click on this link."""

    path: str
    link: str


class DurationUse(NamedTuple):
    """A step takes a time, which must be more than nothing."""

    path: str
    duration: timedelta


Use = ChannelUse | AddressUse | ContentUse | TriggerUse | MessageUse | LinkUse | DurationUse
"""What a step refers to, or takes: all that has to be right before it may be published."""


class MessageQuestion(Model):
    """Asks for an interaction with a message of this run.

    *within* counts from the send, not from the step that asks. *link*: only clicks on this address count, whatever
    trackers add to it; ``*`` in it stands for anything.
    *by*: whether a program that opens mail for its reader, such as Apple's, counts as well.
    """

    message: Name
    is_: Interaction = Field(alias="is")
    within: Duration
    link: str | None = None
    by: Literal["people", "anyone"] = "people"

    @property
    def words(self) -> str:
        """What is waited for, in a word or two: ``opened``."""
        return self.is_

    def uses(self, path: str) -> Iterator[Use]:
        """What has to be right for it to be asked at *path*."""
        yield DurationUse(f"{path}.within", self.within)
        yield MessageUse(path, self.message, self.is_)
        if self.link is not None:
            yield LinkUse(f"{path}.link", self.link)

    def trigger_in(self, steps: Steps) -> str:
        """The name of the trigger whose events may answer it. An interaction's is built in: ``email-opened``."""
        asked = message_in(steps, self.message)
        return interaction_trigger(asked.kind, self.is_) if asked else ""


class EventQuestion(Model):
    """Asks for an event of a trigger, after the step that asks was entered."""

    trigger: Name
    where: Where | None = None
    within: Duration

    @property
    def words(self) -> str:
        """What is waited for, in a word or two: ``purchase-completed``."""
        return self.trigger

    def uses(self, path: str) -> Iterator[Use]:
        """What has to be right for it to be asked at *path*."""
        yield DurationUse(f"{path}.within", self.within)
        yield TriggerUse(path, self.trigger, self.where)

    def trigger_in(self, steps: Steps) -> str:
        """The name of the trigger whose events may answer it."""
        del steps
        return self.trigger


def _asks_for(question: object) -> str | None:
    match question:
        case dict():
            return next((name for name in ("message", "trigger") if name in question), None)
        case MessageQuestion():
            return "message"
        case EventQuestion():
            return "trigger"
        case _:
            return None


Question = Annotated[
    Annotated[MessageQuestion, Tag("message")] | Annotated[EventQuestion, Tag("trigger")],
    Discriminator(
        _asks_for,
        custom_error_type="unknown_question",
        custom_error_message="A question names a message or a trigger",
    ),
]


class Step(Model):
    """One element of a journey. It owns its shape: whoever goes through a tree for another purpose asks it.

    What is said here holds for a step that leads straight on to the next one.
    """

    id: Name

    @property
    def words(self) -> str:
        """What a run does here, for people: ``waits 1 day``."""
        return f"is at {self.id}"

    @property
    def arms(self) -> tuple[Arm, ...]:
        """The ways on from here, in order. The steps after this one go on for all of them."""
        return ()

    @property
    def questions(self) -> Mapping[str, Question]:
        """What it listens to: for each arm that is taken at an answer, the question. The other arm is for none."""
        return {}

    @property
    def uses(self) -> Iterable[Use]:
        """What has to be right before it may be published, in the order in which it is said."""
        return ()

    @property
    def longest(self) -> timedelta:
        """How long a run may stand here."""
        return timedelta(0)

    @property
    def shortest(self) -> timedelta:
        """How long a run stands here at least, before it takes an arm if there are any."""
        return timedelta(0)

    @property
    def leads_on(self) -> bool:
        """Whether a run can come from here to the steps after it."""
        return not self.arms or any(lead_on(arm.steps) for arm in self.arms)

    def arm(self, name: str) -> Arm:
        """The arm of that name. Raises LookupError."""
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise LookupError(
            f'"{self.id}" has no arm "{name}"; it has {", ".join(arm.name for arm in self.arms) or "none"}'
        )


class Message(Step):
    """A step that sends one content to one customer. Its subclasses say through which channel.

    *expires*: so long after the step was entered the message is blocked, not sent late.
    *in_doubt*: what to do where nobody can tell whether it went out. A push that comes twice replaces itself on the
    device, so it is repeated; an email or a text is left.
    """

    kind: ClassVar[Kind]

    to: Annotated[str, Expected("the attribute that holds the address, such as customer.email")]
    expires: Duration | None = None
    in_doubt: Literal["leave", "repeat"] | None = None

    @property
    def repeats_in_doubt(self) -> bool:
        """Whether a message is sent again where nobody can tell whether it went out."""
        return (self.in_doubt or ("repeat" if self.kind == "push" else "leave")) == "repeat"

    @property
    def content(self) -> str:
        """The name of the content that is sent."""
        content: str = getattr(self, self.kind)
        return content

    @property
    def words(self) -> str:
        return f"sends {self.kind} {self.content}"

    @property
    def uses(self) -> Iterable[Use]:
        yield ChannelUse(self.kind, self.kind)
        yield AddressUse("to", self.to)
        if self.expires is not None:
            yield DurationUse("expires", self.expires)
        yield ContentUse(self.kind, self.content, self.kind)


class Email(Message):
    """Send an email."""

    kind = "email"
    email: Name


class Text(Message):
    """Send a text message."""

    kind = "text"
    text: Name


class Push(Message):
    """Send a push notification."""

    kind = "push"
    push: Name


class Wait(Step):
    """Let a fixed time pass, counted from entering the step."""

    wait: Duration

    @property
    def words(self) -> str:
        return f"waits {say(self.wait)}"

    @property
    def uses(self) -> Iterable[Use]:
        yield DurationUse("wait", self.wait)

    @property
    def longest(self) -> timedelta:
        return self.wait

    @property
    def shortest(self) -> timedelta:
        return self.wait


class If(Step):
    """Wait for an answer within a limit: yes at once when it comes, no when the limit passes.

    The steps after an ``if`` go on for both arms.
    """

    if_: Question = Field(alias="if")
    then: tuple[AnyStep, ...] = ()
    else_: tuple[AnyStep, ...] = Field((), alias="else")

    @property
    def words(self) -> str:
        return f"waits for {self.if_.words}, at most {say(self.if_.within)}"

    @property
    def arms(self) -> tuple[Arm, ...]:
        return Arm("yes", self.then, "then"), Arm("no", self.else_, "else")

    @property
    def questions(self) -> Mapping[str, Question]:
        return {"yes": self.if_}

    @property
    def uses(self) -> Iterable[Use]:
        return self.if_.uses("if")

    @property
    def longest(self) -> timedelta:
        return self.if_.within


def _one_line(reason: str) -> str:
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in reason):
        raise ValueError("one line of text is expected, without control characters")
    return reason


class End(Step):
    """Complete the run here, with a reason for people. No step after it is reached."""

    end: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
        AfterValidator(_one_line),
        Expected("a reason in words, at most 200 characters"),
    ]

    @property
    def words(self) -> str:
        return f"ends: {self.end}"

    @property
    def leads_on(self) -> bool:
        return False


def _step_type(step: object) -> str | None:
    if isinstance(step, dict):
        return next((name for name in STEP_TYPES if name in step), None)
    return next((name for name, model in STEP_TYPES.items() if isinstance(step, model)), None)


AnyStep = Annotated[
    Annotated[Email, Tag("email")]
    | Annotated[Text, Tag("text")]
    | Annotated[Push, Tag("push")]
    | Annotated[Wait, Tag("wait")]
    | Annotated[If, Tag("if")]
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


def every_step(steps: Steps) -> Iterator[AnyStep]:
    """All steps of a tree, in the order they are written."""
    for step in steps:
        yield step
        for arm in step.arms:
            yield from every_step(arm.steps)


def placed(steps: Steps, path: str) -> Iterator[tuple[str, AnyStep]]:
    """All steps of a tree with their places, in the order they are written: ``steps[1].else[0]``."""
    for index, step in enumerate(steps):
        here = f"{path}[{index}]"
        yield here, step
        for arm in step.arms:
            yield from placed(arm.steps, f"{here}.{arm.field}")


def lead_on(steps: Steps) -> bool:
    """Whether a run can come through all of *steps* to what follows them."""
    return all(step.leads_on for step in steps)


def depth(steps: Steps) -> int:
    """How deep arms lie within arms: 1 for steps without any."""
    return 1 + max((depth(arm.steps) for step in steps for arm in step.arms), default=0)


DEEPEST = 50
MOST_STEPS = 1_000


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


def message_in(steps: Steps, id: str) -> Message | None:
    """The message step of that id, or None."""
    return next((step for step in every_step(steps) if isinstance(step, Message) and step.id == id), None)


If.model_rebuild()
