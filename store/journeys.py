"""Journeys: the draft, its published versions, and how many people are where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlalchemy import JSON, Text, bindparam, case, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from journeys.definition import Goal, Journey, Kind
from journeys.listening import Version
from journeys.problems import Conflict, Invalid, Unknown, did_you_mean
from journeys.publishing import check, version_of
from store.catalogue import read_catalogue
from store.locks import lock_house
from store.schema import AnyRow, Time, among, diary, journeys, outbox, runs, sends, versions
from store.store import Store, retried
from store.versions import IN_USE, load

JourneyState = Literal["draft", "live", "completing", "completed", "stopped"]
VersionState = Literal["live", "completing", "completed", "stopped"]


class Seen(BaseModel):
    """What is read from the store. Times are aware UTC."""

    model_config = ConfigDict(frozen=True)


class Counts(Seen):
    """How many runs there are, and how they ended."""

    active: int = 0
    completed: int = 0
    exited: int = 0
    stopped: int = 0
    cancelled: int = 0

    def __add__(self, other: Self) -> Counts:
        return Counts(**{name: count + getattr(other, name) for name, count in self})


class GoalCount(Seen):
    """People, not runs: how many entered, and how many of them met the goal. *reached*: None without a target."""

    entered: int
    met: int
    target: str | int | None
    reached: bool | None


class VersionView(Seen):
    """A published version."""

    number: int
    state: VersionState
    hash: str
    published_at: AwareDatetime
    stopped_at: AwareDatetime | None
    counts: Counts


class JourneyView(Seen):
    """A journey: the draft, its versions from the first to the last, and what became of everybody in them.

    *edited*: the draft is not what newcomers walk.
    """

    name: str
    title: str
    state: JourneyState
    definition: Journey
    edited: bool
    live_version: int | None
    versions: tuple[VersionView, ...]
    counts: Counts
    goal: GoalCount | None
    created_at: AwareDatetime
    changed_at: AwareDatetime
    stopped_at: AwareDatetime | None


class Published(Seen):
    """The version that newcomers take from now on. *new*: False where it was so before."""

    journey: str
    version: int
    hash: str
    new: bool


class Stopped(Seen):
    """How many runs were ended, and how many of their sends may still be on their way to a provider."""

    journey: str
    runs: int
    in_flight: int


@retried
async def put_journey(store: Store, journey: Journey, now: datetime) -> bool:
    """Write a journey's draft; nobody walks it before it is published. Returns whether the journey is new."""
    row = {"named": journey.journey, "to_definition": _dump(journey), "now": now}
    async with store.write() as connection:
        if (await connection.execute(_UPDATE, row)).rowcount:
            return False
        await connection.execute(_INSERT, row)
        return True


@retried
async def publish(store: Store, name: str, now: datetime, channels: frozenset[Kind]) -> Published:
    """Make the draft the version that newcomers take. People inside stay on theirs.

    What is live already is not published again. Raises Unknown, and Invalid with every flaw.
    """
    async with store.write() as connection:
        await lock_house(connection)
        row = await _one(connection, name)
        journey = Journey.model_validate(row.definition)
        if row.live_version is not None and await _hash(connection, name, row.live_version) == journey.hash:
            return Published(journey=name, version=row.live_version, hash=journey.hash, new=False)
        catalogue = await read_catalogue(connection, channels)
        if flaws := check(journey, catalogue):
            raise Invalid(f'Journey "{name}" cannot be published as it is.', flaws)
        last = (await connection.execute(_LAST, {"named": name})).scalar_one() or 0
        version = version_of(journey, last + 1, catalogue)
        await connection.execute(insert(versions), _version(version, now))
        await connection.execute(_GO_LIVE, {"named": name, "number": version.number})
        return Published(journey=name, version=version.number, hash=journey.hash, new=True)


@retried
async def stop(store: Store, name: str, now: datetime) -> Stopped:
    """Nobody enters any more, and everybody inside stops where they are, whatever their version.

    Raises Unknown, and Conflict where the journey was never published. To stop again changes nothing.
    """
    about = {"named": name, "now": now}
    async with store.write() as connection:
        await lock_house(connection)
        row = await _one(connection, name)
        if row.live_version is None:
            return _stopped_before(row)
        inside = (await connection.execute(_LOCK_RUNS, about)).scalar_one()
        in_flight = (await connection.execute(_IN_FLIGHT, about)).scalar_one()
        for statement in (_STOP_VERSIONS, _LEAVE, _CANCEL, _END, _STOP):
            await connection.execute(statement, about)
        return Stopped(journey=name, runs=inside, in_flight=in_flight)


