"""Runs that are moved to another version while they are under way on Temporal, wherever they are at."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.converter import PayloadCodec
from temporalio.testing import WorkflowEnvironment

from activities.channels import Accepted, NotNow, ProviderAnswer
from journeys.clearance.policy import BY_DEFAULT
from journeys.definition import send_id
from store.held_journeys import let_go
from store.journeys import put_journey
from store.moves import tell
from store.publishing import publish_for
from store.runs import RunView, get_run
from store.schema import outbox
from store.store import Store
from tests.engine import Clock, Engine, engine, until, worker
from tests.ledger import Ledger
from tests.moving import move_runs
from tests.samples import abandoned_cart
from tests.shop import CHANNELS, Shop, by_us
from tests.stories import STORIES, Story
from tests.temporal_fixtures import time_skipping
from tests.workflows.test_stories import A_MINUTE, happen, prepare, told
from workflows.journey import JourneyWorkflow
from workflows.run_input import RunInput
from workflows.search_attributes import JOURNEY_VERSION

HOUR = timedelta(hours=1)
STRIDE = 8
"""One story of so many is told once more, begun anew at each line."""
TASK_FAILED = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
HELLO = {"id": "initial-reminder", "email": "initial-email-reminder", "to": "customer.email"}
NUDGE = {"id": "nudge", "text": "second-text-reminder", "to": "customer.phone"}
LAST = {"id": "last", "push": "final-push-notification", "to": "customer.push_token"}
PAUSE = {"id": "pause", "wait": "1 day"}
LONG = {"id": "pause", "wait": "3 days"}
OPENED: dict[str, Any] = {"id": "opened", "if": {"message": "initial-reminder", "is": "opened", "within": "1 day"}}


@asynccontextmanager
async def playing(
    server: WorkflowEnvironment, url: str, ledger: Ledger | None = None, **more: Any
) -> AsyncIterator[tuple[Engine, Clock]]:
    clock = Clock(server)
    async with engine(server.client, url, ledger=ledger, clock=clock, **more) as played:
        await clock.start()
        await played.customer("ada")
        yield played, clock


async def published(played: Engine, *steps: dict[str, Any], **more: Any) -> None:
    await played.publish(abandoned_cart(steps=list(steps), **more))


async def moved(played: Engine, run: str, to: int = 2, **more: Any) -> None:
    """Move a run, and have Temporal told."""
    assert await move_runs(played.store, [run], to, played.now(), **more) == [run]
    await played.relay.drain_once()


async def until_it_goes_on(played: Engine, run: str) -> None:
    """Until it has begun anew."""

    async def begun() -> bool:
        return (await played.events(run))[0:1] == ["WORKFLOW_EXECUTION_STARTED"] and await version(played, run) != 1

    await until(begun)


async def version(played: Engine, run: str) -> int | None:
    described = await played.handle(run).describe()
    return described.typed_search_attributes.get(JOURNEY_VERSION)


async def ended(played: Engine, clock: Clock, run: str) -> tuple[RunView, dict[str, timedelta]]:
    """How it ended, and when each of its messages went out, once enough time has passed."""
    await clock.move(timedelta(days=10))
    await played.until_ended(run)
    seen = await get_run(played.store, run)
    await played.relay.drain_once()  # a walk that asked before it heard where to go is told once more
    assert await played.waiting() == 0
    return seen, {send.step: round((send.at - clock.begin) / HOUR) * HOUR for send in seen.sends if send.at}


@pytest.fixture
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    """A server of its own: after very many other runs, one whose run begins anew skips no time any more."""
    async with time_skipping() as environment:
        yield environment


async def test_a_wait_keeps_the_instant_it_began(skipping: WorkflowEnvironment, sqlite_url: str) -> None:
    ledger = Ledger()
    async with playing(skipping, sqlite_url, ledger) as (played, clock):
        await published(played, PAUSE, NUDGE)
        run = await played.start("ada")
        await played.until_waiting(run)
        await clock.move(12 * HOUR)
        await published(played, LONG, LAST)

        await moved(played, run)
        await until_it_goes_on(played, run)
        await played.until_waiting(run)

        assert await version(played, run) == 2
        assert await played.events(run) == [
            "WORKFLOW_EXECUTION_STARTED",
            "WORKFLOW_TASK_SCHEDULED",
            "WORKFLOW_TASK_STARTED",
            "WORKFLOW_TASK_COMPLETED",
            "TIMER_STARTED",
        ]
        seen, sent = await ended(played, clock, run)
        assert sent == {"last": 72 * HOUR}
        assert ledger.steps == ["last"]
        assert [(entry.did, entry.step) for entry in seen.diary] == [
            ("entered", "pause"),
            ("moved", "pause"),
            ("entered", "pause"),
            ("passed", "pause"),
            ("entered", "last"),
            ("passed", "last"),
        ]


async def test_what_has_come_due_meanwhile_is_due_at_once(skipping: WorkflowEnvironment, sqlite_url: str) -> None:
    async with playing(skipping, sqlite_url) as (played, clock):
        await published(played, LONG, NUDGE)
        run = await played.start("ada")
        await played.until_waiting(run)
        await clock.move(48 * HOUR)
        await published(played, PAUSE, LAST)

        await moved(played, run)

        _, sent = await ended(played, clock, run)
        assert sent == {"last": 48 * HOUR}


@pytest.mark.parametrize("when", ["before", "after", "unheard"])
async def test_an_answer_just_before_or_after_it_is_not_lost(
    when: str, skipping: WorkflowEnvironment, sqlite_url: str
) -> None:
    """Unheard: accepted before the move, and Temporal is told of both at once."""
    async with playing(skipping, sqlite_url) as (played, clock):
        await published(played, HELLO, {**OPENED, "then": [NUDGE], "else": []})
        run = await played.start("ada")
        await played.until_waiting(run)
        await clock.move(HOUR)
        opened = played.event("email-opened", send_id=send_id(run, "initial-reminder"))
        await published(played, HELLO, {**OPENED, "then": [LAST], "else": [NUDGE]})

        if when == "unheard":
            await played.accept(opened)
        if when == "before":  # it goes on by the old version, as far as a text, and is moved there
            await published(played, HELLO, {**OPENED, "then": [PAUSE, LAST], "else": [NUDGE]})
            await played.accept(opened)
        await moved(played, run, 3 if when == "before" else 2)
        if when == "after":
            await played.accept(opened)
            await played.relay.drain_once()

        seen, sent = await ended(played, clock, run)
        assert sent == {"initial-reminder": 0 * HOUR, "last": HOUR if when != "before" else 25 * HOUR}
        assert [entry.arm for entry in seen.diary if entry.arm] == ["yes"]


async def test_a_message_that_is_held_is_held_by_what_holds_it_then(
    skipping: WorkflowEnvironment, sqlite_url: str
) -> None:
    async with playing(skipping, sqlite_url) as (played, clock):
        await Shop(played.store, played.now()).rule(quiet=[{"from": "00:00", "to": "23:59"}])
        await published(played, HELLO)
        run = await played.start("ada")
        await played.until_waiting(run)
        await published(played, {**HELLO, "quiet": "ignore"}, LAST)

        await moved(played, run)
        await until_it_goes_on(played, run)
        await Shop(played.store, played.now()).rule()

        _, sent = await ended(played, clock, run)
        assert sent["initial-reminder"] == 0 * HOUR
        assert list(sent) == ["initial-reminder", "last"]


async def test_a_message_that_the_brake_holds_stays_held(skipping: WorkflowEnvironment, sqlite_url: str) -> None:
    """It waits on no timer, before and after."""
    ledger = Ledger()
    start = {"trigger": "abandoned-cart", "repeat": "immediately", "overlap": "parallel"}
    async with playing(skipping, sqlite_url, ledger) as (played, clock):
        await Shop(played.store, played.now()).rule(brake=BY_DEFAULT)
        await published(played, HELLO, start=start)
        runs = [await played.start("ada", cart_id=f"c{n}") for n in range(4)]

        async def held() -> list[str]:
            return [run for run in runs if (await get_run(played.store, run)).held]

        async def one_is_held() -> bool:
            return bool(await held())

        await until(one_is_held)
        (run,) = await held()
        await published(played, HELLO, LAST, start=start)

        await moved(played, run)
        await until_it_goes_on(played, run)
        await until(one_is_held)
        await clock.move(24 * HOUR)

        assert await held() == [run]
        assert len(ledger.took) == 3
        assert "TIMER_STARTED" not in await played.events(run)
        await let_go(played.store, "abandoned-cart", by_us(clock.now))
        await played.relay.drain_once()
        seen, _ = await ended(played, clock, run)
        assert [(send.step, send.state) for send in seen.sends] == [
            ("initial-reminder", "accepted"),
            ("last", "accepted"),
        ]


async def test_a_run_that_never_heard_of_it_hears_at_its_next_step(
    skipping: WorkflowEnvironment, sqlite_url: str
) -> None:
    """The word was lost with the data of Temporal, which was set back, or with a job that somebody deleted."""
    async with playing(skipping, sqlite_url) as (played, clock):
        await published(played, PAUSE, NUDGE)
        run = await played.start("ada")
        await played.until_waiting(run)
        await published(played, LONG, LAST)
        await move_runs(played.store, [run], 2, played.now())
        await played.store.write(lambda connection: connection.execute(delete(outbox).where(outbox.c.kind == "move")))
        await clock.move(25 * HOUR)

        async def is_told() -> bool:
            return await played.relay.drain_once() > 0

        await until(is_told)

        seen, sent = await ended(played, clock, run)

        assert (sent, seen.version) == ({"last": 72 * HOUR}, 2)


async def test_an_activity_that_is_tried_again_is_let_be(skipping: WorkflowEnvironment, sqlite_url: str) -> None:
    """The provider takes nothing for hours: nobody waits for the old walk's next try."""
    ledger = Ledger(NotNow("busy", 8 * HOUR))
    async with playing(skipping, sqlite_url, ledger) as (played, clock):
        await published(played, HELLO)
        run = await played.start("ada")

        async def tried() -> bool:
            return bool(ledger.asked) and not await busy_now(played.store, run)

        await until(tried)
        await published(played, HELLO, LAST)

        await moved(played, run)

        seen, sent = await ended(played, clock, run)
        assert sent == {"initial-reminder": 0 * HOUR, "last": 0 * HOUR}
        assert seen.version == 2


