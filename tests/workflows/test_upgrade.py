"""A release that would break runs under way is found before it is rolled out, on a real Temporal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowExecution
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.testing import WorkflowEnvironment

from tests.changed_workflow import Changed
from tests.engine import Engine, engine, until
from tests.samples import abandoned_cart
from tests.stories import pause, text
from workflows.rounds import running
from workflows.search_attributes import JOURNEY_ID, JOURNEY_VERSION
from workflows.upgrade import check_upgrade, choose

HOUR = timedelta(hours=1)
BEGIN = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


async def listed(played: Engine, count: int) -> None:
    """Until Temporal's list, which comes a little late, has so many runs under way."""

    async def has() -> bool:
        return (await check_upgrade(played.client, played.task_queue, sample=1)).running == count

    await until(has)


async def test_a_change_that_would_break_runs_is_found_and_todays_code_is_clean(
    temporal: WorkflowEnvironment, sqlite_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    async with engine(temporal.client, sqlite_url) as played:
        await played.publish(abandoned_cart())
        customers = ("ada", "bob")
        runs = []
        for customer in customers:
            await played.customer(customer)
            runs.append(await played.start(customer))
        await played.publish(abandoned_cart(steps=[pause("a-while", "2 days"), text("nudge")]))
        await played.customer("cyd")
        runs.append(await played.start("cyd"))
        for run in runs:
            await played.until_waiting(run)
        await listed(played, 3)
        before = [await played.events(run) for run in runs]
        steps: list[int] = []

        clean = await check_upgrade(played.client, played.task_queue, chosen=steps.append, done=lambda: steps.append(1))
        broken = await check_upgrade(played.client, played.task_queue, of=Changed)

        assert (clean.running, clean.replayed, clean.gone, clean.broken) == (3, 3, 0, ())
        assert steps == [3, 1, 1, 1]
        assert (broken.running, broken.replayed) == (3, 3)
        # The third waits first in any case, and Temporal does not mind for how long: it would go on.
        assert sorted(each.run for each in broken.broken) == sorted(runs[:2])
        why = "another way than its history: Timer machine does not handle this event: HistoryEvent(id: 5, "
        assert {each.why for each in broken.broken} == {f"{why}ActivityTaskScheduled)"}
        assert capfd.readouterr().out == ""  # which has the answer alone
        assert [await played.events(run) for run in runs] == before  # nothing was written
        for run in runs:
            await played.handle(run).terminate()


async def test_a_task_queue_may_have_an_apostrophe_in_its_name(temporal: WorkflowEnvironment) -> None:
    queue = "o'brien"
    started = await temporal.client.start_workflow("Journey", id="of-a-strange-queue", task_queue=queue)

    async def is_listed() -> bool:
        return (await temporal.client.count_workflows(running(queue))).count == 1

    await until(is_listed)
    assert (await temporal.client.count_workflows(running("brien"))).count == 0
    await started.terminate()


def execution(id: str, journey: str, version: int, age: int, length: int) -> WorkflowExecution:
    known = TypedSearchAttributes(
        [SearchAttributePair(JOURNEY_ID, journey), SearchAttributePair(JOURNEY_VERSION, version)]
    )
    some: Any = dict.fromkeys(WorkflowExecution.__dataclass_fields__)
    some |= {"id": id, "run_id": id, "typed_search_attributes": known, "history_length": length}
    return WorkflowExecution(**some | {"start_time": BEGIN - age * HOUR})


def test_of_each_version_the_oldest_newest_shortest_and_longest_are_chosen_first() -> None:
    many = [execution(f"cart-{n}", "cart", 1, age=n, length=10 + n % 7) for n in range(1, 50)]
    found = [*many, execution("cart-2nd", "cart", 2, 1, 5), execution("visit", "visit", 1, 1, 5)]

    chosen = [each.id for each in choose(found, 6)]

    assert chosen[:3] == ["cart-49", "cart-2nd", "visit"]
    assert set(chosen[3:]) == {"cart-1", "cart-14", "cart-6"}
    assert len(choose(found, 1_000)) == len(found)
