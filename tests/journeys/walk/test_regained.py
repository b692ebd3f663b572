"""What is kept of a run tells where it stands: as its own walk says, wherever that is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.definition import Journey
from journeys.steps import every_step
from journeys.walk.diary import Delivery, Entry
from journeys.walk.position import Arrival, Position, Turn
from journeys.walk.regained import regained
from journeys.walk.script import DEFAULT_START
from journeys.walk.virtual_run import VirtualRun
from journeys.walk.walk import Walk
from tests.journeys.walk.test_position import HOUR, OUTCOMES, START, Scripted, choices, scripts
from tests.parked_stories import PARKED_STORIES
from tests.pause_stories import PAUSE_STORIES
from tests.policy_stories import POLICY_STORIES
from tests.random_journeys import journeys
from tests.random_stories import stories
from tests.samples import abandoned_cart
from tests.staged import staged
from tests.stories import STORIES, Story
from tests.version_stories import VERSION_STORIES

TOLD = STORIES | POLICY_STORIES | PAUSE_STORIES | VERSION_STORIES | PARKED_STORIES


def check(journey: Journey, walk: Walk, entries: Sequence[Entry]) -> None:
    """From the lines of its whole diary, what it did and what it heard, it stands where its walk says."""
    stands = walk.position

    assert regained(journey.steps, entries, stands.sent, stands.heard) == stands


@contextmanager
def looking() -> Iterator[list[str]]:
    """Wherever a run of the virtual world comes to stand, it is looked at."""
    steps: list[str] = []
    resume = VirtualRun.resume

    def resume_and_check(run: VirtualRun) -> None:
        resume(run)
        if run.facts.active:
            steps.append(run.walk.position.step)
            check(run.facts.version.journey, run.walk, (*run._before, *run.walk.diary.entries))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(VirtualRun, "resume", resume_and_check)
        yield steps


@pytest.mark.parametrize(("name", "story"), [pytest.param(name, story, id=name) for name, story in TOLD.items()])
def test_in_every_story_a_run_stands_where_its_diary_says(name: str, story: Story) -> None:
    with looking() as steps:
        ended = staged(name, story, story.begins(DEFAULT_START)).finish()

    assert steps or all(run.ended for run in ended.runs)


@given(st.data())
def test_in_random_stories_a_run_stands_where_its_diary_says(data: st.DataObject) -> None:
    with looking():
        data.draw(stories())


@given(st.data())
async def test_wherever_a_walk_comes_its_diary_says_so(data: st.DataObject) -> None:
    journey = data.draw(journeys())
    fates = {step.id: data.draw(st.sampled_from(OUTCOMES)) for step in every_step(journey.steps)}
    walk = Walk(journey.steps, Position.at_start(journey.steps[0].id, START))

    class Looking(Scripted):
        def _remember(self) -> None:
            check(journey, walk, walk.diary.entries)

    await walk.go(Looking(walk, START, data.draw(scripts(journey)), fates, data.draw(choices(journey))))


OPENED = Arrival(event="opened", at=START + HOUR, answers=("opened",))
SENT = {"initial-reminder": Delivery(outcome="accepted", at=START)}
LINES = (
    Entry(n=0, at=START, step="initial-reminder", did="entered"),
    Entry(n=1, at=START, step="initial-reminder", did="passed", why="accepted"),
    Entry(n=2, at=START, step="opened", did="entered"),
    Entry(n=3, at=START + HOUR, step="opened", did="passed", arm="yes", why="opened"),
    Entry(n=4, at=START + HOUR, step="pause", did="entered"),
    Entry(n=5, at=START + 9 * HOUR, step="rest", did="moved", why="version 1 → 2"),
    Entry(n=6, at=START + HOUR, step="rest", did="entered"),
)


def other(*after: object) -> Journey:
    return abandoned_cart(steps=[{"id": "other", "wait": "1 hour"}, *after])


def test_a_moved_run_stands_there_since_it_entered_the_step_before() -> None:
    journey = other({"id": "rest", "wait": "3 days"})

    position = regained(journey.steps, LINES, SENT, [OPENED])

    assert position == Position(
        step="rest",
        since=START + HOUR,
        lines=7,
        sent=SENT,
        heard=(OPENED,),
        taken={"opened": ()},
        moved_at=START + 9 * HOUR,
    )


def test_a_moved_run_came_into_a_series_when_that_is_noted() -> None:
    inner = {"id": "rest", "wait": "3 days"}
    series = {"id": "nudges", "until": {"trigger": "store-visit", "within": "5 days"}, "steps": [inner]}
    noted = Entry(n=6, at=START, step="nudges", did="entered")
    stands = LINES[-1].model_copy(update={"n": 7})
    journey = other(series)

    position = regained(journey.steps, [*LINES[:-1], noted, stands], SENT, [])

    assert position.turns == (Turn("nudges", "meanwhile"),)
    assert position.inside == {"nudges": START}
    assert position.since == START + HOUR


def test_a_moved_run_came_into_a_series_of_which_nothing_is_noted_with_its_step() -> None:
    inner = {"id": "rest", "wait": "3 days"}
    series = {"id": "nudges", "until": {"trigger": "store-visit", "within": "5 days"}, "steps": [inner]}

    position = regained(other(series).steps, LINES, SENT, [])

    assert position.inside == {"nudges": START + HOUR}


def test_a_series_that_is_entered_once_more_began_the_last_time() -> None:
    """It was passed in a version where it came first; in this one it comes behind the step where the run stood."""
    inner = {"id": "rest", "wait": "3 days"}
    series = {"id": "nudges", "until": {"trigger": "store-visit", "within": "5 days"}, "steps": [inner]}
    journey = other(series)
    later = START + 99 * HOUR
    lines = (
        Entry(n=0, at=START, step="nudges", did="entered"),
        Entry(n=1, at=START + HOUR, step="nudges", did="passed", arm="yes", why="store-visit"),
        Entry(n=2, at=START + HOUR, step="other", did="entered"),
        Entry(n=3, at=START + 9 * HOUR, step="other", did="moved", why="version 1 → 2"),
        Entry(n=4, at=START + HOUR, step="other", did="entered"),
        Entry(n=5, at=later, step="other", did="passed", why="waited"),
        Entry(n=6, at=later, step="nudges", did="entered"),
        Entry(n=7, at=later, step="rest", did="entered"),
    )
    visited = Arrival(event="visited", at=START + HOUR, answers=("nudges",))

    position = regained(journey.steps, lines, {}, [visited])

    assert position.inside == {"nudges": later}
    assert position.taken == {"visited": ()}


def test_of_a_step_that_the_version_does_not_have_that_is_said() -> None:
    with pytest.raises(LookupError, match='stands at "rest", which is not among the steps'):
        regained(abandoned_cart().steps, LINES, SENT, [])


def test_what_came_of_a_message_counts_once_its_step_is_passed() -> None:
    proved = {"initial-reminder": Delivery(outcome="accepted", at=START)}
    entered = [Entry(n=0, at=START, step="initial-reminder", did="entered")]

    assert regained(abandoned_cart().steps, entered, proved, []) == Position.at_start("initial-reminder", START)
