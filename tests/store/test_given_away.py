"""A step takes a name that a map gave away: what both of them do is done, under any name, and once."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, delete, select

from journeys.walk.diary import Delivery, Entry
from journeys.walk.position import Position
from journeys.walk.world import Visit
from store import visits
from store.events import list_events
from store.journeys import put_journey
from store.known_events import remember
from store.publishing import PublishedFor, publish_for
from store.runs import get_run, list_runs
from store.schema import decisions, events
from tests.samples import abandoned_cart
from tests.shop import CHANNELS, Shop, by_us

PAUSE = {"id": "a-day", "wait": "1 day"}
NUDGE = {"id": "nudge", "text": "second-text-reminder", "to": "customer.phone"}


def tell(city: str) -> dict[str, Any]:
    return {"id": "it", "raise": "store-visit", "with": {"city": f"'{city}'"}}


def tag(name: str) -> dict[str, Any]:
    return {"id": "it", "set": {"first_name": f"'{name}'"}}


each_kind = pytest.mark.parametrize(
    ("first", "again", "trigger"),
    [
        pytest.param(tell("Oslo"), tell("Bergen"), "store-visit", id="raise"),
        pytest.param(tell("Oslo"), tell("Oslo"), "store-visit", id="raise-the-same"),
        pytest.param(tag("Ada L."), tag("Ada M."), "customer-changed", id="set"),
    ],
)


async def published(shop: Shop, *steps: dict[str, Any], **more: Any) -> PublishedFor:
    await put_journey(shop.store, abandoned_cart(steps=[*steps], exit=[]), by_us(shop.now))
    return await publish_for(shop.store, "abandoned-cart", by_us(shop.now), CHANNELS, **more)


async def coming(shop: Shop, run: str, version: int = 3) -> Visit:
    """The run's visit to the step, where it stands, or to which it comes from its pause."""
    n = len((await get_run(shop.store, run)).diary)
    passed = Entry(n=n, at=shop.now, step="a-day", did="passed")
    entered = Entry(n=n + 1, at=shop.now, step="it", did="entered")
    unwritten = (passed, entered) if version > 1 else ()
    position = Position(step="it", since=shop.now, lines=n + len(unwritten))
    following = "a-day" if version == 1 else "nudge"
    return Visit(run=run, version=version, position=position, now=shop.now, unwritten=unwritten, following=following)


async def performed(shop: Shop, visit: Visit) -> Delivery:
    did = await visits.perform(shop.store, visit)
    assert isinstance(did, Delivery), did
    return did


async def moved_twice(shop: Shop, first: dict[str, Any], again: dict[str, Any], trigger: str) -> str:
    """A run that did the first, which is called otherwise since, and is about to do what took its name."""
    start = {"trigger": trigger, "overlap": "parallel"}
    await shop.publish(abandoned_cart(journey="others", start=start, goal=None, exit=[], steps=[PAUSE]))
    await published(shop, first, PAUSE)
    run = await shop.start()
    await performed(shop, await coming(shop, run, 1))
    shop.later(hours=1)
    called = first | {"id": "renamed"}
    await published(shop, called, PAUSE, people="move", names={"it": "renamed"})
    shop.later(hours=1)
    would = await published(shop, called, PAUSE, again, NUDGE, people="move", dry_run=True)
    did = await published(shop, called, PAUSE, again, NUDGE, people="move")
    assert would.move
    assert would.move == did.move
    assert would.move.steps == {"a-day": 1}
    shop.later(hours=22)
    return run


async def others(shop: Shop) -> int:
    return len((await list_runs(shop.store, journey="others")).runs)


@each_kind
async def test_both_are_done(shop: Shop, first: dict[str, Any], again: dict[str, Any], trigger: str) -> None:
    run = await moved_twice(shop, first, again, trigger)

    visit = await coming(shop, run)
    did, once_more = await performed(shop, visit), await performed(shop, visit)

    assert (did.outcome, did.reason, once_more) == ("accepted", "", did)
    made = [event for event in await list_events(shop.store, "ada") if event.source == "journey:abandoned-cart"]
    assert len({event.id for event in made}) == 2
    assert await others(shop) == 2
    assert [(each.step, each.outcome) for each in (await get_run(shop.store, run)).actions] == [
        ("renamed", "accepted"),
        ("it", "accepted"),
    ]


@each_kind
async def test_so_are_they_where_the_first_event_is_pruned(
    shop: Shop, first: dict[str, Any], again: dict[str, Any], trigger: str
) -> None:
    run = await moved_twice(shop, first, again, trigger)

    def prune(connection: Connection) -> None:
        made = connection.execute(select(events.c.source, events.c.id).where(events.c.trigger == trigger)).all()
        connection.execute(delete(decisions).where(decisions.c.event.in_([event.id for event in made])))
        connection.execute(delete(events).where(events.c.trigger == trigger))
        remember(connection, [(event.source, event.id) for event in made], shop.now)

    await shop.store.write(prune)

    assert (await performed(shop, await coming(shop, run))).reason == ""

    assert await others(shop) == 2
