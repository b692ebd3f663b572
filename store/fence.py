"""The fence before a walk that is not where its run is: what it still says is not written, and it is told where to go.

A run is elsewhere where it was moved to another version, or where Temporal was set back, or one workflow was reset: its
walk plays old steps again then, and may go another way than it went, as it has not heard what it had.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from journeys.walk.diary import Entry, Moved
from journeys.walk.world import Visit
from store.diaries import entry_of
from store.lifecycle import RunState
from store.moves import tell
from store.outbox import told
from store.schema import diary


def elsewhere(connection: Connection, run: RunState, visit: Visit) -> Moved | None:
    """Whether a run under way, which is locked, is not on the way that its walk says: of another version, or beside it.

    A walk that only lags behind is on it: it is answered as it was answered then.
    """
    moved = walks_another(connection, run, visit.version)
    said = visit.unwritten or (visit.position.entered,)
    if not moved and visit.version and not run.ended and _contradicts(connection, run, said):
        moved = Moved(version=run.version.number)
    return called(connection, run, moved, visit.now) if moved else None


def gone_on(connection: Connection, run: RunState, visit: Visit) -> Moved | None:
    """Whether a run under way, which is locked, has left the step of a visit of which nothing is kept."""
    if not visit.version or run.ended or run.lines <= visit.position.lines:
        return None
    return called(connection, run, Moved(version=run.version.number), visit.now)


def moved_on(connection: Connection, run: RunState, version: int | None, now: datetime) -> Moved | None:
    """Whether a run under way, which is locked, walks another version than its walk says, which is told where to go."""
    moved = walks_another(connection, run, version)
    return called(connection, run, moved, now) if moved else None


def not_to_note(connection: Connection, run: RunState, version: int | None, entries: Sequence[Entry]) -> Moved | None:
    """Whether lines that a walk of *version* notes by themselves are of another version, or beside the run's way.

    Its walk is not told: that is for who waits for it, by called().
    """
    moved = walks_another(connection, run, version)
    if moved or not version or not entries or run.ended:
        return moved
    lags = run.lines > entries[-1].n + 1 or _contradicts(connection, run, entries)
    return Moved(version=run.version.number) if lags else None


def walks_another(connection: Connection, run: RunState, version: int | None) -> Moved | None:
    """Whether a run under way, which is locked, walks another version than *version*; its walk is not told.

    A walk of release 0.1 names no version. It is one of an earlier version as soon as its run was moved at all.
    """
    if run.ended:
        return None
    walks = run.version.number
    is_other = version != walks if version else _was_moved(connection, run)
    return Moved(version=walks) if is_other else None


def called(connection: Connection, run: RunState, moved: Moved, now: datetime) -> Moved:
    """Have its walk told where the run is, unless that is on its way: it waits, and Temporal may have lost the word."""
    if not told(connection, [run.id], "move"):
        tell(connection, [run.id], now, bulk=False)
    return moved


def _contradicts(connection: Connection, run: RunState, said: Sequence[Entry]) -> bool:
    """Whether the diary has other lines than these, as far as it has them."""
    first, last = said[0], said[-1]
    if run.lines == first.n or (first is last and run.lines == last.n + 1 and run.step == last.step):
        return False  # nothing of it is kept yet, or it is where the run stands
    kept = [entry_of(row) for row in connection.execute(_KEPT, {"of_run": run.id, "from_n": first.n, "to_n": last.n})]
    return any(_gist(one) != _gist(other) for one, other in zip(said, kept, strict=False))


def _gist(entry: Entry) -> tuple[object, ...]:
    return entry.n, entry.at, entry.step, entry.did, entry.arm


def _was_moved(connection: Connection, run: RunState) -> bool:
    return connection.execute(_MOVED, {"of_run": run.id}).first() is not None


_MOVED = select(diary.c.n).where(diary.c.run == bindparam("of_run"), diary.c.did == "moved").limit(1)
_KEPT = (
    select(diary)
    .where(diary.c.run == bindparam("of_run"), diary.c.n >= bindparam("from_n"), diary.c.n <= bindparam("to_n"))
    .order_by(diary.c.n)
)
