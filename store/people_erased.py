"""Runs of a customer who is erased, where it is said who stayed behind when a version's people were moved."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, bindparam, func, select, update

from store.move_progress import Wish
from store.schema import AnyRow, among, runs, versions


def forget_who_stayed(connection: Connection, ids: Collection[str]) -> None:
    """Name none of these runs any more. Called before they are locked: whoever moves them locks their version first."""
    journeys = sorted({run.partition("/")[0] for run in ids})
    for row in connection.execute(_MOVED_IN, {"journeys": journeys}).all():
        if (left := _without(connection, row, frozenset(ids))) != Wish.model_validate(row.moving):
            written = left.model_dump(mode="json", exclude_defaults=True)
            connection.execute(_WRITE, {"named": row.journey, "numbered": row.number, "to_moving": written})


def _without(connection: Connection, row: AnyRow, ids: frozenset[str]) -> Wish:
    wish = Wish.model_validate(row.moving)
    after = wish.after
    if after in ids:  # whoever stands before it has been looked at as well
        asked = {"of_journey": row.journey, "known": after, "gone": sorted(ids)}
        after = connection.execute(_BEFORE, asked).scalar_one() or ""
    return wish.model_copy(
        update={
            "after": after,
            "again": tuple(run for run in wish.again if run not in ids),
            "some": {why: tuple(run for run in some if run not in ids) for why, some in wish.some.items()},
        }
    )


_MOVED_IN = (
    select(versions.c.journey, versions.c.number, versions.c.moving)
    .where(among(versions.c.journey, "journeys"), versions.c.moving.is_not(None))
    .order_by(versions.c.journey, versions.c.number)
    .with_for_update()
)
_WRITE = (
    update(versions)
    .where(versions.c.journey == bindparam("named"), versions.c.number == bindparam("numbered"))
    .values(moving=bindparam("to_moving"))
)
_BEFORE = select(func.max(runs.c.id)).where(
    runs.c.journey == bindparam("of_journey"), runs.c.id < bindparam("known"), ~among(runs.c.id, "gone")
)
