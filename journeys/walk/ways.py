"""The ways through a tree of steps: how many there are, which is the nth, and a few that cover every step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from journeys.steps import AnyStep, Asking, every_step
from journeys.walk.position import Turn

Way = tuple[Turn, ...]
"""The arms that are taken, in the order in which a run comes to them."""

LEFT = "left"
"""In place of an arm: an end within a series that is not come to, as the limit of the series comes before."""


class _Number(NamedTuple):
    """How many ways lead through some steps, and how many end in them: *within* a series that is among them, or not."""

    through: int
    ended: int
    within: int = 0

    def in_all(self, after: int, instead: int = 1) -> int:
        """How many there are, where each that leads through has so many ways *after* it.

        *instead*: how many each has that ends, the end itself among them: a series around it may be left before.
        """
        return self.within + self.ended * instead + self.through * after


class _Fork(NamedTuple):
    """An arm, the steps that are walked where it is taken, and how many ways those have.

    *meanwhile*: what is walked before, and may be *left*.
    """

    arm: str
    steps: tuple[AnyStep, ...]
    number: _Number
    meanwhile: tuple[AnyStep, ...] = ()
    left: bool = False


class _Rows(NamedTuple):
    """Ways that cover every step: those that lead through, and those that end, *within* a series among them or not."""

    through: list[Way]
    ended: list[Way]
    within: list[Way]


class Ways:
    """All ways through *steps*, none of which is walked: arms multiply, and there may be very many.

    Of a series, one way is its answer before any of its steps, and the others lead through them and on by the last arm.
    Where a way ends within, the limit may come before its end, and then it leads on by that arm as well.
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
        self._go(self._steps, number, 1, 1, turns)
        return tuple(turns)

    def covering(self) -> list[Way]:
        """A few ways such that every step that can be reached lies on one of them."""
        rows = self._rows(self._steps)
        return list(dict.fromkeys([*rows.through, *rows.ended, *rows.within]))

    def _forks_of(self, step: AnyStep) -> tuple[_Fork, ...]:
        forks = [_Fork(arm.name, tuple(arm.steps), self._number(arm.steps)) for arm in step.arms if not arm.meanwhile]
        if forks:  # the arm for no answer comes first, and after what was walked meanwhile
            forks.insert(0, self._after_meanwhile(step, forks.pop()))
        return tuple(forks)

    def _after_meanwhile(self, step: AnyStep, fork: _Fork) -> _Fork:
        meanwhile = tuple(inner for arm in step.arms if arm.meanwhile for inner in arm.steps)
        left = isinstance(step, Asking) and _may_be_left(step, meanwhile)
        through, ended, within = self._number(meanwhile)
        lead_on = through + ended * left
        after = _Number(*(lead_on * number for number in fork.number))
        number = after._replace(within=after.within + ended + within)
        return fork._replace(number=number, meanwhile=meanwhile, left=left)

    def _number(self, steps: Sequence[AnyStep]) -> _Number:
        through, ended, within = 1, 0, 0
        for step in steps:
            of_step = self._number_of(step)
            ended, within = ended + through * of_step.ended, within + through * of_step.within
            through *= of_step.through
        return _Number(through, ended, within)

    def _number_of(self, step: AnyStep) -> _Number:
        if forks := self._forks[step.id]:
            return _Number(*map(sum, zip(*(fork.number for fork in forks), strict=True)))
        return _Number(1, 0) if step.leads_on else _Number(0, 1)

    def _go(
        self, steps: Sequence[AnyStep], number: int, after: int, instead: int, turns: list[Turn]
    ) -> tuple[int, AnyStep | None]:
        """Add the *turns* of a way. Returns its number among those *after* the steps, or those *instead* of an end."""
        rests = [after]
        for step in reversed(steps):
            rests.append(self._number_of(step).in_all(rests[-1], instead))
        for step, rest in zip(steps, reversed(rests[:-1]), strict=True):
            end = None if step.leads_on else step
            for fork in self._forks[step.id]:
                if number < (here := fork.number.in_all(rest, instead)):
                    turns.append(Turn(step.id, fork.arm))
                    number, end = self._go_on(fork, number, rest, instead, turns)
                    break
                number -= here
            if end:
                return number, end
        return number, None

    def _go_on(
        self, fork: _Fork, number: int, after: int, instead: int, turns: list[Turn]
    ) -> tuple[int, AnyStep | None]:
        """Add the turns of a way in an arm, after those of what is walked before."""
        if fork.meanwhile:
            then = self._number(fork.steps).in_all(after, instead)
            number, end = self._go(fork.meanwhile, number, then, 1 + then * fork.left, turns)
            if end and number == 0:
                return 0, end
            if end:
                turns.append(Turn(end.id, LEFT))
                number -= 1
        return self._go(fork.steps, number, after, instead, turns)

    def _rows(self, steps: Sequence[AnyStep]) -> _Rows:
        rows = _Rows([()], [], [])
        for step in steps:
            if self._forks[step.id] and rows.through:
                rows = self._beside(rows, self._rows_of(step))
            elif not step.leads_on:
                rows = _Rows([], [*rows.ended, *rows.through], rows.within)
        return rows

    def _rows_of(self, step: AnyStep) -> _Rows:
        rows = _Rows([], [], [])
        for fork in sorted(self._forks[step.id], key=lambda fork: not (fork.steps or fork.meanwhile)):
            if not (fork.steps or fork.meanwhile) and rows.through:
                break  # an empty arm covers nothing, and is taken only where no other leads on
            for kind, ways in zip(rows, self._rows_in(fork), strict=True):
                kind.extend((Turn(step.id, fork.arm), *way) for way in ways)
        return rows

    def _rows_in(self, fork: _Fork) -> _Rows:
        through, ended, within = self._rows(fork.meanwhile)
        if fork.left:
            through = [*through, *((*way, Turn(_end_of(fork.meanwhile, dict(way)), LEFT)) for way in ended)]
        before = _Rows(through, [], [*ended, *within])
        return self._beside(before, self._rows(fork.steps)) if through else before

    def _beside(self, before: _Rows, after: _Rows) -> _Rows:
        """Each way so far goes on by one of those after it, and where there are more of these, again."""
        after_all = [(kind, way) for kind, ways in enumerate(after) for way in ways]
        fillers = [(0, way) for way in after.through] or after_all
        rows = _Rows([], [*before.ended], [*before.within])
        for n in range(max(len(before.through), len(after_all))):
            kind, way = after_all[n] if n < len(after_all) else fillers[n % len(fillers)]
            rows[kind].append((*before.through[n % len(before.through)], *way))
        return rows


