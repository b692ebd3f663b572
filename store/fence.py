"""The fence between a run's versions: what a walk of another one than the run's still says is not written any more."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from journeys.walk.diary import Moved
from store.lifecycle import RunState
from store.moves import tell
from store.outbox import told
from store.schema import diary


def moved_on(connection: Connection, run: RunState, version: int | None, now: datetime) -> Moved | None:
    """Whether a run under way, which is locked, walks another version than its walk says: *version*.

    Whoever is told so waits for the word where to go on, which may have been lost with Temporal's data: where it is not
    on its way, it is sent once more.
    """
    moved = walks_another(connection, run, version)
    if moved and not told(connection, [run.id], "start", "move"):
        tell(connection, [run.id], now, bulk=False)
    return moved


def walks_another(connection: Connection, run: RunState, version: int | None) -> Moved | None:
    """The same, for who does not wait for it.

    A walk of release 0.1 names no version. It is one of an earlier version as soon as its run was moved at all.
    """
    if run.ended:
        return None
    walks = run.version.number
    is_other = version != walks if version else _was_moved(connection, run)
    return Moved(version=walks) if is_other else None


def _was_moved(connection: Connection, run: RunState) -> bool:
    return connection.execute(_MOVED, {"of_run": run.id}).first() is not None


_MOVED = select(diary.c.n).where(diary.c.run == bindparam("of_run"), diary.c.did == "moved").limit(1)
