"""The moments of one customer's steps: dates of people and local times, in the zone of the customer or of the house.

Pure, and called by production and preview alike, each once for a step that is entered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from journeys.definition import Journey
from journeys.language.attributes import under
from journeys.language.local_times import moment
from journeys.language.moments import Moment, Until, UntilDate
from journeys.language.zones import Zone, zone_of
from journeys.walk.pace import DAY, at_pace

UTC_EVERYWHERE = "UTC"


@dataclass(frozen=True)
class Dated:
    """What moments are computed of: the journey, and the attributes of the customer and the event that started the run.

    *house*: the zone where neither the customer nor the journey names one. *day*: how long a day lasts in the run.
    """

    journey: Journey
    event: Mapping[str, object]
    customer: Mapping[str, object]
    house: str = UTC_EVERYWHERE
    day: timedelta = DAY

    @property
    def zone(self) -> Zone:
        """The zone of the customer's local times, and who says so."""
        return zone_of(
            [
                ("customer.time_zone", self.customer.get("time_zone")),
                ("the journey", self.journey.time_zone),
                ("the house", None if self.house == UTC_EVERYWHERE else self.house),
            ]
        )

    def moment(self, until: Until, entered: datetime) -> Moment:
        """Until when a step waits that is entered at *entered* (aware UTC)."""
        values = under("event", self.event) | under("customer", self.customer)
        return moment(until, entered, values, self.zone, lambda duration: at_pace(duration, self.day))

    def expiry(self, until: UntilDate, entered: datetime) -> Moment:
        """When a message expires whose step is entered at *entered*. Without a date it never does."""
        found = self.moment(until, entered)
        why = f"{found.why}, so it never expires" if found.at is None else f"to be sent {found.why}"
        return found.model_copy(update={"why": why})
