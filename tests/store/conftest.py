from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from store.store import Store
from tests.recount import check_counts
from tests.shop import Shop


@pytest.fixture
async def shop(store: Store) -> AsyncIterator[Shop]:
    """A shop with everything ready, and no journey published. Whatever happens in it, its counters add up."""
    shop = Shop(store)
    await shop.stock()
    yield shop
    await check_counts(store)
