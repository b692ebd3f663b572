"""An answer that was accepted in time wins, however late Temporal hears of it: no no is written against it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta

import pytest
from temporalio.testing import WorkflowEnvironment

from activities.channels import Accepted, ProviderAnswer
from embedded.skipping import A_MOMENT
from journeys.definition import send_id
from tests.engine import PATIENCE, Clock, Engine, engine
from tests.ledger import Ledger
from tests.samples import abandoned_cart
from tests.stories import email, pause, push, text, until

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
A_LITTLE = A_MOMENT + timedelta(seconds=1)
"""Past a limit by a second of the server's clock: no outage that a run would notice by itself."""

Steps = tuple[Mapping[str, object], ...]
VISIT = {"trigger": "store-visit", "within": "1 day"}


def asked(*otherwise: Mapping[str, object], **question: object) -> Mapping[str, object]:
    """A question that sends thanks for an answer."""
    opened = {"message": "hello", "is": "opened", "within": "1 day"}
    return {"id": "asked", "if": question or opened, "then": [push("thanks")], "else": list(otherwise)}


@pytest.fixture
async def played(clock: Clock, skipping: WorkflowEnvironment, sqlite_url: str) -> AsyncIterator[Engine]:
    async with engine(skipping.client, sqlite_url, clock=clock) as built:
        await built.customer("ada")
        yield built


async def begun(played: Engine, *steps: Mapping[str, object]) -> str:
    await played.publish(abandoned_cart(exit=[], steps=list(steps)))
    run = await played.start("ada")
    await played.until_waiting(run)
    return run


@pytest.mark.parametrize(
    ("steps", "limit"),
    [
        pytest.param((email("hello"), asked(text("nudge"))), DAY, id="a-message-follows"),
        pytest.param((email("hello"), asked(pause("patience", "1 hour"), text("nudge"))), DAY, id="a-wait-follows"),
        pytest.param((email("hello"), asked()), DAY, id="nothing-follows"),
        pytest.param(
            (email("hello"), asked({"id": "visited", "if": VISIT, "else": [text("nudge")]})), DAY, id="an-if-follows"
        ),
        pytest.param(
            (email("hello"), pause("patience", "2 days"), asked(text("nudge"))), 2 * DAY, id="over-when-it-is-asked"
        ),
        pytest.param(
            (
                email("hello"),
                {"id": "outer", "if": {**VISIT, "within": "1 hour"}, "else": [pause("x", "1 hour"), asked()]},
            ),
            DAY,
            id="within-an-arm",
        ),
    ],
)
async def test_an_open_that_the_relay_has_not_told(
    clock: Clock, played: Engine, steps: Steps, limit: timedelta
) -> None:
    run = await begun(played, *steps)
    for hour in range(1, 24, 11):
        await clock.move(hour * HOUR)
    await played.accept(played.event("email-opened", send_id=send_id(run, "hello")))

    await clock.move(limit + A_LITTLE)
    await played.until_ended(run)

    assert played.ledger.steps == ["hello", "thanks"]
    assert await played.waiting() == 1


async def test_two_answers_that_the_relay_has_not_told(clock: Clock, played: Engine) -> None:
    bought = {"trigger": "purchase-completed", "within": "2 days"}
    then = {"id": "bought", "if": bought, "then": [text("for-both")], "else": [push("please")]}
    run = await begun(played, {"id": "visited", "if": VISIT, "then": [then], "else": [push("come")]})
    await clock.move(HOUR)
    await played.accept(played.event("store-visit", "ada", city="Oslo"))
    await clock.move(2 * HOUR)
    await played.accept(played.event("purchase-completed", "ada"))

    await clock.move(DAY + A_LITTLE)
    await played.until_ended(run)

    assert played.ledger.steps == ["for-both"]
    (seen,) = await played.runs("ada")
    passed = {entry.step: entry.at - clock.begin for entry in seen.diary if entry.arm}
    assert {step: round(at / HOUR) for step, at in passed.items()} == {"visited": 1, "bought": 2}


async def test_one_visit_is_not_two(clock: Clock, played: Engine) -> None:
    again = {"id": "again", "if": VISIT, "then": [text("twice")], "else": [push("please")]}
    run = await begun(played, {"id": "visited", "if": VISIT, "then": [again], "else": [push("come")]})
    await clock.move(HOUR)
    await played.accept(played.event("store-visit", "ada", city="Oslo"))

    await clock.move(DAY + A_LITTLE)
    await played.until_waiting(run)
    assert await played.relay.drain_once() == 1
    await clock.move(DAY + HOUR + A_LITTLE)
    await played.until_ended(run)

    assert played.ledger.steps == ["please"]


async def test_a_series_sends_nothing_after_an_answer_that_the_relay_has_not_told(clock: Clock, played: Engine) -> None:
    nudges = until("nudges", VISIT, email("first"), pause("patience", "2 hours"), text("nudge"), then=[push("thanks")])
    run = await begun(played, nudges)
    await clock.move(HOUR)
    await played.accept(played.event("store-visit", "ada", city="Oslo"))

    await clock.move(2 * HOUR + A_LITTLE)
    await played.until_ended(run)

    assert played.ledger.steps == ["first", "thanks"]
    (seen,) = await played.runs("ada")
    at = {f"{entry.did} {entry.step}": round((entry.at - clock.begin) / HOUR) for entry in seen.diary}
    assert at["passed nudges"] == 1


async def test_a_series_that_is_over_by_its_limit_hears_of_an_answer_in_time(clock: Clock, played: Engine) -> None:
    nudges = until("nudges", VISIT, email("first"), pause("patience", "2 days"), then=[push("thanks")])
    run = await begun(played, nudges, text("for-both"))
    await clock.move(HOUR)
    await played.accept(played.event("store-visit", "ada", city="Oslo"))

    await clock.move(DAY + A_LITTLE)
    await played.until_ended(run)

    assert played.ledger.steps == ["first", "thanks", "for-both"]


async def test_what_is_being_sent_in_a_series_is_finished(
    clock: Clock, skipping: WorkflowEnvironment, sqlite_url: str
) -> None:
    nudges = until("nudges", VISIT, email("first"), text("second"), then=[push("thanks")])
    sending, visited = asyncio.Event(), asyncio.Event()

    async def slow() -> ProviderAnswer:
        sending.set()
        await visited.wait()
        return Accepted()

    ledger = Ledger(slow)
    async with engine(skipping.client, sqlite_url, ledger=ledger, clock=clock) as played:
        await played.customer("ada")
        await played.publish(abandoned_cart(exit=[], steps=[nudges]))
        run = await played.start("ada")
        async with asyncio.timeout(PATIENCE):
            await sending.wait()
        await played.happen("store-visit", "ada", city="Oslo")
        visited.set()

        await played.until_ended(run)

        assert ledger.steps == ["first", "thanks"]
