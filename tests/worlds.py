"""What worlds of tests have in common."""

from __future__ import annotations

from journeys.language.moments import Moment
from journeys.walk.diary import Choice, Delivery
from journeys.walk.world import Visit


class OnlyMessages:
    """The verbs of a world in which nothing is asked for but messages and time."""

    async def perform(self, visit: Visit) -> Delivery:
        raise AssertionError(visit.at_step)

    async def decide(self, visit: Visit) -> Choice | None:
        raise AssertionError(visit.at_step)

    async def moment(self, visit: Visit) -> Moment:
        raise AssertionError(visit.at_step)
