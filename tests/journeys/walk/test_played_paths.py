"""What happened was a path: each run of a random story goes one of the ways that every_path() tells of."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

from hypothesis import HealthCheck, event, given, settings

from journeys.definition import Journey
from journeys.steps import MEANWHILE, AnyStep, every_step
from journeys.walk.paths import Path, Stretch, apart, path_by
from journeys.walk.position import way_to
from journeys.walk.timeline import PreviewRun
from journeys.walk.ways import LEFT, Ways
from tests.random_stories import Played, stories

EXAMPLES = int(os.environ.get("SOJOURN_TEST_PATHS", "100"))
Arms = tuple[tuple[str, str], ...]
MOST_WAYS = 2_000
"""Of a journey that is looked through for the way of a run."""


class Went(NamedTuple):
    """How a run went: the arms it took, by when their steps were entered, and its messages, so long after its entry."""

    arms: Arms
    sends: tuple[tuple[str, timedelta], ...]


class Told(NamedTuple):
    """How a path goes: its arms, and its messages, each with its earliest and its latest time."""

    arms: Arms
    sends: tuple[tuple[str, timedelta, timedelta], ...]


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(story=stories(ruled=False))
def test_what_happened_was_a_path(story: Played) -> None:
    ways = Ways(story.scene.journey.steps).number
    event(f"ways: {'1' if ways == 1 else 'many' if ways <= MOST_WAYS else 'too many'}")
    if ways > MOST_WAYS:
        return
    for run in story.runs:
        went, left = how(run, story.scene.journey), not_come_to(run, story.scene.journey)
        found = [
            told for path in paths_by(went.arms, left, story.scene.journey) if fits(told := as_far(path, left), went)
        ]

        assert found, f"{story.scene.journey.model_dump_json(by_alias=True, exclude_unset=True)}\n{run.diary}\n{went}"


def paths_by(arms: Arms, left: set[str], journey: Journey) -> Iterator[Path]:
    """The paths by these arms, beside those of steps that are *left* out, as every_path() tells of them."""
    ways = Ways(journey.steps)
    stretches = [Stretch(steps) for steps in apart(journey.steps)]
    for way in map(ways.nth, range(ways.number)):
        if tuple((turn.step, turn.arm) for turn in way if turn.arm != LEFT and turn.step not in left) == arms:
            yield path_by(stretches, way)


def how(run: PreviewRun, journey: Journey) -> Went:
    """How it went; of a series that was answered, nothing that is walked until then.

    Of a series in which the run came to its end, a path says that there was no answer by then.
    """
    entered = [entry.step for entry in run.diary if entry.did == "entered"]
    ended_in = around(run.diary[-1].step, journey) if run.ended == "completed" else set[str]()
    arms = dict.fromkeys(ended_in, "no") | {entry.step: entry.arm for entry in run.diary if entry.arm}
    answered = within_answered(run, journey)
    return Went(
        tuple((step, arms[step]) for step in entered if step in arms and step not in answered),
        tuple((send.step, send.at - run.entered_at) for send in run.sends if send.step not in answered),
    )


def not_come_to(run: PreviewRun, journey: Journey) -> set[str]:
    """What the run did not come to, as it ended before or left a series: a path goes on there."""
    passed = {entry.step for entry in run.diary if entry.did == "passed"}
    passed |= around(run.diary[-1].step, journey) if run.ended == "completed" else set()
    return {id for id in ids(journey.steps) if id not in passed and (run.ended != "completed" or around(id, journey))}


def as_far(path: Path, left: set[str]) -> Told:
    """A path without what is *left* out."""
    return Told(
        tuple((choice.step, choice.arm) for choice in path.choices if choice.step not in left),
        tuple((send.step, send.earliest, send.latest) for send in path.messages if send.step not in left),
    )


def fits(path: Told, went: Went) -> bool:
    """Whether the arms and all messages are those of the path, and these go in time."""
    if path.arms != went.arms or [step for step, *_ in path.sends] != [step for step, _ in went.sends]:
        return False
    return all(earliest <= at <= latest for (_, earliest, latest), (_, at) in zip(path.sends, went.sends, strict=True))


def within_answered(run: PreviewRun, journey: Journey) -> set[str]:
    """What lies within the series that were answered."""
    answered = {entry.step for entry in run.diary if entry.arm == "yes"}
    series = [step for step in every_step(journey.steps) if step.id in answered]
    return {id for step in series for arm in step.arms if arm.meanwhile for id in ids(arm.steps)}


def around(id: str, journey: Journey) -> set[str]:
    """The series that a step lies in."""
    return {turn.step for turn in way_to(journey.steps, id) or () if turn.arm == MEANWHILE}


def ids(steps: Sequence[AnyStep]) -> list[str]:
    return [step.id for step in every_step(steps)]
