"""The API on a real store, and the same with the abandoned-cart journey live."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from journeys.reading import write
from store.store import Store
from tests import samples
from tests.api.door import Clock, Door, deps_for, opened
from tests.api.sandbox import Sandbox, open_sandbox


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def door(store: Store, clock: Clock) -> AsyncIterator[Door]:
    """The API with nothing in it."""
    async with opened(deps_for(store, clock)) as (app, http):
        yield Door(app, http, clock, store)


@pytest.fixture
async def live(door: Door) -> Door:
    """The API with the abandoned-cart journey live, and Ada."""
    for name, trigger in samples.TRIGGERS.items():
        await door.http.put(f"/v1/triggers/{name}", content=write(trigger))
        await door.post(f"/v1/triggers/{name}/ready")
    for name, content in samples.CONTENTS.items():
        await door.http.put(f"/v1/contents/{name}", content=write(content))
        await door.post(f"/v1/contents/{name}/ready")
    await door.put("/v1/customers/ada", {"attributes": samples.CUSTOMER})
    await door.http.put("/v1/journeys/abandoned-cart", content=samples.ABANDONED_CART)
    await door.post("/v1/journeys/abandoned-cart/publish")
    return door


@pytest.fixture
async def sandbox(store: Store) -> AsyncIterator[Sandbox]:
    """The API with the journey live, and the fakes of the providers."""
    async with open_sandbox(store) as sandbox:
        yield sandbox
