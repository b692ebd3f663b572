"""Who is moved within an arm stays in it: places and tests of a journey go on over its versions."""

from __future__ import annotations

from collections import Counter
from typing import Any

from journeys.walk.position import Turn
from store.positions import positions
from store.runs import get_run
from tests.shop import Shop
from tests.store.test_people import HELLO, published
from tests.store.test_people import pause as waiting
from tests.store.test_visits import PILOT, SUBJECT, chosen

ONE_OF_MANY = {"trigger": "abandoned-cart", "overlap": "parallel", "repeat": "immediately", "key": "event.cart_id"}


async def enter(shop: Shop, step: str, *customers: str, cart: str = "c1") -> dict[str, str]:
    """They come to a step that chooses. By run, the arm."""
    runs = [await shop.start(customer, cart_id=cart) for customer in customers]
    return {run: (await chosen(shop, run, step)).arm for run in runs}


async def turns(shop: Shop, *runs: str) -> dict[str, tuple[Turn, ...]]:
    found = await shop.store.read(lambda connection: positions(connection, runs))
    return {run: position.turns for run, position in found.items()}


async def test_who_has_a_place_keeps_it_and_nobody_takes_it_twice(shop: Shop) -> None:
    otherwise = {"otherwise": [waiting("rest")]}
    await published(shop, {**PILOT, **otherwise}, start=ONE_OF_MANY)
    before = await enter(shop, "pick", "ada", "bob", "cy", "di")

    did = await published(shop, {**PILOT, "otherwise": [waiting("rest", "1 day")]}, start=ONE_OF_MANY, people="move")
    after = await enter(shop, "pick", "eve", "ada", cart="c2")

    assert did.move
    assert did.move.steps == {"hello": 3, "rest": 1}
    assert await turns(shop, *before) == {run: (Turn("pick", arm),) for run, arm in before.items()}
    assert [*after.values()] == ["otherwise", "pilot"]


async def test_who_took_an_arm_of_a_test_keeps_it_there_and_when_they_come_again(shop: Shop) -> None:
    customers = [f"customer-{number}" for number in range(12)]
    await published(shop, subject(), start=ONE_OF_MANY)
    before = await enter(shop, "subject", *customers)

    did = await published(shop, subject("3 days"), start=ONE_OF_MANY, people="move")
    again = await enter(shop, "subject", *customers, cart="c2")

    assert did.move
    assert did.move.steps == Counter({"plain": "in-plain", "witty": "in-witty"}[arm] for arm in before.values())
    assert await turns(shop, *before) == {run: (Turn("subject", arm),) for run, arm in before.items()}
    assert [*again.values()] == [*before.values()]


async def test_who_is_in_an_arm_that_is_gone_or_another_stays(shop: Shop) -> None:
    await published(shop, subject(), start=ONE_OF_MANY)
    before = await enter(shop, "subject", *(f"customer-{number}" for number in range(12)))

    did = await published(shop, subject(witty="funny"), start=ONE_OF_MANY, people="move")

    assert did.move
    assert [stays.why for stays in did.move.stays] == ["another way leads to in-witty in version 2"]
    assert {(await get_run(shop.store, run)).version: arm for run, arm in before.items()} == {1: "witty", 2: "plain"}


async def test_a_step_that_comes_into_an_arm_by_another_name_is_on_another_way(shop: Shop) -> None:
    await published(shop, waiting("rest"), HELLO)
    await shop.start()

    did = await published(shop, subject(), people="move", names={"rest": "in-witty"})

    assert did.move
    assert [stays.why for stays in did.move.stays] == ["another way leads to in-witty in version 2"]


def subject(wait: str = "1 day", witty: str = "witty") -> dict[str, Any]:
    """A test with a wait in each of its arms."""
    arms = [
        {"arm": "plain", "share": "50%", "then": [waiting("in-plain", wait)]},
        {"arm": witty, "share": "50%", "then": [waiting("in-witty", wait)]},
    ]
    return {**SUBJECT, "test": {**SUBJECT["test"], "arms": arms}}
