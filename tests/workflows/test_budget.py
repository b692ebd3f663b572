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


HELLO: dict[str, object] = {"id": "hello", "email": "initial-email-reminder", "to": "customer.email"}
AGAIN: dict[str, object] = {**HELLO, "id": "again"}
PAUSE: dict[str, object] = {"id": "pause", "wait": "1 day"}
CHOOSING: dict[str, dict[str, object]] = {
    "branch": {
        "id": "choose",
        "branch": [
            {"arm": "unreached", "when": 'event.coupon == "X"'},
            {"arm": "any", "when": "event.total > 0"},
        ],
    },
    "split": {"id": "choose", "split": [{"arm": "a", "share": "50%"}, {"arm": "b", "share": "50%"}]},
    "places": {"id": "choose", "split": [{"arm": "a", "first": 10}]},
    "test": {
        "id": "choose",
        "test": {
            "winner": {"by": "goal", "after": "2 weeks"},
            "arms": [{"arm": "a", "share": "50%"}, {"arm": "b", "share": "50%"}],
            "default": "a",
        },
    },
}


async def spent(quick: Engine, customer: str, *steps: dict[str, object]) -> list[str]:
    """The history of a run that walks these steps to their end."""
    await quick.publish(abandoned_cart(steps=list(steps)))
    await quick.customer(customer)
    run = await quick.start(customer)
    assert await quick.handle(run).result() == "completed"
    return await quick.events(run)


@pytest.mark.parametrize("what", CHOOSING)
async def test_a_choice_costs_one_event_and_no_task_of_its_own(quick: Engine, what: str) -> None:
    choose = CHOOSING[what]

    alone = await spent(quick, "alone", HELLO, AGAIN)
    between_two_sends = await spent(quick, "between", HELLO, choose, AGAIN)
    waiting = await spent(quick, "waiting", HELLO, PAUSE, AGAIN)
    before_a_wait = await spent(quick, "before", HELLO, choose, PAUSE, AGAIN)
    at_the_end = await spent(quick, "end", HELLO, AGAIN, choose)
    at_the_beginning = await spent(quick, "beginning", choose, HELLO, AGAIN)

    assert (len(alone), len(waiting)) == (17, 22)
    for without, with_it in (
        (alone, between_two_sends),
        (waiting, before_a_wait),
        (alone, at_the_end),
        (alone, at_the_beginning),
    ):
        assert sorted(with_it) == sorted([*without, "MARKER_RECORDED"])


RAISE = {"id": "tell", "raise": "store-visit", "with": {"city": "'Oslo'"}}
SET = {"id": "tag", "set": {"country": "'NO'"}}
TEXT = {"id": "nudge", "text": "second-text-reminder", "to": "customer.phone"}


@pytest.mark.parametrize(
    ("steps", "more"),
    [
        pytest.param([HELLO, RAISE, TEXT], 1, id="between-two-sends"),
        pytest.param([HELLO, RAISE, PAUSE], 1, id="before-a-wait"),
        pytest.param([RAISE, HELLO], 1, id="at-the-beginning"),
        pytest.param([HELLO, SET, TEXT], 1, id="set-between-two-sends"),
        # It writes the lines for which there would be a note else.
        pytest.param([PAUSE, RAISE, PAUSE | {"id": "another"}], 0, id="between-two-waits"),
        pytest.param([HELLO, PAUSE, RAISE], 0, id="at-the-end"),
    ],
)
async def test_an_action_costs_at_most_one_event_and_no_task_of_its_own(
    quick: Engine, steps: list[dict[str, object]], more: int
) -> None:
    await quick.customer("fay")
    counted = []
    for journey in (steps, [step for step in steps if step not in (RAISE, SET)]):
        await quick.publish(abandoned_cart(steps=journey))
        run = await quick.start("fay")
        assert await quick.handle(run).result() == "completed"
        counted.append(await quick.events(run))

    with_it, without = counted
    assert with_it.count("MARKER_RECORDED") == without.count("MARKER_RECORDED") + more
    assert len(with_it) == len(without) + more
