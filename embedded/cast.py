"""Who plays an example: one customer for each script, when they do what, and what a preview says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from embedded.examples import Example
from journeys.catalogue import Trigger
from journeys.clearance.policy import Policy
from journeys.language.attributes import Attributes, Value
from journeys.language.zones import Zone, zone_of
from journeys.walk.script import Happening
from journeys.walk.timeline import PreviewRun
from terminal import rehearsal
from terminal.folder import Customer, Script

A_WEEK = timedelta(weeks=1)


@dataclass(frozen=True)
class Part:
    """One customer's part: what they do, and what must come of it by the preview.

    *spread*: over how long is let go what was held. When in it, is drawn by the send's id, which is another one each
    time.
    """

    customer: Customer
    title: str
    zone: Zone
    lines: tuple[Happening, ...]
    foreseen: tuple[PreviewRun, ...]
    spread: timedelta = timedelta(0)

    @property
    def id(self) -> str:
        return self.customer.customer

    @property
    def name(self) -> str:
        """What others call them."""
        return str(self.customer.attributes.get("first_name") or self.id)

    @property
    def ends_at(self) -> datetime:
        """When nothing happens any more (aware UTC)."""
        return max(run.ended_at for run in self.foreseen if run.ended_at)


def begin_after(now: datetime, example: Example) -> datetime:
    """When an example that is not before *now* begins: on the weekday and at the time at which its previews do."""
    usual = rehearsal.begin_of(example.journey)
    return usual + A_WEEK * max(0, -((usual - now) // A_WEEK))


def cast(example: Example, begin: datetime, policy: Policy) -> list[Part]:
    """Everybody's part, where the scripts begin at *begin*; dates that they name are as far from it as they were."""
    return [_part(example, script, begin, policy) for script in example.scripts]


def _part(example: Example, script: Script, begin: datetime, policy: Policy) -> Part:
    customer = rehearsal.customer_for(script, None, example.folder)
    zone = zone_of([("the customer", customer.attributes.get("time_zone")), ("the journey", example.journey.time_zone)])
    weeks = (begin - rehearsal.begin_of(example.journey)) // A_WEEK
    lines = tuple(_moved(line, weeks * A_WEEK, zone, example.folder.all(Trigger)) for line in script.events)
    moved = script.model_copy(update={"events": lines})
    played = rehearsal.play(example.journey, example.folder, moved, customer, begin, policy)
    return Part(customer, script.title, zone, lines, played.runs, (example.folder.policy or policy).spread)


def _moved(line: Happening, by: timedelta, zone: Zone, triggers: Mapping[str, Trigger]) -> Happening:
    trigger = triggers.get(line.trigger or "")
    if trigger is None:
        return line
    types = {name: declared.rstrip("?") for name, declared in trigger.attributes.items()}
    return line.model_copy(update={"attributes": dict(_later(line.attributes, types, by, zone))})


def _later(
    attributes: Attributes, types: Mapping[str, str], by: timedelta, zone: Zone
) -> Iterator[tuple[str, Value | None]]:
    """Times and dates of an event, so much later on the customer's own clock."""
    for name, value in attributes.items():
        match types.get(name), value:
            case "time", str():
                yield name, (datetime.fromisoformat(value).astimezone(zone.zone) + by).isoformat()
            case "date", str():
                yield name, (date.fromisoformat(value) + by).isoformat()
            case _:
                yield name, value
