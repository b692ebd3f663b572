"""A run that hears of everything late, as after an outage, goes the way that it would have gone in time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from journeys.definition import Journey
from journeys.walk.diary import Entry
from journeys.walk.preview import Stage
from journeys.walk.script import Happening
from tests.samples import abandoned_cart, version
from tests.stories import await_, buys, cart, end, pause, until, visits

HOUR = timedelta(hours=1)
HALF_PAST = HOUR / 2
"""No line and no limit of these stories is at half past."""

VISITED, BOUGHT = {"trigger": "store-visit"}, {"trigger": "purchase-completed"}


class LateStage(Stage):
    """A stage whose runs hear of nothing in an outage, and of all of it afterwards."""

    def __init__(self, begins: timedelta, over: timedelta) -> None:
        super().__init__({})
        self._begins, self._over = self.started_at + begins, self.started_at + over

    def advance(self, to: datetime | None = None) -> None:
        if self.now < self._begins and (to is None or to >= self._begins):
            super().advance(self._begins)
        if self._is_out and to is not None and to < self._over:
            self.now = max(self.now, to)
            return
        if self._is_out:
            self.now = self._over
            for run in self._runs:
                run.resume()
        super().advance(to)

    @property
    def _is_out(self) -> bool:
        return self._begins <= self.now < self._over

    def _carry_out(self, *decided: Any) -> Iterator[Any]:
        moved = list(super()._carry_out(*decided))
        return iter(() if self._is_out else moved)


@st.composite
def step_lists(draw: st.DrawFn, ids: Iterator[int], deep: int) -> list[dict[str, Any]]:
    """Steps that only let time pass and ask: what is sent, is sent late."""

    def asked() -> dict[str, str]:
        return draw(st.sampled_from([BOUGHT, VISITED, VISITED, {**VISITED, "where": "event.city == 'Oslo'"}]))

    def steps() -> list[dict[str, Any]]:
        return draw(st.just([]) | step_lists(ids=ids, deep=deep - 1))

    kinds = ["wait", "if", "await", "until", "until"] if deep else ["wait", "wait", "end"]
    listed: list[dict[str, Any]] = []
    for kind in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=3)):
        id, hours = f"{kind}-{next(ids)}", f"{draw(st.integers(1, 36))} hours"
        match kind:
            case "wait":
                listed.append(pause(id, hours))
            case "if":
                listed.append({"id": id, "if": {**asked(), "within": hours}, "then": steps(), "else": steps()})
            case "await":
                arms = [{"arm": arm, **asked(), "then": steps()} for arm in ("a", "b")]
                listed.append(await_(id, *arms, within=hours, otherwise=steps()))
            case "end":
                return [*listed, end(id)]
            case _:
                inner = draw(step_lists(ids=ids, deep=deep - 1))
                listed.append(until(id, {**asked(), "within": hours}, *inner, then=steps(), **{"else": steps()}))
    return listed


@st.composite
def scripts(draw: st.DrawFn) -> list[Happening]:
    """Visits and purchases, at full hours, not two at once."""
    hours = draw(st.lists(st.integers(1, 120), min_size=1, max_size=5, unique=True).map(sorted))
    where = st.sampled_from(["Oslo", "Rome", None])
    return [visits(f"{hour} hours", city) if (city := draw(where)) else buys(f"{hour} hours") for hour in hours]


@st.composite
def outages(draw: st.DrawFn) -> LateStage:
    begins, lasting = draw(st.integers(0, 100)), draw(st.integers(1, 100))
    return LateStage(begins * HOUR + HALF_PAST, (begins + lasting) * HOUR + HALF_PAST)


def walked(stage: Stage, journey: Journey, script: list[Happening]) -> tuple[Entry, ...]:
    """The diary of the one run of a script."""
    stage.publish(version(journey))
    for line in [cart(), *script]:
        stage.happen(line)
    (run,) = stage.finish().runs
    return run.diary


def asking(steps: list[dict[str, Any]]) -> Journey:
    return abandoned_cart(exit=[], steps=steps)


@given(st.deferred(lambda: step_lists(ids=count(1), deep=3)), scripts(), outages())
def test_by_chance(steps: list[dict[str, Any]], script: list[Happening], late: LateStage) -> None:
    journey = asking(steps)

    assert walked(late, journey, script) == walked(Stage({}), journey, script)
