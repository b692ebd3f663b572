"""The channels' states."""

from __future__ import annotations

import asyncio

from store.channels import ChannelView, channels, set_channel
from store.store import Store
from tests.shop import NOON, Shop


async def test_a_channel_that_was_never_used_has_no_state(store: Store) -> None:
    assert await channels(store) == {}


async def test_a_channel_goes_down_and_works_again(store: Store) -> None:
    shop = Shop(store)

    assert not await set_channel(store, "email", "ok", "", shop.now)
    down_at = shop.later(minutes=1)
    assert await set_channel(store, "email", "down", "wrong key", down_at)
    assert not await set_channel(store, "email", "down", "wrong key", shop.later(minutes=1))
    assert not await set_channel(store, "email", "down", "wrong sender", shop.later(minutes=1))

    assert await channels(store) == {
        "email": ChannelView(kind="email", state="down", reason="wrong sender", since=down_at)
    }

    assert await set_channel(store, "email", "ok", "", shop.later(minutes=1))
    assert await channels(store) == {"email": ChannelView(kind="email", state="ok", reason="", since=shop.now)}


async def test_only_one_of_many_has_the_news(store: Store) -> None:
    news = await asyncio.gather(*(set_channel(store, "text", "down", "no funds", NOON) for _ in range(10)))

    assert sum(news) == 1
