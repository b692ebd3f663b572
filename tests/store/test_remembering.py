"""What Temporal tells of messages that a database forgot as it was set back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from sqlalchemy import Connection

from store import erasing
from store.remembering import Remembered, remember
from tests.searching import found
from tests.shop import Shop, by_us
from tests.transactions import under_way

ID = "zq-2718"
_erase = cast("Callable[..., Any]", cast("Any", erasing._erase).__wrapped__)


async def test_who_is_erased_in_the_same_moment_is_not_remembered(shop: Shop) -> None:
    """Of a run that the database does not know, which has no lock to wait for."""
    await shop.change(ID, first_name="Zelda")
    went_out = Remembered(
        run=f"abandoned-cart/{ID}/unknown1",
        customer=ID,
        step="initial-reminder",
        kind="email",
        content="initial-email-reminder",
        outcome="accepted",
        at=shop.now,
    )

    def erase(connection: Connection) -> None:
        _erase(connection, ID, by_us(shop.now), 0)

    async with under_way(shop.store) as do:
        await do(erase)
        remembering = asyncio.create_task(remember(shop.store, [went_out]))
        await asyncio.sleep(0.3)

    assert await remembering == 0
    assert await found(shop.store, ID) == {}