async def busy_now(store: Store, run: str) -> bool:
    seen = await get_run(store, run)
    return any(send.state == "claimed" for send in seen.sends)


class Slow:
    """A provider that takes its time: *asked* when it was called, and it answers once *answer* is set."""

    def __init__(self) -> None:
        self.asked, self.answer = asyncio.Event(), asyncio.Event()

    async def __call__(self) -> ProviderAnswer:
        self.asked.set()
        await self.answer.wait()
        return Accepted("p1")


async def test_a_message_that_is_being_sent_goes_out_once(temporal: WorkflowEnvironment, sqlite_url: str) -> None:
    """Whoever moves runs lets this one be. Moved all the same, it is known what became of the message."""
    slow = Slow()
    ledger = Ledger(slow)
    async with engine(temporal.client, sqlite_url, ledger=ledger) as played:
        await played.customer("ada")
        await published(played, HELLO)
        run = await played.start("ada")
        await slow.asked.wait()
        await published(played, HELLO, LAST)
        assert await move_runs(played.store, [run], 2, played.now()) == []

        await moved(played, run, though_busy=True)
        slow.answer.set()

        await played.until_ended(run)
        seen = await get_run(played.store, run)
        assert [(send.step, send.state) for send in seen.sends] == [
            ("initial-reminder", "accepted"),
            ("last", "accepted"),
        ]
        assert len(ledger.took) == 2
        assert [entry.n for entry in seen.diary] == list(range(len(seen.diary)))


