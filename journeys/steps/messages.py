"""The steps that send: one content to one customer, through one channel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from journeys.interactions import Kind
from journeys.language.durations import Duration, say
from journeys.language.moments import UntilDate, no_moment
from journeys.models import Expected, Model, Name
from journeys.steps.failing import Failing, Failure, parks
from journeys.steps.step import Step
from journeys.steps.uses import AddressUse, ChannelUse, ContentUse, DateUse, DurationUse, Use

Address = Annotated[str, Expected("the attribute that holds the address, such as customer.email")]


class AtDate(Model):
    """A date of the event or of the customer, and so long before it.

    *before*: how long before that date.
    """

    at: Annotated[str, Expected("a time of the event or the customer, such as event.trial_ends_at")]
    before: Duration | None = None


Expiry = Annotated[
    Annotated[Duration, no_moment("expires: {{at: {}}}", clocks=False)] | AtDate,
    Expected("a duration such as 1 day, or a date such as {at: event.ends_at, before: 2 hours}"),
]


def _rules_of_the_house(value: object) -> object:
    match value:
        case list() | dict():
            raise ValueError("rules are the house's, in its policy: here stands ignore, or nothing where they hold")
        case False | "off" | "no" | "none" | "never" | "false":
            found = f'"{value}"' if isinstance(value, str) else "false"
            raise ValueError(f"found {found}: where the house's rules are not to hold, write ignore")
        case _:
            return value


Ignore = Annotated[
    Literal["ignore"], BeforeValidator(_rules_of_the_house), Expected("ignore, or nothing where the house's rules hold")
]
"""That rules of the house do not hold."""

Ignored = Literal["quiet", "caps"]
"""Rules of the house that may be ignored."""


class Message(Step):
    """A step that sends one content to one customer. Its subclasses say through which channel.

    *to*: the attribute that holds the address; of several, the first that is there.
    *expires*: so long after the step was entered, or at a date, the message is blocked, not sent late.
    *in_doubt*: what to do where nobody can tell whether it went out. A push that comes twice replaces itself on the
    device, so it is repeated; an email or a text is left.
    *failing*: what the run does where it has failed: with ``park`` it stands there until somebody repairs it. Unless
    said, it does so where the content cannot be filled in, and goes on where the provider refuses the request.
    *quiet*, *caps*: ``ignore`` where the house's quiet times, or its caps, do not hold for it.
    """

    kind: ClassVar[Kind]

    to: Annotated[
        Address | Annotated[tuple[Address, ...], Field(min_length=1)],
        Expected("the attribute that holds the address, such as customer.email"),
    ]
    expires: Expiry | None = None
    in_doubt: Literal["leave", "repeat"] | None = None
    failing: Failing | None = None
    quiet: Ignore | None = None
    caps: Ignore | None = None

    @property
    def expiry(self) -> UntilDate | None:
        """The date after which it is not sent any more, if it is a date."""
        if isinstance(self.expires, AtDate):
            # What is no reference is told when it is published, as that of every attribute that a step uses.
            return UntilDate.model_construct(until=self.expires.at, before=self.expires.before)
        return None

    @property
    def addresses(self) -> tuple[str, ...]:
        """The attributes that may hold the address. The first that is there is taken."""
        return (self.to,) if isinstance(self.to, str) else self.to

    @property
    def repeats_in_doubt(self) -> bool:
        """Whether a message is sent again where nobody can tell whether it went out."""
        return (self.in_doubt or ("repeat" if self.kind == "push" else "leave")) == "repeat"

    def parks(self, failure: Failure) -> bool:
        """Whether a run is parked here by such a failure."""
        return parks(self.failing, failure)

    @property
    def content(self) -> str:
        """The name of the content that is sent."""
        content: str = getattr(self, self.kind)
        return content

    @property
    def has_outcome(self) -> bool:
        return True

    @property
    def words(self) -> str:
        return f"sends {self.kind} {self.content}"

    @property
    def parts(self) -> Mapping[str, str]:
        told = {
            "sends": self.content,
            "goes to": " or ".join(self.addresses),
            "in doubt is": "sent again" if self.repeats_in_doubt else "left",
            "where it fails lets the run": self.failing or "park if it cannot be filled in, else go on",
            "has quiet times": "ignored" if self.quiet else "kept",
            "has caps": "ignored" if self.caps else "kept",
        }
        return told if self.expires is None else {**told, "expires": _say_expiry(self.expires)}

    @property
    def uses(self) -> Iterable[Use]:
        yield ChannelUse(self.kind, self.kind)
        for index, address in enumerate(self.addresses):
            yield AddressUse("to" if isinstance(self.to, str) else f"to[{index}]", address)
        match self.expires:
            case timedelta() as after:
                yield DurationUse("expires", after)
            case AtDate(at=at, before=before):
                yield DateUse("expires.at", at)
                if before is not None:
                    yield DurationUse("expires.before", before)
            case None:
                pass
        yield ContentUse(self.kind, self.content, self.kind)


def _say_expiry(expires: timedelta | AtDate) -> str:
    if isinstance(expires, timedelta):
        return f"{say(expires)} after it is due"
    return f"{say(expires.before)} before {expires.at}" if expires.before is not None else f"at {expires.at}"


class Email(Message):
    """Send an email.

    *email*: the name of the content.
    """

    kind = "email"
    email: Name


class Text(Message):
    """Send a text message.

    *text*: the name of the content.
    """

    kind = "text"
    text: Name


class Push(Message):
    """Send a push notification.

    *push*: the name of the content.
    """

    kind = "push"
    push: Name
