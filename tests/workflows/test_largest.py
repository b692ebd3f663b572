"""The largest journey that may be written: published, previewed, and walked on a real server with time skipped."""

from __future__ import annotations

from datetime import timedelta

from temporalio.testing import WorkflowEnvironment

from journeys.steps import Push, every_step
from journeys.walk.pace import DAY
from journeys.walk.preview import preview
from journeys.walk.script import Happening
from tests.big import big_journey
from tests.engine import Clock, engine
from tests.samples import CUSTOMER, version

TEN_YEARS = timedelta(days=3650)
AN_HOUR = timedelta(hours=1)
"""For a day: the test server ends every run after ten years."""


async def test_the_largest_journey_is_walked_as_it_is_previewed(skipping: WorkflowEnvironment, sqlite_url: str) -> None:
    journey = big_journey()
    clock = Clock(skipping)
    cart = Happening(trigger="abandoned-cart", attributes={"cart_id": "c1", "total": 60})
    [expected] = preview(version(journey), [cart], CUSTOMER).runs

    async with engine(skipping.client, sqlite_url, clock=clock, day=AN_HOUR) as played:
        await clock.start()
        await played.customer("ada")
        await played.publish(journey)
        run = await played.start("ada")
        await clock.move(timedelta(days=1))
        visited = await played.happen("store-visit", "ada", city="Rome")
        assert visited.decisions[0].did == "ignored"

        assert expected.ended_at
        hours = (expected.ended_at - expected.entered_at - TEN_YEARS) // DAY + 2
        for hour in range(hours):  # the server answers a long sleep only if little happens meanwhile
            await clock.move(TEN_YEARS * (AN_HOUR / DAY) + hour * AN_HOUR)
        await played.until_ended(run)

        [walked] = await played.runs("ada")
        assert [send.step for send in walked.sends] == [send.step for send in expected.sends]
        assert walked.ended == "completed"
        assert len(walked.sends) < sum(isinstance(step, Push) for step in every_step(journey.steps))
