"""Every story, told in both worlds: on the virtual clock, and by a real worker on a real server with time skipped."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from temporalio.testing import WorkflowEnvironment

from journeys.catalogue import Event
from journeys.clearance.policy import NO_POLICY
from journeys.definition import send_id
from journeys.interactions import interaction_trigger
from journeys.walk.script import DEFAULT_START, Happening
from journeys.walk.timeline import PreviewRun, PreviewSend
from store.catalogue import put_content, ready_content
from store.completing import complete
from store.consents import put_consents
from store.customers import patch_customer
from store.held_journeys import let_go
from store.journeys import put_journey
from store.lifecycle_parked import Wanted
from store.pausing import pause, resume
from store.policy import put_policy
from store.publishing import publish_for
from store.repairs import repair
from store.runs import RunView, SendView
from store.stopping import stop
from tests.engine import Clock, Engine, engine
from tests.parked_stories import PARKED_STORIES
from tests.pause_stories import PAUSE_STORIES
from tests.policy_stories import POLICY_STORIES
from tests.samples import CONTENTS
from tests.shop import CHANNELS, by_us
from tests.staged import staged
from tests.stories import (
    STORIES,
    Complete,
    LetGo,
    Line,
    Mend,
    Pause,
    Publish,
    Repair,
    Resume,
    Rule,
    Run,
    Says,
    Send,
    Stop,
    Story,
)
from tests.version_stories import VERSION_STORIES

A_MINUTE = timedelta(minutes=1)

TOLD = STORIES | POLICY_STORIES | PAUSE_STORIES | VERSION_STORIES | PARKED_STORIES

each_story = pytest.mark.parametrize(
    ("name", "story"), [pytest.param(name, story, id=name) for name, story in TOLD.items()]
)


@each_story
def test_on_the_virtual_clock(name: str, story: Story) -> None:
    begin = story.begins(DEFAULT_START)
    stage = staged(name, story, begin)

    spread = story.policy != NO_POLICY and story.policy.spread
    to = A_MINUTE if spread else timedelta.resolution  # what is spread is so to the microsecond
    assert [told(run, begin, to) for run in stage.finish().runs] == list(story.runs)


@each_story
async def test_on_temporal(name: str, story: Story, skipping: WorkflowEnvironment, sqlite_url: str) -> None:
    clock = Clock(skipping)
    async with engine(skipping.client, sqlite_url, clock=clock) as played:
        await clock.start()
        await clock.begin_at(story.begins(clock.begin))
        await prepare(played, name, story, clock)

        for number, line in enumerate(story.lines_from(clock.begin), 1):
            await clock.move(line.at)
            await happen(played, name, number, line, clock)
            await played.relay.drain_once()
        await clock.move(story.length + timedelta(minutes=1))

        runs = await played.runs(name)
        assert [told(run, clock.begin, A_MINUTE) for run in runs] == list(story.runs)
        for run in runs:
            await played.until_ended(run.id)
        assert await played.waiting() == 0
        assert len(played.ledger.took) == sum(send.outcome == "accepted" for run in story.runs for send in run.sends)


async def prepare(played: Engine, name: str, story: Story, clock: Clock) -> None:
    """All that is there when a story begins."""
    for content in story.contents.values():
        if content != CONTENTS.get(content.content):
            await put_content(played.store, content, by_us(clock.now))
            await ready_content(played.store, content.content, by_us(clock.now))
    await put_policy(played.store, story.policy, by_us(clock.now))
    await played.customer(name, story.customer)
    for journey in (story.journey(clock.begin), *story.beside):
        await played.publish(journey)


async def happen(played: Engine, name: str, number: int, line: Line, clock: Clock) -> None:
    """Let a line of a story happen."""
    match line:
        case Happening(customer=dict() as attributes):
            await patch_customer(played.store, name, attributes, clock.now, day=played.day)
        case Happening():
            await played.accept(await event(played, name, number, line, clock))
        case Publish():
            await put_journey(played.store, line.journey, by_us(clock.now))
            journey, by = line.journey.journey, by_us(clock.now)
            await publish_for(played.store, journey, by, CHANNELS, people=line.people, names=line.names)
        case Says():
            await put_consents(played.store, name, [line.consent], "story", clock.now)
        case _:
            await command(played, line, clock)


async def command(
    played: Engine, line: Stop | Complete | LetGo | Pause | Resume | Rule | Mend | Repair, clock: Clock
) -> None:
    """Let a line of a story happen that somebody does to a journey, to what it sends, or to the house."""
    match line:
        case Stop(version=stopped):
            await stop(played.store, "abandoned-cart", by_us(clock.now), version=stopped)
        case Complete():
            await complete(played.store, "abandoned-cart", by_us(clock.now))
        case LetGo():
            await let_go(played.store, line.journey, by_us(clock.now))
        case Pause():
            await pause(played.store, line.journey, by_us(clock.now))
        case Resume():
            await resume(played.store, line.journey, by_us(clock.now), line.catch_up)
        case Rule():
            await put_policy(played.store, line.policy, by_us(clock.now))
        case Mend(content=content):
            await put_content(played.store, content, by_us(clock.now))
            await ready_content(played.store, content.content, by_us(clock.now))
        case Repair(instead=instead):
            wanted = Wanted(step=line.step, reason=line.reason)
            await repair(played.store, line.journey, wanted, by_us(clock.now), instead=instead)


async def test_a_late_open_is_counted(skipping: WorkflowEnvironment, sqlite_url: str) -> None:
    clock = Clock(skipping)
    async with engine(skipping.client, sqlite_url, clock=clock) as played:
        await clock.start()
        await played.customer("late-open")
        await played.publish(STORIES["opened-after-the-stop"].journey(clock.begin))
        run = await played.start("late-open")
        await clock.move(timedelta(hours=12))
        await stop(played.store, "abandoned-cart", by_us(clock.now))
        await played.relay.drain_once()

        await clock.move(timedelta(hours=15))
        await played.interact(run, "initial-reminder")

        (seen,) = await played.runs("late-open")
        assert [interaction.interaction for interaction in seen.sends[0].interactions] == ["opened"]
        assert seen.ended == "stopped"


async def event(played: Engine, customer: str, number: int, line: Happening, clock: Clock) -> Event:
    """A line of a story as the event that is posted."""
    trigger, attributes = line.trigger or "", line.attributes
    if line.message:
        runs = await played.runs(customer)
        sent = [run for run in runs if any(send.step == line.message for send in run.sends)]
        run = runs[line.run - 1] if line.run else sent[-1]
        step = next(send for send in run.sends if send.step == line.message)
        trigger = interaction_trigger(step.kind, line.is_ or "opened")
        attributes = {**attributes, "send_id": send_id(run.id, line.message)}
    occurred_at = None if line.occurred_at is None else clock.begin + line.occurred_at
    return Event(
        id=line.id or f"line-{number}",
        trigger=trigger,
        customer=customer,
        occurred_at=occurred_at,
        attributes=attributes,
    )


def told(run: PreviewRun | RunView, begin: datetime, to: timedelta) -> Run:
    """A run, of either world, in the words of the stories. *to*: the server's clock goes on while we work."""

    def since(at: datetime) -> timedelta:
        return round((at - begin) / to) * to

    assert run.ended
    assert run.ended_at
    sent = [(send.step, send.at, send.outcome) for send in run.sends if isinstance(send, PreviewSend)]
    sent += [
        (send.step, send.at or begin, send.state)
        for send in run.sends
        if isinstance(send, SendView) and send.state != "released"  # it was given back, and its run left it
    ]
    return Run(
        ended=run.ended,
        at=since(run.ended_at),
        sends=tuple(Send(step, since(at), outcome) for step, at, outcome in sent),
        goal_at=since(run.goal_met_at) if run.goal_met_at else None,
        version=run.version,
        journey=run.id.partition("/")[0],
    )