def _may_be_left(series: Asking, steps: Sequence[AnyStep]) -> bool:
    """Whether the limit of a series may come before an end within: the run stands there so long, or comes too late."""
    ends = [at for _, at in _ends(steps, timedelta(0))]
    return bool(ends) and (series.limit_counts_from is not None or max(ends) >= series.limit)


def _ends(steps: Sequence[AnyStep], at: timedelta) -> Iterator[tuple[AnyStep, timedelta]]:
    """The ends among some steps, outside of other series, each with when it is come to at the latest."""
    for step in steps:
        if not step.leads_on:
            yield step, at
        for arm in step.arms:
            if not arm.meanwhile:
                yield from _ends(arm.steps, at + step.longest)
        at += _longest(step)


def _longest(step: AnyStep) -> timedelta:
    """The longest that a step takes with those in its arms. What is walked meanwhile takes no longer than it does."""
    arms = [sum(map(_longest, arm.steps), timedelta(0)) for arm in step.arms if not arm.meanwhile]
    return step.longest + max(arms, default=timedelta(0))


def _end_of(steps: Sequence[AnyStep], arms: Mapping[str, str]) -> str:
    """The end to which a way leads that ends in these steps, and in no series among them."""
    return next(end for end in _ends_by(steps, arms))


def _ends_by(steps: Sequence[AnyStep], arms: Mapping[str, str]) -> Iterator[str]:
    for step in steps:
        if not step.leads_on:
            yield step.id
        if step.id in arms:
            yield from _ends_by(step.arm(arms[step.id]).steps, arms)
