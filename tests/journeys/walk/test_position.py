"""A run can begin anywhere: from each position of a walk, another walk does the same rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.definition import Journey
from journeys.language.moments import Moment as Until
from journeys.steps import MEANWHILE, every_step, listening
from journeys.walk.ahead import ahead
from journeys.walk.diary import Choice, Delivery, Entry, Held, Outcome
from journeys.walk.position import Arrival, Position, Turn, way_to
from journeys.walk.walk import Walk
from journeys.walk.world import Visit
from tests.random_journeys import journeys
from tests.samples import abandoned_cart
from tests.worlds import OnlyMessages

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
OUTCOMES: list[Outcome] = ["accepted", "blocked", "failed", "unknown"]


@dataclass(frozen=True)
class Moment:
    """Where a walk stood, the instant, and what it was still to hear."""

    position: Position
    now: datetime
    coming: tuple[Arrival, ...]


class Scripted(OnlyMessages):
    """A world in which arrivals come at given times, and each message takes its time and meets its fate.

    *arms*: what the steps take that choose.
    """

    def __init__(
        self,
        walk: Walk,
        now: datetime,
        coming: tuple[Arrival, ...],
        fates: Mapping[str, Outcome],
        arms: Mapping[str, Choice] = MappingProxyType({}),
    ) -> None:
        self.moments: list[Moment] = []
        self.sent: list[tuple[str, datetime, str | None]] = []
        self._walk = walk
        self._now = now
        self._coming = coming
        self._fates = fates
        self._arms = arms

    def now(self) -> datetime:
        return self._now

    async def deliver(self, visit: Visit) -> Delivery | Held:
        return self._does(visit)

    def _does(self, visit: Visit) -> Delivery:
        self._remember()
        self._now += timedelta(minutes=len(visit.at_step))
        self.sent.append((visit.at_step, self._now, visit.following))
        return Delivery(outcome=self._fates.get(visit.at_step, "accepted"), at=self._now)

    async def decide(self, visit: Visit) -> Choice | None:
        self._remember()
        return self._arms.get(visit.at_step)  # what becomes true, comes while it waits

    async def moment(self, visit: Visit) -> Until:
        hours = crc32(visit.at_step.encode()) % 50
        return Until(at=visit.position.since + hours * HOUR, late=hours % 3 == 0)

    async def perform(self, visit: Visit) -> Delivery:
        return self._does(visit)

    async def wait(self, until: datetime | None, arrived: Callable[[], bool], why: str) -> bool:
        del why
        assert until is not None
        self._hear()
        self._remember()
        while not arrived():
            if self._now >= until:
                return False
            self._now = min(until, max(self._now, self._coming[0].at)) if self._coming else until
            self._hear()
        return True

    def _remember(self) -> None:
        self.moments.append(Moment(self._walk.position, self._now, self._coming))

    def _hear(self) -> None:
        while self._coming and self._coming[0].at <= self._now:
            self._walk.arrive(self._coming[0])
            self._coming = self._coming[1:]


@st.composite
def scripts(draw: st.DrawFn, journey: Journey) -> tuple[Arrival, ...]:
    """What arrives, in the order in which it comes."""
    asking = [asked.answer for asked in listening(journey.steps)]
    if not asking:
        return ()
    at = START
    script = []
    for number in range(draw(st.integers(0, 6))):
        at += draw(st.integers(0, 60)) * HOUR
        answers = tuple(draw(st.lists(st.sampled_from(asking), min_size=1, max_size=3, unique=True)))
        script.append(Arrival(event=f"e-{number}", at=at, answers=answers))
    return tuple(script)


@st.composite
def choices(draw: st.DrawFn, journey: Journey) -> dict[str, Choice]:
    """The arms that steps take which choose."""
    choosing = [step for step in every_step(journey.steps) if step.arms and not step.questions]
    return {step.id: Choice(arm=draw(st.sampled_from(step.arms)).name, why="drawn") for step in choosing}


@given(st.data())
async def test_from_each_of_its_positions_a_walk_does_the_same_rest(data: st.DataObject) -> None:
    journey = data.draw(journeys())
    fates = {step.id: data.draw(st.sampled_from(OUTCOMES)) for step in every_step(journey.steps)}
    arms = data.draw(choices(journey))
    walk = Walk(journey.steps, Position.at_start(journey.steps[0].id, START))
    world = Scripted(walk, START, data.draw(scripts(journey)), fates, arms)
    await walk.go(world)

    for moment in world.moments:
        position = Position.model_validate_json(moment.position.model_dump_json())
        again = Walk(journey.steps, position)
        rest = Scripted(again, moment.now, moment.coming, fates, arms)
        await again.go(rest)

        assert rest.sent == [sent for sent in world.sent if sent[1] > moment.now or sent[0] == position.step]
        assert after(again, position) == after(walk, position)


@given(st.data())
async def test_whatever_a_walk_comes_to_was_ahead_and_no_sooner_than_was_said(data: st.DataObject) -> None:
    journey = data.draw(journeys())
    walk = Walk(journey.steps, Position.at_start(journey.steps[0].id, START))
    await walk.go(Scripted(walk, START, data.draw(scripts(journey)), {}, data.draw(choices(journey))))
    entered = [entry for entry in walk.diary.entries if entry.did == "entered"]

    for number, stood in enumerate(entered):
        soonest = {step.id: soonest for step, soonest in ahead(journey.steps, stood.step)}

        assert soonest[stood.step] == timedelta(0)
        assert all(stood.at + soonest[later.step] <= later.at for later in entered[number:])
        around = {turn.step for turn in way_to(journey.steps, stood.step) or () if turn.arm == MEANWHILE}
        assert soonest.keys().isdisjoint({passed.step for passed in entered[:number]} - around)


def test_what_lies_in_another_arm_or_behind_an_end_is_not_ahead() -> None:
    pause, late = {"id": "pause", "wait": "1 day"}, {"id": "late", "wait": "3 days"}
    ends, after = {"id": "enough", "end": "enough"}, {"id": "after", "wait": "1 hour"}
    question = {"if": {"trigger": "store-visit", "within": "1 day"}}
    steps = abandoned_cart(steps=[{"id": "ask", **question, "then": [pause, ends], "else": [late]}, after]).steps

    def told(at: str) -> dict[str, timedelta]:
        return {step.id: soonest for step, soonest in ahead(steps, at)}

    assert told("pause") == {"pause": timedelta(0), "enough": 24 * HOUR}
    assert told("late") == {"late": timedelta(0), "after": 72 * HOUR}
    assert told("ask")["after"] == 72 * HOUR
    assert told("nowhere") == {}


def after(walk: Walk, position: Position) -> list[Entry]:
    return [entry for entry in walk.diary.entries if entry.n >= position.lines]


async def test_a_position_tells_the_way_there() -> None:
    journey = abandoned_cart()
    walk = Walk(journey.steps, Position.at_start(journey.steps[0].id, START))
    world = Scripted(walk, START, (), {})
    await walk.go(world)

    stood = {moment.position.step: moment.position for moment in world.moments}

    assert stood["pause"].turns == (Turn("opened", "no"),)
    assert stood["opened"].turns == ()
    assert list(stood["pause"].sent) == ["initial-reminder", "second-reminder"]
    assert stood["pause"].lines == len([e for e in walk.diary.entries if e.at <= stood["pause"].since])


@pytest.mark.parametrize(
    "lost",
    [
        pytest.param({"step": "gone"}, id="no-such-step"),
        pytest.param({"turns": (Turn("opened", "yes"),)}, id="the-other-arm"),
        pytest.param({"turns": ()}, id="not-in-any-arm"),
        pytest.param({"turns": (Turn("opened", "perhaps"),)}, id="no-such-arm"),
        pytest.param({"step": "opened"}, id="not-in-this-arm"),
        pytest.param({"step": "after"}, id="behind-the-join"),
    ],
)
async def test_a_position_that_is_not_in_the_tree_is_refused(lost: dict[str, Any]) -> None:
    there = Position(step="pause", since=START, turns=(Turn("opened", "no"),), lines=5)
    after = {"id": "after", "push": "final-push-notification", "to": "customer.push_token"}
    written = abandoned_cart().model_dump(mode="json", by_alias=True, exclude_unset=True)["steps"]
    walk = Walk(abandoned_cart(steps=[*written, after]).steps, there.model_copy(update=lost))
    world = Scripted(walk, START, (), {})

    with pytest.raises(LookupError, match=r"no such place to begin at|has no arm"):
        await walk.go(world)

    assert world.sent == []


def test_a_run_begins_at_its_first_step_with_one_line_in_its_diary() -> None:
    start = Position.at_start("initial-reminder", START)

    assert start.entered == Entry(n=0, at=START, step="initial-reminder", did="entered")


@given(st.data())
async def test_no_step_is_entered_twice_or_over_twice(data: st.DataObject) -> None:
    journey = data.draw(journeys())
    walk = Walk(journey.steps, Position.at_start(journey.steps[0].id, START))

    await walk.go(Scripted(walk, START, data.draw(scripts(journey)), {}, data.draw(choices(journey))))

    entered = [entry.step for entry in walk.diary.entries if entry.did == "entered"]
    over = [entry.step for entry in walk.diary.entries if entry.did in ("passed", "left")]
    assert len(set(entered)) == len(entered)
    assert len(set(over)) == len(over)
    assert set(over) <= set(entered)
