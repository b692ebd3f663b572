"""What a run does at a step that acts: once, in one transaction, and never round in a circle."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import select, text

from journeys.catalogue import CustomerAttribute
from journeys.chains import LONGEST_CHAIN
from journeys.definition import Journey
from journeys.language.attributes import AttributeType
from journeys.problems import Conflict, Invalid, Unavailable, Unknown
from journeys.steps import AnyStep
from journeys.walk.diary import Delivery, Entry, Held, Moved, Over
from journeys.walk.position import Position, Unheard
from journeys.walk.world import Visit
from store import visits
from store.catalogue import stop_trigger
from store.customer_attributes import put_attribute
from store.customers import get_customer, patch_customer, put_customer
from store.events import list_events
from store.journeys import get_journey
from store.lifecycle import lock_run
from store.runs import RunView, close, get_run, list_runs
from store.schema import actions
from store.stopping import stop
from store.store import Store
from tests.samples import CUSTOMER, abandoned_cart
from tests.shop import NOON, Shop, by_us
from tests.transactions import execute, rows

TELL = {"id": "tell", "raise": "store-visit", "with": {"city": "has(event.coupon) ? event.coupon : 'Oslo'"}}
PAUSE = {"id": "pause", "wait": "1 day"}
HELLO = {"id": "hello", "email": "initial-email-reminder", "to": "customer.email"}


def raising(*steps: dict[str, Any], **changes: Any) -> Journey:
    return abandoned_cart(steps=list(steps or (TELL, PAUSE)), **changes)


def visitors(name: str = "visitors", *steps: dict[str, Any], trigger: str = "store-visit", **changes: Any) -> Journey:
    told = {"start": {"trigger": trigger}, "goal": None, "exit": [], "steps": list(steps or (PAUSE,))}
    return abandoned_cart(journey=name, **(told | changes))


def at_step(shop: Shop, run: str, step: AnyStep, following: str | None = "pause") -> Visit:
    position = Position(step=step.id, since=NOON)
    return Visit(run=run, version=1, step=step, position=position, now=shop.now, following=following)


async def performed(
    shop: Shop, run: str, journey: Journey, following: str | None = "pause"
) -> Delivery | Held | Unheard | Over | Moved:
    return await visits.perform(shop.store, at_step(shop, run, journey.steps[0], following))


async def perform(shop: Shop, run: str, journey: Journey, following: str | None = "pause") -> Delivery:
    did = await performed(shop, run, journey, following)
    assert isinstance(did, Delivery), did
    return did


async def declare(shop: Shop, name: str, kind: AttributeType) -> None:
    await put_attribute(shop.store, CustomerAttribute(attribute=name, type=kind), by_us(shop.now))


async def runs_of(store: Store, journey: str) -> list[RunView]:
    page = await list_runs(store, journey=journey)
    return [await get_run(store, run.id) for run in page.runs]


async def only(store: Store, journey: str) -> RunView:
    (run,) = await runs_of(store, journey)
    return run


async def test_a_run_raises_an_event_that_is_accepted_like_any_other(shop: Shop) -> None:
    journey = raising()
    await shop.publish(journey)
    await shop.publish(visitors())
    run = await shop.start()

    did = await perform(shop, run, journey)

    assert did == Delivery(outcome="accepted", at=shop.now)
    (event, _) = await list_events(shop.store, "ada")
    assert (event.trigger, event.source, event.attributes) == (
        "store-visit",
        "journey:abandoned-cart",
        {"city": "Oslo"},
    )
    assert [made.did for made in event.decisions] == ["started"]
    seen = await get_run(shop.store, run)
    assert [(line.step, line.did, line.why) for line in seen.diary[1:]] == [
        ("tell", "passed", "accepted"),
        ("pause", "entered", ""),
    ]


async def test_done_again_it_is_the_same_event(shop: Shop) -> None:
    journey = raising()
    await shop.publish(journey)
    await shop.publish(visitors(start={"trigger": "store-visit", "overlap": "parallel"}))
    run = await shop.start()
    first = await perform(shop, run, journey)
    shop.later(hours=1)
    await put_customer(shop.store, "ada", {"email": "new@example.com"}, shop.now)

    again = await perform(shop, run, journey)

    assert again == first
    assert len(await runs_of(shop.store, "visitors")) == 1
    assert len((await get_run(shop.store, run)).diary) == 3


async def test_the_last_step_completes_the_run(shop: Shop) -> None:
    journey = raising(TELL)
    await shop.publish(journey)
    run = await shop.start()

    await perform(shop, run, journey, following=None)

    assert (await get_run(shop.store, run)).ended == "completed"


async def test_a_run_that_raises_its_own_exit_is_exited(shop: Shop) -> None:
    journey = raising({"id": "buy", "raise": "purchase-completed", "with": {"cart_id": "event.cart_id"}}, PAUSE)
    await shop.publish(journey)
    run = await shop.start(cart_id="c1")

    for _ in range(2):  # and no more than that where the answer was lost on its way to Temporal
        assert await performed(shop, run, journey) == Over(ended="exited")

    (buying,) = await rows(shop.store, select(actions))
    assert (buying.step, buying.outcome) == ("buy", "accepted")
    seen = await get_run(shop.store, run)
    assert (seen.ended, seen.why) == ("exited", "exit: purchase-completed")
    assert [(line.step, line.did) for line in seen.diary] == [("buy", "entered"), ("buy", "left")]
    assert seen.goal_met_at is not None


async def test_a_run_that_has_ended_raises_nothing(shop: Shop) -> None:
    journey = raising()
    await shop.publish(journey)
    run = await shop.start()
    await close(shop.store, run, "operator", "by hand", shop.now, ())

    assert await performed(shop, run, journey) == Over(ended="cancelled")
    assert [event.trigger for event in await list_events(shop.store, "ada")] == ["abandoned-cart"]


async def test_while_its_journey_is_being_stopped_nothing_is_raised(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    journey = raising()
    await shop.publish(journey)
    run = await shop.start()

    async def nobody(*_: object) -> None:
        return None

    monkeypatch.setattr("store.stopping._end_some", nobody)  # the stop has come no further
    await stop(shop.store, "abandoned-cart", by_us(shop.now))

    with pytest.raises(Unavailable, match="being stopped"):
        await perform(shop, run, journey)


async def test_a_required_attribute_without_a_value_raises_nothing_and_says_so(shop: Shop) -> None:
    journey = raising({**TELL, "with": {"city": "event.coupon"}}, PAUSE)
    await shop.publish(journey)
    run = await shop.start()

    did = await perform(shop, run, journey)

    assert (did.outcome, did.reason) == ("failed", "with.city cannot be told: event.coupon is missing")
    assert [event.trigger for event in await list_events(shop.store, "ada")] == ["abandoned-cart"]
    assert (await get_run(shop.store, run)).step == "pause"


async def test_an_optional_attribute_without_a_value_is_left_out(shop: Shop) -> None:
    buy = {
        "id": "buy",
        "raise": "purchase-completed",
        "with": {"cart_id": "event.cart_id", "total": "event.total * 2.0"},
    }
    journey = raising(buy, PAUSE, exit=[])
    await shop.publish(journey)
    run = await shop.start(total=21)

    assert (await perform(shop, run, journey)).outcome == "accepted"

    (event, _) = await list_events(shop.store, "ada")
    assert event.attributes == {"total": 42}


async def test_a_trigger_that_was_stopped_fails_without_a_word_of_the_values(shop: Shop) -> None:
    journey = raising()
    await shop.publish(journey)
    run = await shop.start()
    await stop_trigger(shop.store, "store-visit", by_us(shop.now))

    did = await perform(shop, run, journey)

    assert (did.outcome, did.reason) == ("failed", 'trigger "store-visit" is stopped, not ready')


async def test_later_steps_know_what_became_of_it(shop: Shop) -> None:
    journey = raising()
    await shop.publish(journey)
    run = await shop.start()
    await perform(shop, run, journey)

    known = await shop.store.write(lambda connection: visits.known_of(connection, lock_run(connection, run), shop.now))

    assert known.sent == {"tell": "accepted"}


async def test_nobody_else_speaks_in_the_name_of_a_journey(shop: Shop) -> None:
    with pytest.raises(Invalid) as error:
        await shop.post("store-visit", city="Oslo", source="journey:abandoned-cart")

    assert [flaw.path for flaw in error.value.flaws] == ["[0].source"]


async def test_an_answer_that_the_walk_has_not_heard_comes_before_the_action(shop: Shop) -> None:
    asked = {"trigger": "purchase-completed", "within": "10 days"}
    journey = raising({"id": "nudges", "until": asked, "steps": [TELL, PAUSE]}, exit=[])
    await shop.publish(journey)
    run = await shop.start()
    await shop.post("purchase-completed")
    tell = journey.steps[0].arms[0].steps[0]
    entered = Entry(n=1, at=shop.now, step="tell", did="entered")
    position = Position(step="tell", since=shop.now, lines=2, inside={"nudges": shop.now})
    visit = at_step(shop, run, tell).model_copy(update={"position": position, "unwritten": (entered,)})

    did = await visits.perform(shop.store, visit)

    assert isinstance(did, Unheard)
    assert [event.trigger for event in await list_events(shop.store, "ada")] == ["purchase-completed", "abandoned-cart"]
    assert (await get_run(shop.store, run)).step == "nudges"


class TestSet:
    """A run changes its customer, once."""

    async def test_the_customer_is_changed_and_the_change_is_an_event(self, shop: Shop) -> None:
        journey = raising({"id": "tag", "set": {"country": "'NO'", "phone": None}}, PAUSE)
        await shop.publish(journey)
        where = "before.country != 'NO' && customer.country == 'NO'"
        started = {"trigger": "customer-changed", "where": f"!has(before.country) || {where}"}
        await shop.publish(visitors(start=started))
        run = await shop.start()

        did = await perform(shop, run, journey)

        assert did == Delivery(outcome="accepted", at=shop.now)
        attributes = (await get_customer(shop.store, "ada")).attributes
        assert (attributes["country"], "phone" in attributes) == ("NO", False)
        (event, _) = await list_events(shop.store, "ada")
        assert (event.trigger, event.source) == ("customer-changed", "journey:abandoned-cart")
        assert [made.did for made in event.decisions] == ["started"]
        assert (await get_run(shop.store, run)).step == "pause"

    async def test_done_again_it_counts_once(self, shop: Shop) -> None:
        await declare(shop, "visits", "number")
        journey = raising({"id": "count", "set": {"visits": "has(customer.visits) ? customer.visits + 1 : 1.0"}}, PAUSE)
        await shop.publish(journey)
        run = await shop.start()

        assert await perform(shop, run, journey) == await perform(shop, run, journey)

        assert (await get_customer(shop.store, "ada")).attributes["visits"] == 1

    async def test_each_run_counts_on_what_is_stored(self, shop: Shop) -> None:
        await declare(shop, "visits", "number")
        journey = raising({"id": "count", "set": {"visits": "has(customer.visits) ? customer.visits + 1 : 1.0"}}, PAUSE)
        await shop.publish(journey)
        runs = [await shop.start(cart_id=cart) for cart in "abc"]

        await asyncio.gather(*(perform(shop, run, journey) for run in runs))

        assert (await get_customer(shop.store, "ada")).attributes["visits"] == 3

    async def test_the_type_of_what_is_set_is_not_changed_under_it(self, shop: Shop) -> None:
        await declare(shop, "visits", "number")
        await shop.publish(raising({"id": "count", "set": {"visits": 1}}, PAUSE))

        with pytest.raises(Conflict, match="visits"):
            await declare(shop, "visits", "text")

    async def test_what_is_so_already_is_no_event(self, shop: Shop) -> None:
        journey = raising({"id": "tag", "set": {"first_name": "'Ada'"}}, PAUSE)
        await shop.publish(journey)
        await shop.publish(visitors(start={"trigger": "customer-changed"}))
        run = await shop.start()

        assert (await perform(shop, run, journey)).outcome == "accepted"

        assert [event.trigger for event in await list_events(shop.store, "ada")] == ["abandoned-cart"]

    async def test_taking_something_from_nobody_known_makes_nobody(self, shop: Shop) -> None:
        journey = raising({"id": "forget", "set": {"phone": None}}, PAUSE)
        await shop.publish(journey)
        await shop.publish(visitors(start={"trigger": "customer-created"}))
        receipt = await shop.post("abandoned-cart", customer="nobody", cart_id="c1", total=60)
        run = next(made.run for made in receipt.decisions if made.run)

        assert (await perform(shop, run, journey)).outcome == "accepted"

        with pytest.raises(Unknown):
            await get_customer(shop.store, "nobody")
        assert await runs_of(shop.store, "visitors") == []

    async def test_what_is_set_of_nobody_known_makes_a_customer(self, shop: Shop) -> None:
        journey = raising({"id": "tag", "set": {"country": "'NO'"}}, PAUSE)
        await shop.publish(journey)
        await shop.publish(visitors(start={"trigger": "customer-created"}))
        receipt = await shop.post("abandoned-cart", customer="nobody", cart_id="c1", total=60)
        run = next(made.run for made in receipt.decisions if made.run)

        await perform(shop, run, journey)

        assert (await get_customer(shop.store, "nobody")).attributes == {"country": "NO"}
        assert [seen.customer for seen in await runs_of(shop.store, "visitors")] == ["nobody"]

    async def test_what_cannot_be_told_changes_nothing_at_all(self, shop: Shop) -> None:
        journey = raising({"id": "tag", "set": {"country": "'NO'", "language": "event.coupon"}}, PAUSE)
        await shop.publish(journey)
        run = await shop.start()

        did = await perform(shop, run, journey)

        assert (did.outcome, did.reason) == ("failed", "set.language cannot be told: event.coupon is missing")
        assert "country" not in (await get_customer(shop.store, "ada")).attributes
        assert (await get_run(shop.store, run)).step == "pause"

    async def test_what_is_refused_of_a_customer_fails_without_a_word_of_the_values(self, shop: Shop) -> None:
        journey = raising({"id": "tag", "set": {"phone": "'call me Ada'"}}, PAUSE)
        await shop.publish(journey)
        run = await shop.start()

        did = await perform(shop, run, journey)

        assert (did.outcome, did.reason) == ("failed", "it does not fit: phone")

    async def test_it_may_end_its_own_run(self, shop: Shop) -> None:
        journey = raising({"id": "tag", "set": {"country": "'NO'"}}, PAUSE, exit=[{"when": "customer.country == 'NO'"}])
        await shop.publish(journey)
        run = await shop.start()

        assert await performed(shop, run, journey) == Over(ended="exited")

        seen = await get_run(shop.store, run)
        assert (seen.ended, [(line.step, line.did) for line in seen.diary[1:]]) == ("exited", [("tag", "left")])

    async def test_a_change_does_not_lead_back(self, shop: Shop) -> None:
        journey = visitors("taggers", {"id": "tag", "set": {"language": "'nb'"}}, PAUSE, trigger="customer-changed")
        await shop.publish(journey)
        await patch_customer(shop.store, "ada", {"country": "NO"}, shop.now)
        run = await only(shop.store, "taggers")

        did = await perform(shop, run.id, journey)

        assert did.reason.startswith("taggers does not start: it would go in a circle: taggers → taggers")

    async def test_a_run_that_its_customer_has_left_does_nothing(self, shop: Shop) -> None:
        """As where an earlier release changed the customer, and told nobody."""
        journey = raising(exit=[{"when": "customer.country == 'NO'"}])
        await shop.publish(journey)
        run = await shop.start()
        changed = json.dumps({**CUSTOMER, "country": "NO"})
        await execute(shop.store, text("UPDATE customers SET attributes = :it WHERE id = 'ada'"), it=changed)

        assert await performed(shop, run, journey) == Over(ended="exited")
        assert (await get_run(shop.store, run)).ended == "exited"
        assert not await rows(shop.store, select(actions))


class TestCircles:
    """Journeys that start one another are stopped where nothing came from outside in between."""

    async def test_a_run_does_not_start_its_own_journey(self, shop: Shop) -> None:
        anew = {"id": "anew", "raise": "abandoned-cart", "with": {"cart_id": "'c2'", "total": "event.total"}}
        start = {"trigger": "abandoned-cart", "key": "event.cart_id", "where": "event.total > 0"}
        journey = raising(anew, PAUSE, start=start)
        await shop.publish(journey)
        run = await shop.start(cart_id="c1")
        why = "it would go in a circle: abandoned-cart → abandoned-cart, and nothing came from outside in between"

        did = await perform(shop, run, journey)

        assert (did.outcome, did.reason) == ("accepted", f"abandoned-cart does not start: {why}")
        (event, _) = await list_events(shop.store, "ada")
        assert [(made.did, made.why) for made in event.decisions] == [("refused", why)]
        assert (await get_run(shop.store, run)).diary[1].why == f"accepted: {did.reason}"
        view = await get_journey(shop.store, "abandoned-cart", shop.now)
        assert (view.counts.refused, view.counts.active) == (1, 1)

    async def test_another_journey_does_not_lead_back_however_long_it_took(self, shop: Shop) -> None:
        _, second = await self.led_to_the_second(shop)
        shop.later(days=7)

        did = await perform(shop, second.id, self.leading_back)

        assert "abandoned-cart → visitors → abandoned-cart" in did.reason
        assert len(await runs_of(shop.store, "abandoned-cart")) == 1

    async def test_an_event_from_outside_begins_anew(self, shop: Shop) -> None:
        _, second = await self.led_to_the_second(shop)
        await shop.post("purchase-completed")

        did = await perform(shop, second.id, self.leading_back)

        assert did.reason == ""
        assert len(await runs_of(shop.store, "abandoned-cart")) == 2

    async def test_an_answer_that_a_run_raised_does_not(self, shop: Shop) -> None:
        _, second = await self.led_to_the_second(shop)
        buys = raising({"id": "buy", "raise": "purchase-completed"}, PAUSE, journey="buyers", exit=[], goal=None)
        await shop.publish(buys)
        await shop.post("abandoned-cart", total=1)
        buyer = (await only(shop.store, "buyers")).id
        assert (await perform(shop, buyer, buys)).outcome == "accepted"

        did = await perform(shop, second.id, self.leading_back)

        assert "abandoned-cart → buyers → visitors → abandoned-cart" in did.reason

    async def test_a_long_chain_comes_to_its_end(self, shop: Shop) -> None:
        names = [f"j{number}" for number in range(LONGEST_CHAIN + 2)]
        for name in names:
            await shop.ready({"trigger": name})
        chained = [
            visitors(name, {"id": "on", "raise": following}, PAUSE, trigger=name)
            for name, following in zip(names, [*names[1:], "store-visit"], strict=True)
        ]
        chained[-1] = visitors(names[-1], PAUSE, trigger=names[-1])
        for journey in chained:
            await shop.publish(journey)
        await shop.post(names[0])

        dids = [await perform(shop, (await only(shop.store, journey.journey)).id, journey) for journey in chained[:-1]]

        assert [did.reason for did in dids[:-1]] == [""] * LONGEST_CHAIN
        assert dids[-1].reason.startswith(f"j9 does not start: at most {LONGEST_CHAIN} journeys start one another")
        assert await runs_of(shop.store, names[-1]) == []

    leading_back = visitors(
        "visitors",
        {"id": "anew", "raise": "abandoned-cart", "with": {"cart_id": "'c2'", "total": 60}},
        {"id": "bought", "if": {"trigger": "purchase-completed", "within": "30 days"}, "then": [PAUSE]},
        start={"trigger": "store-visit", "where": "event.city == 'Oslo'"},
    )

    async def led_to_the_second(self, shop: Shop) -> tuple[str, RunView]:
        """A run of the first journey has started one of the second."""
        journey = raising(exit=[])
        await shop.publish(journey)
        await shop.publish(self.leading_back)
        run = await shop.start(cart_id="c1")
        await perform(shop, run, journey)
        return run, await only(shop.store, "visitors")
