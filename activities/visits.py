"""What a run does at a step that sends nothing: choose an arm by what is known."""

from __future__ import annotations

from temporalio import activity

from activities.privacy import nothing_personal
from journeys.walk.diary import Choice
from journeys.walk.position import Unheard
from journeys.walk.world import Visit
from store import visits
from store.store import Store


class Visits:
    """Local activities, each one transaction, and each the same when done twice."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @activity.defn(name="decide")
    async def decide(self, visit: Visit) -> Choice | Unheard | None:
        """Choose an arm, and write that the step is passed; None where nothing that it asks holds yet."""
        with nothing_personal("choosing an arm"):
            return await visits.decide(self._store, visit)
