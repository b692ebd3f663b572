"""The diaries of runs, as they are kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from journeys.walk.diary import Entry
from store.schema import AnyRow, among, diary


def entry_of(row: AnyRow) -> Entry:
    """The line that a row holds."""
    return Entry(n=row.n, at=row.at, step=row.step, did=row.did, arm=row.arm, why=row.why)


def diaries(connection: Connection, ids: Sequence[str]) -> Mapping[str, Sequence[Entry]]:
    """The lines of each of these runs, in their order; nothing of a run that is not there."""
    entries: dict[str, list[Entry]] = defaultdict(list)
    for row in connection.execute(_DIARIES, {"runs": list(ids)}) if ids else ():
        entries[row.run].append(entry_of(row))
    return entries


_DIARIES = select(diary).where(among(diary.c.run, "runs")).order_by(diary.c.run, diary.c.n)
