"""The last place under a cap: two runs of one customer, claimed by two workers at once, never both get it."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal

import pytest

from journeys.definition import Journey
from journeys.walk.diary import Held
from store.events import accept
from store.policy import put_policy
from store.sends import Claim, Done, Go, claim
from store.store import open_store
from tests.policy_stories import ruled
from tests.samples import abandoned_cart
from tests.shop import Shop, by_us

RACES = int(os.environ.get("SOJOURN_TEST_RACES", "50"))
TOGETHER = 10  # races whose runs are started in one transaction
AT_ONCE = 4  # such groups under way

STEP = "initial-reminder"
CARTS = ("had-before", "first", "second")
"""Each customer has had one message of the two that there may be. The carts after that race for the last place."""


@pytest.fixture
async def elsewhere(shop: Shop, database_url: str) -> AsyncIterator[Shop]:
    """The same shop, as another worker sees it."""
    store = open_store(database_url)
    yield Shop(store)
    await store.close()


@pytest.mark.parametrize("over", ["block", "hold"])
async def test_one_of_two_gets_the_last_place(shop: Shop, elsewhere: Shop, over: Literal["block", "hold"]) -> None:
    cap = {"at_most": 2, "per": "24 hours", "over": over}
    await put_policy(shop.store, ruled(caps=[cap]), by_us(shop.now))
    await shop.publish(to_the_coupon())
    races = max(TOGETHER, RACES // 2)
    groups = iter(range(races // TOGETHER))
    won = Counter[str]()

    async def race() -> None:
        for group in groups:
            for had_before, *racing in await start(shop, [f"{over}-{group}-{number}" for number in range(TOGETHER)]):
                await shop.claim(had_before)
                await shop.record(had_before, following=None)
                won[await winner(shop, elsewhere, racing, over)] += 1

    await asyncio.gather(*(race() for _ in range(AT_ONCE)))

    assert won.total() == races // TOGETHER * TOGETHER
    assert set(won) == {"first", "second"}, f"no race at all: {won}"


def to_the_coupon() -> Journey:
    """One message, to an address that the event brings."""
    return abandoned_cart(steps=[{"id": STEP, "email": "initial-email-reminder", "to": "event.coupon"}])


async def start(shop: Shop, customers: Sequence[str]) -> list[tuple[str, ...]]:
    """The runs of each customer, one for each cart."""
    brings: dict[str, Any] = {"total": 60, "coupon": "ada@example.com"}
    carts = [shop.event("abandoned-cart", name, cart_id=cart, **brings) for name in customers for cart in CARTS]
    receipts = await accept(shop.store, carts, shop.now)
    runs = [made.run or "" for receipt in receipts for made in receipt.decisions]
    return list(zip(*[iter(runs)] * len(CARTS), strict=True))


async def winner(shop: Shop, elsewhere: Shop, runs: Sequence[str], over: Literal["block", "hold"]) -> str:
    """Let each of two workers claim the message of a run, and return whose has got the place."""
    workers = random.sample([shop, elsewhere], 2)

    async def claims(number: int) -> Claim:
        await asyncio.sleep(random.uniform(0, 0.001))
        return await claim(workers[number].store, workers[number].visit(runs[number], STEP, following=None))

    answers = await asyncio.gather(claims(0), claims(1))
    went = [name for name, answer in zip(CARTS[1:], answers, strict=True) if isinstance(answer, Go)]
    assert len(went) == 1, answers
    lost = next(answer for answer in answers if not isinstance(answer, Go))
    assert isinstance(lost, Done) if over == "block" else isinstance(lost, Held)
    reason = lost.delivery.reason if isinstance(lost, Done) else lost.why if isinstance(lost, Held) else ""
    assert "the cap of 2 messages by email, text and push within 1 day is reached" in reason
    return went[0]
