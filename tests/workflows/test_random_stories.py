"""Stories by chance, told in both worlds: whatever a journey says and whatever happens, preview and Temporal agree."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from temporalio.testing import WorkflowEnvironment

from journeys.chance import arm_of
from journeys.definition import Journey
from journeys.interactions import INTERACTIONS, Interaction
from journeys.steps import Step, every_step
from journeys.steps.uses import SharesUse
from journeys.walk.preview import Stage
from journeys.walk.script import Happening
from journeys.walk.timeline import PreviewRun
from store.runs import RunView
from tests.engine import Clock, engine
from tests.random_journeys import beginning, journeys
from tests.samples import CONTENTS, CUSTOMER, version
from tests.stories import Run, buys, cart, does, visits
from tests.workflows.test_stories import A_MINUTE, event, told

FIFTY = Decimal(50)
EXAMPLES = int(os.environ.get("SOJOURN_TEST_STORIES", "12"))
EXITS: tuple[list[str], ...] = ([], ["purchase-completed"])

_numbers = count(1)


@dataclass(frozen=True)
class Played:
    """A story as the preview tells it."""

    journey: Journey
    lines: tuple[Happening, ...]
    runs: tuple[PreviewRun, ...]


@st.composite
def stories(draw: st.DrawFn) -> Played:
    """A cart, and what happens after it: visits, purchases, other carts, and what is done with messages."""
    journey = draw(journeys(exit=draw(st.sampled_from(EXITS))))
    stage = Stage(CUSTOMER, customer_id="ada", contents=CONTENTS)
    stage.publish(version(journey))
    lines = [cart(id="e-0")]
    stage.happen(lines[0])
    at = timedelta(0)
    for number in range(1, draw(st.integers(1, 8))):
        at += draw(st.integers(1, 40)) * timedelta(hours=1)
        stage.advance(stage.started_at + at)
        line = draw(st.sampled_from(list(possible(stage, f"{at.total_seconds():.0f} seconds"))))
        lines.append(line.model_copy(update={"id": f"e-{number}"}))
        stage.happen(lines[-1])
    return Played(journey, tuple(lines), stage.finish().runs)


def possible(stage: Stage, when: str) -> Iterator[Happening]:
    """What may happen now."""
    yield visits(when, "Oslo")
    yield buys(when)
    yield cart(when, "c2")
    for number, run in enumerate(stage.so_far, 1):
        for send in run.sends:
            what: Sequence[Interaction] = ("delivered", "clicked") if send.outcome == "accepted" else ()
            yield from (does(when, each, send.step, run=number) for each in what if each in INTERACTIONS[send.kind])


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(story=stories())
async def test_preview_and_temporal_agree(
    story: Played, skipping: WorkflowEnvironment, migrated_sqlite: Path, tmp_path: Path
) -> None:
    clock = Clock(skipping)
    name = goes_like("ada", story.journey)
    # Each story has a store of its own: who has a place, and who is in a test, is kept over versions of a journey.
    url = f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path / f'{name}.db')}"
    async with engine(skipping.client, url, clock=clock) as played:
        await clock.start()
        await played.customer(name)
        await played.publish(beginning(story.journey, clock.begin))
        for number, line in enumerate(story.lines, 1):
            await clock.move(line.at)
            happening = line.model_copy(update={"id": f"{name}-{number}"})
            await played.accept(await event(played, name, number, happening, clock))
            await played.relay.drain_once()
        begin = story.runs[0].entered_at
        last = max(run.ended_at or begin for run in story.runs)
        await clock.move(max(last - begin, story.lines[-1].at) + timedelta(minutes=1))

        runs = await played.runs(name)
        assert [outcome(run, clock.begin) for run in runs] == [outcome(run, begin) for run in story.runs]
        assert [walked(run) for run in runs] == [walked(run) for run in story.runs]
        sent = [(message.run, message.step) for message in played.ledger.took]
        assert len(sent) == len(set(sent))
        for run in runs:
            check_diary(run)
            await played.until_ended(run.id)


def goes_like(customer: str, journey: Journey) -> str:
    """Another customer, who takes the same arms by chance."""
    names = (f"customer-{number}" for number in _numbers)
    return next(name for name in names if drawn(journey, name) == drawn(journey, customer))


def drawn(journey: Journey, customer: str) -> list[str]:
    """The arm of each step that shares people out."""
    shared = [(step.id, {arm.name: FIFTY for arm in step.arms}) for step in every_step(journey.steps) if by_share(step)]
    return [arm_of(journey.journey, step, shares, customer) for step, shares in shared]


def by_share(step: Step) -> bool:
    return any(isinstance(use, SharesUse) and use.shares for use in step.uses)


def outcome(run: RunView | PreviewRun, begin: datetime) -> Run:
    """What became of it, whatever the number of its version."""
    return replace(told(run, begin, A_MINUTE), version=1)


def walked(run: RunView | PreviewRun) -> list[str]:
    """Its way: what it did at each step, and which arm it took."""
    return [f"{entry.did} {entry.step} {entry.arm or ''}".rstrip() for entry in run.diary]


def check_diary(run: RunView) -> None:
    """No step is entered twice, nor passed or left twice, and no line is missing."""
    entered = [entry.step for entry in run.diary if entry.did == "entered"]
    over = [entry.step for entry in run.diary if entry.did in ("passed", "left")]
    assert len(set(entered)) == len(entered)
    assert len(set(over)) == len(over)
    assert set(over) <= set(entered)
    assert [entry.n for entry in run.diary] == list(range(len(run.diary)))
