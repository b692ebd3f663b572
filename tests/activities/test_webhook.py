"""The activity that calls endpoints: what it hands to Temporal, whoever asks for it again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import update
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.endpoints import Caller, Endpoints, Seal
from activities.endpoints.signing import new_secret
from activities.webhooks import MANY, Webhooks
from journeys.endpoints import Endpoint
from journeys.walk.diary import Delivery, Held
from journeys.walk.position import Position
from journeys.walk.world import Visit
from store.calls import claim_call
from store.endpoints import put_endpoint
from store.runs import get_run
from store.schema import calls
from store.store import Store
from tests.engine import HOUSE
from tests.fakes.receiver import Receiver, says
from tests.samples import abandoned_cart
from tests.shop import Shop, by_us


@pytest.fixture
async def shop(store: Store) -> Shop:
    shop = Shop(store)
    await shop.stock()
    return shop


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


async def at_its_call(shop: Shop, receiver: Receiver, *around: str) -> Visit:
    """The visit of a run that stands at its call, as if it were in the series *around*."""
    crm = Endpoint(endpoint="crm", url=receiver.url)
    await put_endpoint(shop.store, crm, Seal(HOUSE).seal(new_secret()), by_us(shop.now))
    journey = abandoned_cart(steps=[{"id": "crm", "webhook": "crm"}, {"id": "pause", "wait": "1 day"}])
    await shop.publish(journey)
    run, step = await shop.start(), journey.steps[0]
    position = Position(step="crm", since=shop.now, inside=dict.fromkeys(around, shop.now))
    expires_at = shop.now + timedelta(days=1)
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


async def test_in_a_series_a_run_waits_by_itself_however_soon_the_next_try_may_come(
    shop: Shop, receiver: Receiver
) -> None:
    """Else the series would not be left before the endpoint takes it."""
    receiver.answer = says(503, "Retry-After: 30")
    visit = await at_its_call(shop, receiver, "nudges")
    call = Webhooks(shop.store, Endpoints(shop.store, Caller(allow_local=True), Seal(HOUSE))).call
    pauses = []

    for minutes in range(7):
        try:
            held = await ActivityEnvironment().run(call, visit.at(shop.now + timedelta(minutes=minutes)))
            assert isinstance(held, Held)
            break
        except ApplicationError as error:
            pauses.append(error.next_retry_delay)

    assert pauses == [timedelta(seconds=seconds) for seconds in (30, 30, 30, 30, 32)]


async def test_a_run_waits_in_a_series_for_no_more_tries_than_its_history_holds(shop: Shop, receiver: Receiver) -> None:
    receiver.answer = says(503, "Retry-After: 30")
    visit = await at_its_call(shop, receiver, "nudges")
    call = Webhooks(shop.store, Endpoints(shop.store, Caller(allow_local=True), Seal(HOUSE))).call
    await claim_call(shop.store, visit)
    await shop.store.write(lambda connection: connection.execute(update(calls).values(tries=MANY)))

    held = await ActivityEnvironment().run(call, visit)

    assert isinstance(held, Held)
    assert held.until
    assert held.until - visit.now >= timedelta(days=1) / MANY
