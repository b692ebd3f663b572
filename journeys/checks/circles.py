"""Circles: journeys that start one another, as far as their definitions show it before anybody walks them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from journeys.catalogue import CHANGED
from journeys.definition import Journey
from journeys.findings import Findings, flaw, gathered, warning
from journeys.steps import AnyStep, every_step, lead_on, placed
from journeys.steps.uses import RaiseUse, SetUse


class Raising(NamedTuple):
    """A step at *path* that makes an event of a trigger. *surely*: every run comes there, and nothing is asked before.

    *changing*: the attributes that it sets of the customer. A change is never sure: they may be so already.
    """

    path: str
    trigger: str
    surely: bool
    changing: tuple[str, ...] = ()

    def starts(self, journey: Journey) -> bool:
        """Whether *journey* may be started by it. A change of something else than its condition names does not."""
        start = journey.start
        named = any(f".{name}" in (start.where or "") for name in self.changing)
        return self.trigger in start.triggers and (not self.changing or start.where is None or named)


class _Way(NamedTuple):
    journeys: tuple[str, ...]
    surely: bool


def check_circles(journey: Journey, live: Mapping[str, Journey]) -> Findings:
    """The circles that *journey* closes with those that are *live*: flaws, and warnings where one may be left.

    A start that nothing from outside has led to is refused, however long it took, so a sure circle never closes.
    """
    known = {**live, journey.journey: journey}
    ways = (
        (step, _shortest(step, journey.journey, known, surely=True) or _shortest(step, journey.journey, known))
        for step in raising(journey)
    )
    return gathered(_told(step, way) for step, way in ways if way is not None)


def raising(journey: Journey) -> Iterator[Raising]:
    """The steps that make events, in the order they are written."""
    sure = _sure(journey)
    for path, step in placed(journey.steps, "steps"):
        for use in step.uses:
            match use:
                case RaiseUse(trigger=trigger):
                    yield Raising(f"{path}.{use.path}", trigger, step.id in sure)
                case SetUse(attributes=attributes):
                    yield Raising(f"{path}.{use.path}", CHANGED, surely=False, changing=tuple(attributes))
                case _:
                    pass


def _sure(journey: Journey) -> set[str]:
    """The steps that every run comes to before anything is asked."""
    surely: set[str] = set()
    for step in journey.steps:
        surely.add(step.id)
        if not _goes_on_alone(step):
            break
    return surely


def _goes_on_alone(step: AnyStep) -> bool:
    asks = any(inner.questions for inner in every_step([step]))
    return not asks and all(lead_on(arm.steps) for arm in step.arms)


def _shortest(step: Raising, to: str, known: Mapping[str, Journey], *, surely: bool = False) -> _Way | None:
    """The shortest way from a raise to a start of the journey *to*, through those that it starts."""
    ways = deque(_started(_Way((to,), surely=True), step, known, surely))
    seen: set[str] = set()
    while ways:
        way = ways.popleft()
        name = way.journeys[-1]
        if name == to:
            return way
        if name not in seen:
            seen.add(name)
            for further in raising(known[name]):
                ways += _started(way, further, known, surely)
    return None


def _started(way: _Way, step: Raising, known: Mapping[str, Journey], surely: bool) -> Iterator[_Way]:  # noqa: FBT001
    """The way on through each journey that is started; only those that surely are, where it has to be *surely*."""
    for name, other in known.items():
        sure = way.surely and step.surely and other.start.where is None
        if step.starts(other) and (sure or not surely):
            yield _Way((*way.journeys, name), sure)


def _told(step: Raising, way: _Way) -> Findings:
    named = " → ".join(way.journeys)
    if way.surely:
        message = f"journeys start one another in a circle: {named}. The last start would be refused."
        hint = "Ask for something before, give one of the starts a where, or leave the raise out."
        return flaw(step.path, message, hint)
    message = f"journeys may start one another in a circle: {named}."
    hint = "The last start is refused unless something came from outside in between."
    return warning(step.path, message, hint)
