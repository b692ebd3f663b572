"""The runs of one customer: what is found of them decides the same as all of them would."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from journeys.catalogue import Event
from journeys.facts import Facts, RunFacts
from journeys.language.attributes import Attributes
from journeys.listening import MOST_OTHERS, decide
from store.own_runs import OwnRuns
from tests.samples import abandoned_cart, version

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
KEYED = version(abandoned_cart(start={"trigger": "abandoned-cart", "key": "event.cart_id", "overlap": "restart"}))
VERSIONS = (KEYED, replace(KEYED, number=2), version(abandoned_cart(journey="other", goal=None)))


def happened(trigger: str, cart: str | None) -> Event:
    attributes: Attributes = {} if cart is None else {"cart_id": cart}
    return Event(id="e", trigger=trigger, customer="ada", occurred_at=NOW, attributes=attributes)


@st.composite
def runs(draw: st.DrawFn) -> list[RunFacts]:
    found = []
    for n in range(draw(st.integers(0, 60))):
        of = draw(st.sampled_from(VERSIONS))
        key = draw(st.sampled_from(["a", "b", "c", None])) if of.journey.start.key else None
        run = RunFacts(id=f"run-{n}", version=of, key=key, entered_at=NOW - timedelta(hours=1))
        if draw(st.booleans()):
            run = replace(run, ended="completed", ended_at=NOW - timedelta(minutes=draw(st.sampled_from([1, 9_000]))))
        found.append(replace(run, goal_met=draw(st.booleans())))
    return found


@given(runs(), st.sampled_from(["abandoned-cart", "purchase-completed"]), st.sampled_from(["a", "d", None]))
def test_what_is_found_decides_as_all_of_them_would(all_runs: list[RunFacts], trigger: str, cart: str | None) -> None:
    event = happened(trigger, cart)
    starts = [of for of in VERSIONS[1:] if trigger in of.journey.start.triggers]
    own = OwnRuns()
    for run in all_runs:
        own.put(replace(run, ended=None, ended_at=None, goal_met=False))
        own.put(run)

    found = own.touched(event, starts, None)

    assert decide(event, NOW, Facts(customer={}, runs=found, starts=starts)) == decide(
        event, NOW, Facts(customer={}, runs=all_runs, starts=starts)
    )


def test_a_new_cart_and_a_purchase_are_asked_of_few_among_thousands() -> None:
    own = OwnRuns()
    for n in range(2_500):
        own.put(RunFacts(id=f"run-{n}", version=KEYED, key=f"cart-{n}", entered_at=NOW))

    assert own.touched(happened("abandoned-cart", "new"), [KEYED], None) == []
    assert len(own.touched(happened("purchase-completed", "cart-7"), [], None)) == 1 + MOST_OTHERS
    assert len(own.touched(happened("purchase-completed", None), [], None)) == 2_500
    assert [run.id for run in own.touched(happened("email-opened", None), [], "run-3")] == ["run-3"]
