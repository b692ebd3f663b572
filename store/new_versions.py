"""What a new version of a journey would change, in words, and for how many of the people inside the older ones."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import BindParameter, Connection, bindparam, func, select, union

from journeys.changes.changes import Change, changes
from journeys.changes.people import Standing, Ways
from journeys.models import Frozen
from journeys.moving import BEING_SENT, Names, had_already, hindrance, repeated
from journeys.versions import Version
from store.lifecycle_moves import busy
from store.schema import actions, among, runs, sends, versions
from store.versions import load

SOME = 5
"""So many runs are named of those that stay for one reason."""


class ChangeFor(Change):
    """One thing that is otherwise. *people*: how they stand to it; None where it is of no step."""

    people: Standing | None


class FromVersion(Frozen):
    """What is otherwise than in an older version: the one before, and each that has *people* inside."""

    version: int
    people: int
    changes: tuple[ChangeFor, ...]


class Staying(Frozen):
    """So many *people* finish their version, and *why*. *runs*: the ids of some of them."""

    why: str
    people: int
    runs: tuple[str, ...]


class Move(Frozen):
    """How many people go on in the new version, by the step of it, and how many stay, by the reason.

    *gone*: runs that ended before it was their turn.
    """

    moved: int
    steps: Mapping[str, int]
    stayed: int
    stays: tuple[Staying, ...]
    gone: int = 0


class Inside(NamedTuple):
    """So many *people* stand at a *step* of an older version."""

    version: Version
    step: str
    people: int


def inside(connection: Connection, name: str, number: int) -> list[Inside]:
    """Where people stand who are inside other versions of a journey than this one, if these were not stopped."""
    rows = connection.execute(_INSIDE, {"named": name, "number": number}).all()
    known = load(connection, {(name, row.version) for row in rows})
    return [Inside(known[name, row.version], row.step, int(row.n)) for row in rows]


def told(new: Version, before: Version | None, standing: Sequence[Inside], names: Names) -> tuple[FromVersion, ...]:
    """What *new* changes, the latest of the older versions first. *before*: the one that newcomers took."""
    people: dict[int, dict[str, int]] = defaultdict(dict)
    olds = {before.number: before} if before else {}
    for each in standing:
        olds[each.version.number] = each.version
        people[each.version.number][each.step] = each.people
    return tuple(_from(olds[number], new, people[number], names) for number in sorted(olds, reverse=True))


def _from(old: Version, new: Version, people: Mapping[str, int], names: Names) -> FromVersion:
    called = {before: now for before, now in names.items() if before in old.steps}
    ways = Ways(old, new, called)
    told = (
        ChangeFor(**dict(change), people=ways.standing(change, people))
        for change in changes(old.journey, new.journey, called)
    )
    return FromVersion(version=old.number, people=sum(people.values()), changes=tuple(told))


def would_move(connection: Connection, new: Version, standing: Sequence[Inside], names: Names) -> Move:
    """What would become of everybody, if they were moved now."""
    moved, stays = Counter[str](), Stayed()
    for each in standing:
        old, step = each.version, each.step
        if why := hindrance(old, new, step, names):
            stays.add(why, each.people, _some(connection, each, SOME))
            continue
        staying = dict(_staying(connection, each, new, names))
        for run, reason in sorted(staying.items()):
            stays.add(reason, 1, [run])
        moved[names.get(step, step)] += each.people - len(staying)
    return move_of(moved, stays)


class Stayed:
    """Who stays, collected by the reason."""

    def __init__(
        self, people: Mapping[str, int] | None = None, runs: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self.people = Counter[str](people or {})
        self.runs = {why: list(some) for why, some in (runs or {}).items()}

    def add(self, why: str, people: int, runs: Sequence[str]) -> None:
        """So many more people, with some of their runs."""
        self.people[why] += people
        self.runs[why] = [*self.runs.get(why, ()), *runs][:SOME]


def move_of(moved: Mapping[str, int], stays: Stayed, gone: int = 0) -> Move:
    """What became of everybody, the most frequent reason first."""
    reasons = sorted(stays.people.items(), key=lambda each: (-each[1], each[0]))
    return Move(
        moved=sum(moved.values()),
        steps={step: number for step, number in sorted(moved.items()) if number},
        stayed=sum(stays.people.values()),
        stays=tuple(Staying(why=why, people=people, runs=tuple(stays.runs[why])) for why, people in reasons if people),
        gone=gone,
    )


def _staying(connection: Connection, each: Inside, new: Version, names: Names) -> Iterator[tuple[str, str]]:
    """Those runs at a step that stay for what they had already, or are doing just now, with the reason."""
    if again := repeated(each.version, new, each.step, names):
        had: dict[str, set[str]] = defaultdict(set)
        about = {"named": new.name, "number": each.version.number, "step": each.step, "steps": sorted(again)}
        for row in connection.execute(_HAD, about):
            had[row.run].add(row.step)
        yield from ((run, had_already(new, each.step, steps, names)) for run, steps in had.items())
    if each.version.steps[each.step].has_outcome:
        yield from ((run, BEING_SENT) for run in busy(connection, _some(connection, each)))


def _some(connection: Connection, each: Inside, most: int | None = None) -> list[str]:
    about = {"named": each.version.name, "number": each.version.number, "step": each.step}
    return [*connection.execute(_AT.limit(most), about).scalars()]


_named: BindParameter[str] = bindparam("named")
_number: BindParameter[int] = bindparam("number")
_of_journey = (runs.c.journey == _named) & runs.c.ended.is_(None)
NOT_STOPPED = (
    select(versions.c.number)
    .where(versions.c.journey == runs.c.journey, versions.c.number == runs.c.version, versions.c.stopped_at.is_(None))
    .exists()
)
_INSIDE = (
    select(runs.c.version, runs.c.step, func.count().label("n"))
    .where(_of_journey, runs.c.version != _number, runs.c.step.is_not(None), NOT_STOPPED)
    .group_by(runs.c.version, runs.c.step)
    .order_by(runs.c.version, runs.c.step)
)
_at = _of_journey & (runs.c.version == _number) & (runs.c.step == bindparam("step"))
_AT = select(runs.c.id).where(_at).order_by(runs.c.id)
_HAD = union(
    select(sends.c.run, sends.c.step)
    .join(runs, runs.c.id == sends.c.run)
    .where(_at, among(sends.c.step, "steps"), sends.c.state.in_(("accepted", "blocked", "failed", "unknown"))),
    select(actions.c.run, actions.c.step)
    .join(runs, runs.c.id == actions.c.run)
    .where(_at, among(actions.c.step, "steps")),
)
