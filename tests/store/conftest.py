from __future__ import annotations

import pytest

from store.store import Store
from tests.shop import Shop


@pytest.fixture
async def shop(store: Store) -> Shop:
    """A shop with everything ready, and no journey published."""
    shop = Shop(store)
    await shop.stock()
    return shop
