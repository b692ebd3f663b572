"""The store gathers the same facts as the preview does, so that both decide the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import count, product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from journeys.definition import Journey
from journeys.language.attributes import Attributes
from journeys.listening import Decision
from journeys.walk.preview import Happening, Stage
from store.events import accept
from tests.samples import abandoned_cart, version
from tests.shop import NOON, Shop


@dataclass(frozen=True)
class Drawn:
    """An event, so many minutes *after* the last one, and *late* so many minutes; less than 0: its clock is ahead."""

    after: int
    late: int
    trigger: str
    cart: str | None
    total: int


HAPPENINGS = st.lists(
    st.builds(
        Drawn,
        after=st.integers(0, 90),
        late=st.sampled_from([0, 0, 1, 30, 120, -3]),
        trigger=st.sampled_from(["abandoned-cart", "abandoned-cart", "purchase-completed"]),
        cart=st.sampled_from(["A", "B", None]),
        total=st.sampled_from([10, 60]),
    ),
    max_size=8,
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
    ]


@pytest.fixture
async def busy(shop: Shop) -> Shop:
    """A shop in which all these journeys are live."""
    for journey in journeys():
        await shop.publish(journey)
    return shop


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HAPPENINGS)
async def test_random_events_are_decided_as_in_the_preview(busy: Shop, happenings: list[Drawn]) -> None:
    customer = f"customer-{next(_customers)}"
    stage = Stage({}, customer_id=customer, started_at=NOON)
    for journey in sorted(journeys(), key=lambda journey: journey.journey):
        stage.publish(version(journey))
    at = timedelta(days=1)

    for number, drawn in enumerate(happenings):
        at += timedelta(minutes=drawn.after)
        occurred, id = at - timedelta(minutes=drawn.late), f"{customer}-{number}"
        attributes: Attributes = {"cart_id": drawn.cart, "total": drawn.total}
        heard = stage.happen(
            Happening(id=id, at=at, occurred_at=occurred, trigger=drawn.trigger, attributes=attributes)
        )
        event = busy.event(drawn.trigger, customer, id=id, at=NOON + occurred, **attributes)

        [receipt] = await accept(busy.store, [event], NOON + at)

        assert in_order(receipt.decisions) == in_order(heard.decisions)


def in_order(decisions: Iterable[Decision]) -> list[Decision]:
    """Run by run. Within one, the order in which it was decided stays."""
    return sorted(decisions, key=lambda decision: (decision.journey, decision.run or ""))
