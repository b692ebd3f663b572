"""A journey as it is written: start, goal, exits, and a tree of steps. YAML and JSON are the same model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
)

from journeys.durations import Duration

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
"""A name for people and for URLs: lower-case letters, digits and dashes, such as ``abandoned-cart``."""


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("a time between the years 1 and 9999 in UTC is expected") from None


Time = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""An instant. Written with its offset, kept as UTC."""

Kind = Literal["email", "text", "push"]
Interaction = Literal["delivered", "opened", "clicked", "bounced", "replied", "unsubscribed"]

INTERACTIONS: dict[Kind, tuple[Interaction, ...]] = {
    "email": ("delivered", "opened", "clicked", "bounced", "unsubscribed"),
    "text": ("delivered", "clicked", "bounced", "replied", "unsubscribed"),
    "push": ("delivered", "opened", "clicked"),
}


class Model(BaseModel):
    """Frozen, and strict about names: an unknown field is an error, never ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)


class After(Model):
    """Repeat no sooner than this long after the last entry."""

    after: Duration


Repeat = Literal["never", "immediately"] | After


class Start(Model):
    """Who enters, on which trigger, how often, and in which window of time."""

    trigger: Name
    where: str | None = None
    key: str | None = None
    repeat: Repeat = "immediately"
    overlap: Literal["ignore", "parallel", "restart"] = "ignore"
    from_: Time | None = Field(None, alias="from")
    until: Time | None = None


class Goal(Model):
    """What the journey is for. Reaching it is counted once per run and ends nothing.

    *target* is a share of the people who entered (``50%``) or a number of people.
    *within* is how long after a run completed the goal still counts for it.
    Source: Dynamics 365 "business goals": three days by default.
    """

    trigger: Name
    where: str | None = None
    target: Annotated[str, StringConstraints(pattern=r"^(100|\d{1,2})(\.\d+)?%$")] | int | None = None
    within: Duration = timedelta(days=3)


class Exit(Model):
    """An event that ends the run wherever it stands."""

    trigger: Name
    where: str | None = None


class Message(Model):
    """A step that sends one content to one customer. Its subclasses say through which channel.

    *expires*: so long after the step was entered the message is blocked, not sent late.
    *in_doubt*: what to do where nobody can tell whether it went out. A push that comes twice replaces itself on the
    device, so it is repeated; an email or a text is left.
    """

    kind: ClassVar[Kind]

    id: Name
    to: str
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


class Wait(Model):
    """Let a fixed time pass, counted from entering the step."""

    id: Name
    wait: Duration


class Answer(Model):
    """What an ``if`` waits for: an interaction with a message of this run.

    *within* counts from the send, not from the ``if``. *link*: only clicks on this address count.
    *by*: whether a program that opens mail for its reader, such as Apple's, counts as well.
    """

    message: Name
    is_: Interaction = Field(alias="is")
    within: Duration
    link: str | None = None
    by: Literal["people", "anyone"] = "people"


class Occurrence(Model):
    """What an ``if`` waits for: an event of a trigger, after the step was entered."""

    trigger: Name
    where: str | None = None
    within: Duration


def _asks_for(condition: object) -> str:
    names = condition if isinstance(condition, dict) else vars(condition)
    return "message" if "message" in names else "trigger"


Question = Annotated[
    Annotated[Answer, Tag("message")] | Annotated[Occurrence, Tag("trigger")], Discriminator(_asks_for)
]


class If(Model):
    """Wait for an answer within a limit: yes at once when it comes, no when the limit passes.

    The steps after an ``if`` go on for both arms.
    """

    id: Name
    if_: Question = Field(alias="if")
    then: tuple[Step, ...] = ()
    else_: tuple[Step, ...] = Field((), alias="else")


STEP_TYPES: dict[str, type[Email | Text | Push | Wait | If]] = {
    "email": Email,
    "text": Text,
    "push": Push,
    "wait": Wait,
    "if": If,
}


def _step_type(step: object) -> str | None:
    if isinstance(step, dict):
        return next((name for name in STEP_TYPES if name in step), None)
    return next((name for name, model in STEP_TYPES.items() if isinstance(step, model)), None)


Step = Annotated[
    Annotated[Email, Tag("email")]
    | Annotated[Text, Tag("text")]
    | Annotated[Push, Tag("push")]
    | Annotated[Wait, Tag("wait")]
    | Annotated[If, Tag("if")],
    Discriminator(
        _step_type,
        custom_error_type="unknown_step",
        custom_error_message="A step needs one of: " + ", ".join(STEP_TYPES),
    ),
]
Steps = tuple[Step, ...]


def _at_least_one(steps: Steps) -> Steps:
    if not steps:
        raise ValueError("a journey without steps does nothing: give it at least one.")
    return steps


class Journey(Model):
    """A journey's definition. Publishing it makes an immutable version."""

    journey: Name
    title: str = ""
    start: Start
    goal: Goal | None = None
    exit: tuple[Exit, ...] = ()
    steps: Annotated[Steps, AfterValidator(_at_least_one)]

    @property
    def hash(self) -> str:
        """The identity of its meaning: the same for any spelling of the same journey. 16 hex digits."""
        # Defaults are left out, so that a field that a later release adds changes nobody's identity.
        meaning = self.model_dump_json(by_alias=True, exclude={"title"}, exclude_defaults=True)
        return hashlib.sha256(meaning.encode()).hexdigest()[:16]

    @property
    def triggers(self) -> frozenset[str]:
        """The names of all triggers that this journey listens to, built-in ones included."""
        return self.run_triggers | {self.start.trigger}

    @property
    def run_triggers(self) -> frozenset[str]:
        """The names of the triggers that do something to runs: of the goal, the exits and the ifs."""
        named = {leaving.trigger for leaving in self.exit} | ({self.goal.trigger} if self.goal else set())
        return frozenset(named | {awaited(step, self) for step in every_step(self.steps) if isinstance(step, If)})

    def message(self, step_id: str) -> Message | None:
        """The message step of that id, or None."""
        return next(
            (step for step in every_step(self.steps) if isinstance(step, Message) and step.id == step_id),
            None,
        )


