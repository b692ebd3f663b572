"""Published versions, read once and kept: they never change."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, or_, select

from journeys.definition import Journey
from journeys.versions import Version
from store.schema import AnyRow, among, journeys, runs, versions

VersionId = tuple[str, int]
"""A journey's name and a version's number."""

_LIVE = select(journeys.c.name, journeys.c.live_version, journeys.c.paused_at).where(
    journeys.c.live_version.is_not(None)
)
_PUBLISHED = select(versions).where(among(versions.c.journey, "names"))


def live_versions(connection: Connection) -> list[Version]:
    """The versions that newcomers take, by name of their journey."""
    return live_and_paused(connection)[0]


def live_and_paused(connection: Connection) -> tuple[list[Version], frozenset[str]]:
    """The same, and the journeys among them that are paused."""
    rows = connection.execute(_LIVE).all()
    found = load(connection, [(row.name, row.live_version) for row in rows])
    paused = frozenset(row.name for row in rows if row.paused_at is not None)
    return [version for _, version in sorted(found.items())], paused


def load(connection: Connection, wanted: Iterable[VersionId]) -> dict[VersionId, Version]:
    """The versions *wanted*, from memory where they were read before."""
    wanted = set(wanted)
    kept: dict[VersionId, Version] = connection.get_execution_options()["versions"]
    if missing := wanted - kept.keys():
        names = sorted({name for name, _ in missing})
        for row in connection.execute(_PUBLISHED, {"names": names}):
            if (row.journey, row.number) in missing:
                kept[row.journey, row.number] = compiled(row)
    return {version: kept[version] for version in wanted}


def compiled(row: AnyRow) -> Version:
    """The version that a row of the table holds."""
    return Version(
        number=row.number,
        journey=Journey.model_validate(row.definition),
        schemas=row.schemas,
        customer=row.customer,
    )


def versions_in_use(connection: Connection) -> list[Version]:
    """The versions that newcomers take, and those that still have somebody inside."""
    wanted = sorted((row.journey, row.number) for row in connection.execute(_IN_USE))
    return [version for _, version in sorted(load(connection, wanted).items())]


IN_USE = or_(
    select(journeys.c.name)
    .where(journeys.c.name == versions.c.journey, journeys.c.live_version == versions.c.number)
    .exists(),
    select(runs.c.id)
    .where(runs.c.journey == versions.c.journey, runs.c.version == versions.c.number, runs.c.ended.is_(None))
    .exists(),
)
"""Whether a version is live, or somebody is still inside."""

_IN_USE = select(versions.c.journey, versions.c.number).where(IN_USE)
