"""Places for the first so many people: exactly so many, whoever comes at once, again, or by another version."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Mapping

from store.places import take_place
from store.schema import places, places_taken
from store.store import Store, open_store, write_transaction
from tests.transactions import rows

take = write_transaction(take_place)

PILOT = {"pilot": 3}


async def take_all(store: Store, customers: list[str], arms: Mapping[str, int] = PILOT) -> list[str | None]:
    return [await take(store, "welcome", "pick", arms, customer) for customer in customers]


async def test_the_first_take_their_places_and_the_rest_none(store: Store) -> None:
    assert await take_all(store, ["ada", "bob", "cy", "di", "eve"]) == ["pilot", "pilot", "pilot", None, None]


async def test_who_comes_again_keeps_the_place_and_takes_no_second_one(store: Store) -> None:
    await take_all(store, ["ada", "ada", "ada", "bob", "ada"])

    assert await take_all(store, ["cy", "di", "ada", "di", "bob"]) == ["pilot", None, "pilot", None, "pilot"]


async def test_arms_fill_one_after_the_other(store: Store) -> None:
    arms = {"first": 1, "second": 2}

    taken = await take_all(store, ["ada", "bob", "ada", "cy", "di", "cy"], arms)

    assert taken == ["first", "second", "first", "second", None, "second"]


async def test_a_version_with_more_places_lets_more_in_and_moves_nobody(store: Store) -> None:
    await take_all(store, ["ada", "bob", "cy"], {"first": 1, "second": 1})

    assert await take_all(store, ["cy", "di", "bob", "ada"], {"first": 2, "second": 1}) == [
        "first",
        None,
        "second",
        "first",
    ]


async def test_a_version_with_fewer_places_takes_none_away(store: Store) -> None:
    await take_all(store, ["ada", "bob", "cy"])

    assert await take_all(store, ["di", "cy", "bob"], {"pilot": 1}) == [None, "pilot", "pilot"]


async def test_places_of_another_step_journey_or_arm_are_others(store: Store) -> None:
    await take_all(store, ["ada"], {"pilot": 1})

    assert await take(store, "welcome", "other", {"pilot": 1}, "bob") == "pilot"
    assert await take(store, "win-back", "pick", {"pilot": 1}, "bob") == "pilot"
    assert await take(store, "welcome", "pick", {"other": 1}, "ada") == "other"


async def test_who_has_no_place_leaves_nothing_behind(store: Store) -> None:
    await take_all(store, ["ada"], {"pilot": 0})

    assert await rows(store, places.select()) == []


async def test_exactly_so_many_people_get_in_however_many_come_at_once(store: Store, database_url: str) -> None:
    stores = [open_store(database_url) for _ in range(4)]
    arms = {"first": 40, "second": 25}
    people = [f"customer-{number}" for number in range(90)]
    comings = [customer for customer in people for _ in range(3)]
    random.shuffle(comings)

    async def worker(number: int) -> list[tuple[str, str | None]]:
        # Versions that were written in another order fill in another order, and give no place twice.
        own = dict(reversed(arms.items())) if number % 2 else arms
        each = asyncio.Semaphore(8)

        async def come(customer: str) -> tuple[str, str | None]:
            async with each:
                return customer, await take(stores[number], "welcome", "pick", own, customer)

        return await asyncio.gather(*(come(customer) for customer in comings[number::4]))

    taken = [pair for pairs in await asyncio.gather(*map(worker, range(4))) for pair in pairs]
    for other in stores:
        await other.close()

    kept = {(customer, arm) for customer, arm in taken if arm}
    assert Counter(arm for _, arm in kept) == arms
    assert len({customer for customer, _ in kept}) == len(kept) == 65
    counted = {row.arm: row.n for row in await rows(store, places_taken.select())}
    assert counted == arms == Counter(row.arm for row in await rows(store, places.select()))
