"""Customers, whose attributes have one type each."""

from __future__ import annotations

import asyncio

import pytest

from journeys.language.attributes import Attributes
from journeys.problems import Invalid, Unknown
from store.customer_types import customer_schema
from store.customers import forget_tokens, get_customer, list_customers, put_customer
from store.runs import get_run
from store.store import Store, open_store
from tests.samples import abandoned_cart
from tests.shop import NOON, Shop


async def put(store: Store, id: str, attributes: Attributes) -> bool:
    return (await put_customer(store, id, attributes, NOON)).created


async def flaws(store: Store, id: str, attributes: Attributes) -> list[str]:
    with pytest.raises(Invalid) as error:
        await put(store, id, attributes)
    return [str(flaw) for flaw in error.value.flaws]


async def test_what_is_put_is_all_that_there_is(store: Store) -> None:
    assert await put(store, "ada", {"email": "ada@example.com", "points": 3, "vip": True})
    assert not await put(store, "ada", {"points": 4.5, "vip": None})

    assert (await get_customer(store, "ada")).attributes == {"points": 4.5}


async def test_the_first_value_fixes_the_type_for_all(store: Store) -> None:
    await put(store, "ada", {"points": 3, "vip": True, "shoe": "40"})

    found = await flaws(store, "bob", {"points": "many", "vip": 1, "shoe": 40})

    assert [flaw.partition(":")[0] for flaw in found] == ["attributes.points", "attributes.vip", "attributes.shoe"]
    schema = await store.read(customer_schema)
    assert (schema["points"], schema["vip"], schema["shoe"]) == ("number?", "boolean?", "text?")


@pytest.mark.parametrize(
    ("id", "attributes", "path"),
    [
        ("ada@example.com", {}, "id"),
        ("ada", {"Shoe Size": 3}, "attributes.Shoe Size"),
        ("ada", {"email": 3}, "attributes.email"),
        ("ada", {"note": "a\0b"}, "attributes.note"),
        ("ada", {"email": "ada@example"}, "attributes.email"),
        ("ada", {"phone": "0171 1234567"}, "attributes.phone"),
    ],
    ids=["address as id", "name", "type", "unstorable", "no email address", "no number"],
)
async def test_what_is_wrong_has_its_path(store: Store, id: str, attributes: Attributes, path: str) -> None:
    found = await flaws(store, id, attributes)

    assert found[0].startswith(f"{path}: ")
    assert await list_customers(store) == []


async def test_an_address_that_nothing_can_be_sent_to_says_what_to_do_once(store: Store) -> None:
    found = await flaws(store, "ada", {"email": "ada@example\0", "phone": "15550100002"})

    unstorable, no_country = found
    assert unstorable == "attributes.email: the character U+0000 cannot be stored in text: leave it out."
    assert no_country.startswith("attributes.phone: this has no country code. Write it as +14155550132: ")


async def test_addresses_are_kept_in_their_one_spelling(store: Store) -> None:
    written = {"email": "\ufeffAda <Ada@Example.COM>", "phone": "00 1 (555) 010-0002", "push_token": "one, two"}

    await put(store, "ada", {**written, "note": " as <it> is ", "work_email": "mailto:ada@example.com"})

    assert (await get_customer(store, "ada")).attributes == {
        "email": "Ada@example.com",
        "phone": "+15550100002",
        "push_token": "one,two",
        "note": " as <it> is ",
        "work_email": "mailto:ada@example.com",
    }


async def test_an_attribute_that_a_live_journey_sends_to_holds_addresses(shop: Shop) -> None:
    steps = [{"id": "hello", "email": "initial-email-reminder", "to": "customer.work_email"}]
    await put(shop.store, "bob", {"work_email": "nobody"})
    await shop.publish(abandoned_cart(steps=steps))

    assert [flaw.partition(":")[0] for flaw in await flaws(shop.store, "ada", {"work_email": "nobody"})] == [
        "attributes.work_email"
    ]
    await put(shop.store, "ada", {"work_email": "mailto:ada@example.com"})

    assert (await get_customer(shop.store, "ada")).attributes == {"work_email": "ada@example.com"}


