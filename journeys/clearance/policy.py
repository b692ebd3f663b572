"""The policy: what the house says about who may be messaged when, over all journeys."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StrictInt

from journeys.clearance.consent import NOT_ASKED, Purpose, Rules
from journeys.interactions import INTERACTIONS, Kind
from journeys.language.cel_source import Where
from journeys.language.clock import EVERY_DAY, Days, TimeOfDay
from journeys.language.durations import Duration
from journeys.models import Expected, Model

ALL_CHANNELS: tuple[Kind, ...] = tuple(INTERACTIONS)

SPREAD = timedelta(minutes=15)
"""Over so long is let go what was held, so that a morning is no burst."""


def _listed(given: object) -> object:
    return (given,) if isinstance(given, str) else given


Channels = Annotated[
    tuple[Kind, ...],
    BeforeValidator(_listed),
    Field(min_length=1),
    Expected("channels such as [email, text, push]"),
]
Purposes = Annotated[
    tuple[Purpose, ...],
    BeforeValidator(_listed),
    Field(min_length=1),
    Expected("commercial, transactional, or a list of both"),
]
AtMost = Annotated[
    StrictInt,
    Field(ge=1, le=1_000_000),
    Expected("a number of at least 1; where there is to be no limit, leave the line out"),
]


class Rule(Model):
    """Which messages a rule is about.

    *channels*: all of them where it is left out.
    *purpose*: commercial messages alone where it is left out.
    """

    channels: Channels = ALL_CHANNELS
    purpose: Purposes = ("commercial",)

    def is_about(self, channel: Kind, purpose: Purpose) -> bool:
        """Whether a message of that channel and purpose is meant."""
        return channel in self.channels and purpose in self.purpose


Edge = Annotated[
    TimeOfDay | date,
    Expected('a time of day such as "21:00", or a date such as 2026-12-24'),
]


class QuietTime(Rule):
    """When nothing goes out, by the clocks of the customer.

    *from*, *to*: times of day, over midnight where the second is the earlier one; or dates, both whole days included.
    *on*: the days; a night belongs to the day on which it begins. Without times, these days are quiet as a whole.
    *where*: a condition on the customer.
    """

    from_: Edge | None = Field(None, alias="from")
    to: Edge | None = None
    on: Days = EVERY_DAY
    where: Where | None = None


class Cap(Rule):
    """How many messages one customer gets: *at_most* so many in any time that lasts *per*.

    *over*: what becomes of one that would be one too many: ``block``, or ``hold`` until there is a place.
    """

    at_most: AtMost
    per: Duration
    over: Literal["block", "hold"] = "block"


class Rate(Model):
    """How often something may happen: *at_most* so often in any time that lasts *per*."""

    at_most: AtMost
    per: Duration


class SameContent(Rate):
    """How many copies of one content a customer gets: *at_most* so many in any time that lasts *per*.

    *purpose*: of commercial messages alone where it is left out.
    """

    purpose: Purposes = ("commercial",)


class Brake(Model):
    """What nobody means to happen: a journey that does it is held, with nobody lost, until somebody lets it go.

    *same_content*: copies of one content to one customer, over all journeys. So many go out, the next holds its
    journey.
    *entries*: people who enter one journey; one journey may say otherwise.
    """

    same_content: SameContent | None = None
    entries: Rate | None = None


BY_DEFAULT = Brake(same_content=SameContent(at_most=3, per=timedelta(days=1)))


class Policy(Model):
    """The house's rules about who may be messaged when.

    *time_zone*: that of local times where neither the customer nor the journey names one.
    *quiet*: when nothing goes out. Rules add up.
    *caps*: how many messages one customer gets.
    *spread*: over how long is let go what was held.
    *brake*: what holds a journey. Where it is left out, the fourth copy of a content within a day does; ``{}`` is none.
    *consent*: how consent is enforced.
    """

    time_zone: Annotated[str, Expected("a time zone such as Europe/Oslo")] = "UTC"
    quiet: Annotated[tuple[QuietTime, ...], Field(max_length=100)] = ()
    caps: Annotated[tuple[Cap, ...], Field(max_length=20)] = ()
    spread: Duration = SPREAD
    brake: Brake = BY_DEFAULT
    consent: Rules = Field(default_factory=Rules)


NO_POLICY = Policy(brake=Brake(), consent=NOT_ASKED)
"""Where nothing is asked, such as in a preview of nobody's house."""
