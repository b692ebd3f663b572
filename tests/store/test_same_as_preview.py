"""The store gathers the same facts as the preview does, so that both decide the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count, product
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from journeys.catalogue import CUSTOMER_SOURCE
from journeys.definition import Journey
from journeys.facts import Decision
from journeys.language.attributes import Attributes
from journeys.walk.preview import Stage
from journeys.walk.script import Happening
from store.customers import CustomerChange, change_customer, put_customer
from store.events import accept, decisions_of, list_events
from store.pausing import pause, resume
from tests.samples import abandoned_cart, version
from tests.shop import NOON, Shop, by_us


@dataclass(frozen=True)
class Drawn:
    """An event, so many minutes *after* the last one, and *late* so many minutes; less than 0: its clock is ahead."""

    after: int
    late: int
    trigger: str
    cart: str | None
    total: int


@dataclass(frozen=True)
class Moved:
    """The customer is in another country, or in the same, so many minutes *after* the last event."""

    after: int
    country: str | None


@dataclass(frozen=True)
class Turned:
    """All journeys are paused, or resumed, so many minutes *after* the last event. Done already, nothing changes."""

    after: int
    does: Literal["pause", "now", "skip"]


HAPPENINGS = st.lists(
    st.builds(
        Drawn,
        after=st.integers(0, 90),
        late=st.sampled_from([0, 0, 1, 30, 120, -3]),
        trigger=st.sampled_from(["abandoned-cart", "abandoned-cart", "purchase-completed"]),
        cart=st.sampled_from(["A", "B", None]),
        total=st.sampled_from([10, 60]),
    ).filter(lambda drawn: drawn.after or drawn.late >= 0)
    # Nothing whose time we set comes at the instant of something else: a store tells them apart by a microsecond.
    | st.builds(Moved, after=st.integers(1, 90), country=st.sampled_from(["NO", "SE", None]))
    | st.builds(Turned, after=st.integers(1, 90), does=st.sampled_from(["pause", "pause", "now", "skip"])),
    max_size=10,
)

_customers = count(1)


def journeys() -> list[Journey]:
    """One journey for each way to repeat and to overlap. Nobody gets through by waiting."""
    pause = {"id": "pause", "wait": "1000 days"}
    question = {"trigger": "purchase-completed", "where": "event.total > 50", "within": "900 days"}
    ends = {"exit": [{"trigger": "purchase-completed"}], "steps": [pause]}
    goes_on = {"exit": [], "steps": [{"id": "bought", "if": question}, pause]}
    repeats = {"never": "never", "immediately": "immediately", "after": {"after": "1 hour"}}
    return [
        abandoned_cart(
            journey=f"{repeat}-{overlap}-{key or 'all'}",
            start={
                "trigger": "abandoned-cart",
                "repeat": repeats[repeat],
                "overlap": overlap,
                "key": key and "event.cart_id",
            },
            **(ends if key else goes_on),
        )
        for repeat, overlap, key in product(repeats, ("ignore", "parallel", "restart"), ("cart", None))
    ] + listening_to_changes()


def listening_to_changes() -> list[Journey]:
    """Journeys that a change of the customer starts, ends and resumes, or whose goal it is."""
    changed = {"trigger": "customer-changed"}
    moved = {**changed, "where": 'before.country == "NO" && customer.country == "SE"'}
    swedish = {"when": 'customer.country == "SE"'}
    pause = {"id": "pause", "wait": "1000 days"}
    asking = [{"id": "moved", "if": {**moved, "within": "9 days"}}, pause]
    differences: dict[str, dict[str, object]] = {
        "leaves-when-swedish": {"start": {"trigger": "abandoned-cart", "overlap": "parallel"}, "exit": [swedish]},
        "leaves-by-change": {"exit": [moved, {**changed, "where": "!has(before.country)"}]},
        "counts-changes": {"goal": moved, "exit": [], "steps": asking},
        "starts-by-change": {"start": {**moved, "repeat": {"after": "1 hour"}, "overlap": "restart"}, "exit": []},
        "starts-by-any-change": {"start": changed, "exit": [swedish]},
    }
    return [abandoned_cart(journey=name, **{"steps": [pause], **each}) for name, each in differences.items()]


@pytest.fixture
async def busy(shop: Shop) -> Shop:
    """A shop in which all these journeys are live."""
    for journey in journeys():
        await shop.publish(journey)
    return shop


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HAPPENINGS)
async def test_random_events_are_decided_as_in_the_preview(
    busy: Shop, happenings: list[Drawn | Moved | Turned]
) -> None:
    customer = f"customer-{next(_customers)}"
    await put_customer(busy.store, customer, {}, NOON)
    stage = Stage({}, customer_id=customer, started_at=NOON)
    for journey in sorted(journeys(), key=lambda journey: journey.journey):
        stage.publish(version(journey))
    at = timedelta(days=1)
    staged: list[Decision] = []

    for number, drawn in enumerate([*happenings, Turned(1, "now")]):
        at += timedelta(minutes=drawn.after)
        id = f"{customer}-{number}"
        if isinstance(drawn, Turned):
            staged += await turned(busy, stage, drawn, at)
            continue
        line, decisions = await happened(busy, customer, id, drawn, at)
        heard = stage.happen(Happening.model_validate({"id": id, "at": at, **line}))

        assert in_order(decisions) == in_order(heard.decisions)
        staged += heard.decisions
    assert sorted(map(str, await all_decisions(busy, customer))) == sorted(map(str, staged))


async def turned(shop: Shop, stage: Stage, turned: Turned, at: timedelta) -> list[Decision]:
    """Pause or resume all journeys in both worlds. Returns what the preview decides about starts that waited."""
    stage.advance(NOON + at)
    decisions: list[Decision] = []
    for journey in sorted(journeys(), key=lambda journey: journey.journey):
        if turned.does == "pause":
            await pause(shop.store, journey.journey, by_us(NOON + at))
            stage.pause(journey.journey)
        else:
            await resume(shop.store, journey.journey, by_us(NOON + at), turned.does)
            decisions += stage.resume(journey.journey, turned.does)
    return decisions


async def all_decisions(shop: Shop, customer: str) -> list[Decision]:
    """All that was decided about a customer's events."""
    events = await list_events(shop.store, customer, limit=200)
    ids = [event.id for event in events]
    made = await shop.store.read(lambda connection: decisions_of(connection, ids))
    return [decision for event in events for decision in made.get((event.source, event.id), ())]