def _stopped_before(row: AnyRow) -> Stopped:
    if row.stopped_at is None:
        raise Conflict(f'Journey "{row.name}" is a draft: there is nothing to stop.')
    return Stopped(journey=row.name, runs=0, in_flight=0)


async def get_journey(store: Store, name: str, now: datetime) -> JourneyView:
    """A journey with its versions and counts. Raises Unknown."""
    async with store.read() as connection:
        return (await _views(connection, [await _one(connection, name)], now))[0]


async def list_journeys(store: Store, now: datetime) -> list[JourneyView]:
    """All journeys by name."""
    async with store.read() as connection:
        return await _views(connection, (await connection.execute(_ALL)).all(), now)


async def get_version(store: Store, name: str, number: int) -> Version:
    """A published version. Raises Unknown."""
    async with store.read() as connection:
        if await _hash(connection, name, number) is None:
            raise Unknown(f'Journey "{name}" has no version {number}.')
        return (await load(store, connection, [(name, number)]))[name, number]


STOPPED = "the journey was stopped"


async def _views(connection: AsyncConnection, rows: Sequence[AnyRow], now: datetime) -> list[JourneyView]:
    names = {"names": [row.name for row in rows]}
    published = defaultdict[str, list[AnyRow]](list)
    for row in await connection.execute(_VERSIONS, names):
        published[row.journey].append(row)
    counts = defaultdict[tuple[str, int], dict[str, int]](dict)
    for row in await connection.execute(_COUNTS, names):
        counts[row.journey, row.version][row.ended or "active"] = row.runs
    people = {row.journey: row for row in await connection.execute(_PEOPLE, names)}
    by_version = {version: Counts(**ended) for version, ended in counts.items()}
    return [_view(row, published[row.name], by_version, people.get(row.name), now) for row in rows]


def _view(
    row: AnyRow,
    published: Sequence[AnyRow],
    counts: Mapping[tuple[str, int], Counts],
    people: AnyRow | None,
    now: datetime,
) -> JourneyView:
    definition = Journey.model_validate(row.definition)
    live = next((version for version in published if version.number == row.live_version), None)
    walked = Journey.model_validate(live.definition) if live else definition
    total = sum((count for (name, _), count in counts.items() if name == row.name), Counts())
    state = _state(row, walked, total, now)
    return JourneyView(
        name=row.name,
        title=definition.title,
        state=state,
        definition=definition,
        edited=live is None or live.hash != definition.hash,
        live_version=row.live_version,
        versions=tuple(
            _version_view(version, row.live_version, state, counts.get((row.name, version.number), Counts()))
            for version in published
        ),
        counts=total,
        goal=_goal(walked.goal, people),
        created_at=row.created_at,
        changed_at=row.changed_at,
        stopped_at=row.stopped_at,
    )


def _state(row: AnyRow, walked: Journey, counts: Counts, now: datetime) -> JourneyState:
    if row.live_version is None:
        return "stopped" if row.stopped_at else "draft"
    if walked.start.until is None or now < walked.start.until:
        return "live"
    return "completing" if counts.active else "completed"


def _version_view(row: AnyRow, live: int | None, journey: JourneyState, counts: Counts) -> VersionView:
    state: VersionState = "completing" if counts.active else "completed"
    if row.stopped_at:
        state = "stopped"
    elif row.number == live and journey == "live":
        state = "live"
    return VersionView(
        number=row.number,
        state=state,
        hash=row.hash,
        published_at=row.published_at,
        stopped_at=row.stopped_at,
        counts=counts,
    )


def _goal(goal: Goal | None, people: AnyRow | None) -> GoalCount | None:
    if goal is None:
        return None
    entered, met = (people.entered, people.met) if people else (0, 0)
    return GoalCount(entered=entered, met=met, target=goal.target, reached=_reached(goal.target, entered, met))


