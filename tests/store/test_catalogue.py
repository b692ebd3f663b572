"""Triggers and contents, and what may still be changed while journeys rely on them."""

from __future__ import annotations

import pytest

from journeys.catalogue import Content, Trigger
from journeys.problems import Conflict, Invalid, Unknown
from journeys.reading import read_content, read_trigger
from store import catalogue
from store.stopping import stop
from tests.samples import CONTENTS, TRIGGERS, abandoned_cart
from tests.shop import NOON, Shop, by_us

CART = TRIGGERS["abandoned-cart"]


def changed(**attributes: str | None) -> Trigger:
    """The trigger of carts with some attributes changed, added, or taken away (None)."""
    together = {**CART.attributes, **attributes}
    return read_trigger(
        {"trigger": "abandoned-cart", "attributes": {name: kind for name, kind in together.items() if kind}}
    )


def email(name: str, text: str) -> Content:
    return read_content({"content": name, "email": {"subject": "Hello", "text": f"{text} {{{{ unsubscribe_url }}}}"}})


class TestTriggers:
    async def test_a_new_one_is_a_draft(self, shop: Shop) -> None:
        trigger = read_trigger({"trigger": "back-in-stock", "attributes": {"sku": "text"}})

        assert await catalogue.put_trigger(shop.store, trigger, by_us(shop.now))
        assert not await catalogue.put_trigger(shop.store, trigger, by_us(shop.now))

        seen = await catalogue.get_trigger(shop.store, "back-in-stock")
        assert (seen.trigger, seen.state, seen.seen, seen.journeys) == (trigger, "draft", 0, ())

    async def test_one_that_is_built_in_cannot_be_written(self, shop: Shop) -> None:
        with pytest.raises(Conflict, match="built in"):
            await catalogue.put_trigger(shop.store, read_trigger({"trigger": "email-opened"}), by_us(shop.now))

    async def test_while_no_journey_listens_anything_goes(self, shop: Shop) -> None:
        await catalogue.put_trigger(shop.store, changed(total=None, cart_id="number"), by_us(shop.now))

    async def test_an_optional_attribute_may_come_while_a_journey_listens(self, shop: Shop) -> None:
        await shop.publish()

        await catalogue.put_trigger(shop.store, changed(shop="text?"), by_us(shop.now))

        assert (await shop.post("abandoned-cart", total=1, shop="Delft")).decisions[0].did == "started"

    @pytest.mark.parametrize(
        "trigger",
        [changed(coupon=None), changed(total="text"), changed(total="number?"), changed(shop="text")],
        ids=["gone", "another type", "optional now", "required"],
    )
    async def test_nothing_else_may_change_while_a_journey_listens(self, shop: Shop, trigger: Trigger) -> None:
        await shop.publish()

        with pytest.raises(Conflict, match="abandoned-cart listens"):
            await catalogue.put_trigger(shop.store, trigger, by_us(shop.now))

        assert (await catalogue.get_trigger(shop.store, "abandoned-cart")).trigger == CART

    @pytest.mark.parametrize(
        ("trigger", "why"),
        [
            ({"cart_id": "text", "shop": "text"}, 'trigger "cart-reminded" requires shop (text), which is not given'),
            ({"cart_id": "number"}, "the expression gives text, a number is expected"),
            ({}, 'trigger "cart-reminded" has no attribute "cart_id"'),
        ],
        ids=["required", "another type", "gone"],
    )
    async def test_what_a_journey_raises_can_still_be_raised(
        self, shop: Shop, trigger: dict[str, str], why: str
    ) -> None:
        reminded = {"trigger": "cart-reminded", "attributes": {"cart_id": "text"}}
        await catalogue.put_trigger(shop.store, read_trigger(reminded), by_us(shop.now))
        await catalogue.ready_trigger(shop.store, "cart-reminded", by_us(shop.now))
        tell = {"id": "tell", "raise": "cart-reminded", "with": {"cart_id": "event.cart_id"}}
        await shop.publish(abandoned_cart(start={"trigger": "abandoned-cart"}, steps=[tell]))

        with pytest.raises(Conflict, match="abandoned-cart raises") as refused:
            await catalogue.put_trigger(shop.store, read_trigger({**reminded, "attributes": trigger}), by_us(shop.now))
        await catalogue.put_trigger(
            shop.store, read_trigger({**reminded, "attributes": {"cart_id": "text", "shop": "text?"}}), by_us(shop.now)
        )

        assert why in str(refused.value)

    async def test_stopping_it_first_is_no_way_around(self, shop: Shop) -> None:
        await shop.publish()
        await catalogue.stop_trigger(shop.store, "abandoned-cart", by_us(shop.now))

        with pytest.raises(Conflict, match="abandoned-cart listens"):
            await catalogue.put_trigger(shop.store, changed(total="text", cart_id=None), by_us(shop.now))

        await stop(shop.store, "abandoned-cart", by_us(shop.now))
        await catalogue.put_trigger(shop.store, changed(total="text", cart_id=None), by_us(shop.now))

    async def test_an_old_version_with_people_inside_listens_too(self, shop: Shop) -> None:
        await shop.publish(abandoned_cart(exit=[{"trigger": "store-visit"}]))
        await shop.start()
        await shop.publish()

        with pytest.raises(Conflict, match="abandoned-cart"):
            await catalogue.put_trigger(shop.store, read_trigger({"trigger": "store-visit"}), by_us(shop.now))

        await shop.post("store-visit", city="Delft")
        await catalogue.put_trigger(shop.store, read_trigger({"trigger": "store-visit"}), by_us(shop.now))

    async def test_stopping_tells_who_listens(self, shop: Shop) -> None:
        await shop.publish()

        assert await catalogue.stop_trigger(shop.store, "purchase-completed", by_us(shop.now)) == ("abandoned-cart",)
        assert (await catalogue.get_trigger(shop.store, "purchase-completed")).state == "stopped"

    async def test_every_event_is_counted(self, shop: Shop) -> None:
        for minutes in (0, 5):
            await shop.post("store-visit", city="Delft", at=shop.later(minutes=minutes))

        seen = await catalogue.get_trigger(shop.store, "store-visit")

        assert (seen.seen, seen.last_seen_at) == (2, shop.now)

    async def test_all_are_listed_by_name(self, shop: Shop) -> None:
        await shop.publish()

        listed, _ = await catalogue.list_triggers(shop.store)

        used = dict.fromkeys(("abandoned-cart", "purchase-completed"), ("abandoned-cart",))
        assert [(seen.trigger.trigger, seen.state, seen.journeys) for seen in listed] == [
            (name, "ready", used.get(name, ())) for name in sorted(TRIGGERS)
        ]

    async def test_a_name_that_is_nearly_right_is_suggested(self, shop: Shop) -> None:
        with pytest.raises(Unknown, match='Did you mean "store-visit"'):
            await catalogue.ready_trigger(shop.store, "store-visits", by_us(shop.now))