async def test_to_be_moved_twice_is_to_be_moved_to_the_last(skipping: WorkflowEnvironment, sqlite_url: str) -> None:
    async with playing(skipping, sqlite_url) as (played, clock):
        await published(played, PAUSE, NUDGE)
        run = await played.start("ada")
        await played.until_waiting(run)
        await published(played, LONG, NUDGE)
        await published(played, {**PAUSE, "wait": "2 days"}, LAST)

        await move_runs(played.store, [run], 2, played.now())
        await move_runs(played.store, [run], 3, played.now())
        await played.relay.drain_once()

        seen, sent = await ended(played, clock, run)
        assert (sent, seen.version) == ({"last": 48 * HOUR}, 3)


async def republished(played: Engine, *steps: dict[str, Any], names: dict[str, str]) -> int:
    """Publish a version in which everybody goes on who can, as an API does; Temporal is told. Returns how many do."""
    await put_journey(played.store, abandoned_cart(steps=list(steps)), by_us(played.now()))
    change = by_us(played.now())
    did = await publish_for(played.store, "abandoned-cart", change, CHANNELS, people="move", names=names)
    await played.relay.drain_once()
    return did.move.moved if did.move else 0


@pytest.mark.parametrize("at_once", [False, True], ids=["and-heard-of-both", "at-once"])
async def test_there_and_back_by_other_names_it_does_what_it_would_have_done(
    skipping: WorkflowEnvironment, sqlite_url: str, *, at_once: bool
) -> None:
    """The third version is the first one, word for word. What was opened in the first one is opened."""
    ledger = Ledger()
    asked = {**OPENED, "then": [LAST], "else": [NUDGE]}
    between = {**asked, "if": {**OPENED["if"], "message": "hello"}}
    names = {"initial-reminder": "hello", "pause": "rest"}
    async with playing(skipping, sqlite_url, ledger) as (played, clock):
        await published(played, HELLO, PAUSE, asked)
        run = await played.start("ada")
        await played.until_waiting(run)
        await clock.move(6 * HOUR)
        await played.interact(run, "initial-reminder")

        there = await republished(played, {**HELLO, "id": "hello"}, {**LONG, "id": "rest"}, between, names=names)
        if not at_once:
            await until_it_goes_on(played, run)
            await played.until_waiting(run)
            await clock.move(6 * HOUR)
        back = await republished(played, HELLO, PAUSE, asked, names={now: before for before, now in names.items()})

        seen, sent = await ended(played, clock, run)
        assert (there, back, seen.version, await version(played, run)) == (1, 1, 3, 3)
        assert sent == {"initial-reminder": 0 * HOUR, "last": 24 * HOUR}
        assert ledger.steps == ["initial-reminder", "last"]
        assert [send.id for send in seen.sends] == [send_id(run, step) for step in ("initial-reminder", "last")]
        assert [entry.arm for entry in seen.diary if entry.arm] == ["yes"]