def every_step(steps: Steps) -> Iterator[Email | Text | Push | Wait | If]:
    """All steps of a tree, in the order they are written."""
    for step in steps:
        yield step
        if isinstance(step, If):
            yield from every_step(step.then)
            yield from every_step(step.else_)


def awaited(step: If, journey: Journey) -> str:
    """The name of the trigger that an ``if`` waits for. An interaction's is built in: ``email-opened``."""
    match step.if_:
        case Occurrence(trigger=trigger):
            return trigger
        case Answer(message=message, is_=interaction):
            asked = journey.message(message)
            return interaction_trigger(asked.kind, interaction) if asked else ""


def interaction_trigger(kind: Kind, interaction: Interaction) -> str:
    """The built-in trigger of an interaction: ``email-opened``."""
    return f"{kind}-{interaction}"


def run_id(journey: str, customer: str, source: str, event_id: str) -> str:
    """The id of the run that an event starts, for people and for Temporal: ``abandoned-cart/ada/k3v9x2mq``.

    Made from the event, so that a repeated start is the same start.
    """
    return f"{journey}/{customer}/{short_id(journey, customer, source, event_id)}"


def send_id(run: str, step: str) -> str:
    """The id, for life, of the send of one message step in one run. Opaque: it travels to providers."""
    return short_id("send", run, step, length=20)


def short_id(*parts: str, length: int = 8) -> str:
    """A short id made from *parts*: the same for the same ones, and telling nothing about them."""
    alphabet = "23456789abcdefghjkmnpqrstvwxyz"  # no vowels but a and e, nothing that looks alike
    number = int.from_bytes(hashlib.sha256("\0".join(parts).encode()).digest())
    letters = []
    for _ in range(length):
        number, index = divmod(number, len(alphabet))
        letters.append(alphabet[index])
    return "".join(letters)


If.model_rebuild()
Journey.model_rebuild()
