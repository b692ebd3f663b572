"""How many people are where: journeys, their versions and their goals, with what lifecycle has counted of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, get_args

from pydantic import AwareDatetime
from sqlalchemy import Connection, bindparam, func, literal, select

from journeys.definition import Goal, Journey
from journeys.models import Frozen
from journeys.walk.diary import Ended, HeldBy
from store.lifecycle import Did
from store.move_progress import Move, progress
from store.schema import AnyRow, among, counts, pruned_counts, runs, versions, waiting_starts
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
    failed, until they are repaired. *edited*: the draft is not what newcomers walk.
    *closed_at*: nobody enters since then, and people inside finish. *archived_at*: since then it is in no list.
    """

    name: str
    title: str
    state: JourneyState
    held: JourneyHolding | None
    paused: JourneyPause | None
    parked: int
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
    held, paused, parked = holdings(connection, rows), pauses(connection, rows), _waiting(connection, rows, "park")

    def of(row: AnyRow) -> JourneyView:
        stands = _Standing(held.get(row.name), paused.get(row.name), parked.get(row.name, 0))
        return _view(row, stands, published[row.name], counted, now)

    return of


def holdings(connection: Connection, rows: Sequence[AnyRow]) -> dict[str, JourneyHolding]:
    """Which of these journeys the brake holds, by name."""
    held = [row for row in rows if row.held_at is not None]
    if not held:
        return {}
    waiting = _waiting(connection, held, "brake")
    return {
        row.name: JourneyHolding(since=row.held_at, why=row.held_why, waiting=waiting.get(row.name, 0)) for row in held
    }


def pauses(connection: Connection, rows: Sequence[AnyRow]) -> dict[str, JourneyPause]:
    """Which of these journeys are paused, by name."""
    paused = [row for row in rows if row.paused_at is not None]
    if not paused:
        return {}
    messages = _waiting(connection, paused, "pause")
    starts = {row.journey: int(row.n) for row in connection.execute(_STARTS, {"names": [row.name for row in paused]})}
    return {
        row.name: JourneyPause(
            since=row.paused_at,
            waiting_messages=messages.get(row.name, 0),
            waiting_starts=starts.get(row.name, 0),
        )
        for row in paused
    }


def _waiting(connection: Connection, rows: Sequence[AnyRow], by: HeldBy) -> dict[str, int]:
    about = {"names": [row.name for row in rows], "by": by}
    return {row.journey: int(row.n) for row in connection.execute(_WAITING, about)}


def parked_in(connection: Connection, row: AnyRow) -> int:
    """How many runs of the journey of this row are parked."""
    return _waiting(connection, [row], "park").get(row.name, 0)


def active_in(connection: Connection, journey: str) -> int:
    """How many runs of a journey are under way, whatever their version."""
    return sum(active_by_version(connection, journey).values())


def active_by_version(connection: Connection, journey: str) -> dict[int, int]:
    """The same, by version."""
    counted = defaultdict[int, Counter[_Counted]](Counter)
    for row in connection.execute(_COUNTS, {"names": [journey]}):
        counted[row.version][row.did] += int(row.n)
    return {version: _counts(did).active for version, did in counted.items()}


class _Standing(NamedTuple):
    """What keeps people of a journey where they are."""

    held: JourneyHolding | None
    paused: JourneyPause | None
    parked: int


def _view(
    row: AnyRow,
    stands: _Standing,
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
    select(runs.c.journey, func.count().label("n"))
    .where(among(runs.c.journey, "names"), runs.c.held_by == bindparam("by"))
    .group_by(runs.c.journey)
)