async def test_told_again_where_it_stands_it_stays(skipping: WorkflowEnvironment, sqlite_url: str) -> None:
    async with playing(skipping, sqlite_url) as (played, clock):
        await published(played, PAUSE, NUDGE)
        run = await played.start("ada")
        await played.until_waiting(run)
        before = (await played.handle(run).describe()).run_id

        await played.store.write(lambda connection: tell(connection, [run], clock.now))
        await played.relay.drain_once()
        _, sent = await ended(played, clock, run)

        assert (await played.handle(run).describe()).run_id == before
        assert sent == {"nudge": 24 * HOUR}


async def test_an_exit_goes_before_a_move(skipping: WorkflowEnvironment, sqlite_url: str) -> None:
    ledger = Ledger()
    async with playing(skipping, sqlite_url, ledger) as (played, clock):
        await published(played, PAUSE, NUDGE)
        run = await played.start("ada")
        await played.until_waiting(run)
        await published(played, LONG, LAST)

        await move_runs(played.store, [run], 2, played.now())
        await played.accept(played.event("purchase-completed", "ada"))
        await played.relay.drain_once()

        seen, sent = await ended(played, clock, run)
        assert (seen.ended, sent, ledger.steps) == ("exited", {}, [])
        described = await played.handle(run).describe()
        assert described.status == WorkflowExecutionStatus.CANCELED
        assert await version(played, run) == 1  # it never heard of the other


async def test_what_comes_while_it_begins_anew_is_heard(temporal: WorkflowEnvironment, sqlite_url: str) -> None:
    """Signals that Temporal takes while a worker is about to begin anew are given to it first, or to who comes then."""
    async with engine(temporal.client, sqlite_url, working=False) as played:
        await played.customer("ada")
        await published(played, HELLO, {**OPENED, "then": [], "else": [NUDGE]})
        async with worker(played):
            run = await played.start("ada")
            await played.until_waiting(run)
        await published(played, HELLO, {**OPENED, "then": [LAST], "else": [NUDGE]})
        await moved(played, run)
        await played.accept(played.event("email-opened", send_id=send_id(run, "initial-reminder")))
        await played.relay.drain_once()

        async with worker(played):
            await played.until_ended(run)

        seen = await get_run(played.store, run)
        assert [send.step for send in seen.sends] == ["initial-reminder", "last"]


class Stalling(PayloadCodec):
    """Writes payloads as they are. *begins*: a worker is about to continue as new; it does, once *go* is set."""

    def __init__(self) -> None:
        self.begins, self.go = asyncio.Event(), asyncio.Event()

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        if any(b'"steps"' in payload.data for payload in payloads):
            self.begins.set()
            await self.go.wait()
        return list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)


