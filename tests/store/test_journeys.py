"""Journeys from the draft to the stop, and their counts."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import count

import pytest

from journeys.clearance.policy import Cap, Policy
from journeys.definition import Journey
from journeys.problems import Conflict, Invalid, Unavailable, Unknown
from store import catalogue
from store.events import accept, in_flight
from store.journeys import (
    get_journey,
    get_version,
    list_journeys,
    publish,
    put_journey,
)
from store.outbox import done, lease
from store.policy import put_policy
from store.runs import get_run
from store.sends import Done, Go
from store.stopping import _close_doors, finish_stops, stop
from store.store import open_store
from store.turns import TOGETHER
from tests.samples import abandoned_cart
from tests.shop import CHANNELS, NOON, Shop, by_us

_numbers = count()


async def state(shop: Shop, name: str = "abandoned-cart") -> tuple[str, list[str]]:
    journey = await get_journey(shop.store, name, shop.now)
    return journey.state, [version.state for version in journey.versions]


async def test_a_draft_is_a_draft_until_it_is_published(shop: Shop) -> None:
    assert await put_journey(shop.store, abandoned_cart(), by_us(shop.now))
    assert await state(shop) == ("draft", [])
    assert (await shop.post("abandoned-cart", total=1)).decisions == ()

    published = await publish(shop.store, "abandoned-cart", by_us(shop.now), CHANNELS)

    assert (published.version, published.new, published.hash) == (1, True, abandoned_cart().hash)
    assert await state(shop) == ("live", ["live"])


async def test_a_draft_comes_back_as_it_was_written(shop: Shop) -> None:
    await put_journey(shop.store, abandoned_cart(), by_us(shop.now))

    assert (await get_journey(shop.store, "abandoned-cart", shop.now)).definition == abandoned_cart()


async def test_publishing_the_same_again_changes_nothing(shop: Shop) -> None:
    await shop.publish()

    again = await shop.publish(abandoned_cart(title="Only the title is new"))

    assert (again.version, again.new) == (1, False)


async def test_events_go_on_while_a_journey_is_checked(shop: Shop) -> None:
    dear = " || ".join(f"event.cart_id == 'cart-{number}'" for number in range(60))
    own = [f"{dear} || {next(_numbers)} == 0" for _ in range(150)]  # what was compiled before costs nothing
    exits = [{"trigger": "purchase-completed", "where": where} for where in own]
    publishing = asyncio.create_task(shop.publish(abandoned_cart(exit=exits)))

    meanwhile = 0
    while not publishing.done():
        await shop.post("store-visit", city="Oslo")
        meanwhile += not publishing.done()

    assert (await publishing).new
    assert meanwhile >= 5


async def test_a_draft_that_is_changed_while_it_is_checked_is_checked_anew(shop: Shop) -> None:
    titles = [f"draft {number}" for number in range(3)]

    async def change() -> None:
        for title in titles:
            await put_journey(shop.store, abandoned_cart(title=title, goal=None), by_us(shop.now))

    await put_journey(shop.store, abandoned_cart(), by_us(shop.now))
    published, _ = await asyncio.gather(publish(shop.store, "abandoned-cart", by_us(shop.now), CHANNELS), change())

    live = await get_version(shop.store, "abandoned-cart", published.version)
    assert live.journey.hash == published.hash


async def test_a_draft_of_an_earlier_release_is_held_to_the_bounds_of_today(shop: Shop) -> None:
    long = Journey.model_validate(
        {"journey": "long", "start": {"trigger": "store-visit"}, "steps": [{"id": "w", "wait": "999999999 days"}]}
    )
    await put_journey(shop.store, long, by_us(shop.now))

    with pytest.raises(Invalid) as refused:
        await publish(shop.store, "long", by_us(shop.now), CHANNELS)

    assert [flaw.path for flaw in refused.value.flaws] == ["steps[0].wait"]


async def test_an_edit_is_not_live_before_it_is_published(shop: Shop) -> None:
    await shop.publish()
    assert not await put_journey(shop.store, abandoned_cart(exit=[]), by_us(shop.now))

    journey = await get_journey(shop.store, "abandoned-cart", shop.now)

    assert (journey.edited, journey.live_version) == (True, 1)
    assert len((await get_version(shop.store, "abandoned-cart", 1)).journey.exit) == 1
    assert (await shop.publish(abandoned_cart(exit=[]))).version == 2
    assert not (await get_journey(shop.store, "abandoned-cart", shop.now)).edited


async def test_an_old_version_is_completing_until_the_last_one_is_through(shop: Shop) -> None:
    await shop.publish()
    run = await shop.start()
    await shop.publish(abandoned_cart(exit=[]))
    assert await state(shop) == ("live", ["completing", "live"])

    await shop.claim(run, following=None)
    await shop.record(run, following=None)

    assert await state(shop) == ("live", ["completed", "live"])


async def test_a_journey_whose_time_is_over_is_completing_and_then_completed(shop: Shop) -> None:
    start = {"trigger": "abandoned-cart", "until": (NOON + timedelta(hours=1)).isoformat()}
    await shop.publish(abandoned_cart(start=start))
    await shop.start()
    assert await state(shop) == ("live", ["live"])

    shop.later(hours=1)
    assert await state(shop) == ("completing", ["completing"])

    await shop.post("purchase-completed")
    assert await state(shop) == ("completed", ["completed"])


async def test_everything_that_is_wrong_is_said_at_once(shop: Shop) -> None:
    steps = [
        {"id": "a", "email": "nothing", "to": "customer.email"},
        {"id": "b", "text": "second-text-reminder", "to": "x"},
    ]
    await put_journey(shop.store, abandoned_cart(start={"trigger": "nothing"}, steps=steps), by_us(shop.now))

    with pytest.raises(Invalid) as error:
        await publish(shop.store, "abandoned-cart", by_us(shop.now), frozenset({"email"}))

    paths = {flaw.path for flaw in error.value.flaws}
    assert {"start.trigger", "steps[0].email", "steps[1].text", "steps[1].to"} <= paths
    assert await state(shop) == ("draft", [])


async def test_stopping_ends_everybody_on_every_version(shop: Shop) -> None:
    await shop.publish()
    old = await shop.start("ada")
    await shop.claim(old)
    await shop.record(old)
    await shop.publish(abandoned_cart(exit=[]))
    new = await shop.start("bob")
    assert isinstance(await shop.claim(new), Go)
    shop.later(hours=1)

    stopped = await stop(shop.store, "abandoned-cart", by_us(shop.now))

    assert (stopped.runs, stopped.in_flight) == (2, 1)
    assert await state(shop) == ("stopped", ["stopped", "stopped"])
    for run, step in ((old, "opened"), (new, "initial-reminder")):
        seen = await get_run(shop.store, run)
        assert (seen.ended, seen.ended_at, seen.why, seen.step) == (
            "stopped",
            shop.now,
            "the journey was stopped",
            None,
        )
        last = seen.diary[-1]
        assert (last.n, last.step, last.did) == (len(seen.diary) - 1, step, "left")
    assert (await shop.post("abandoned-cart", "cleo", total=1)).decisions == ()
    assert not isinstance(await shop.claim(old, "second-reminder"), Go)


async def test_temporal_is_told_of_a_stop(shop: Shop) -> None:
    await shop.publish()
    run = await shop.start()
    await stop(shop.store, "abandoned-cart", by_us(shop.now))

    jobs = []
    while batch := await lease(shop.store, shop.now, 10, timedelta(minutes=1)):
        jobs += batch
        await done(shop.store, [job.id for job in batch])

    assert [(job.run, job.kind) for job in jobs] == [(run, "start"), (run, "cancel")]
    assert jobs[1].payload == {"reason": "stopped: the journey was stopped"}


async def test_a_second_stop_changes_nothing(shop: Shop) -> None:
    await shop.publish()
    run = await shop.start()
    await stop(shop.store, "abandoned-cart", by_us(shop.now))
    before = await get_run(shop.store, run)

    again = await stop(shop.store, "abandoned-cart", by_us(shop.later(hours=1)))

    assert again.runs == 0
    assert await get_run(shop.store, run) == before
    assert (await get_journey(shop.store, "abandoned-cart", shop.now)).stopped_at == NOON


async def many_inside(shop: Shop, runs: int) -> None:
    carts = [shop.event("abandoned-cart", f"customer-{number}", total=1) for number in range(runs)]
    await accept(shop.store, carts, shop.now)


async def test_others_come_in_between_while_very_many_stop(shop: Shop, database_url: str) -> None:
    await shop.publish()
    await shop.publish(abandoned_cart(journey="other"))
    await many_inside(shop, 5 * TOGETHER)
    elsewhere = Shop(open_store(database_url), shop.now)
    stopping = asyncio.create_task(stop(shop.store, "abandoned-cart", by_us(shop.now)))

    inside, entered = [5 * TOGETHER], 5 * TOGETHER
    while not stopping.done():
        receipt = await elsewhere.post("abandoned-cart", f"new-{len(inside)}", total=1)
        # Before its doors are closed.
        entered += any(made.journey == "abandoned-cart" and made.did == "started" for made in receipt.decisions)
        inside.append((await get_journey(elsewhere.store, "abandoned-cart", shop.now)).counts.active)

    assert (await stopping).runs == entered
    assert any(0 < left < 5 * TOGETHER for left in inside)
    assert (await get_journey(shop.store, "abandoned-cart", shop.now)).counts.stopped == entered
    assert (await get_journey(shop.store, "other", shop.now)).counts.stopped == 0
    await elsewhere.store.close()


async def test_what_a_stop_has_to_tell_comes_after_all_else(shop: Shop) -> None:
    await shop.publish()
    await shop.publish(abandoned_cart(journey="other", exit=[]))
    await many_inside(shop, 10)
    while batch := await lease(shop.store, shop.now, 100, timedelta(minutes=1)):
        await done(shop.store, [job.id for job in batch])
    await stop(shop.store, "abandoned-cart", by_us(shop.now))
    await shop.start("newcomer")

    jobs = await lease(shop.store, shop.now, 4, timedelta(minutes=1))

    assert [job.kind for job in await lease(shop.store, shop.now, 100, timedelta(minutes=1))] == ["cancel"] * 7
    assert sorted(job.kind for job in jobs) == ["cancel"] * 3 + ["start"]


async def cut_off(shop: Shop) -> None:
    """A stop whose process dies once nobody enters any more."""
    await _close_doors(shop.store, "abandoned-cart", None, by_us(shop.now))


async def test_nothing_is_sent_once_a_stop_has_begun(shop: Shop) -> None:
    await shop.publish()
    run = await shop.start()
    await cut_off(shop)

    before = (await get_run(shop.store, run)).diary

    with pytest.raises(Unavailable, match="is being stopped"):
        await shop.claim(run)

    assert (await get_run(shop.store, run)).sends == ()
    assert (await get_run(shop.store, run)).diary == before, "what is not written is not taken as written"
    await finish_stops(shop.store, shop.now)
    claimed = await shop.claim(run)
    assert isinstance(claimed, Done)
    assert claimed.delivery.reason == "the run has ended: the journey was stopped"


@pytest.mark.parametrize("by_hand", [True, False])
async def test_a_stop_that_was_cut_off_is_finished(shop: Shop, by_hand: bool) -> None:
    await shop.publish()
    old = await shop.start()
    await cut_off(shop)
    await shop.publish(abandoned_cart(exit=[]))
    new = await shop.start("bob")

    if by_hand:
        await stop(shop.store, "abandoned-cart", by_us(shop.now))
    else:
        assert await finish_stops(shop.store, shop.now) == 1

    assert (await get_run(shop.store, old)).ended == "stopped"
    assert (await get_run(shop.store, new)).ended == ("stopped" if by_hand else None)


async def test_a_send_that_was_under_way_at_the_stop_still_reports(shop: Shop) -> None:
    await shop.publish()
    run = await shop.start()
    await shop.claim(run)
    await stop(shop.store, "abandoned-cart", by_us(shop.now))
    assert await in_flight(shop.store, [run]) == 1

    await shop.record(run)

    assert await in_flight(shop.store, [run]) == 0
    assert (await get_run(shop.store, run)).ended == "stopped"


async def test_a_stopped_journey_may_be_published_again(shop: Shop) -> None:
    await shop.publish()
    await stop(shop.store, "abandoned-cart", by_us(shop.now))

    again = await shop.publish()

    assert (again.version, again.new) == (2, True)
    assert await state(shop) == ("live", ["stopped", "live"])


async def test_a_draft_cannot_be_stopped(shop: Shop) -> None:
    await put_journey(shop.store, abandoned_cart(), by_us(shop.now))

    with pytest.raises(Conflict, match="draft"):
        await stop(shop.store, "abandoned-cart", by_us(shop.now))


async def test_runs_are_counted_by_how_they_ended(shop: Shop) -> None:
    await shop.publish()
    runs = [await shop.start(f"customer-{number}") for number in range(4)]
    await shop.claim(runs[0], following=None)
    await shop.record(runs[0], following=None)
    await shop.post("purchase-completed", "customer-1")

    journey = await get_journey(shop.store, "abandoned-cart", shop.now)

    counted = {name: number for name, number in journey.counts if number}
    assert counted == {"active": 2, "completed": 1, "exited": 1}
    assert journey.versions[0].counts == journey.counts


@pytest.mark.parametrize(("target", "reached"), [("50%", True), ("51%", False), (1, True), (2, False), (None, None)])
async def test_the_goal_counts_people(shop: Shop, target: str | int | None, reached: bool | None) -> None:
    await shop.publish(abandoned_cart(goal={"trigger": "purchase-completed", "target": target}))
    for customer, cart in (("ada", "A"), ("ada", "B"), ("bob", "C")):
        await shop.start(customer, cart_id=cart)
    await shop.post("purchase-completed", "ada")

    goal = (await get_journey(shop.store, "abandoned-cart", shop.now)).goal

    assert goal is not None
    assert (goal.entered, goal.met, goal.target, goal.reached) == (2, 1, target, reached)


async def test_a_target_is_not_reached_by_nobody(shop: Shop) -> None:
    await shop.publish()

    goal = (await get_journey(shop.store, "abandoned-cart", shop.now)).goal

    assert goal is not None
    assert (goal.entered, goal.reached) == (0, False)


async def test_a_journey_without_a_goal_counts_none(shop: Shop) -> None:
    await shop.publish(abandoned_cart(goal=None))

    assert (await get_journey(shop.store, "abandoned-cart", shop.now)).goal is None


async def test_all_journeys_are_listed_by_name(shop: Shop) -> None:
    for name in ("welcome", "abandoned-cart"):
        await shop.publish(abandoned_cart(journey=name))
    await shop.post("abandoned-cart", total=1)

    listed, _ = await list_journeys(shop.store, shop.now)

    assert [(journey.name, journey.counts.active) for journey in listed] == [("abandoned-cart", 1), ("welcome", 1)]
    assert listed == [await get_journey(shop.store, journey.name, shop.now) for journey in listed]


async def test_a_name_that_is_nearly_right_is_suggested(shop: Shop) -> None:
    await shop.publish()

    with pytest.raises(Unknown, match='Did you mean "abandoned-cart"'):
        await get_journey(shop.store, "abandoned-card", shop.now)
    with pytest.raises(Unknown, match="no version 7"):
        await get_version(shop.store, "abandoned-cart", 7)


async def test_a_version_keeps_the_types_that_it_was_checked_against(shop: Shop) -> None:
    await shop.publish()
    trigger = (await catalogue.get_trigger(shop.store, "abandoned-cart")).trigger
    wider = trigger.model_copy(update={"attributes": {**trigger.attributes, "shop": "text?"}})
    await catalogue.put_trigger(shop.store, wider, by_us(shop.now))

    version = await get_version(shop.store, "abandoned-cart", 1)

    assert version.schemas["abandoned-cart"] == trigger.attributes
    assert (await shop.post("abandoned-cart", total=1, shop="Delft")).decisions[0].did == "started"


async def test_a_journey_is_published_with_what_the_policy_does_not_let_through(shop: Shop) -> None:
    mails = [{"id": id, "email": "initial-email-reminder", "to": "customer.email"} for id in ("first", "second")]
    await shop.publish(abandoned_cart(steps=mails))
    await put_policy(shop.store, Policy(caps=(Cap(at_most=1, per=timedelta(days=7)),)), by_us(shop.now))

    again = await shop.publish(abandoned_cart(steps=[*mails, {"id": "pause", "wait": "1 hour"}]))

    [capped] = [flaw for flaw in again.warnings if "the cap lets" in flaw.message]
    assert (capped.path, '"second" can never go out' in capped.message) == ("steps[1]", True)
