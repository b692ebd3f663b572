"""An event that is kept no more is no new one when it comes again."""

from __future__ import annotations

from sqlalchemy import delete, select

from journeys.catalogue import Event
from store.events import accept
from store.known_events import digest_of, remember
from store.runs import list_runs
from store.schema import decisions, events, known_events
from tests.shop import Shop
from tests.transactions import rows


async def forget(shop: Shop, *posted: Event) -> None:
    """Let events go, and know their ids."""

    def work(connection) -> None:  # type: ignore[no-untyped-def]
        remember(connection, [(event.source, event.id) for event in posted], shop.now)
        for table, id in ((events, events.c.id), (decisions, decisions.c.event)):
            connection.execute(delete(table).where(id.in_([event.id for event in posted])))

    await shop.store.write(work)


async def test_it_starts_nothing_again_whatever_it_says_now(shop: Shop) -> None:
    await shop.publish()
    cart = shop.event("abandoned-cart", total=60)
    await accept(shop.store, [cart], shop.now)
    await forget(shop, cart)

    [same] = await accept(shop.store, [cart], shop.now)
    [other] = await accept(shop.store, [cart.model_copy(update={"customer": "bob"})], shop.now)

    assert (same.duplicate, same.decisions) == (True, ())
    assert (other.duplicate, other.decisions) == (True, ())
    assert len((await list_runs(shop.store)).runs) == 1
    assert await rows(shop.store, select(events).where(events.c.id == cart.id)) == []


async def test_the_same_id_of_another_source_is_another_event(shop: Shop) -> None:
    await shop.publish()
    cart = shop.event("abandoned-cart", total=60)
    await accept(shop.store, [cart], shop.now)
    await forget(shop, cart)

    [receipt] = await accept(shop.store, [cart.model_copy(update={"source": "till"})], shop.now)

    assert not receipt.duplicate


async def test_beside_new_ones_each_is_told_apart(shop: Shop) -> None:
    await shop.publish()
    gone, kept, new = (shop.event("abandoned-cart", customer, total=60) for customer in ("ada", "bob", "cyd"))
    await accept(shop.store, [gone, kept], shop.now)
    await forget(shop, gone)

    receipts = await accept(shop.store, [gone, kept, new], shop.now)

    assert [receipt.duplicate for receipt in receipts] == [True, True, False]
    assert [bool(receipt.decisions) for receipt in receipts] == [False, True, True]


async def test_to_know_an_event_twice_is_to_know_it(shop: Shop) -> None:
    cart = shop.event("abandoned-cart", total=60)

    await forget(shop, cart, cart)
    await forget(shop, cart)

    [row] = await rows(shop.store, select(known_events))
    assert row.digest == digest_of(cart.source, cart.id)
    assert cart.id not in row.digest