class TestContents:
    async def test_a_draft_does_not_touch_what_is_ready(self, shop: Shop) -> None:
        draft = email("initial-email-reminder", "Half-writ")

        assert not await catalogue.put_content(shop.store, draft, by_us(shop.later(minutes=1)))

        seen = await catalogue.get_content(shop.store, "initial-email-reminder")
        assert (seen.content, seen.ready, seen.state) == (draft, CONTENTS["initial-email-reminder"], "ready")
        assert (seen.created_at, seen.changed_at) == (NOON, shop.now)

    async def test_ready_sends_the_draft(self, shop: Shop) -> None:
        draft = email("initial-email-reminder", "Done, {{ customer.first_name }}.")
        await catalogue.put_content(shop.store, draft, by_us(shop.now))

        await catalogue.ready_content(shop.store, "initial-email-reminder", by_us(shop.now))

        assert (await catalogue.get_content(shop.store, "initial-email-reminder")).ready == draft

    @pytest.mark.parametrize(
        "text", ["{{ event.total | mony }}", "Hi {first_name}", "{{ stop }}", "{{ event.a | append }}"]
    )
    async def test_what_cannot_be_sent_is_not_made_ready(self, shop: Shop, text: str) -> None:
        await catalogue.put_content(shop.store, email("welcome", text), by_us(shop.now))

        with pytest.raises(Invalid) as refused:
            await catalogue.ready_content(shop.store, "welcome", by_us(shop.now))

        assert [flaw.path for flaw in refused.value.flaws] == ["email.text"]
        assert (await catalogue.get_content(shop.store, "welcome")).state == "draft"

    async def test_what_would_spoil_a_journey_in_use_is_refused(self, shop: Shop) -> None:
        await shop.publish()
        await catalogue.put_content(shop.store, email("initial-email-reminder", "{{ event.colour }}"), by_us(shop.now))

        with pytest.raises(Conflict, match=r"event\.colour"):
            await catalogue.ready_content(shop.store, "initial-email-reminder", by_us(shop.now))

        seen = await catalogue.get_content(shop.store, "initial-email-reminder")
        assert seen.ready == CONTENTS["initial-email-reminder"]

    async def test_what_a_journey_sends_cannot_be_stopped_before_it(self, shop: Shop) -> None:
        await shop.publish()
        with pytest.raises(Conflict, match="abandoned-cart"):
            await catalogue.stop_content(shop.store, "initial-email-reminder", by_us(shop.now))

        await stop(shop.store, "abandoned-cart", by_us(shop.now))
        await catalogue.stop_content(shop.store, "initial-email-reminder", by_us(shop.now))

        assert (await catalogue.get_content(shop.store, "initial-email-reminder")).state == "stopped"

    async def test_all_are_listed_by_name(self, shop: Shop) -> None:
        await catalogue.put_content(shop.store, email("welcome", "Welcome!"), by_us(shop.now))

        listed, _ = await catalogue.list_contents(shop.store)

        assert [(seen.content.content, seen.state) for seen in listed] == [
            *((name, "ready") for name in sorted(CONTENTS)),
            ("welcome", "draft"),
        ]

    async def test_there_is_no_such_content(self, shop: Shop) -> None:
        with pytest.raises(Unknown, match="There is no content"):
            await catalogue.get_content(shop.store, "nothing")
