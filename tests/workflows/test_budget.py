"""What a run costs on a real Temporal server: history events, workflow tasks, bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.testing import WorkflowEnvironment

from tests.engine import Engine, engine
from tests.samples import abandoned_cart


@pytest.fixture
async def quick(temporal: WorkflowEnvironment, sqlite_url: str) -> AsyncIterator[Engine]:
    """An engine in which a day lasts a second."""
    async with engine(temporal.client, sqlite_url, day=timedelta(seconds=1)) as built:
        await built.publish(abandoned_cart())
        yield built


async def test_nobody_reacts(quick: Engine) -> None:
    await quick.customer("ada")
    run = await quick.start("ada")

    assert await quick.handle(run).result() == "completed"

    events = await quick.events(run)
    assert len(events) == 33
    assert events.count("WORKFLOW_TASK_COMPLETED") == 6
    assert events.count("ACTIVITY_TASK_COMPLETED") == 3
    assert events.count("MARKER_RECORDED") == 0
    assert quick.ledger.steps == ["initial-reminder", "second-reminder", "final-reminder"]


async def test_the_email_is_opened(quick: Engine) -> None:
    await quick.customer("bo")
    run = await quick.start("bo")
    await quick.until_waiting(run)

    await quick.interact(run, "initial-reminder")

    assert await quick.handle(run).result() == "completed"
    events = await quick.events(run)
    assert len(events) == 18
    assert events.count("WORKFLOW_TASK_COMPLETED") == 3
    assert events.count("ACTIVITY_TASK_COMPLETED") == 1
    assert events.count("MARKER_RECORDED") == 1


async def test_bought_while_waiting(quick: Engine) -> None:
    await quick.customer("cy")
    run = await quick.start("cy")
    await quick.until_waiting(run)

    await quick.happen("purchase-completed", "cy")

    with pytest.raises(WorkflowFailureError):
        await quick.handle(run).result()
    events = await quick.events(run)
    assert len(events) == 17
    assert events.count("WORKFLOW_TASK_COMPLETED") == 3
    assert events.count("ACTIVITY_TASK_COMPLETED") == 1
    assert events.count("MARKER_RECORDED") == 0


async def test_a_run_that_begins_with_a_wait_needs_no_note(quick: Engine) -> None:
    await quick.publish(
        abandoned_cart(
            steps=[
                {"id": "pause", "wait": "1 day"},
                {"id": "reminder", "email": "initial-email-reminder", "to": "customer.email"},
            ]
        )
    )
    await quick.customer("di")
    run = await quick.start("di")

    assert await quick.handle(run).result() == "completed"

    events = await quick.events(run)
    assert events.count("MARKER_RECORDED") == 0
    assert len(events) == 16


async def test_the_input_is_small(quick: Engine) -> None:
    await quick.customer("eve")
    run = await quick.start("eve")
    await quick.until_ended(run)

    history = await quick.handle(run).fetch_history()

    told = history.events[0].workflow_execution_started_event_attributes.input.payloads[0]
    assert len(told.data) <= 800
