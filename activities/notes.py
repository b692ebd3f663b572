"""The lines of a diary that no send carries: before a wait that no send precedes, and at an end."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import AwareDatetime
from temporalio import activity

from activities.privacy import nothing_personal
from journeys.models import Frozen
from journeys.walk.diary import Ended, EndedBy, Entry, Moved
from journeys.walk.position import Arrival, Unheard
from store import runs
from store.answers import answers_of
from store.store import Store


class Lines(Frozen):
    """Lines of a run's diary that the store does not have yet, and the events *known* for the questions they pass.

    *version*: which one it walks. Earlier releases did not tell.
    """

    run: str
    entries: tuple[Entry, ...]
    known: tuple[str, ...] = ()
    version: int | None = None


class End(Frozen):
    """How, why and when a run ended, with the last lines of its diary as in Lines."""

    run: str
    ended: Ended
    why: str
    at: AwareDatetime
    entries: tuple[Entry, ...]
    known: tuple[str, ...] = ()
    version: int | None = None


_BY: Mapping[Ended, EndedBy] = {"completed": "done", "cancelled": "operator"}
"""What an end came from that the walk tells of; the store knows of all others first."""


class Notes:
    """Three local activities, each one transaction, and each the same when done twice."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @activity.defn(name="note")
    async def note(self, lines: Lines) -> Unheard | Moved | None:
        """Write lines of the diary, unless an answer contradicts them, or its run walks another version."""
        with nothing_personal("noting"):
            return await runs.note(self._store, lines.run, lines.entries, lines.known, lines.version)

    @activity.defn(name="catch_up")
    async def catch_up(self, run: str) -> tuple[Arrival, ...]:
        """Read the answers that were accepted: some of them may not have come here yet."""
        with nothing_personal("catching up"):
            return await answers_of(self._store, run)

    @activity.defn(name="close")
    async def close(self, end: End) -> Unheard | Moved | None:
        """Write that the run is over, unless an answer contradicts it. The first end is the one that stays."""
        with nothing_personal("closing"):
            return await runs.close(
                self._store,
                end.run,
                _BY[end.ended],
                end.why,
                end.at,
                end.entries,
                known=end.known,
                version=end.version,
            )