async def test_an_attribute_that_is_sent_emails_and_texts_holds_neither(shop: Shop) -> None:
    steps = [
        {"id": "mail", "email": "initial-email-reminder", "to": "customer.reach"},
        {"id": "text", "text": "second-text-reminder", "to": "customer.reach"},
    ]
    await put(shop.store, "bob", {"reach": "somewhere"})
    await shop.publish(abandoned_cart(steps=steps))

    await put(shop.store, "ada", {"reach": "0171 1234567"})

    assert (await get_customer(shop.store, "ada")).attributes == {"reach": "0171 1234567"}


async def test_the_same_customer_at_once_from_everywhere(store: Store, database_url: str) -> None:
    stores = [open_store(database_url) for _ in range(6)]

    new = await asyncio.gather(*(put(each, "ada", {"shoe": number}) for number, each in enumerate(stores)))
    for each in stores:
        await each.close()

    assert sorted(new) == [False] * 5 + [True]


async def test_customers_are_listed_by_id_page_by_page(store: Store) -> None:
    for id in ("cleo", "ada", "bob"):
        await put(store, id, {})

    first = await list_customers(store, limit=2)
    rest = await list_customers(store, limit=2, after=first[-1].id)

    assert [customer.id for customer in (*first, *rest)] == ["ada", "bob", "cleo"]


async def test_there_is_no_such_customer(store: Store) -> None:
    with pytest.raises(Unknown):
        await get_customer(store, "nobody")


async def test_a_journey_may_ask_for_an_attribute_of_our_own(shop: Shop) -> None:
    await put(shop.store, "ada", {"email": "ada@example.com", "points": 100})
    await shop.publish(abandoned_cart(start={"trigger": "abandoned-cart", "where": "customer.points > 50"}))

    receipts = [await shop.post("abandoned-cart", customer, total=1) for customer in ("ada", "bob")]

    assert [receipt.decisions[0].did for receipt in receipts] == ["started", "ignored"]


async def tokens(store: Store) -> object:
    return (await get_customer(store, "ada")).attributes.get("push_token")


async def test_dead_tokens_are_forgotten(store: Store) -> None:
    await put(store, "ada", {"push_token": "phone, tablet,watch", "points": 3})
    before = await get_customer(store, "ada")

    assert await forget_tokens(store, "ada", "push_token", ["tablet", "another"], NOON)
    assert await tokens(store) == "phone,watch"
    assert not await forget_tokens(store, "ada", "push_token", ["tablet"], NOON)
    assert await forget_tokens(store, "ada", "push_token", ["phone", "watch"], NOON)

    after = await get_customer(store, "ada")
    assert after == before.model_copy(update={"attributes": {"points": 3}})


async def test_a_dead_token_is_a_change_like_any_other(shop: Shop) -> None:
    await shop.change("ada", push_token="phone,watch")
    await shop.publish(abandoned_cart(exit=[{"when": "!has(customer.push_token)"}]))
    run = await shop.start()

    await forget_tokens(shop.store, "ada", "push_token", ["phone"], NOON)
    assert (await get_run(shop.store, run)).ended is None
    await forget_tokens(shop.store, "ada", "push_token", ["watch"], NOON)

    assert (await get_run(shop.store, run)).why == "exit: !has(customer.push_token)"


@pytest.mark.parametrize("attribute", ["push_token", "points"])
async def test_where_there_are_no_tokens_none_is_forgotten(store: Store, attribute: str) -> None:
    await put(store, "ada", {"points": 3})

    assert not await forget_tokens(store, "ada", attribute, ["phone"], NOON)
    assert not await forget_tokens(store, "stranger", attribute, ["phone"], NOON)


async def test_tokens_that_die_at_once_are_all_forgotten(store: Store) -> None:
    await put(store, "ada", {"push_token": ",".join("abcdefghij")})

    await asyncio.gather(*(forget_tokens(store, "ada", "push_token", [letter], NOON) for letter in "abcdefghi"))

    assert await tokens(store) == "j"
