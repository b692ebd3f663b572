"""Waits that are longer than Temporal's longest timer: one timer follows the other until the time has come.

The test server ends every run after ten years, so here a timer lasts a year at most.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.engine import Clock, Engine, engine
from tests.samples import abandoned_cart
from tests.stories import email, pause, push
from workflows import timers

DAY = timedelta(days=1)
YEAR = timedelta(days=365)
WITHIN = timedelta(days=1000)
VISITED = {"id": "visited", "if": {"trigger": "store-visit", "within": "1000 days"}, "then": [], "else": [push("no")]}


@pytest.fixture
async def played(
    clock: Clock, skipping: WorkflowEnvironment, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Engine]:
    monkeypatch.setattr(timers, "LONGEST", YEAR)
    async with engine(skipping.client, sqlite_url, clock=clock) as built:
        await built.customer("ada")
        yield built


async def test_a_wait_lasts_for_as_many_timers_as_it_takes(clock: Clock, played: Engine) -> None:
    run = await started(played, pause("long", "1000 days"), email("hello"))

    for after in (YEAR + DAY, WITHIN - DAY):
        await clock.move(after)
        assert (await played.runs("ada"))[0].step == "long"

    await clock.move(WITHIN + DAY)
    await played.until_ended(run)
    assert (await played.events(run)).count("TIMER_FIRED") == 3
    assert played.ledger.steps == ["hello"]


@pytest.mark.parametrize(
    ("after", "steps"),
    [
        pytest.param(DAY, [], id="in-the-first-timer"),
        pytest.param(YEAR + DAY, [], id="in-the-second"),
        pytest.param(WITHIN - DAY, [], id="in-the-last"),
        pytest.param(None, ["no"], id="never"),
    ],
)
async def test_a_question_stays_open_through_all_timers(
    clock: Clock, played: Engine, after: timedelta | None, steps: list[str]
) -> None:
    run = await started(played, VISITED)

    await clock.move(after or WITHIN + DAY)
    if after:
        await played.happen("store-visit", "ada", city="Oslo")

    await played.until_ended(run)
    assert played.ledger.steps == steps


def test_a_timer_is_as_long_as_temporal_takes_it() -> None:
    assert timers.of_one(timedelta(days=364_000)) == timedelta(days=36_500)
    assert timers.of_one(DAY) == DAY


async def started(played: Engine, *steps: object) -> str:
    await played.publish(abandoned_cart(exit=[], steps=list(steps)))
    run = await played.start("ada")
    await played.until_waiting(run)
    return run
