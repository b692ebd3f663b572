"""What steps refer to, or take: all that has to be right before a journey may be published."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from journeys.interactions import Interaction, Kind

if TYPE_CHECKING:
    from journeys.steps.choosing import Tested

Written = str | bool | int | float
"""An expression as it is written: ``event.total``, or a plain number or truth value."""


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
    """A step asks for this link, which only a question for a click can have."""

    path: str
    interaction: Interaction
    link: str


class DurationUse(NamedTuple):
    """A step takes a time, which must be more than nothing."""

    path: str
    duration: timedelta


class ReplyUse(NamedTuple):
    """A step asks for some answers to a text, which only a question for a reply can have."""

    path: str
    interaction: Interaction
    replies: tuple[str, ...]


class BecomesUse(NamedTuple):
    """A step asks whether a condition on the customer holds."""

    path: str
    condition: str


class ConditionsUse(NamedTuple):
    """A step takes the first of its arms whose condition holds: on the event, the customer, the time and outcomes.

    *others_go*: it says where those go for whom none holds.
    """

    path: str
    conditions: tuple[str, ...]
    others_go: bool = False


class ExpressionUse(NamedTuple):
    """A step works out a value of what is known now."""

    path: str
    expression: Written


class SharesUse(NamedTuple):
    """A step shares people out over its arms: percent of all. Without shares they go by number.

    *others_go*: it says where those go who are in none of its arms. *by_run*: for each run anew.
    """

    path: str
    shares: tuple[Decimal, ...]
    others_go: bool = False
    by_run: bool = False


class RaiseUse(NamedTuple):
    """A step makes an event of a trigger, with attributes that are worked out."""

    path: str
    trigger: str
    attributes: Mapping[str, Written]


class SetUse(NamedTuple):
    """A step sets attributes of the customer. None takes one away."""

    path: str
    attributes: Mapping[str, Written | None]


class EndpointUse(NamedTuple):
    """A step calls a registered endpoint."""

    path: str
    endpoint: str


class DateUse(NamedTuple):
    """A step takes an instant from an attribute that is a time or a date."""

    path: str
    attribute: str
    yearly: bool = False


class InstantUse(NamedTuple):
    """A step waits for an instant."""

    path: str
    at: datetime


class WinnerUse(NamedTuple):
    """A step measures its arms by the goal, or by reactions to the one message in each."""

    path: str
    tested: Tested


Use = (
    ChannelUse
    | AddressUse
    | ContentUse
    | TriggerUse
    | MessageUse
    | LinkUse
    | DurationUse
    | ReplyUse
    | BecomesUse
    | ConditionsUse
    | ExpressionUse
    | SharesUse
    | RaiseUse
    | SetUse
    | EndpointUse
    | DateUse
    | InstantUse
    | WinnerUse
)
"""What a step refers to, or takes: all that has to be right before it may be published."""
