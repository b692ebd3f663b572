"""The policy: what the house says about who may be messaged when, over all journeys."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Annotated, Literal, Self, get_args

from pydantic import BeforeValidator, Field, StrictInt, WithJsonSchema, model_validator

from journeys.clearance.consent import NOT_ASKED, Purpose, Rules
from journeys.clearance.edges import Edge, wrong_with_edges
from journeys.clearance.keeping import Keep
from journeys.interactions import INTERACTIONS, Kind
from journeys.language.cel_source import Where
from journeys.language.clock import EVERY_DAY, Days, say_days, say_time
from journeys.language.durations import Duration
from journeys.models import Expected, Model

ALL_CHANNELS: tuple[Kind, ...] = tuple(INTERACTIONS)

PURPOSES: tuple[Purpose, ...] = get_args(Purpose)

SPREAD = timedelta(minutes=15)
"""Over so long is let go what was held, so that a morning is no burst."""

LONGEST_SPREAD = timedelta(days=1)

LONGEST_CAP = timedelta(days=366)
"""What caps and the brake look back on at most: shorter than what is kept as usual of who was sent what, and when."""


_ALL = ("all", "any", "both", "every", "*")


def _channels(given: object) -> object:
    if given in _ALL:
        raise ValueError(f'"{given}" is no channel: leave channels out for all of them')
    return (given,) if isinstance(given, str) else given


def _purposes(given: object) -> object:
    if given in _ALL:
        raise ValueError(f'"{given}" is no purpose: write [commercial, transactional]')
    return (given,) if isinstance(given, str) else given


def _one_or_several(known: tuple[str, ...]) -> WithJsonSchema:
    one = {"type": "string", "enum": [*known]}
    return WithJsonSchema({"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]})


Channels = Annotated[
    tuple[Kind, ...],
    BeforeValidator(_channels),
    Field(min_length=1),
    _one_or_several(ALL_CHANNELS),
    Expected("channels such as [email, text, push]"),
]
Purposes = Annotated[
    tuple[Purpose, ...],
    BeforeValidator(_purposes),
    Field(min_length=1),
    _one_or_several(PURPOSES),
    Expected("commercial, transactional, or a list of both"),
]
AtMost = Annotated[
    StrictInt,
    Field(ge=1, le=1_000_000),
    Expected("a whole number from 1 to 1000000; where there is to be no limit, leave the line out"),
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


class QuietTime(Rule):
    """When nothing goes out, by the clocks of the customer.

    *from*, *to*: times of day, over midnight where the second is the earlier one; or dates, both whole days included.
    *on*: the days; a night belongs to the day on which it begins. Without times, these days are quiet as a whole.
    *where*: a condition on the customer.
    """

    from_: Edge | None = Field(None, alias="from")
    to: Edge | None = None
    on: Days = EVERY_DAY
    where: Annotated[Where | None, Expected('a condition on the customer, such as customer.country == "FR"')] = None

    @model_validator(mode="after")
    def _of_two_edges(self) -> Self:
        if wrong := wrong_with_edges(self.from_, self.to):
            raise ValueError(wrong)
        return self


def say_quiet_time(rule: QuietTime) -> str:
    """When it is, in words: ``22:00–06:00 on Friday``, ``2026-12-24 to 2026-12-26``, ``on Sunday``."""
    match rule.from_, rule.to:
        case time() as begins, time() as ends:
            said = f"{say_time(begins)}–{say_time(ends)}"
        case date() as first, date() as last:
            said = f"{first}" if first == last else f"{first} to {last}"
        case _:
            said = "" if say_days(rule.on) else "at all times"
    return f"{said} {say_days(rule.on)}".strip()


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

    same_content: Annotated[SameContent | None, Expected("a rate such as {at_most: 3, per: 24 hours}")] = None
    entries: Annotated[Rate | None, Expected("a rate such as {at_most: 50000, per: 1 hour}")] = None


BY_DEFAULT = Brake(same_content=SameContent(at_most=3, per=timedelta(days=1)))


class Policy(Model):
    """The house's rules about who may be messaged when.

    *time_zone*: that of local times where neither the customer nor the journey names one.
    *quiet*: when nothing goes out. Rules add up.
    *caps*: how many messages one customer gets.
    *spread*: over how long is let go what was held.
    *brake*: what holds a journey. Where it is left out, the fourth copy of a content within a day does; ``{}`` is none.
    *consent*: how consent is enforced.
    *keep*: how long what is over is kept.
    """

    time_zone: Annotated[str, Expected("a time zone such as Europe/Oslo")] = "UTC"
    quiet: Annotated[
        tuple[Annotated[QuietTime, Expected('a quiet time such as {from: "21:00", to: "08:00"}')], ...],
        Field(max_length=100),
    ] = ()
    caps: Annotated[
        tuple[Annotated[Cap, Expected("a cap such as {at_most: 3, per: 7 days}")], ...],
        Field(max_length=20),
    ] = ()
    spread: Duration = SPREAD
    brake: Annotated[
        Brake, Expected("what holds a journey, such as {entries: {at_most: 50000, per: 1 hour}}, or {} for none")
    ] = BY_DEFAULT
    consent: Rules = Field(default_factory=Rules)
    keep: Annotated[Keep, Expected("how long what is over is kept, such as {runs: 400 days}")] = Keep()


NO_POLICY = Policy(brake=Brake(), consent=NOT_ASKED)
"""Where nothing is asked, such as in a preview of nobody's house."""
