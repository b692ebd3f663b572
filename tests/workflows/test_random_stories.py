"""Stories by chance, told in both worlds: whatever a journey says and whatever happens, preview and Temporal agree."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import NamedTuple

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
from journeys.walk.script import DEFAULT_START
from journeys.walk.timeline import PreviewRun
from store.catalogue import put_content, ready_content
from store.customer_attributes import put_attribute
from store.customers import patch_customer
from store.endpoints import put_endpoint
from store.held_journeys import let_go
from store.policy import put_policy
from store.runs import RunView
from tests.engine import HOUSE, Clock, Engine, engine
from tests.fakes.receiver import Answer, Receiver, says
from tests.random_journeys import FATES, beginning
from tests.random_stories import Played, Scene, ScriptLine, stories
from tests.shop import by_us
from tests.stories import LetGo
from tests.workflows.test_stories import A_MINUTE, event, told

FIFTY = Decimal(50)
EXAMPLES = int(os.environ.get("SOJOURN_TEST_STORIES", "12"))
A_WEEK = timedelta(days=7)
HURRY = timedelta(seconds=12)
A_CLOCK = re.compile(r"[0-9]{2}:[0-9]{2}")

_numbers = count(1)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(story=stories())
async def test_preview_and_temporal_agree(
    story: Played, skipping: WorkflowEnvironment, migrated_sqlite: Path, tmp_path: Path
) -> None:
    clock = Clock(skipping)
    name = goes_like("ada", story.scene.journey)
    # Each story has a store of its own: who has a place, and who is in a test, is kept over versions of a journey.
    url = f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path / f'{name}.db')}"
    async with engine(skipping.client, url, clock=clock) as played, endpoints(played, clock) as receivers:
        await at_the_usual_time(clock)
        as_told = story.again(name, clock.begin)
        assume(as_told is not None and not as_told.hurries and is_steady(as_told, story, name, clock.begin))
        assert as_told
        await clock.begin_at(as_told.scene.begin)
        await prepare(played, name, as_told.scene, clock)
        for number, line in enumerate(as_told.lines, 1):
            await clock.move(line.at)
            await happen(played, name, number, line, as_told.scene, clock)
        begin = as_told.scene.begin
        last = max(run.ended_at or begin for run in as_told.runs)
        await clock.move(max(last - begin, as_told.lines[-1].at) + timedelta(minutes=1))

        runs = await played.runs(name)
        found, expected = ([became(run, begin) for run in each] for each in (runs, as_told.runs))
        assert are_alike(found, expected), (found, expected)
        assert [walked(run) for run in runs] == [walked(run) for run in as_told.runs]
        sent = [(message.run, message.step) for message in played.ledger.took]
        assert len(sent) == len(set(sent))
        assert posted(receivers) == called(as_told)
        for run in runs:
            check_diary(run)
            await played.until_ended(run.id)


async def at_the_usual_time(clock: Clock) -> None:
    """Begin whole weeks after the usual time, so that clocks show the same, on the same day of the week."""
    await clock.start()
    begin = clock.begin + (DEFAULT_START - clock.begin) % A_WEEK
    await clock.begin_at(begin)


def is_steady(as_told: Played, story: Played, name: str, now: datetime) -> bool:
    """Whether nothing hangs on a moment: on a server, what happens in the same minute may come in another order."""
    expected = [became(run, as_told.scene.begin) for run in as_told.runs]
    for others in (0, 1):
        hurried = story.again(name, now, hurry=HURRY, others=others)
        if hurried is None or not are_alike([became(run, hurried.scene.begin) for run in hurried.runs], expected):
            return False
    return True


async def prepare(played: Engine, customer: str, scene: Scene, clock: Clock) -> None:
    """All that is there when a story begins."""
    await put_attribute(played.store, CustomerAttribute(attribute="renews_at", type="time"), by_us(clock.now))
    for content in scene.contents.values():
        await put_content(played.store, content, by_us(clock.now))
        await ready_content(played.store, content.content, by_us(clock.now))
    await put_policy(played.store, scene.policy, by_us(clock.now))
    await played.customer(customer, scene.customer)
    await played.publish(beginning(scene.journey, scene.begin))


async def happen(played: Engine, customer: str, number: int, line: ScriptLine, scene: Scene, clock: Clock) -> None:
    """Let a line of a story happen, and have Temporal told."""
    if isinstance(line, LetGo):
        await let_go(played.store, line.journey, by_us(clock.now))
    elif line.customer is not None:
        attributes = scene.dated(line).customer or {}
        await patch_customer(played.store, customer, attributes, clock.now, day=played.day)
    else:
        await played.accept(await event(played, customer, number, scene.dated(line), clock))
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


class Became(NamedTuple):
    """What became of a run: in words, and when each of these came to be."""

    words: tuple[object, ...]
    times: tuple[timedelta, ...]


def became(run: RunView | PreviewRun, begin: datetime) -> Became:
    """What became of it, whatever the number of its version, and whatever clocks showed."""
    whole = told(run, begin, timedelta.resolution)
    reasons = [A_CLOCK.sub("–", send.reason) for send in run.sends]
    sends = [(send.step, send.outcome, reason) for send, reason in zip(whole.sends, reasons, strict=True)]
    why = A_CLOCK.sub("–", run.why or "")
    words = (whole.journey, whole.ended, why, *sends, "no goal" if whole.goal_at is None else "goal")
    return Became(words, (whole.at, *(send.at for send in whole.sends), whole.goal_at or timedelta()))


def are_alike(some: list[Became], others: list[Became]) -> bool:
    """The same in words, and at the same times but for what the server's clock goes on while we work."""
    if [run.words for run in some] != [run.words for run in others]:
        return False
    pairs = [pair for run, other in zip(some, others, strict=True) for pair in zip(run.times, other.times, strict=True)]
    return all(abs(at - other) < A_MINUTE for at, other in pairs)


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