async def happened(
    shop: Shop, customer: str, id: str, drawn: Drawn | Moved, at: timedelta
) -> tuple[dict[str, object], tuple[Decision, ...]]:
    """A line of a script, and what came of it in the store."""
    if isinstance(drawn, Moved):
        return {"customer": {"country": drawn.country}}, await changed(shop, customer, id, drawn, NOON + at)
    occurred = at - timedelta(minutes=drawn.late)
    attributes: Attributes = {"cart_id": drawn.cart, "total": drawn.total}
    event = shop.event(drawn.trigger, customer, id=id, at=NOON + occurred, **attributes)
    [receipt] = await accept(shop.store, [event], NOON + at)
    return {"occurred_at": occurred, "trigger": drawn.trigger, "attributes": attributes}, receipt.decisions


async def changed(shop: Shop, customer: str, id: str, moved: Moved, now: datetime) -> tuple[Decision, ...]:
    """What a change does that has the id that it has in the preview."""

    def change(connection: Connection) -> CustomerChange:
        country = {"country": moved.country}
        return change_customer(connection, customer, country, now, named=(CUSTOMER_SOURCE, id))

    receipt = (await shop.store.write(change)).receipt
    return receipt.decisions if receipt else ()


def in_order(decisions: Iterable[Decision]) -> list[Decision]:
    """Run by run. Within one, the order in which it was decided stays."""
    return sorted(decisions, key=lambda decision: (decision.journey, decision.run or ""))
