"""What a run does at a step that sends nothing: choose an arm, find out until when it waits, or act."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from temporalio import activity

from activities.privacy import nothing_personal
from journeys.language.moments import Moment
from journeys.walk.diary import Choice, Delivery, Held, Moved, Over
from journeys.walk.position import Unheard
from journeys.walk.world import Visit
from store import visits
from store.store import Store


class Visits:
    """Local activities, each one transaction, and each the same when done twice.

    *told* is called when there may be something that Temporal is to be told.
    """

    def __init__(self, store: Store, told: Callable[[], Awaitable[object]]) -> None:
        self._store = store
        self._told = told

    @activity.defn(name="decide")
    async def decide(self, visit: Visit) -> Choice | Unheard | Over | Moved | None:
        """Choose an arm, and write that the step is passed; None where nothing that it asks holds yet."""
        with nothing_personal("choosing an arm"):
            return await visits.decide(self._store, visit)

    @activity.defn(name="moment")
    async def moment(self, visit: Visit) -> Moment | Unheard | Over | Moved:
        """Find out until when the run waits, and write it down."""
        with nothing_personal("finding out until when to wait"):
            return await visits.moment(self._store, visit)

    @activity.defn(name="perform")
    async def perform(self, visit: Visit) -> Delivery | Held | Unheard | Over | Moved:
        """Do what an action says, and write that the step is passed; Held while it may not be done yet."""
        with nothing_personal("acting"):
            did = await visits.perform(self._store, visit)
        await self._told()
        return did
