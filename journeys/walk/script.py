"""What a preview is told: a script of events, of what is done with messages, and of changes of a customer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StrictBool, StringConstraints, model_validator

from journeys.catalogue import BUILT_IN_NAMES, CHANGED
from journeys.checks.review import Catalogue
from journeys.clearance.releases import CATCH_UP, CatchUp
from journeys.definition import Journey
from journeys.interactions import Interaction
from journeys.language.attributes import Attributes, check_attributes
from journeys.language.durations import Duration
from journeys.models import Expected, Model, Name
from journeys.nearest import did_you_mean
from journeys.people import AskedNames, AskedPeople
from journeys.problems import Flaw

DEFAULT_START = datetime(2026, 1, 1, 9, 0, tzinfo=UTC)


def _true(said: bool) -> bool:  # noqa: FBT001 - as a line has it
    if not said:
        raise ValueError("a journey stays as it is by itself: leave the line out")
    return said


_True = Annotated[StrictBool, AfterValidator(_true), Expected("true")]


class Happening(Model):
    """One line of a preview's script: an event, an interaction with a message, a customer's change, or what somebody
    does with the journey: a release, a pause or its end, a repair, a new version.

    *at* counts from the beginning of the script. *run* picks a run where there are several: 1 is the first one
    entered; without it, the interaction is with the latest run that sent that message.
    *customer*: attributes that the customer has from then on; null takes one away.
    *trigger*: what happens, with its *attributes*.
    *attributes*: what the event carries.
    *message*: the message step that it is about, with *is*.
    *is*: what became of that message.
    *release*: true, where the journey is let go that the brake holds.
    *pause*: true, where the journey is paused.
    *resume*: how it catches up where it is resumed: now, skip, or {over: 30 minutes}.
    *repair*: true, where runs that are parked try again what has failed.
    *publish*: the journey as it is published then: newcomers take that from then on.
    *people*: whether people inside finish their version, or go on in the one that is published.
    *map*: what steps of older versions are called in it, where that is another name.
    *id*: of the event; the same id is the same event.
    *occurred_at*: when it occurred, where it is heard of later.
    """

    exactly_one = ("trigger", "message", "customer", "release", "pause", "resume", "repair", "publish")

    at: Duration = timedelta(0)
    trigger: Name | None = None
    customer: Attributes | None = None
    attributes: Attributes = Field(default_factory=dict)
    message: Name | None = None
    is_: Interaction | None = Field(None, alias="is")
    release: _True | None = None
    pause: _True | None = None
    resume: Annotated[CatchUp, CATCH_UP] | None = None
    repair: _True | None = None
    publish: Journey | None = None
    people: AskedPeople = "stay"
    map: AskedNames = Field(default_factory=dict)
    run: int | None = Field(None, ge=1)
    id: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    occurred_at: Duration | None = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if sum(getattr(self, name) is not None for name in self.exactly_one) != 1:
            raise ValueError(
                "a line of the script has either a trigger, or a message and what it is, or a customer's new "
                "attributes, or release: true, pause: true, resume: now, repair: true or publish"
            )
        if self.publish is None and self.model_fields_set & {"people", "map"}:
            raise ValueError("people and map go with publish, which says what they are to go on in")
        if self.governs and (self.attributes or self.occurred_at is not None):
            raise ValueError(f"this is done at the time of the line, with nothing else: {{at: 2 days, {self.governs}}}")
        if self.customer is not None and (self.attributes or self.occurred_at is not None):
            raise ValueError("a customer changes as soon as it is told, to what is told: {customer: {plan: pro}}")
        if (self.message is None) != (self.is_ is None):
            raise ValueError("message and is go together: {message: initial-reminder, is: opened}")
        return self

    @property
    def governs(self) -> str:
        """What somebody does with the journey, as it is written; nothing where the line is about the customer."""
        if self.resume:
            return f"resume: {self.resume}" if isinstance(self.resume, str) else "resume: {over: …}"
        if self.repair:
            return "repair: true"
        if self.publish:
            return "publish: …"
        return "release: true" if self.release else "pause: true" if self.pause else ""


def check_happening(line: Happening, catalogue: Catalogue) -> Iterator[Flaw]:
    """What is wrong with an event of a script: a trigger that is not there, or attributes that it does not take."""
    if line.customer is not None:
        given = {name: value for name, value in line.customer.items() if value is not None}
        yield from (flaw.within("customer") for flaw in check_attributes(catalogue.customer, given))
    if line.trigger == CHANGED:
        message = "a change is written as what the customer is from then on."
        yield Flaw(path="trigger", message=message, hint="Write customer: {plan: pro} instead of a trigger.")
    if line.trigger is None:
        return
    schema = catalogue.schema(line.trigger)
    if schema is None:
        hint = did_you_mean(line.trigger, {*catalogue.triggers, *BUILT_IN_NAMES})
        yield Flaw(path="trigger", message=f'no trigger "{line.trigger}".', hint=hint)
        return
    yield from (flaw.within("attributes") for flaw in check_attributes(schema, line.attributes))
