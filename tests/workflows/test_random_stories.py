"""Stories by chance, told in both worlds: whatever a journey says and whatever happens, preview and Temporal agree."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path

from hypothesis import HealthCheck, assume, given, settings
from temporalio.testing import WorkflowEnvironment

from activities.endpoints import Seal
from activities.endpoints.signing import new_secret
from journeys.catalogue import CustomerAttribute
from journeys.chance import arm_of
from journeys.definition import Journey
from journeys.endpoints import Endpoint
from journeys.steps import Step, every_step
from journeys.steps.uses import SharesUse
from journeys.walk.script import DEFAULT_START, Happening
from journeys.walk.timeline import PreviewRun
from store.customer_attributes import put_attribute
from store.customers import patch_customer
from store.endpoints import put_endpoint
from store.runs import RunView
from tests.engine import HOUSE, Clock, Engine, engine
from tests.fakes.receiver import Answer, Receiver, says
from tests.random_journeys import FATES, beginning
from tests.random_stories import Played, stories
from tests.shop import by_us
from tests.stories import Run
from tests.workflows.test_stories import A_MINUTE, event, told

FIFTY = Decimal(50)
EXAMPLES = int(os.environ.get("SOJOURN_TEST_STORIES", "12"))
A_WEEK = timedelta(days=7)

_numbers = count(1)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(story=stories())
async def test_preview_and_temporal_agree(
    story: Played, skipping: WorkflowEnvironment, migrated_sqlite: Path, tmp_path: Path
) -> None:
    assume(not story.hurries)
    clock = Clock(skipping)
    name = goes_like("ada", story.journey)
    # Each story has a store of its own: who has a place, and who is in a test, is kept over versions of a journey.
    url = f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path / f'{name}.db')}"
    async with engine(skipping.client, url, clock=clock) as played, endpoints(played, clock) as receivers:
        await at_the_usual_time(clock)
        await put_attribute(played.store, CustomerAttribute(attribute="renews_at", type="time"), by_us(clock.now))
        await played.customer(name)
        await played.publish(beginning(story.journey, clock.begin))
        for number, line in enumerate(story.lines, 1):
            await clock.move(line.at)
            await happen(played, name, number, line, clock)
        begin = story.runs[0].entered_at
        last = max(run.ended_at or begin for run in story.runs)
        await clock.move(max(last - begin, story.lines[-1].at) + timedelta(minutes=1))

        runs = await played.runs(name)
        assert [outcome(run, clock.begin) for run in runs] == [outcome(run, begin) for run in story.runs]
        assert [walked(run) for run in runs] == [walked(run) for run in story.runs]
        sent = [(message.run, message.step) for message in played.ledger.took]
        assert len(sent) == len(set(sent))
        assert posted(receivers) == called(story)
        for run in runs:
            check_diary(run)
            await played.until_ended(run.id)


async def at_the_usual_time(clock: Clock) -> None:
    """Begin whole weeks after the usual time, so that clocks show the same, on the same day of the week."""
    await clock.start()
    begin = clock.begin + (DEFAULT_START - clock.begin) % A_WEEK
    await clock.begin_at(begin)


async def happen(played: Engine, customer: str, number: int, line: Happening, clock: Clock) -> None:
    """Let a line of a story happen, and have Temporal told."""
    attributes = beginning(line.customer or line.attributes, clock.begin)
    if line.customer is not None:
        await patch_customer(played.store, customer, attributes, clock.now, day=played.day)
    else:
        happening = line.model_copy(update={"id": f"{customer}-{number}", "attributes": attributes})
        await played.accept(await event(played, customer, number, happening, clock))
    await played.relay.drain_once()


@asynccontextmanager
async def endpoints(played: Engine, clock: Clock) -> AsyncIterator[dict[str, Receiver]]:
    """The endpoints of random journeys, each of which does what its name says."""
    async with AsyncExitStack() as stack:
        receivers = {name: await stack.enter_async_context(Receiver()) for name in FATES}
        for name, receiver in receivers.items():
            receiver.answer = answer(name, receiver)
            registered = Endpoint(endpoint=name, url=receiver.url)
            await put_endpoint(played.store, registered, Seal(HOUSE).seal(new_secret()), by_us(clock.now))
        yield receivers


def answer(name: str, receiver: Receiver) -> Answer:
    """What an endpoint answers. One takes each call when it comes again."""
    match name:
        case "refuses":
            return says(400)
        case "is-busy":
            return says(503)
        case "is-gone":
            return says(410)
        case "takes-the-second-time":

            async def at_the_second_time(writer: asyncio.StreamWriter) -> None:
                ids = [posted.headers["webhook-id"] for posted in receiver.posted]
                await says(200 if ids.count(ids[-1]) > 1 else 503)(writer)

            return at_the_second_time
        case _:
            return says(200)


def posted(receivers: dict[str, Receiver]) -> list[str]:
    """What those were told that took it."""
    bodies = {
        request.headers["webhook-id"]: {"endpoint": name, "data": json.loads(request.body)["data"]}
        for name, receiver in receivers.items()
        if FATES[name] == "accepted"
        for request in receiver.posted
    }
    return sorted(json.dumps(body, sort_keys=True) for body in bodies.values())


def called(story: Played) -> list[str]:
    """What those are told that take it, as the preview says."""
    calls = [call for run in story.runs for call in run.calls if FATES[call.endpoint] == "accepted"]
    bodies = [{"endpoint": call.endpoint, "data": call.data} for call in calls]
    return sorted(json.dumps(body, sort_keys=True) for body in bodies)


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
