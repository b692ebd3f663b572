"""The lines of a diary that no send carries: before a wait that no send precedes, and at an end."""

from __future__ import annotations

from pydantic import AwareDatetime
from temporalio import activity

from activities.privacy import nothing_personal
from journeys.listening import Ended
from journeys.models import Frozen
from journeys.walk.diary import Entry
from journeys.walk.position import Arrival
from store import outbox, runs
from store.store import Store


class Lines(Frozen):
    """Lines of a run's diary that the store does not have yet."""

    run: str
    entries: tuple[Entry, ...]


class End(Frozen):
    """How, why and when a run ended, with the last lines of its diary."""

    run: str
    ended: Ended
    why: str
    at: AwareDatetime
    entries: tuple[Entry, ...]


class Notes:
    """Three local activities, each one transaction, and each the same when done twice."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @activity.defn(name="note")
    async def note(self, lines: Lines) -> None:
        """Write lines of the diary."""
        with nothing_personal("noting"):
            await runs.note(self._store, lines.run, lines.entries)

    @activity.defn(name="catch_up")
    async def catch_up(self, run: str) -> tuple[Arrival, ...]:
        """Read the answers that were accepted in time and have not come here yet."""
        with nothing_personal("catching up"):
            return await outbox.untold(self._store, run)

    @activity.defn(name="close")
    async def close(self, end: End) -> None:
        """Write that the run is over. The first end is the one that stays."""
        with nothing_personal("closing"):
            await runs.close(self._store, end.run, end.ended, end.why, end.at, end.entries)
