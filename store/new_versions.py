"""What a new version of a journey would change, in words, and for how many of the people inside the older ones."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, ColumnElement, CompoundSelect, Connection, bindparam, func, select, union_all

from journeys.changes.changes import Change, changes
from journeys.changes.people import Standing, Ways
from journeys.models import Frozen
from journeys.moving import BEING_SENT, Names, had_already, hindrance, repeated
from journeys.versions import Version
from store.lifecycle import THESE, RunState
from store.lifecycle_moves import IS_BUSY
from store.move_progress import SOME, Move, Stayed, move_of
from store.schema import actions, among, calls, diary, runs, sends, versions
from store.versions import load


class ChangeFor(Change):
    """One thing that is otherwise. *people*: how they stand to it; None where it is of no step."""

    people: Standing | None


class FromVersion(Frozen):
    """What is otherwise than in an older version: the one before, and each that has *people* inside."""

    version: int
    people: int
    changes: tuple[ChangeFor, ...]


class Inside(NamedTuple):
    """So many *people* stand at a *step* of an older version."""

    version: Version
    step: str
    people: int


def inside(connection: Connection, name: str, number: int) -> list[Inside]:
    """Where people stand who are inside older versions of a journey than this one, if these were not stopped."""
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
            stays.add(why, each.people, _some(connection, each))
            continue
        moved[names.get(step, step)] += each.people
        for reason, ids in _staying(connection, each, new, names):
            stays.add(reason, len(ids), sorted(ids)[:SOME])
            moved[names.get(step, step)] -= len(ids)
    return move_of(moved, stays)


def _staying(connection: Connection, each: Inside, new: Version, names: Names) -> Iterator[tuple[str, list[str]]]:
    """Those runs at a step that stay for what they are doing just now, or had already: each reason with all of them."""
    about = {"named": new.name, "number": each.version.number, "step": each.step}
    at_work: list[str] = []
    if each.version.steps[each.step].has_outcome:
        at_work = [*connection.execute(_AT_WORK, about).scalars()]
        yield BEING_SENT, at_work
    if again := repeated(each.version, new, each.step, names):
        had: dict[str, set[str]] = defaultdict(set)
        for row in connection.execute(_HAD, about | {"steps": sorted(again), "given": sorted(names.values())}):
            had[row.run].add(row.step)
        for run in at_work:
            had.pop(run, None)
        done = {*connection.execute(_DONE, about).scalars()} if each.version.within(each.step) else set[str]()
        alike: dict[tuple[frozenset[str], bool], list[str]] = defaultdict(list)
        for run, steps in had.items():
            alike[frozenset(steps), run in done].append(run)
        for (passed, is_done), ids in alike.items():
            if why := had_already(new, each.step, passed, names, done=is_done):
                yield why, ids


def had_before(
    connection: Connection, states: Sequence[RunState], new: Version, names: Names
) -> Mapping[str, frozenset[str]]:
    """What these runs, which are locked, have had that would come again, even where they left its step."""
    again = {state.id: repeated(state.version, new, state.step or "", names) for state in states}
    steps = sorted({step for those in again.values() for step in those})
    had: dict[str, set[str]] = defaultdict(set)
    if steps:
        about = {"runs": sorted(again), "steps": steps, "given": sorted(names.values())}
        for row in connection.execute(_HAD_BY_THESE, about):
            had[row.run].add(row.step)
    return {run: again[run] & those for run, those in had.items()}


def _some(connection: Connection, each: Inside) -> list[str]:
    about = {"named": each.version.name, "number": each.version.number, "step": each.step}
    return [*connection.execute(_SOME, about).scalars()]


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
    .where(_of_journey, runs.c.version < _number, runs.c.step.is_not(None), NOT_STOPPED)
    .group_by(runs.c.version, runs.c.step)
    .order_by(runs.c.version, runs.c.step)
)
_at = _of_journey & (runs.c.version == _number) & (runs.c.step == bindparam("step"))
_SOME = select(runs.c.id).where(_at).order_by(runs.c.id).limit(SOME)
_AT_WORK = select(runs.c.id).where(_at, IS_BUSY)
_DONE = (  # those that have done all within a series
    select(runs.c.id)
    .join(diary, (diary.c.run == runs.c.id) & (diary.c.n == runs.c.lines - 1))
    .where(_at, diary.c.did == "returned")
)


def _having(which: ColumnElement[bool]) -> CompoundSelect[Any]:
    """What runs had of some steps. Of one whose name is given to another: all that is kept, whatever became of it."""
    sent, acted, called = (select(table.c.run, table.c.step) for table in (sends, actions, calls))
    outcome = sends.c.state.in_(("accepted", "blocked", "failed", "unknown")) | among(sends.c.step, "given")
    return union_all(
        sent.join(runs, runs.c.id == sends.c.run).where(which, among(sends.c.step, "steps"), outcome),
        acted.join(runs, runs.c.id == actions.c.run).where(which, among(actions.c.step, "steps")),
        called.join(runs, runs.c.id == calls.c.run).where(which, among(calls.c.step, "given")),
    )


_HAD, _HAD_BY_THESE = _having(_at), _having(THESE)
