"""Published versions, read once and kept: they never change."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from journeys.definition import Journey
from journeys.listening import Version
from store.schema import AnyRow, among, journeys, runs, versions
from store.store import Store

VersionId = tuple[str, int]
"""A journey's name and a version's number."""

_LIVE = select(journeys.c.name, journeys.c.live_version).where(journeys.c.live_version.is_not(None))
_PUBLISHED = select(versions).where(among(versions.c.journey, "names"))


async def live_versions(store: Store, connection: AsyncConnection) -> list[Version]:
    """The versions that newcomers take, by name of their journey."""
    wanted = sorted((row.name, row.live_version) for row in await connection.execute(_LIVE))
    return [version for _, version in sorted((await load(store, connection, wanted)).items())]


async def load(store: Store, connection: AsyncConnection, wanted: Iterable[VersionId]) -> dict[VersionId, Version]:
    """The versions *wanted*, from memory where they were read before."""
    wanted = set(wanted)
    if missing := wanted - store.versions.keys():
        names = sorted({name for name, _ in missing})
        for row in await connection.execute(_PUBLISHED, {"names": names}):
            if (row.journey, row.number) in missing:
                store.versions[row.journey, row.number] = compiled(row)
    return {version: store.versions[version] for version in wanted}


def compiled(row: AnyRow) -> Version:
    """The version that a row of the table holds."""
    return Version(
        number=row.number,
        journey=Journey.model_validate(row.definition),
        schemas=row.schemas,
        customer=row.customer,
    )


async def versions_in_use(store: Store, connection: AsyncConnection) -> list[Version]:
    """The versions that newcomers take, and those that still have somebody inside."""
    wanted = sorted((row.journey, row.number) for row in await connection.execute(_IN_USE))
    return [version for _, version in sorted((await load(store, connection, wanted)).items())]


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
