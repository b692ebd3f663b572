"""Whether this database seems to have been set back: then nothing is sent or done until somebody has looked."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, ScalarSelect, delete, insert, select

from journeys.problems import Unavailable
from journeys.walk.world import Visit
from store.audit import BY_ITSELF, Change, record
from store.lifecycle import RunState
from store.schema import house
from store.store import write_transaction

LOOK_FIRST = "The database seems to have been set back, so nothing is sent: sojourn problems"


class SetBack(NamedTuple):
    """Since when nothing is sent (aware UTC), and what shows that the database was set back. It names nobody."""

    since: datetime
    why: str


class WentBack(Unavailable):
    """A run's walk knows of more than the database does, so the database is not what it was."""

    why = "Temporal knows more of some runs than this database does"


@write_transaction
def hold_all(connection: Connection, why: str, now: datetime) -> bool:
    """Let nothing be sent or done until it is let go. Returns whether that is news."""
    if read_set_back(connection):
        return False
    connection.execute(insert(house), {"id": _ONE, "set_back_at": now, "set_back_why": why})
    record(connection, Change(BY_ITSELF, now), "everything held", "house", {"why": why})
    return True


@write_transaction
def let_all_go(connection: Connection, change: Change, detail: dict[str, object]) -> bool:
    """Let messages go out again. Returns whether they were held. *detail*: what was done before, for the audit log."""
    held = bool(connection.execute(delete(house)).rowcount)
    if held:
        record(connection, change, "everything let go", "house", detail)
    return held


def read_set_back(connection: Connection) -> SetBack | None:
    """What keeps everything from being sent, if that is so."""
    row = connection.execute(_SET_BACK).one_or_none()
    return SetBack(row.set_back_at, row.set_back_why) if row else None


def refuse_if_ahead(run: RunState, visit: Visit) -> None:
    """Raises WentBack where a walk believes lines to be here that are not: nothing takes a line away but a restore."""
    first = visit.unwritten[0].n if visit.unwritten else visit.position.lines
    if visit.version and not run.ended and first > run.lines:
        raise WentBack(LOOK_FIRST)


def set_back_at() -> ScalarSelect[datetime]:
    """A column beside others: since when nothing is sent."""
    return select(house.c.set_back_at).where(house.c.id == _ONE).scalar_subquery()


_ONE = 1
_SET_BACK = select(house.c.set_back_at, house.c.set_back_why)
