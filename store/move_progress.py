"""How far people are moved to a new version: noted with it, so that others can take over, and that anybody can read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from pydantic import Field

from journeys.models import Frozen
from store.audit import BY_ITSELF
from store.schema import AnyRow

SOME = 5
"""So many runs are named of those that stay for one reason."""


class Staying(Frozen):
    """So many *people* finish their version, and *why*. *runs*: the ids of some of them."""

    why: str
    people: int
    runs: tuple[str, ...]


class Move(Frozen):
    """How many people went on in the new version, by the step of it, and how many stay, by the reason.

    *to_move*: those whose turn is still to come: a worker goes on with them. *gone*: runs that ended before it came.
    """

    moved: int
    steps: Mapping[str, int]
    to_move: int = 0
    stayed: int
    stays: tuple[Staying, ...]
    gone: int = 0


class Stayed:
    """Who stays, collected by the reason."""

    def __init__(
        self, people: Mapping[str, int] | None = None, runs: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self.people = Counter[str](people or {})
        self.runs = {why: list(some) for why, some in (runs or {}).items()}

    def add(self, why: str, people: int, runs: Sequence[str]) -> None:
        """So many more people, with some of their runs. The first by name are kept, in whatever order they come."""
        if not people:
            return
        self.people[why] += people
        self.runs[why] = sorted({*self.runs.get(why, ()), *runs})[:SOME]


def move_of(moved: Mapping[str, int], stays: Stayed, *, gone: int = 0, to_move: int = 0) -> Move:
    """What became of everybody, the most frequent reason first."""
    reasons = sorted(stays.people.items(), key=lambda each: (-each[1], each[0]))
    return Move(
        moved=sum(moved.values()),
        steps={step: number for step, number in sorted(moved.items()) if number},
        to_move=to_move,
        stayed=sum(stays.people.values()),
        stays=tuple(Staying(why=why, people=people, runs=tuple(stays.runs[why])) for why, people in reasons if people),
        gone=gone,
    )


class Wish(Frozen):
    """Everybody inside older versions is to go on in this one, and how far that is.

    *of*: how many they were. *names*: what their steps are called here. *by*: who wants it. *after*: the last run that
    was looked at. *again*: those that were busy, to be tried again; *tries*: how often they were. *moved*: how many, by
    step. *stayed*: how many, by the reason, and *some* of their runs. *gone*: how many ended before.
    """

    of: int = 0
    names: dict[str, str] = Field(default_factory=dict)
    by: str = BY_ITSELF
    after: str = ""
    again: tuple[str, ...] = ()
    tries: int = 0
    moved: dict[str, int] = Field(default_factory=dict)
    stayed: dict[str, int] = Field(default_factory=dict)
    some: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    gone: int = 0

    def move(self, *, over: bool) -> Move:
        """What became of everybody so far. One that is not over has somebody to move, whatever was counted before."""
        done = sum(self.moved.values()) + sum(self.stayed.values()) + self.gone
        to_move = 0 if over else max(1, self.of - done)
        return move_of(self.moved, Stayed(self.stayed, self.some), gone=self.gone, to_move=to_move)


def wish_of(row: AnyRow) -> Wish:
    """What is noted in a version's row."""
    return Wish.model_validate(row.moving)


def progress(row: AnyRow) -> Move | None:
    """What became of people who were to go on in the version of this row; None where nobody was."""
    return wish_of(row).move(over=row.moving_at is None) if row.moving else None
