"""A journey as it is written: start, goal, exits, and a tree of steps. YAML and JSON are the same model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, StrictInt, StringConstraints, Tag

from journeys.catalogue import CUSTOMER_TRIGGERS
from journeys.clearance.policy import Rate
from journeys.interactions import Kind
from journeys.language.cel_source import Where
from journeys.language.durations import Duration
from journeys.models import Expected, Model, Name, Time
from journeys.steps import (
    BecomesQuestion,
    Ignore,
    Ignored,
    Message,
    Steps,
    WrittenSteps,
    every_step,
    listening,
    message_in,
)
from journeys.steps.uses import ContentUse, EndpointUse, RaiseUse, Use


class After(Model):
    """Repeat no sooner than this long after the last entry."""

    after: Duration


Repeat = Annotated[Literal["never", "immediately"] | After, Expected("never, immediately, or {after: 7 days}")]


def _one_alone(named: str | tuple[str, ...]) -> str | tuple[str, ...]:
    return named[0] if len(named) == 1 and not isinstance(named, str) else named


StartTrigger = Annotated[
    Name | Annotated[tuple[Name, ...], Field(min_length=1)],
    AfterValidator(_one_alone),
    Expected("a name of lower-case letters, digits and dashes, such as abandoned-cart, or a list of such names"),
]


class Start(Model):
    """Who enters, on which trigger, how often, and in which window of time.

    *trigger*: of several, each one starts a run; what else is said here, and what steps and contents name of the event,
    is about attributes that they share.
    *where*: a condition on the event and the customer, such as ``event.total > 50``.
    *key*: an attribute of the event, such as ``event.cart_id``, that tells apart runs of the same customer.
    *repeat*: how soon the same customer and key may enter again.
    *overlap*: what an event does where this customer and key has a run under way.
    *from*: only events that occurred then or later.
    *until*: only events that occurred before.
    *newest*: an event that comes in longer than this after it occurred starts nothing, so that an import of old events
    writes to nobody.
    """

    trigger: StartTrigger
    where: Where | None = None
    key: Annotated[str, Expected("an attribute of the event, such as event.cart_id")] | None = None
    repeat: Repeat = "immediately"
    overlap: Literal["ignore", "parallel", "restart"] = "ignore"
    from_: Time | None = Field(None, alias="from")
    until: Time | None = None
    newest: Duration = timedelta(days=3)

    @property
    def triggers(self) -> tuple[str, ...]:
        """The triggers whose events start a run."""
        return (self.trigger,) if isinstance(self.trigger, str) else self.trigger


Target = Annotated[
    Annotated[str, StringConstraints(pattern=r"^(100|\d{1,2})(\.\d+)?%$")] | StrictInt,
    Expected("a share of the people who entered, such as 50%, or a number of people"),
]


class Goal(Model):
    """What the journey is for. Reaching it is counted once per run and ends nothing.

    *trigger*: the trigger whose events reach it.
    *where*: a condition on the event and the customer.
    *target* is a share of the people who entered (``50%``) or a number of people.
    *within* is how long after a run completed the goal still counts for it.
    Source: Dynamics 365 "business goals": three days by default.
    """

    trigger: Name
    where: Where | None = None
    target: Target | None = None
    within: Duration = timedelta(days=3)


class EventExit(Model):
    """An event that ends the run wherever it stands.

    *trigger*: the trigger whose events end it.
    *where*: a condition on the event and the customer.
    """

    trigger: Name
    where: Where | None = None

    @property
    def words(self) -> str:
        """What ends the run, for people."""
        return self.trigger


class ConditionExit(Model):
    """A condition on the customer that ends the run wherever it stands, as soon as a change makes it hold.

    Who meets it already does not enter.

    *when*: the condition, such as ``customer.status == "churned"``.
    """

    when: Annotated[Where, Expected('a condition on the customer, such as customer.status == "churned"')]

    @property
    def words(self) -> str:
        """What ends the run, for people: the condition in one line. It says nothing about anybody."""
        return " ".join(self.when.split())


_CONDITIONS = frozenset({"when", "becomes", "condition", "if"})  # as people write it, for one flaw instead of two


def _exits_on(given: object) -> str:
    match given:
        case dict():
            return "when" if "trigger" not in given and _CONDITIONS & given.keys() else "trigger"
        case _:
            return "when" if isinstance(given, ConditionExit) else "trigger"


Exit = Annotated[Annotated[EventExit, Tag("trigger")] | Annotated[ConditionExit, Tag("when")], Discriminator(_exits_on)]


def _trigger_alone(given: object) -> object:
    """Where only a name is given, it is that of the trigger."""
    return {"trigger": given} if isinstance(given, str) else given


def _exit_alone(given: object) -> object:
    if isinstance(given, str) and "customer." in given:
        raise ValueError('a condition is written with when, such as {when: customer.status == "churned"}')
    return _trigger_alone(given)


def _start_alone(given: object) -> object:
    if isinstance(given, list | tuple) and given and all(isinstance(name, str) for name in given):
        raise ValueError(f"several triggers are written as start: {{trigger: [{', '.join(given)}]}}")
    return _trigger_alone(given)


def _by_name(described: object) -> BeforeValidator:
    return BeforeValidator(_trigger_alone, json_schema_input_type=described)


_EXIT = BeforeValidator(_exit_alone, json_schema_input_type=Name | Exit)


def _one_exit(given: object) -> object:
    return (given,) if isinstance(given, str) else given


Exits = tuple[Annotated[Exit, _EXIT], ...]


class JourneyBrake(Model):
    """When a journey is held, with nobody lost, until somebody lets it go.

    *entries*: how many people may enter it.
    """

    entries: Annotated[Rate, Expected("how many people in what time, such as {at_most: 5000, per: 1 hour}")]


def _at_least_one(steps: Steps) -> Steps:
    if not steps:
        raise ValueError("a journey without steps does nothing: give it at least one.")
    return steps


class Journey(Model):
    """A journey's definition. Publishing it makes an immutable version.

    *title*: a name for people; changing it makes no new version.
    *start*: who enters, and when; where it is a trigger alone, its name is enough.
    *goal*: what it is for; reaching it is counted and ends nothing.
    *exit*: what ends a run wherever it stands.
    *time_zone*: that of local times where ``customer.time_zone`` says nothing.
    *quiet*, *caps*: ``ignore`` where the house's quiet times, or its caps, hold for none of its messages.
    *brake*: how many people may enter before it is held, where that is not as the house's policy has it.
    *steps*: what happens, in order.
    """

    journey: Name
    title: str = ""
    start: Annotated[Start, BeforeValidator(_start_alone, json_schema_input_type=Name | Start)]
    goal: Annotated[Goal, _by_name(Name | Goal)] | None = None
    exit: Annotated[Exits, BeforeValidator(_one_exit, json_schema_input_type=Name | Exits)] = ()
    time_zone: Annotated[str, Expected("a time zone such as Europe/Oslo")] | None = None
    quiet: Ignore | None = None
    caps: Ignore | None = None
    brake: (
        Annotated[JourneyBrake, Expected("how many people may enter, such as {entries: {at_most: 5000, per: 1 hour}}")]
        | None
    ) = None
    steps: Annotated[
        WrittenSteps,
        AfterValidator(_at_least_one),
        Field(json_schema_extra={"minItems": 1}),
        Expected("a list of steps, such as - {id: pause, wait: 1 day}"),
    ]

    @property
    def hash(self) -> str:
        """The identity of its meaning: the same for any spelling of the same journey. 16 hex digits."""
        # Defaults are left out, so that a field that a later release adds changes nobody's identity.
        meaning = self.model_dump_json(by_alias=True, exclude={"title"}, exclude_defaults=True)
        return hashlib.sha256(meaning.encode()).hexdigest()[:16]

    @property
    def event_exits(self) -> tuple[EventExit, ...]:
        """The exits by an event, as they are written."""
        return tuple(leaving for leaving in self.exit if isinstance(leaving, EventExit))

    @property
    def condition_exits(self) -> tuple[ConditionExit, ...]:
        """The exits on a condition of the customer, as they are written."""
        return tuple(leaving for leaving in self.exit if isinstance(leaving, ConditionExit))

    @property
    def triggers(self) -> frozenset[str]:
        """The names of all triggers that this journey names, built-in ones included."""
        return self._named.union(self.start.triggers)

    @property
    def run_triggers(self) -> frozenset[str]:
        """The names of the triggers that do something to runs: of the goal, the exits and what steps ask.

        Where an exit or a step has a condition on the customer, every change of the customer does.
        """
        return self._named | self.question_triggers | (CUSTOMER_TRIGGERS if self.condition_exits else frozenset())

    @property
    def _named(self) -> frozenset[str]:
        named = {leaving.trigger for leaving in self.event_exits} | ({self.goal.trigger} if self.goal else set())
        questions = [
            asked.question for asked in listening(self.steps) if not isinstance(asked.question, BecomesQuestion)
        ]
        kinds = self._kinds()
        named |= {trigger for question in questions for trigger in question.triggers(kinds.get)}
        return frozenset(named)

    @property
    def question_triggers(self) -> frozenset[str]:
        """The names of the triggers whose events may answer its steps."""
        kinds = self._kinds()
        return frozenset(trigger for asked in listening(self.steps) for trigger in asked.question.triggers(kinds.get))

    @property
    def raises(self) -> frozenset[str]:
        """The names of the triggers of which its runs make events."""
        return frozenset(use.trigger for use in self._uses() if isinstance(use, RaiseUse))

    @property
    def contents(self) -> frozenset[str]:
        """The names of the contents that it sends."""
        return frozenset(use.content for use in self._uses() if isinstance(use, ContentUse))

    @property
    def endpoints(self) -> frozenset[str]:
        """The names of the endpoints that it calls."""
        return frozenset(use.endpoint for use in self._uses() if isinstance(use, EndpointUse))

    def ignored(self, message: Message) -> frozenset[Ignored]:
        """What of the house's policy does not hold for one of its messages."""
        says: dict[Ignored, bool] = {
            "quiet": bool(self.quiet or message.quiet),
            "caps": bool(self.caps or message.caps),
        }
        return frozenset(rule for rule, ignores in says.items() if ignores)

    def message(self, step_id: str) -> Message | None:
        """The message step of that id, or None."""
        return message_in(self.steps, step_id)

    def _kinds(self) -> dict[str, Kind]:
        """What kind of message each step sends: to look for one among thousands takes as long as there are steps."""
        messages = [step for step in every_step(self.steps) if isinstance(step, Message)]
        return {message.id: message.kind for message in reversed(messages)}

    def _uses(self) -> Iterator[Use]:
        return (use for step in every_step(self.steps) for use in step.uses)


def run_id(journey: str, customer: str, source: str, event_id: str) -> str:
    """The id of the run that an event starts, for people and for Temporal: ``abandoned-cart/ada/k3v9x2mq``.

    Made from the event, so that a repeated start is the same start.
    """
    return f"{journey}/{customer}/{short_id(journey, customer, source, event_id)}"


def send_id(run: str, step: str) -> str:
    """The id, for life, of the send of one message step in one run. Opaque: it travels to providers."""
    return short_id("send", run, step, length=20)


def call_id(run: str, step: str) -> str:
    """The id, for life, of what one step of one run posts to an endpoint: the same for all tries."""
    return short_id("call", run, step, length=20)


def short_id(*parts: str, length: int = 8) -> str:
    """A short id made from *parts*: the same for the same ones, and telling nothing about them."""
    alphabet = "23456789abcdefghjkmnpqrstvwxyz"  # no vowels but a and e, nothing that looks alike
    number = int.from_bytes(hashlib.sha256("\0".join(parts).encode()).digest())
    letters = []
    for _ in range(length):
        number, index = divmod(number, len(alphabet))
        letters.append(alphabet[index])
    return "".join(letters)
