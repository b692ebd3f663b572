"""How many people are where: journeys, their versions and their goals, with what lifecycle has counted of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, get_args

from pydantic import AwareDatetime
from sqlalchemy import Connection, bindparam, func, literal, literal_column, select

from journeys.definition import Goal, Journey
from journeys.models import Frozen
from journeys.walk.diary import Ended, HeldBy
from store.lifecycle import Did
from store.lifecycle_parked import count_to_repair
from store.move_progress import Move, progress
from store.schema import IS_HELD, AnyRow, among, counts, pruned_counts, runs, versions, waiting_starts
from store.versions import VersionId

JourneyState = Literal["draft", "live", "paused", "held", "completing", "completed", "stopped"]
VersionState = Literal["live", "paused", "held", "completing", "completed", "stopped"]
_Counted = Did | Literal["pruned"]


class Counts(Frozen):
    """How many runs there are, and how they ended.

    *refused*: how many did not start, as journeys would have started one another in a circle. *pruned*: how many of
    those that ended are kept no more, so that no list has them.
    """

    active: int = 0
    completed: int = 0
    exited: int = 0
    stopped: int = 0
    cancelled: int = 0
    aborted: int = 0
    refused: int = 0
    pruned: int = 0


class JourneyHolding(Frozen):
    """The brake holds the journey: since when, why, and how many messages wait for it to be let go."""

    since: AwareDatetime
    why: str
    waiting: int


class JourneyPause(Frozen):
    """The journey is paused: since when, and how many messages, actions among them, and starts wait for its resume."""

    since: AwareDatetime
    waiting_messages: int
    waiting_starts: int


class GoalCount(Frozen):
    """People, not runs: how many entered, and how many of them met the goal. *reached*: None without a target."""

    entered: int
    met: int
    target: str | int | None
    reached: bool | None


class VersionView(Frozen):
    """A published version. *move*: how far it is with people inside older ones who are to go on in it, if any are."""

    number: int
    state: VersionState
    hash: str
    published_at: AwareDatetime
    stopped_at: AwareDatetime | None
    counts: Counts
    move: Move | None = None


class JourneyView(Frozen):
    """A journey: the draft, its versions from the first to the last, and what became of everybody in them.

    *held*: by the brake, if it is. *paused*: by somebody, if it is. *parked*: how many runs stand where something has
    failed, until they are repaired. *to_go*: so many runs and starts are still to be told that it was stopped, resumed
    or let go, which holds at once, or that they are repaired: workers go on with them. *edited*: the draft is not what
    newcomers walk. *closed_at*: nobody enters since then, and people inside finish. *archived_at*: since then it is in
    no list.
    """

    name: str
    title: str
    state: JourneyState
    held: JourneyHolding | None
    paused: JourneyPause | None
    parked: int
    to_go: int
    definition: Journey
    edited: bool
    live_version: int | None
    versions: tuple[VersionView, ...]
    counts: Counts
    goal: GoalCount | None
    created_at: AwareDatetime
    changed_at: AwareDatetime
    closed_at: AwareDatetime | None
    stopped_at: AwareDatetime | None
    archived_at: AwareDatetime | None


def read_views(connection: Connection, rows: Sequence[AnyRow], now: datetime) -> Callable[[AnyRow], JourneyView]:
    """What makes the view of each of these rows, with all that is counted about the journey."""
    names = {"names": [row.name for row in rows]}
    published = defaultdict[str, list[AnyRow]](list)
    for row in connection.execute(_VERSIONS, names):
        published[row.journey].append(row)
    counted = defaultdict[VersionId, Counter[_Counted]](Counter)
    for row in (*connection.execute(_COUNTS, names), *connection.execute(_PRUNED, names)):
        counted[row.journey, row.version][row.did] = int(row.n)
    standing = read_standing(connection, rows)

    def of(row: AnyRow) -> JourneyView:
        return _view(row, standing[row.name], published[row.name], counted, now)

    return of


class Standing(NamedTuple):
    """What keeps people of a journey where they are, and how much nothing keeps any more that is still to be told."""

    held: JourneyHolding | None
    paused: JourneyPause | None
    parked: int
    let_go: int


def read_standing(connection: Connection, rows: Sequence[AnyRow]) -> dict[str, Standing]:
    """That of each of these journeys, by name."""
    names = {"names": [row.name for row in rows]}
    waiting = {(row.journey, row.held_by): int(row.n) for row in connection.execute(_WAITING, names)}
    starts = {row.journey: int(row.n) for row in connection.execute(_STARTS, names)}
    repaired = count_to_repair(connection, names["names"])
    return {
        row.name: _standing(row, Counter(waiting), starts.get(row.name, 0), repaired.get(row.name, 0)) for row in rows
    }


def _standing(row: AnyRow, waiting: Counter[tuple[str, HeldBy]], starts: int, repaired: int) -> Standing:
    by_brake, by_pause = waiting[row.name, "brake"], waiting[row.name, "pause"]
    held = paused = None
    if row.held_at is not None:
        held = JourneyHolding(since=row.held_at, why=row.held_why, waiting=by_brake)
    if row.paused_at is not None:
        may_start = 0 if row.live_version is None else starts
        paused = JourneyPause(since=row.paused_at, waiting_messages=by_pause, waiting_starts=may_start)
        starts -= may_start
    let_go = (0 if held else by_brake) + (0 if paused else by_pause) + starts + repaired
    return Standing(held, paused, waiting[row.name, "park"], let_go)


def to_go(connection: Connection, row: AnyRow) -> int:
    """How many runs and starts of this journey are still to be told that it was stopped, or that they go on."""
    stopped = connection.execute(_STOPPED, {"named": row.name}).scalars()
    active = active_by_version(connection, row.name)
    return read_standing(connection, [row])[row.name].let_go + sum(active.get(number, 0) for number in stopped)


def active_in(connection: Connection, journey: str) -> int:
    """How many runs of a journey are under way, whatever their version."""
    return sum(active_by_version(connection, journey).values())


def active_by_version(connection: Connection, journey: str) -> dict[int, int]:
    """The same, by version."""
    counted = defaultdict[int, Counter[_Counted]](Counter)
    for row in connection.execute(_COUNTS, {"names": [journey]}):
        counted[row.version][row.did] += int(row.n)
    return {version: _counts(did).active for version, did in counted.items()}


def _view(
    row: AnyRow,
    stands: Standing,
    published: Sequence[AnyRow],
    counted: Mapping[VersionId, Counter[_Counted]],
    now: datetime,
) -> JourneyView:
    definition = Journey.model_validate(row.definition)
    live = next((version for version in published if version.number == row.live_version), None)
    last = live or (published[-1] if published else None)
    walked = Journey.model_validate(last.definition) if last else definition
    by_version = {version.number: counted.get((row.name, version.number), Counter[_Counted]()) for version in published}
    every = sum(by_version.values(), Counter[_Counted]())
    total = _counts(every)
    state = _state(row, walked, total, now)
    return JourneyView(
        name=row.name,
        title=definition.title,
        state=state,
        held=stands.held,
        paused=stands.paused,
        parked=stands.parked,
        to_go=stands.let_go
        + sum(_counts(by_version[each.number]).active for each in published if each.stopped_at is not None),
        definition=definition,
        edited=live is None or live.hash != definition.hash,
        live_version=row.live_version,
        versions=tuple(
            _version_view(version, row.live_version, state, _counts(by_version[version.number]))
            for version in published
        ),
        counts=total,
        goal=_goal(walked.goal, every),
        created_at=row.created_at,
        changed_at=row.changed_at,
        closed_at=row.closed_at,
        stopped_at=row.stopped_at,
        archived_at=row.archived_at,
    )


def _counts(counted: Counter[_Counted]) -> Counts:
    ends = {ended: counted[ended] for ended in get_args(Ended)}
    came = counted["entered"] + counted["moved in"] - counted["moved out"]
    return Counts(active=came - sum(ends.values()), refused=counted["refused"], pruned=counted["pruned"], **ends)


def _state(row: AnyRow, walked: Journey, counts: Counts, now: datetime) -> JourneyState:
    if row.stopped_at or (row.live_version is None and row.closed_at is None):
        return "stopped" if row.stopped_at else "draft"
    is_open = row.live_version is not None and (walked.start.until is None or now < walked.start.until)
    if not is_open and not counts.active:
        return "completed"
    if row.held_at:
        return "held"
    if row.paused_at:
        return "paused"
    return "live" if is_open else "completing"


def _version_view(row: AnyRow, live: int | None, journey: JourneyState, counts: Counts) -> VersionView:
    state: VersionState = "completing" if counts.active else "completed"
    if row.stopped_at:
        state = "stopped"
    elif journey in ("held", "paused") and (counts.active or row.number == live):
        state = journey
    elif row.number == live and journey == "live":
        state = "live"
    return VersionView(
        number=row.number,
        state=state,
        hash=row.hash,
        published_at=row.published_at,
        stopped_at=row.stopped_at,
        counts=counts,
        move=progress(row),
    )


def _goal(goal: Goal | None, counted: Counter[_Counted]) -> GoalCount | None:
    if goal is None:
        return None
    entered, met = counted["first entered"], counted["first goal"]
    return GoalCount(entered=entered, met=met, target=goal.target, reached=_reached(goal.target, entered, met))


def _reached(target: str | int | None, entered: int, met: int) -> bool | None:
    match target:
        case None:
            return None
        case int():
            return met >= target
        case str():
            return entered > 0 and met * 100 >= float(target.rstrip("%")) * entered


_VERSIONS = select(versions).where(among(versions.c.journey, "names")).order_by(versions.c.journey, versions.c.number)
_COUNTS = (
    select(counts.c.journey, counts.c.version, counts.c.did, func.sum(counts.c.n).label("n"))
    .where(among(counts.c.journey, "names"))
    .group_by(counts.c.journey, counts.c.version, counts.c.did)
)
_PRUNED = (
    select(
        pruned_counts.c.journey,
        pruned_counts.c.version,
        literal("pruned").label("did"),
        func.sum(pruned_counts.c.n).label("n"),
    )
    .where(among(pruned_counts.c.journey, "names"), pruned_counts.c.did.in_(get_args(Ended)))
    .group_by(pruned_counts.c.journey, pruned_counts.c.version)
)
_STARTS = (
    select(waiting_starts.c.journey, func.count().label("n"))
    .where(among(waiting_starts.c.journey, "names"))
    .group_by(waiting_starts.c.journey)
)
_WAITING = (
    select(runs.c.journey, runs.c.held_by, func.count().label("n"))
    .join(versions, (versions.c.journey == runs.c.journey) & (versions.c.number == runs.c.version))
    .where(
        literal_column(IS_HELD),
        among(runs.c.journey, "names"),
        runs.c.held_by.in_(("brake", "pause", "park")),
        versions.c.stopped_at.is_(None),  # else they wait for nothing but their end
    )
    .group_by(runs.c.journey, runs.c.held_by)
)
_STOPPED = select(versions.c.number).where(versions.c.journey == bindparam("named"), versions.c.stopped_at.is_not(None))
