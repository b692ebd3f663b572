"""Customers with a seeded script each, and the shop that tells Sojourn of them until it is acknowledged."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

import httpx

from journeys.catalogue import Event
from journeys.definition import run_id, send_id
from store.events import Receipt
from tests.chaos.processes import PATIENCE, Ledger, Stack, until
from tests.samples import ABANDONED_CART, CONTENTS, CUSTOMER, TRIGGERS

Does = Literal["nothing", "opens", "buys", "buys at once", "bought before", "opens and buys", "comes", "comes and buys"]


@dataclass(frozen=True)
class Customer:
    """Who enters when, and does what how much later. Times are in days; each event is posted *copies* times."""

    id: str
    does: Does
    enters: float
    acts: float
    copies: int

    @property
    def run(self) -> str:
        """The id of the run that the cart starts."""
        return run_id("abandoned-cart", self.id, "api", f"{self.id}-cart")

    @property
    def email(self) -> str:
        """The send id of the run's first message."""
        return send_id(self.run, "initial-reminder")

    def cart(self, at: datetime) -> Event:
        return self._event("cart", at, "abandoned-cart", cart_id=f"cart-{self.id}", total=60)

    def purchase(self, at: datetime) -> Event:
        return self._event("purchase", at, "purchase-completed", cart_id=f"cart-{self.id}")

    def opening(self, at: datetime) -> Event:
        return self._event("opening", at, "email-opened", send_id=self.email)

    def _event(self, what: str, at: datetime, trigger: str, **attributes: str | float) -> Event:
        return Event(
            id=f"{self.id}-{what}", trigger=trigger, customer=self.id, occurred_at=at, attributes={**attributes}
        )


def crowd(does: Sequence[Does], dice: random.Random) -> list[Customer]:
    """Customers who enter within a day. Everybody who acts does so before the journey's end, two days on."""
    return [
        Customer(
            id=f"c{number}",
            does=what,
            enters=dice.uniform(0, 1),
            acts=dice.uniform(0, LATEST.get(what, 0)),
            copies=dice.randint(1, 3),
        )
        for number, what in enumerate(does)
    ]


LATEST: dict[Does, float] = {"opens": 0.5, "buys": 1.5, "buys at once": 0.02}


@dataclass(frozen=True)
class Acknowledged:
    """An event with its receipt, and how long the ledger was when the receipt had come."""

    event: Event
    receipt: Receipt
    ledger: int


@dataclass
class Shop:
    """Whoever posts events: again and again, until there is an answer."""

    http: httpx.AsyncClient
    ledger: Ledger
    dice: random.Random
    acknowledged: dict[str, list[Acknowledged]] = field(default_factory=lambda: defaultdict(list))

    @property
    def count(self) -> int:
        """How many posts are acknowledged."""
        return sum(map(len, self.acknowledged.values()))

    async def tell(self, event: Event, copies: int = 1) -> None:
        """Post the event, *copies* times at once, until each of them is acknowledged."""
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(self._tell(event) for _ in range(copies)))

    async def _tell(self, event: Event) -> None:
        body = event.model_dump_json(exclude_none=True)
        while True:
            try:
                answer = await self.http.post("/v1/events", content=body)
            except httpx.TransportError:
                pass
            else:
                ledger = self.ledger.size
                if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    assert answer.status_code == httpx.codes.ACCEPTED, f"{event.id}: {answer.text}"
                    receipt = Receipt.model_validate_json(answer.content)
                    self.acknowledged[event.id].append(Acknowledged(event, receipt, ledger))
                    return
            await asyncio.sleep(self.dice.uniform(0.02, 0.1))


async def follow(customer: Customer, shop: Shop, day: timedelta) -> None:
    """Do what the customer's script says."""
    await _pass(customer.enters * day)
    if customer.does == "bought before":  # and we hear of it first
        bought_at = _now()
        await shop.tell(customer.purchase(bought_at), customer.copies)
        await shop.tell(customer.cart(bought_at - timedelta(minutes=1)), customer.copies)
        return
    await shop.tell(customer.cart(_now()), customer.copies)
    match customer.does:
        case "opens":
            if await _gets_the_email(customer, shop):
                await _pass(customer.acts * day)
                await shop.tell(customer.opening(_now()), customer.copies)
        case "buys" | "buys at once":
            await _pass(customer.acts * day)
            await shop.tell(customer.purchase(_now()), customer.copies)
        case _:
            pass


async def publish(stack: Stack, customers: list[Customer]) -> None:
    """The abandoned-cart journey, live, and everybody who may enter it."""
    for trigger in TRIGGERS.values():
        await _done(stack.http.put(f"/v1/triggers/{trigger.trigger}", content=trigger.model_dump_json()))
        await _done(stack.http.post(f"/v1/triggers/{trigger.trigger}/ready"))
    for content in CONTENTS.values():
        body = content.model_dump_json(exclude_none=True)
        await _done(stack.http.put(f"/v1/contents/{content.content}", content=body))
        await _done(stack.http.post(f"/v1/contents/{content.content}/ready"))
    await _done(stack.http.put("/v1/journeys/abandoned-cart", content=ABANDONED_CART))
    await _done(stack.http.post("/v1/journeys/abandoned-cart/publish"))
    people = (stack.http.put(f"/v1/customers/{one.id}", json={"attributes": CUSTOMER}) for one in customers)
    await asyncio.gather(*map(_done, people))


async def _gets_the_email(customer: Customer, shop: Shop) -> bool:
    """Wait for it. False: it was cut off before it went out, and the run has gone on without it."""

    async def went_on() -> bool:
        return any(line.run == customer.run for line in shop.ledger.look())

    await until(went_on, f"{customer.id} gets a message", patience=2 * PATIENCE)
    return shop.ledger.has(customer.email)


async def _pass(time: timedelta) -> None:
    await asyncio.sleep(time.total_seconds())


async def _done(call: Awaitable[httpx.Response]) -> None:
    answer = await call
    assert answer.is_success, answer.text


def _now() -> datetime:
    return datetime.now(UTC)
