"""The activity that calls endpoints: what it hands to Temporal, whoever asks for it again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio.testing import ActivityEnvironment

from activities.endpoints import Caller, Endpoints, Seal
from activities.endpoints.signing import new_secret
from activities.webhooks import Webhooks
from journeys.endpoints import Endpoint
from journeys.walk.diary import Delivery
from journeys.walk.position import Position
from journeys.walk.world import Visit
from store.endpoints import put_endpoint
from store.runs import get_run
from store.store import Store
from tests.engine import HOUSE
from tests.fakes.receiver import Receiver, says
from tests.samples import abandoned_cart
from tests.shop import Shop


@pytest.fixture
async def shop(store: Store) -> Shop:
    shop = Shop(store)
    await shop.stock()
    return shop


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


async def at_its_call(shop: Shop, receiver: Receiver) -> Visit:
    crm = Endpoint(endpoint="crm", url=receiver.url)
    await put_endpoint(shop.store, crm, Seal(HOUSE).seal(new_secret()), shop.now)
    journey = abandoned_cart(steps=[{"id": "crm", "webhook": "crm"}, {"id": "pause", "wait": "1 day"}])
    await shop.publish(journey)
    run, step = await shop.start(), journey.steps[0]
    position, expires_at = Position(step="crm", since=shop.now), shop.now + timedelta(days=1)
    visit = Visit(run=run, version=1, step=step, position=position, now=shop.now, following="pause")
    return visit.expiring(expires_at)


async def test_whoever_asks_again_hears_what_became_of_it_and_nothing_that_the_endpoint_wrote(
    shop: Shop, receiver: Receiver
) -> None:
    """The first answer was lost on its way to Temporal."""
    receiver.answer = says(302, "Location: /customers/zeldamira")
    visit = await at_its_call(shop, receiver)
    call = Webhooks(shop.store, Endpoints(shop.store, Caller(allow_local=True), Seal(HOUSE))).call

    first = await ActivityEnvironment().run(call, visit)
    again = await ActivityEnvironment().run(call, visit)

    assert isinstance(first, Delivery)
    assert (first.outcome, first.reason) == ("failed", "")
    assert again == first
    assert len(receiver.posted) == 1
    (seen,) = (await get_run(shop.store, visit.run)).calls
    assert "zeldamira" in seen.reason
