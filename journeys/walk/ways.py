"""The ways through a tree of steps: how many there are, which is the nth, and a few that cover every step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from journeys.steps import AnyStep, every_step
from journeys.walk.position import Turn

Way = tuple[Turn, ...]
"""The arms that are taken, in the order in which a run comes to them."""


class _Number(NamedTuple):
    """How many ways lead through some steps, and how many end in them."""

    through: int
    ended: int

    def in_all(self, after: int) -> int:
        """How many there are, where each that leads through has so many ways *after* it."""
        return self.ended + self.through * after


class _Fork(NamedTuple):
    """An arm, the steps that are walked where it is taken, and how many ways those have."""

    arm: str
    steps: tuple[AnyStep, ...]
    number: _Number


class _Rows(NamedTuple):
    """Ways that cover every step: those that lead through, and those that end."""

    through: list[Way]
    ended: list[Way]


class Ways:
    """All ways through *steps*, none of which is walked: arms multiply, and there may be very many.

    Of a series, one way is its answer before any of its steps, and the others lead through them and on by the last arm.
    """

    def __init__(self, steps: Sequence[AnyStep]) -> None:
        self._steps = tuple(steps)
        self._forks: dict[str, tuple[_Fork, ...]] = {}
        for step in reversed(list(every_step(steps))):  # inner steps come before those around them
            self._forks[step.id] = self._forks_of(step)

    @property
    def number(self) -> int:
        """How many there are."""
        return self._number(self._steps).in_all(1)

    def nth(self, number: int) -> Way:
        """The way of that number, from 0 on. Those that differ in their last arms follow each other."""
        turns: list[Turn] = []
        self._go(self._steps, number, 1, turns)
        return tuple(turns)

    def covering(self) -> list[Way]:
        """A few ways such that every step that can be reached lies on one of them."""
        rows = self._rows(self._steps)
        return list(dict.fromkeys([*rows.through, *rows.ended]))

    def _forks_of(self, step: AnyStep) -> tuple[_Fork, ...]:
        ways = [arm for arm in step.arms if not arm.meanwhile]
        meanwhile = [inner for arm in step.arms if arm.meanwhile for inner in arm.steps]
        taken = [(arm.name, tuple(arm.steps)) for arm in ways]
        if taken:  # the arm for no answer comes first, and after what was walked meanwhile
            name, steps = taken.pop()
            taken.insert(0, (name, (*meanwhile, *steps)))
        return tuple(_Fork(arm, steps, self._number(steps)) for arm, steps in taken)

    def _number(self, steps: Sequence[AnyStep]) -> _Number:
        through, ended = 1, 0
        for step in steps:
            of_step = self._number_of(step)
            ended, through = ended + through * of_step.ended, through * of_step.through
        return _Number(through, ended)

    def _number_of(self, step: AnyStep) -> _Number:
        if forks := self._forks[step.id]:
            return _Number(sum(fork.number.through for fork in forks), sum(fork.number.ended for fork in forks))
        return _Number(1, 0) if step.leads_on else _Number(0, 1)

    def _go(self, steps: Sequence[AnyStep], number: int, after: int, turns: list[Turn]) -> int | None:
        """Add the *turns* of a way. Returns its number among the ways *after* the steps; None where it ended."""
        rests = [after]
        for step in reversed(steps):
            rests.append(self._number_of(step).in_all(rests[-1]))
        left: int | None = number
        for step, rest in zip(steps, reversed(rests[:-1]), strict=True):
            for fork in self._forks[step.id]:
                if number < (here := fork.number.in_all(rest)):
                    turns.append(Turn(step.id, fork.arm))
                    left = self._go(fork.steps, number, rest, turns)
                    break
                number -= here
            else:
                left = number if step.leads_on else None
            if left is None:
                return None
            number = left
        return number

    def _rows(self, steps: Sequence[AnyStep]) -> _Rows:
        rows = _Rows([()], [])
        for step in steps:
            if self._forks[step.id] and rows.through:
                rows = self._beside(rows, self._rows_of(step))
            elif not step.leads_on:
                rows = _Rows([], [*rows.ended, *rows.through])
        return rows

    def _rows_of(self, step: AnyStep) -> _Rows:
        rows = _Rows([], [])
        for fork in sorted(self._forks[step.id], key=lambda fork: not fork.steps):
            if not fork.steps and rows.through:
                break  # an empty arm covers nothing, and is taken only where no other leads on
            inner = self._rows(fork.steps)
            rows.through.extend((Turn(step.id, fork.arm), *way) for way in inner.through)
            rows.ended.extend((Turn(step.id, fork.arm), *way) for way in inner.ended)
        return rows

    def _beside(self, before: _Rows, after: _Rows) -> _Rows:
        """Each way so far goes on by one of those after it, and where there are more of these, again."""
        ways = [*after.through, *after.ended]
        fillers = after.through or after.ended
        rows = _Rows([], [*before.ended])
        for n in range(max(len(before.through), len(ways))):
            way = ways[n] if n < len(ways) else fillers[n % len(fillers)]
            leads_on = n < len(after.through) or (n >= len(ways) and bool(after.through))
            (rows.through if leads_on else rows.ended).append((*before.through[n % len(before.through)], *way))
        return rows
