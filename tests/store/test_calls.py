"""Calls of endpoints in the store: claimed, tried again, over, and seen in their run."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from journeys.definition import Journey
from journeys.endpoints import Endpoint
from journeys.walk.diary import Delivery, Entry, Moved
from journeys.walk.position import Position
from journeys.walk.world import Visit
from store.calls import IN_LINE, Call, claim_call, postpone_call, record_call
from store.endpoints import put_endpoint
from store.lifecycle import lock_run
from store.runs import CallView, get_run, note
from store.schema import calls
from store.stopping import stop
from store.visits import known_of, perform
from tests.samples import CUSTOMER, abandoned_cart
from tests.shop import Shop, by_us

PAUSE = {"id": "pause", "wait": "1 day"}
MINUTE = timedelta(minutes=1)


def calling(within: str = "1 hour") -> Journey:
    crm = {"id": "crm", "webhook": "crm", "with": {"email": "customer.email"}, "within": within}
    return abandoned_cart(steps=[crm, PAUSE])


async def begun(shop: Shop, within: str = "1 hour") -> Visit:
    """The visit of a run that stands at its call."""
    await put_endpoint(shop.store, Endpoint(endpoint="crm", url="https://crm.example.com"), "sealed", by_us(shop.now))
    journey = calling(within)
    await shop.publish(journey)
    run = await shop.start()
    step, position = journey.steps[0], Position(step="crm", since=shop.now)
    expires_at = shop.now + step.longest
    return Visit(
        run=run, version=1, step=step, position=position, now=shop.now, following="pause", expires_at=expires_at
    )


async def claim(shop: Shop, visit: Visit) -> Call:
    claimed = await claim_call(shop.store, visit.at(shop.now))
    assert isinstance(claimed, Call), claimed
    return claimed


async def seen(shop: Shop, visit: Visit) -> CallView:
    (call,) = (await get_run(shop.store, visit.run)).calls
    return call


async def kept(shop: Shop) -> list[object]:
    """What of calls is kept to be posted."""
    rows = await shop.store.read(lambda connection: connection.execute(select(calls.c.data)).scalars().all())
    return [data for data in rows if data]


async def test_a_run_shows_its_calls_as_they_go(shop: Shop) -> None:
    visit = await begun(shop)
    await claim(shop, visit)
    assert (await seen(shop, visit)).state == "trying"
    next_at = shop.now + MINUTE
    await postpone_call(shop.store, visit, "it answered 503", next_at)
    expected = CallView(
        step="crm",
        endpoint="crm",
        state="trying",
        tries=1,
        first_at=visit.now,
        tried_at=visit.now,
        next_at=next_at,
        at=None,
        reason="it answered 503",
    )
    assert await seen(shop, visit) == expected

    shop.later(minutes=1)
    await claim(shop, visit)
    assert (await seen(shop, visit)).next_at is None
    await record_call(shop.store, visit, Delivery(outcome="accepted", at=shop.now))

    gone = {"state": "accepted", "tries": 2, "tried_at": shop.now, "next_at": None, "at": shop.now, "reason": ""}
    assert await seen(shop, visit) == expected.model_copy(update=gone)
    assert (await get_run(shop.store, visit.run)).actions == ()


async def test_what_a_run_raised_and_set_is_shown_with_what_became_of_it(shop: Shop) -> None:
    tell = {"id": "tell", "raise": "store-visit", "with": {"city": "customer.email + event.coupon"}}
    journey = abandoned_cart(steps=[tell, PAUSE])
    await shop.publish(journey)
    run = await shop.start()
    position = Position(step="tell", since=shop.now)
    visit = Visit(run=run, version=1, step=journey.steps[0], position=position, now=shop.now, following="pause")

    await perform(shop.store, visit)

    view = await get_run(shop.store, run)
    (action,) = view.actions
    assert (action.step, action.does, action.outcome, action.at) == ("tell", "raises store-visit", "failed", shop.now)
    assert action.reason == "with.city cannot be told: event.coupon is missing"
    assert view.calls == ()
    assert CUSTOMER["email"] not in view.model_dump_json()


async def test_what_is_to_be_posted_is_forgotten_with_an_exit(shop: Shop) -> None:
    visit = await begun(shop)
    await claim(shop, visit)
    await postpone_call(shop.store, visit, "it answered 503", shop.now + MINUTE)
    assert str(CUSTOMER["email"]) in str(await kept(shop))

    await shop.post("purchase-completed")

    assert await kept(shop) == []
    call = await seen(shop, visit)
    assert (call.state, call.tries, call.next_at, call.reason) == ("left", 1, None, "it answered 503")


async def test_what_is_to_be_posted_is_forgotten_with_the_end_of_a_journey(shop: Shop) -> None:
    visit = await begun(shop)
    await claim(shop, visit)

    await stop(shop.store, "abandoned-cart", by_us(shop.now))

    assert (await get_run(shop.store, visit.run)).ended == "stopped"
    assert await kept(shop) == []


async def test_with_a_series_that_is_left_nothing_more_is_posted_or_kept(shop: Shop) -> None:
    """An attempt that Temporal gave up may have waited for a lock all the time."""
    asked = {"trigger": "store-visit", "within": "1 hour"}
    crm = {"id": "crm", "webhook": "crm", "with": {"email": "customer.email"}}
    await put_endpoint(shop.store, Endpoint(endpoint="crm", url="https://crm.example.com"), "sealed", by_us(shop.now))
    await shop.publish(abandoned_cart(steps=[{"id": "nudges", "until": asked, "steps": [crm]}, PAUSE]))
    run = await shop.start()
    entered = Entry(n=1, at=shop.now, step="crm", did="entered")
    position = Position(step="crm", since=shop.now, lines=2, inside={"nudges": shop.now})
    visit = Visit(run=run, version=1, position=position, now=shop.now, unwritten=(entered,), following="nudges")
    visit = visit.expiring(shop.now + 60 * MINUTE)
    await claim(shop, visit)
    await postpone_call(shop.store, visit, "it answered 503", shop.now + MINUTE)
    left = entered.model_copy(update={"n": 2, "did": "left"})
    passed = Entry(n=3, at=shop.now, step="nudges", did="passed", arm="else")
    pause = Entry(n=4, at=shop.now, step="pause", did="entered")

    await note(shop.store, run, (left, passed, pause))

    assert await kept(shop) == []
    assert isinstance(await claim_call(shop.store, visit.at(shop.now)), Moved)
    call = await seen(shop, visit)
    assert (call.state, call.tries, call.next_at) == ("left", 1, None)


async def test_a_try_of_which_nothing_was_heard_is_no_failure(shop: Shop) -> None:
    """The worker may have died after the endpoint took it."""
    visit = await begun(shop)
    await claim(shop, visit)
    shop.later(hours=2)

    over = await claim_call(shop.store, visit.at(shop.now))

    assert isinstance(over, Delivery)
    assert over.outcome == "unknown"
    assert over.reason == "nobody knows what became of the last try; nothing more is tried after 1 hour"
    assert (await seen(shop, visit)).state == "unknown"
    known = await shop.store.write(lambda connection: known_of(connection, lock_run(connection, visit.run), shop.now))
    assert known.sent == {"crm": "unknown"}


async def test_a_try_that_was_none_is_a_failure_when_the_time_is_over(shop: Shop) -> None:
    visit = await begun(shop)
    await claim(shop, visit)
    await postpone_call(shop.store, visit, "it answered 503", shop.now + MINUTE)
    shop.later(hours=2)

    over = await claim_call(shop.store, visit.at(shop.now))

    assert isinstance(over, Delivery)
    assert (over.outcome, over.reason) == ("failed", "it answered 503; nothing more is tried after 1 hour")


async def test_the_next_try_after_the_time_is_none(shop: Shop) -> None:
    visit = await begun(shop)
    await claim(shop, visit)

    over = await postpone_call(shop.store, visit, "it answered 429", shop.now + timedelta(hours=1))

    assert isinstance(over, Delivery)
    assert (over.outcome, over.reason) == ("failed", "it answered 429; nothing more is tried after 1 hour")


@pytest.mark.parametrize("within", ["0 seconds", "10 seconds"])
async def test_who_stood_in_line_only_has_not_tried(shop: Shop, within: str) -> None:
    visit = await begun(shop, within)
    await claim(shop, visit)
    assert await postpone_call(shop.store, visit, "busy", shop.now + MINUTE, posted=False) is None
    assert (await seen(shop, visit)).tries == 0
    shop.later(minutes=1)

    again = await claim(shop, visit)
    over = await postpone_call(shop.store, visit.at(shop.now), "it answered 503", shop.now + MINUTE)

    assert again.tries == 1
    assert isinstance(over, Delivery)
    assert over.outcome == "failed"


async def test_nobody_stands_in_line_for_ever(shop: Shop) -> None:
    visit = await begun(shop, "0 seconds")
    await claim(shop, visit)

    over = await postpone_call(shop.store, visit, "busy", shop.now + IN_LINE, posted=False)

    assert isinstance(over, Delivery)
    assert (over.outcome, over.reason) == ("failed", "busy; nothing more is tried after 0 seconds")
