"""What journeys are made of: triggers with their attributes, contents, and the attributes of customers."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, StrictBool, StringConstraints, model_validator

from journeys.clearance.consent import About, Purpose
from journeys.interactions import INTERACTIONS, Interaction, Kind, interaction_trigger
from journeys.language.attributes import AttributeName, Attributes, AttributeType, Declaration, Schema
from journeys.models import Expected, Model, Name, Time

State = Literal["draft", "ready", "stopped"]


def _opaque(customer: str) -> str:
    if "@" in customer or customer.startswith("+"):
        raise ValueError(
            "a customer id must not be an email address or a phone number: ids are shown to operators and kept by "
            "Temporal in clear. Use your own opaque id"
        )
    if strange := _STRANGE.search(customer):
        raise ValueError(
            f'a customer id cannot have "{strange[0]}" in it: use letters, digits and . _ : -, such as '
            f'"{_STRANGE.sub(":", customer)[:128]}"'
        )
    return customer


_STRANGE = re.compile(r"[^A-Za-z0-9@+._:\-\ud800-\udfff]")

CustomerId = Annotated[
    str,
    AfterValidator(_opaque),
    StringConstraints(pattern=r"^[A-Za-z0-9@+][A-Za-z0-9@+._:-]{0,127}$"),
    Expected("text of at most 128 letters, digits and . _ : -, the first a letter or a digit, such as cust-42"),
    Field(json_schema_extra={"pattern": "^[A-Za-z0-9][A-Za-z0-9+._:-]{0,127}$"}),  # both of the above
]
"""Your own id of a customer, such as ``ada`` or ``cust-42``. Not an address: ids are not secret."""


class Trigger(Model):
    """A named kind of thing that happens, with a typed attribute schema.

    *title*: a name for people.
    *attributes*: what its events carry, each with its type: text, number, boolean or time. With a question mark, such
    as ``text?``, it may be missing.
    *keep*: store every event of it, also those that no live journey listens to; without it they are only counted.
    """

    trigger: Name
    title: str = ""
    attributes: Annotated[
        dict[AttributeName, Declaration], Expected("attributes with their types, such as {cart_id: text}")
    ] = Field(default_factory=dict)
    keep: StrictBool = True


class Event(Model):
    """One occurrence of a trigger for one customer. *id* makes a repeated post the same event.

    *customer* may be left out for interactions: their ``send_id`` says whose they are.
    """

    id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    trigger: Name
    customer: CustomerId | None = None
    source: Annotated[str, StringConstraints(min_length=1, max_length=80)] = "api"
    occurred_at: Time | None = None
    attributes: Attributes = Field(default_factory=dict)


class CustomerEvent(Event):
    """A change of a customer, as an event. *before*: the attributes as they were; none of a new customer."""

    before: Attributes = Field(default_factory=dict)


def before_of(event: Event) -> Attributes | None:
    """A customer's attributes before a change of them; None where the event is none."""
    return event.before if isinstance(event, CustomerEvent) else None


class Customer(Model):
    """A customer with the attributes that conditions and contents may use.

    *attributes*: text, numbers, true or false. The first value of an attribute decides its type for all customers.
    """

    customer: CustomerId
    attributes: Attributes = Field(default_factory=dict)


class CustomerAttribute(Model):
    """An attribute of customers, and what all of them have in it, if they have it.

    *attribute*: its name.
    *type*: text, number, boolean, time or date.
    """

    attribute: AttributeName
    type: Annotated[AttributeType, Expected("text, number, boolean, time or date")]


class EmailContent(Model):
    """An email: subject and bodies in Liquid. At least one of *text* and *html*.

    *subject*: its line in the list of mails, in Liquid.
    *text*: the body for those who read plain text, in Liquid.
    *html*: the body with its looks, in Liquid. A commercial email has ``{{ unsubscribe_url }}`` in each body.
    """

    at_least_one = ("text", "html")

    subject: str
    text: str = ""
    html: str = ""


class TextContent(Model):
    """A text message in Liquid.

    *body*: what it says.
    """

    body: str


def _app_scheme(scheme: str) -> str:
    if scheme in _NO_APPS:
        raise ValueError(
            f'"{scheme}" is no scheme of an app; expected the one that your app has registered, such as shop'
        )
    return scheme


_NO_APPS = frozenset({"about", "blob", "data", "file", "filesystem", "ftp", "javascript", "vbscript", "view-source"})