async def test_what_comes_in_the_very_task_in_which_it_begins_anew_is_heard(
    temporal: WorkflowEnvironment, sqlite_url: str
) -> None:
    """Temporal does not let it continue as new before it has heard."""
    stalling = Stalling()
    config = temporal.client.config()
    config["data_converter"] = dataclasses.replace(temporal.client.data_converter, payload_codec=stalling)
    async with engine(temporal.client, sqlite_url, working=False) as played:
        async with worker(played, Client(**config)):
            await played.customer("ada")
            await published(played, HELLO, {**OPENED, "then": [], "else": [NUDGE]})
            run = await played.start("ada")
            await played.until_waiting(run)
            first = (await played.handle(run).describe()).run_id
            await published(played, HELLO, {**OPENED, "then": [LAST], "else": [NUDGE]})

            await moved(played, run)
            await stalling.begins.wait()
            await played.interact(run, "initial-reminder")
            stalling.go.set()
            await played.until_ended(run)

        seen = await get_run(played.store, run)
        assert [send.step for send in seen.sends] == ["initial-reminder", "last"]
        before = await temporal.client.get_workflow_handle(run, run_id=first).fetch_history()
        assert [
            event.workflow_task_failed_event_attributes.cause
            for event in before.events
            if event.event_type == TASK_FAILED
        ] == [WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND]
        assert before.events[-1].event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
        described = await played.handle(run).describe()
        assert await described.static_summary() is None  # as docs/decisions/0017 says


async def test_a_walk_that_lags_behind_the_store_goes_to_where_that_is(
    temporal: WorkflowEnvironment, sqlite_url: str
) -> None:
    """Temporal went back to when nobody had opened the email."""
    ledger = Ledger()
    async with engine(temporal.client, sqlite_url, ledger=ledger) as played:
        await played.customer("ada")
        await published(played, HELLO, {**OPENED, "then": [PAUSE], "else": [NUDGE]})
        run = await played.start("ada")
        await played.until_waiting(run)
        started = (await played.handle(run).fetch_history()).events[0].workflow_execution_started_event_attributes
        (given,) = await temporal.client.data_converter.decode(started.input.payloads, [RunInput])
        await played.interact(run, "initial-reminder")

        async def pauses() -> bool:
            return (await get_run(played.store, run)).step == "pause"

        await until(pauses)
        await played.handle(run).terminate()
        # No worker of it looks out for what was terminated.
        await temporal.client.start_workflow(JourneyWorkflow.run, given, id=run, task_queue=played.task_queue)
        lagging = (await played.handle(run).describe()).run_id
        await played.until_waiting(run)

        await played.store.write(lambda connection: tell(connection, [run], played.now()))
        await played.relay.drain_once()

        async def begun_anew() -> bool:
            return (await played.handle(run).describe()).run_id != lagging

        await until(begun_anew)
        await played.until_waiting(run)
        history = await played.handle(run).fetch_history()
        assert any(b"Wait 1 day" in event.user_metadata.summary.data for event in history.events)
        assert len(ledger.took) == 1
        assert [entry.step for entry in (await get_run(played.store, run)).diary] == [
            "initial-reminder",
            "initial-reminder",
            "opened",
            "opened",
            "pause",
        ]


@pytest.mark.parametrize(
    ("name", "story"),
    [pytest.param(name, story, id=name) for name, story in list(STORIES.items())[::STRIDE]],
)
async def test_begun_anew_at_each_line_a_story_is_the_same(
    name: str, story: Story, skipping: WorkflowEnvironment, sqlite_url: str
) -> None:
    """Moved to where they stand, by what the store knows of them, runs do what they would have done."""
    clock = Clock(skipping)
    async with engine(skipping.client, sqlite_url, clock=clock) as played:
        await clock.start()
        await clock.begin_at(story.begins(clock.begin))
        await prepare(played, name, story, clock)

        for number, line in enumerate(story.lines_from(clock.begin), 1):
            await clock.move(line.at)
            await happen(played, name, number, line, clock)
            await played.relay.drain_once()
            for run in await played.runs(name):
                if not run.ended:
                    await move_runs(played.store, [run.id], run.version, played.now())
            await played.relay.drain_once()
        await clock.move(story.length + timedelta(minutes=1))

        runs = await played.runs(name)
        assert [told(run, clock.begin, A_MINUTE) for run in runs] == list(story.runs)
