"""What a run can wait for: a reaction to a message, an event, or something that becomes true of the customer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Literal, Protocol

from pydantic import Discriminator, Field, StringConstraints, Tag

from journeys.catalogue import CUSTOMER_TRIGGERS
from journeys.interactions import Interaction, Kind, interaction_trigger
from journeys.language.cel_source import Where
from journeys.language.durations import Duration
from journeys.models import Expected, Model, Name
from journeys.steps.uses import BecomesUse, DurationUse, LinkUse, MessageUse, ReplyUse, TriggerUse, Use

KindOf = Callable[[str], Kind | None]
"""What kind of message a step sends; None where there is no such message step."""

By = Literal["people", "anyone"]
Reply = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Replies = Annotated[
    Annotated[tuple[Reply, ...], Field(min_length=1)],
    Expected("a list of answers, such as [yes, ja]"),
]
"""Answers to a text. They are compared whole, whatever their case, blanks and punctuation."""


class Asked(Protocol):
    """A question, or the part of an ``await`` that is one."""

    @property
    def words(self) -> str:
        """What is waited for, in a word or two: ``opened``."""
        ...

    @property
    def about(self) -> str | None:
        """The message step that it is about, if it is about one."""
        ...


class MessageQuestion(Model):
    """Asks for an interaction with a message of this run.

    *message*: the id of an earlier message step.
    *is*: what becomes of the message.
    *within* counts from the send, not from the step that asks. *link*: only clicks on this address count, whatever
    trackers add to it; ``*`` in it stands for anything.
    *by*: whether a program that opens mail for its reader, such as Apple's, counts as well.
    *reply*: only these answers to a text count, however they are spelled.
    """

    message: Name
    is_: Interaction = Field(alias="is")
    within: Duration
    link: str | None = None
    by: By = "people"
    reply: Replies | None = None

    @property
    def words(self) -> str:
        """What is waited for, in a word or two: ``opened``."""
        return f"{self.is_} {' or '.join(self.reply)}" if self.reply else self.is_

    @property
    def condition(self) -> str:
        """The same with what narrows it: ``clicked https://shop.example.com/sale``."""
        return f"{self.words} {self.link}" if self.link else self.words

    @property
    def whole(self) -> str:
        """The same with all that is said of it but the limit."""
        return f"{self.condition} of {self.message}" + (" by anyone" if self.by == "anyone" else "")

    @property
    def about(self) -> str | None:
        """The message step that it is about."""
        return self.message

    def uses(self, path: str) -> Iterator[Use]:
        """What has to be right for it to be asked at *path*."""
        yield DurationUse(f"{path}.within", self.within)
        yield MessageUse(path, self.message, self.is_)
        if self.link is not None:
            yield LinkUse(f"{path}.link", self.is_, self.link)
        if self.reply is not None:
            yield ReplyUse(f"{path}.reply", self.is_, self.reply)

    def triggers(self, kind_of: KindOf) -> tuple[str, ...]:
        """The triggers whose events may answer it. An interaction's is built in: ``email-opened``."""
        kind = kind_of(self.message)
        return (interaction_trigger(kind, self.is_),) if kind else ()


class EventQuestion(Model):
    """Asks for an event of a trigger, after the step that asks was entered.

    *trigger*: the trigger whose events count.
    *where*: a condition on the event and the customer, such as ``event.city == "Oslo"``.
    *within*: how long it is waited for.
    """

    trigger: Name
    where: Where | None = None
    within: Duration

    @property
    def words(self) -> str:
        """What is waited for, in a word or two: ``purchase-completed``."""
        return self.trigger

    @property
    def condition(self) -> str:
        """The same with what narrows it: ``store-visit, where event.city == "Oslo"``."""
        return f"{self.trigger}, where {' '.join(self.where.split())}" if self.where else self.trigger

    @property
    def whole(self) -> str:
        """All that is said of it but the limit."""
        return self.condition

    @property
    def about(self) -> str | None:
        """No message."""
        return None

    def uses(self, path: str) -> Iterator[Use]:
        """What has to be right for it to be asked at *path*."""
        yield DurationUse(f"{path}.within", self.within)
        yield TriggerUse(path, self.trigger, self.where)

    def triggers(self, kind_of: KindOf) -> tuple[str, ...]:
        """The triggers whose events may answer it."""
        del kind_of
        return (self.trigger,)


class BecomesQuestion(Model):
    """Asks whether a condition on the customer holds, when the step is entered or as soon as the customer changes.

    *becomes*: the condition, such as ``customer.plan == "pro"``.
    *within*: how long it is waited for.
    """

    becomes: Annotated[Where, Expected('a condition on the customer, such as customer.plan == "pro"')]
    within: Duration

    @property
    def words(self) -> str:
        """What is waited for: the condition."""
        return " ".join(self.becomes.split())

    @property
    def condition(self) -> str:
        """Nothing narrows it."""
        return self.words

    @property
    def whole(self) -> str:
        """All that is said of it but the limit."""
        return self.condition

    @property
    def about(self) -> str | None:
        """No message."""
        return None

    def uses(self, path: str) -> Iterator[Use]:
        """What has to be right for it to be asked at *path*."""
        yield DurationUse(f"{path}.within", self.within)
        yield BecomesUse(f"{path}.becomes", self.becomes)

    def triggers(self, kind_of: KindOf) -> tuple[str, ...]:
        """The triggers whose events may answer it."""
        del kind_of
        return tuple(sorted(CUSTOMER_TRIGGERS))


_TAGS = {"message": MessageQuestion, "trigger": EventQuestion, "becomes": BecomesQuestion}


def asks_for(question: object) -> str | None:
    """The field that tells what is waited for; None where it is not there."""
    if isinstance(question, dict):
        return next((name for name in _TAGS if name in question), None)
    return next((name for name in _TAGS if hasattr(question, name)), None)


Question = Annotated[
    Annotated[MessageQuestion, Tag("message")]
    | Annotated[EventQuestion, Tag("trigger")]
    | Annotated[BecomesQuestion, Tag("becomes")],
    Discriminator(
        asks_for,
        custom_error_type="unknown_question",
        custom_error_message="A question names a message, a trigger or what becomes true",
    ),
]
