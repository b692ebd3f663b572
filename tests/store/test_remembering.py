"""What Temporal tells of messages that a database forgot as it was set back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from sqlalchemy import Connection

from store import erasing
from store.remembering import Remembered, forgotten, remember
from store.runs import get_run
from tests.samples import abandoned_cart
from tests.searching import found
from tests.shop import Shop, by_us
from tests.transactions import under_way

ID = "zq-2718"
NAME = "abandoned-cart"
_erase = cast("Callable[..., Any]", cast("Any", erasing._erase).__wrapped__)


def went_out(shop: Shop, run: str) -> Remembered:
    return Remembered(
        run=run,
        customer=ID,
        step="initial-reminder",
        kind="email",
        content="initial-email-reminder",
        outcome="accepted",
        at=shop.now,
    )


async def test_who_is_erased_in_the_same_moment_is_not_remembered(shop: Shop) -> None:
    """Of a run that the database does not know, which has no lock to wait for."""
    await shop.change(ID, first_name="Zelda")
    unknown = went_out(shop, f"{NAME}/{ID}/unknown1")

    def erase(connection: Connection) -> None:
        _erase(connection, ID, by_us(shop.now), 0)

    async with under_way(shop.store) as do:
        await do(erase)
        remembering = asyncio.create_task(remember(shop.store, [unknown]))
        await asyncio.sleep(0.3)

    assert await remembering == 0
    assert await found(shop.store, ID) == {}


async def test_who_came_back_after_an_erasure_gets_nothing_twice(shop: Shop) -> None:
    """Their id was erased once, and their run is of the time since then."""
    await shop.publish(abandoned_cart())
    await shop.change(ID, first_name="Zelda")
    await erasing.erase(shop.store, ID, by_us(shop.now))
    run = await shop.start(ID)
    told = [went_out(shop, run), went_out(shop, f"{NAME}/{ID}/unknown1")]

    assert await forgotten(shop.store, told) == await remember(shop.store, told) == 1

    assert [send.step for send in (await get_run(shop.store, run)).sends] == ["initial-reminder"]
