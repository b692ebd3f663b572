"""How many messages go out as a test."""

from __future__ import annotations

import pytest

from journeys.clearance.consent import About
from journeys.problems import TooMany
from store.test_sends import IN_ALL, allow_test_send
from tests.shop import Shop


async def test_a_hundred_tests_an_hour_are_sent_in_all(shop: Shop) -> None:
    about = About("email", "commercial")
    for number in range(IN_ALL):
        await allow_test_send(shop.store, about, [f"c{number}@example.com"], shop.now)

    with pytest.raises(TooMany, match="At most 100 messages an hour"):
        await allow_test_send(shop.store, about, ["grace@example.com"], shop.now)

    await allow_test_send(shop.store, about, ["grace@example.com"], shop.later(hours=1))
