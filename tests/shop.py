"""A store in which the abandoned-cart journey can be published, and a few words to play it with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, get_args

from journeys.catalogue import Event, Trigger
from journeys.definition import Journey, Kind
from journeys.diary import Delivery
from journeys.reading import read_trigger
from store import catalogue, customers, events, journeys, sends
from store.events import Receipt
from store.sends import Claim
from store.store import Store
from tests.samples import CONTENTS, CUSTOMER, TRIGGERS, abandoned_cart

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
CHANNELS: frozenset[Kind] = frozenset(get_args(Kind))
_numbers = count(1)


@dataclass
class Shop:
    """The store and its clock, which stands still unless it is moved."""

    store: Store
    now: datetime = NOON

    async def stock(self) -> None:
        """Make everything ready that the abandoned-cart journey refers to, and know ada and bob."""
        for trigger in TRIGGERS.values():
            await self.ready(trigger)
        for content in CONTENTS.values():
            await catalogue.put_content(self.store, content, self.now)
            await catalogue.ready_content(self.store, content.content, self.now)
        for customer in ("ada", "bob"):
            await customers.put_customer(self.store, customer, CUSTOMER, self.now)

    async def ready(self, trigger: Trigger | dict[str, Any]) -> None:
        """Write a trigger and make it ready."""
        trigger = read_trigger(trigger) if isinstance(trigger, dict) else trigger
        await catalogue.put_trigger(self.store, trigger, self.now)
        await catalogue.ready_trigger(self.store, trigger.trigger, self.now)

    async def publish(self, journey: Journey | None = None) -> journeys.Published:
        """Publish a journey, the abandoned cart by default."""
        journey = journey or abandoned_cart()
        await journeys.put_journey(self.store, journey, self.now)
        return await journeys.publish(self.store, journey.journey, self.now, CHANNELS)

    def event(self, trigger: str, /, customer: str | None = "ada", *, at: datetime | None = None, **more: Any) -> Event:
        """An event; *more* are its attributes, or its id or source."""
        names = {name: more.pop(name) for name in ("id", "source") if name in more}
        return Event(
            **{"id": f"event-{next(_numbers)}", **names},
            trigger=trigger,
            customer=customer,
            occurred_at=at,
            attributes=more,
        )

    async def post(self, trigger: str, /, customer: str | None = "ada", **more: Any) -> Receipt:
        """Accept one event."""
        return (await events.accept(self.store, [self.event(trigger, customer, **more)], self.now))[0]

    async def start(self, customer: str = "ada", **more: Any) -> str:
        """Abandon a cart, and return the run that this starts."""
        receipt = await self.post("abandoned-cart", customer, **{"total": 60, **more})
        assert receipt.decisions[-1].did == "started", receipt
        return receipt.decisions[-1].run or ""

    async def claim(self, run: str, step: str = "initial-reminder", **more: Any) -> Claim:
        """Claim a send, by default the first one of the abandoned cart."""
        given = {"now": self.now, "entries": (), "n": 1, "following": "opened"}
        return await sends.claim(self.store, run=run, step=step, **{**given, **more})

    async def record(
        self, run: str, step: str = "initial-reminder", outcome: Any = "accepted", **more: Any
    ) -> Delivery:
        """Record the outcome of a send."""
        delivery = Delivery(outcome=outcome, at=more.pop("at", self.now))
        given = {"provider_id": "p-1", "following": "opened", "n": 1}
        await sends.record(self.store, run=run, step=step, delivery=delivery, **{**given, **more})
        return delivery

    def later(self, **duration: float) -> datetime:
        """Move the clock."""
        self.now += timedelta(**duration)
        return self.now
