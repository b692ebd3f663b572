"""The brake on Temporal: what goes in a loop is held, costs nothing while it waits, and goes on when it is let go."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta

from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.testing import WorkflowEnvironment

from journeys.clearance.policy import BY_DEFAULT
from journeys.definition import Journey
from store.held_journeys import let_go
from store.runs import Run, list_runs
from tests.engine import Clock, Engine, engine, until
from tests.ledger import Ledger
from tests.samples import CUSTOMER, abandoned_cart
from tests.shop import Shop, by_us

NAME = "abandoned-cart"
WHY = 'the brake: 3 copies of "initial-email-reminder" went to one customer within 1 day, and this would be one more'
HOUR = timedelta(hours=1)
YEAR = timedelta(days=365)
QUARTER = timedelta(minutes=15)


def again_and_again() -> Journey:
    """A journey of one email, that somebody may walk again and again, and at once."""
    start = {"trigger": NAME, "repeat": "immediately", "overlap": "parallel"}
    email = {"id": "initial-reminder", "email": "initial-email-reminder", "to": "customer.email"}
    return abandoned_cart(start=start, steps=[email])


async def begin(played: Engine, clock: Clock, *people: str) -> None:
    """A house with a brake, a journey that may be walked again at once, and these customers."""
    await clock.start()
    await Shop(played.store, played.now()).rule(brake=BY_DEFAULT)
    await played.publish(again_and_again())
    for person in people:
        await played.customer(person, {**CUSTOMER, "email": f"{person}@example.com"})


async def standing(played: Engine) -> list[Run]:
    """Who is under way."""
    return list((await list_runs(played.store, active=True, limit=200)).runs)


async def until_all_are_held(played: Engine) -> list[str]:
    """Until everybody who is under way waits for the journey to be let go: their runs."""

    async def all_held() -> bool:
        return all(run.held for run in await standing(played))

    await until(all_held)
    return [run.id for run in await standing(played)]


async def until_nobody_stands(played: Engine) -> None:
    async def nobody() -> bool:
        return not await standing(played)

    await until(nobody)


async def details(played: Engine, run: str) -> str:
    """What an operator reads of a run in Temporal's UI."""
    metadata = await played.handle(run).query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return str(metadata.current_details)


async def timers(played: Engine, run: str) -> list[str]:
    history = await played.handle(run).fetch_history()
    started = [event for event in history.events if event.HasField("timer_started_event_attributes")]
    return [event.user_metadata.summary.data.decode().strip('"') for event in started]


async def test_without_an_end_it_waits_on_no_timer_and_adds_no_history(
    skipping: WorkflowEnvironment, sqlite_url: str
) -> None:
    ledger, clock = Ledger(), Clock(skipping)
    async with engine(skipping.client, sqlite_url, ledger=ledger, clock=clock) as played:
        await begin(played, clock, "hal")
        for _ in range(3):
            await played.until_ended(await played.start("hal"))
        run = await played.start("hal")
        await until_all_are_held(played)
        await until(lambda: says(played, run, "Hold initial-email-reminder until its journey is let go: "))
        before = await played.events(run)

        await clock.move(YEAR)

        assert await played.events(run) == before
        assert await timers(played, run) == []
        assert await details(played, run) == f"Hold initial-email-reminder until its journey is let go: {WHY}"

        at = clock.now
        await let_go(played.store, NAME, by_us(at))
        await played.relay.drain_once()
        await until(lambda: says(played, run, "its journey was let go at "))
        (summary,) = await timers(played, run)
        assert summary.startswith("Hold initial-email-reminder until ")
        assert "its journey was let go" in summary
        await clock.move(YEAR + QUARTER)
        await played.until_ended(run)
        assert len(ledger.took) == 4


async def says(played: Engine, run: str, what: str) -> bool:
    return what in await details(played, run)


async def test_who_comes_again_and_again_gets_three_copies_and_nobody_is_lost(
    skipping: WorkflowEnvironment, sqlite_url: str
) -> None:
    """The incident of 1,487 copies, on Temporal with fewer people; all of them are in tests/store."""
    ledger, clock = Ledger(), Clock(skipping)
    people = [f"person-{n}" for n in range(8)]
    async with engine(skipping.client, sqlite_url, ledger=ledger, clock=clock) as played:
        await begin(played, clock, *people)
        for time in range(6):
            await asyncio.gather(*(played.start(person) for person in people))
            await (until_nobody_stands(played) if time < 3 else until_all_are_held(played))
        held = await until_all_are_held(played)

        assert Counter(message.to for message in ledger.took) == {f"{person}@example.com": 3 for person in people}
        assert len(held) == 3 * len(people)

        await clock.move(HOUR)
        at = clock.now
        await let_go(played.store, NAME, by_us(at))
        await played.relay.drain_once()
        await until(lambda: all_wait_for_their_turn(played))
        turns = [run.held.until for run in await standing(played) if run.held and run.held.until]
        await clock.move(HOUR + QUARTER)
        await until_nobody_stands(played)

    assert Counter(message.to for message in ledger.took) == {f"{person}@example.com": 6 for person in people}
    assert_spread(turns, at)


async def all_wait_for_their_turn(played: Engine) -> bool:
    return all(run.held and run.held.until and "let go at" in run.held.why for run in await standing(played))


def assert_spread(turns: list[datetime], at: datetime) -> None:
    assert at <= min(turns)
    assert at + QUARTER / 2 < max(turns) < at + QUARTER
    assert len(set(turns)) == len(turns)