class PushContent(Model):
    """A push notification in Liquid.

    *title*: its first line.
    *body*: what it says below.
    *link* leads to the web, or into the app whose *scheme* is given.
    *scheme*: the one that your app has registered, such as ``shop`` for ``shop://cart``.
    """

    title: str
    body: str
    link: str = ""
    scheme: Annotated[str, AfterValidator(_app_scheme), StringConstraints(pattern=r"^([a-z][a-z0-9+.-]{0,62})?$")] = ""

    def wrong_link(self, link: str, *, whole: bool = True) -> str:
        """What is wrong with a link; nothing where it may be opened. Not *whole*: only its beginning is known."""
        allowed = ("https", "http", *([self.scheme] if self.scheme else []))
        scheme, colon, _ = link.lower().partition(":")
        if not link or (colon and scheme in allowed) or (not whole and not colon and not link.strip()):
            return ""
        found = scheme if colon else "no scheme"
        return f"the link of a push leads to {' or '.join(f'{each}:' for each in allowed)}; found {found[:40]}"


class Content(Model):
    """An email, text or push template. Exactly one of *email*, *text* and *push* is given.

    *title*: a name for people.
    *purpose*: which consent it needs; ``transactional`` for what was asked for, such as a receipt.
    *topic*: a name of your own, where a consent to that topic is needed as well.
    *email*: subject and bodies.
    *text*: the body of a text message.
    *push*: title and body of a notification.
    """

    KINDS: ClassVar[tuple[Kind, ...]] = ("email", "text", "push")
    exactly_one = KINDS

    content: Name
    title: str = ""
    purpose: Purpose = "commercial"
    topic: Name | None = None
    email: EmailContent | None = None
    text: TextContent | None = None
    push: PushContent | None = None

    @model_validator(mode="after")
    def _is_for_one_channel(self) -> Self:
        given = [kind for kind in self.KINDS if getattr(self, kind)]
        if len(given) != 1:
            raise ValueError(f"a content is one of {', '.join(self.KINDS)}; found {' and '.join(given) or 'none'}")
        if self.email and not (self.email.text or self.email.html):
            raise ValueError("an email needs a text or an html body; found neither")
        return self

    @property
    def kind(self) -> Kind:
        """Which channel it is for."""
        return next(kind for kind in self.KINDS if getattr(self, kind))

    @property
    def about(self) -> About:
        """What a consent for it is about."""
        return About(self.kind, self.purpose, self.topic)

    @property
    def parts(self) -> dict[str, str]:
        """Its templates by name: ``{"subject": "…", "text": "…"}``."""
        part: Model = getattr(self, self.kind)
        return {name: value for name, value in part if value and name != "scheme"}


CUSTOMER: Schema = {
    "email": "text?",
    "phone": "text?",
    "push_token": "text?",
    "first_name": "text?",
    "last_name": "text?",
    "language": "text?",
    "country": "text?",
    "time_zone": "text?",
}
"""The attributes every customer may have. Others are known from the first customer that has them."""


def interaction_triggers() -> dict[str, tuple[Kind, Interaction]]:
    """The triggers of interactions, by name: ``email-opened`` is ("email", "opened")."""
    return {
        interaction_trigger(kind, interaction): (kind, interaction)
        for kind, interactions in INTERACTIONS.items()
        for interaction in interactions
    }


INTERACTION_TRIGGERS = interaction_triggers()

INTERACTION_SCHEMA: Schema = {"send_id": "text", "link": "text?", "reply": "text?", "machine": "boolean?"}
"""The attributes of every interaction. *machine*: a program opened or clicked it, not a person."""

CREATED, CHANGED = "customer-created", "customer-changed"

CUSTOMER_TRIGGERS = frozenset({CREATED, CHANGED})
"""The triggers of changes of customers. They have no attributes: conditions ask for ``customer.*``, and for
``before.*`` where it was changed.
"""

CUSTOMER_SOURCE = "customers"
"""Where the events of these triggers come from."""

BUILT_IN_NAMES = CUSTOMER_TRIGGERS | INTERACTION_TRIGGERS.keys()


def built_in_schema(trigger: str) -> Schema | None:
    """The attributes of a built-in trigger; None for others."""
    if trigger in CUSTOMER_TRIGGERS:
        return {}
    return INTERACTION_SCHEMA if trigger in INTERACTION_TRIGGERS else None