def _reached(target: str | int | None, entered: int, met: int) -> bool | None:
    match target:
        case None:
            return None
        case int():
            return met >= target
        case str():
            return entered > 0 and met * 100 >= float(target.rstrip("%")) * entered


def _dump(journey: Journey) -> dict[str, Any]:
    return journey.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _version(version: Version, now: datetime) -> dict[str, Any]:
    return {
        "journey": version.name,
        "number": version.number,
        "hash": version.journey.hash,
        "definition": _dump(version.journey),
        "schemas": {trigger: dict(schema) for trigger, schema in version.schemas.items()},
        "customer": dict(version.customer),
        "published_at": now,
    }


async def _one(connection: AsyncConnection, name: str) -> AnyRow:
    if row := (await connection.execute(_ONE, {"named": name})).one_or_none():
        return row
    names = (await connection.execute(select(journeys.c.name))).scalars()
    raise Unknown(f'There is no journey "{name}". {did_you_mean(name, names)}')


async def _hash(connection: AsyncConnection, name: str, number: int) -> str | None:
    return (await connection.execute(_HASH, {"named": name, "number": number})).scalar_one_or_none()


_journey = bindparam("named", type_=Text())
_now = bindparam("now", type_=Time())
_inside = (runs.c.journey == _journey) & runs.c.ended.is_(None)

_ALL = select(journeys).order_by(journeys.c.name)
_ONE = select(journeys).where(journeys.c.name == _journey)
_VERSIONS = select(versions).where(among(versions.c.journey, "names")).order_by(versions.c.journey, versions.c.number)
_HASH = select(versions.c.hash).where(versions.c.journey == _journey, versions.c.number == bindparam("number"))
_LAST = select(func.max(versions.c.number)).where(versions.c.journey == _journey)
_COUNTS = (
    select(runs.c.journey, runs.c.version, runs.c.ended, func.count().label("runs"))
    .where(among(runs.c.journey, "names"))
    .group_by(runs.c.journey, runs.c.version, runs.c.ended)
)
_PEOPLE = (
    select(
        runs.c.journey,
        func.count(runs.c.customer.distinct()).label("entered"),
        func.count(case((runs.c.goal_met_at.is_not(None), runs.c.customer)).distinct()).label("met"),
    )
    .where(among(runs.c.journey, "names"))
    .group_by(runs.c.journey)
)
_INSERT = insert(journeys).values(
    name=_journey, definition=bindparam("to_definition"), created_at=_now, changed_at=_now
)
_UPDATE = (
    update(journeys).where(journeys.c.name == _journey).values(definition=bindparam("to_definition"), changed_at=_now)
)
_GO_LIVE = update(journeys).where(journeys.c.name == _journey).values(live_version=bindparam("number"), stopped_at=None)
_LOCK_RUNS = select(func.count()).select_from(
    select(runs.c.id).where(_inside).order_by(runs.c.id).with_for_update().subquery()
)
_IN_FLIGHT = (
    select(func.count())
    .select_from(sends)
    .where(sends.c.state == "claimed", sends.c.run.in_(select(runs.c.id).where(_inside)))
)
_STOP_VERSIONS = (
    update(versions)
    .where(versions.c.journey == _journey, versions.c.stopped_at.is_(None), IN_USE)
    .values(stopped_at=_now)
)
_LEAVE = insert(diary).from_select(
    ["run", "n", "at", "step", "did", "why"],
    select(runs.c.id, runs.c.lines, _now, runs.c.step, literal("left"), literal(STOPPED)).where(
        _inside, runs.c.step.is_not(None)
    ),
)
_CANCEL = insert(outbox).from_select(
    ["run", "kind", "payload", "created_at", "due_at", "attempts", "error"],
    select(
        runs.c.id,
        literal("cancel"),
        literal({"reason": f"stopped: {STOPPED}"}, JSON()),
        _now,
        _now,
        literal(0),
        literal(""),
    )
    .where(_inside)
    .order_by(runs.c.id),
)
_END = (
    update(runs)
    .where(_inside)
    .values(
        ended="stopped",
        ended_at=_now,
        why=STOPPED,
        lines=case((runs.c.step.is_not(None), runs.c.lines + 1), else_=runs.c.lines),
        step=None,
        step_at=None,
    )
)
_STOP = update(journeys).where(journeys.c.name == _journey).values(live_version=None, stopped_at=_now)
