"""The sweep: each chore has its turn, whatever becomes of the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime

import pytest
from sqlalchemy import insert
from structlog.testing import capture_logs

from journeys.problems import Unavailable
from store.events import accept
from store.journeys import get_journey
from store.schema import waiting_starts
from store.stopping import stop
from store.store import Store, opened
from tests.samples import abandoned_cart
from tests.shop import NOON, Shop, by_us
from workflows.sweep import GO_ON, PRUNE, SWEEP, Chore, again_and_again

ALL = (*SWEEP, *GO_ON, PRUNE)
NAMES = [chore.does for chore in ALL]


@pytest.fixture
async def store(sqlite_url: str) -> AsyncIterator[Store]:
    async with opened(sqlite_url) as store:
        yield store


async def once(store: Store, *chores: Chore, now: datetime = NOON) -> None:
    """One round of these chores."""
    swept = asyncio.Event()

    async def last(_: Store, __: datetime) -> None:
        swept.set()

    sweeping = asyncio.create_task(again_and_again([*chores, Chore("last", last)], store, 1000, lambda: now))
    await asyncio.wait_for(swept.wait(), 30)
    sweeping.cancel()
    with suppress(asyncio.CancelledError):
        await sweeping


@pytest.mark.parametrize("failing", NAMES)
@pytest.mark.parametrize("error", [ConnectionError, Unavailable], ids=["a bug", "the database is away"])
async def test_one_that_fails_keeps_no_other_from_its_turn(store: Store, failing: str, error: type[Exception]) -> None:
    had_their_turn: list[str] = []

    def instead(chore: Chore) -> Chore:
        async def do(_: Store, __: datetime) -> int:
            if chore.does == failing:
                raise error("no")
            had_their_turn.append(chore.does)
            return 0

        return chore._replace(do=do)

    with capture_logs() as logs:
        await once(store, *map(instead, ALL))

    assert had_their_turn == [name for name in NAMES if name != failing]
    assert [entry["chore"] for entry in logs] == ([failing] if error is ConnectionError else [])


async def test_what_a_process_has_left_is_done_although_something_before_it_fails(store: Store) -> None:
    shop = Shop(store)
    await shop.stock()
    await shop.publish(abandoned_cart())
    await shop.start()
    with pytest.MonkeyPatch.context() as dying:
        dying.setattr("store.stopping._go_on", dies)
        with pytest.raises(ConnectionError):
            await stop(store, "abandoned-cart", by_us(shop.now))
    await shop.publish(abandoned_cart(exit=[]))
    of_nobody = {"journey": "abandoned-cart", "customer": "ada", "event": "e", "source": "api", "at": NOON}
    broken = insert(waiting_starts).values(**of_nobody, made_by=["not a run"])
    await store.write(lambda connection: connection.execute(broken))
    event = shop.event("abandoned-cart", id="e", total=60)
    await accept(store, [event], shop.now)

    with capture_logs() as logs:
        await once(store, *reversed(ALL), now=shop.now)

    view = await get_journey(store, "abandoned-cart", shop.now)
    assert [(version.state, version.counts.stopped) for version in view.versions] == [("stopped", 1), ("live", 0)]
    assert [(entry["log_level"], entry.get("chore", entry["event"])) for entry in logs] == [
        ("warning", "resume"),
        ("info", "runs of what was stopped were ended"),
    ]


async def dies(*_: object) -> None:
    raise ConnectionError
