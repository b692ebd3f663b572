"""Starts that wait for a journey to be resumed: kept as they came, and decided anew, by all that is known then."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select

from journeys.clearance.releases import CatchUp
from journeys.definition import Journey
from journeys.facts import Decision
from journeys.problems import Unknown
from journeys.walk.diary import Delivery
from journeys.walk.position import Position
from journeys.walk.world import Visit
from store import events
from store import waiting_starts as waiting
from store.completing import complete
from store.counts import JourneyPause, JourneyView
from store.customers import patch_customer
from store.events import get_event
from store.journeys import get_journey
from store.locks import lock_customers
from store.pausing import finish_resuming, pause, resume
from store.pruning import prune, would_prune
from store.runs import Run, get_run, list_runs
from store.schema import outbox, triggers, waiting_starts
from store.schema import runs as table
from store.stopping import _close_doors, stop
from store.visits import perform
from store.waiting_starts import start_some
from tests.samples import abandoned_cart
from tests.shop import NOON, Shop, by_us
from tests.transactions import Halfway

NAME = "abandoned-cart"
LATER: dict[str, object] = {"id": "later", "wait": "1000 days"}
DAY = timedelta(days=1)


def long(**more: Any) -> Journey:
    """A journey that nobody comes through."""
    return abandoned_cart(**{"steps": [LATER], **more})


def starting(**start: Any) -> Journey:
    return long(start={"trigger": NAME, **start})


async def begin(shop: Shop, journey: Journey | None = None) -> None:
    """A journey that is paused."""
    await shop.publish(journey or long())
    await pause(shop.store, NAME, by_us(shop.now))


async def go_on(shop: Shop, catch_up: CatchUp = "now") -> None:
    await resume(shop.store, NAME, by_us(shop.now), catch_up)


async def cart(shop: Shop, customer: str = "ada", **more: Any) -> str:
    """Abandon a cart, and return the id of the event, which waits."""
    receipt = await shop.post(NAME, customer, **{"total": 60, **more})
    assert [(made.did, made.why) for made in receipt.decisions] == [("waiting", "the journey is paused")]
    return receipt.event


async def came_of(shop: Shop, event: str) -> list[tuple[str, str]]:
    """What was decided about an event after it has waited."""
    first, *later = (await get_event(shop.store, "api", event)).decisions
    assert first.did == "waiting"
    return [(made.did, made.why) for made in later]


async def runs(shop: Shop) -> list[Run]:
    return sorted((await list_runs(shop.store)).runs, key=lambda run: run.id)


async def seen(shop: Shop) -> JourneyView:
    return await get_journey(shop.store, NAME, shop.now)


async def kept(shop: Shop) -> int:
    rows = await shop.store.read(lambda connection: connection.execute(select(waiting_starts.c.id)).all())
    return len(rows)


async def test_a_start_waits_and_begins_when_the_journey_is_resumed(shop: Shop) -> None:
    await begin(shop)
    event = await cart(shop, cart_id="c1")
    assert (await seen(shop)).paused == JourneyPause(since=NOON, waiting_messages=0, waiting_starts=1)
    assert await runs(shop) == []
    at = shop.later(days=30)

    await go_on(shop)

    assert await came_of(shop, event) == [("started", "waited for a pause; abandoned-cart")]
    (run,) = await runs(shop)
    assert (run.event_id, run.entered_at, run.step_at, run.key) == (event, at, at, "c1")
    jobs = await shop.store.read(lambda connection: connection.execute(select(outbox)).all())
    assert [(job.run, job.kind, job.payload["started_at"]) for job in jobs] == [(run.id, "start", at.isoformat())]
    assert await kept(shop) == 0
    count = select(triggers.c.seen).where(triggers.c.name == NAME)
    assert await shop.store.read(lambda connection: connection.execute(count).scalar_one()) == 1


async def test_posted_again_it_is_a_duplicate_that_tells_all_that_became_of_it(shop: Shop) -> None:
    await begin(shop)
    event = shop.event(NAME, total=60)
    await events.accept(shop.store, [event], shop.now)
    (receipt,) = await events.accept(shop.store, [event], shop.now)
    assert (receipt.duplicate, [made.did for made in receipt.decisions]) == (True, ["waiting"])
    assert await kept(shop) == 1

    await go_on(shop)
    (receipt,) = await events.accept(shop.store, [event], shop.now)

    assert [made.did for made in receipt.decisions] == ["waiting", "started"]
    assert len(await runs(shop)) == 1


async def test_several_of_one_list_start_in_their_order_each_by_what_the_others_did(shop: Shop) -> None:
    await begin(shop, starting(repeat="never"))
    posted = [shop.event(NAME, who, total=60) for who in ("ada", "bob", "ada")]
    await events.accept(shop.store, posted, shop.now)

    await go_on(shop)

    became = [(await came_of(shop, event.id))[0][0] for event in posted]
    assert became == ["started", "started", "ignored"]
    assert {run.event_id for run in await runs(shop)} == {posted[0].id, posted[1].id}


async def test_an_exit_that_occurred_since_keeps_it_out(shop: Shop) -> None:
    await begin(shop)
    event = await cart(shop, cart_id="c1")
    other = await cart(shop, cart_id="c2")
    shop.later(hours=1)
    await shop.post("purchase-completed", id="p1", cart_id="c1")
    shop.later(hours=1)

    await go_on(shop)

    (only,) = await came_of(shop, event)
    assert only == (
        "ignored",
        "waited for a pause; already exited: purchase-completed (p1) occurred at 24 Nov 2026 13:00 UTC",
    )
    assert [run.event_id for run in await runs(shop)] == [other]


async def test_however_long_the_pause_an_exit_that_occurred_meanwhile_is_not_forgotten(shop: Shop) -> None:
    await begin(shop)
    event = await cart(shop, cart_id="c1")
    shop.later(hours=1)
    bought = await shop.post("purchase-completed", id="p1", cart_id="c1")
    shop.later(days=900)
    assert (await would_prune(shop.store, shop.now))["events"] == 0
    await prune(shop.store, shop.now)

    await go_on(shop)

    (only,) = await came_of(shop, event)
    why = "waited for a pause; already exited: purchase-completed (p1) occurred at 24 Nov 2026 13:00 UTC"
    assert only == ("ignored", why)
    await prune(shop.store, shop.now)
    with pytest.raises(Unknown):
        await get_event(shop.store, "api", bought.event)


async def test_paused_again_meanwhile_who_is_being_let_go_starts_and_does_not_wait_anew(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journey was read as resumed, and is paused before anything is decided. On SQLite, who writes is alone."""
    await begin(shop, starting(newest="1 hour"))
    event = await cart(shop)
    await go_on_without_starting(shop)
    shop.later(hours=2)
    halfway = Halfway(shop.store)

    def slow(connection: Connection, customers: Iterable[str]) -> None:
        lock_customers(connection, customers)
        halfway.here()

    monkeypatch.setattr("store.waiting_starts.lock_customers", slow)
    finishing = asyncio.create_task(finish_resuming(shop.store, shop.now))
    await halfway.reached()
    await pause(shop.store, NAME, by_us(shop.now))
    halfway.go_on()

    assert await finishing == 1

    assert await came_of(shop, event) == [("started", "waited for a pause; abandoned-cart")]
    assert ((await seen(shop)).state, await kept(shop)) == ("paused", 0)


async def test_what_holds_of_the_customer_by_then_decides(shop: Shop) -> None:
    await begin(shop, starting(where='customer.country == "NO"', overlap="parallel"))
    await shop.change(country="NO")
    event = await cart(shop)
    await patch_customer(shop.store, "ada", {"country": "SE"}, shop.later(hours=1))

    await go_on(shop)

    ((did, why),) = await came_of(shop, event)
    assert (did, why.partition(":")[0]) == ("ignored", "waited for a pause; unmet condition")


async def test_an_end_that_has_come_meanwhile_lets_nobody_in(shop: Shop) -> None:
    await begin(shop, starting(until=(NOON + DAY).isoformat()))
    event = await cart(shop)
    shop.later(days=2)

    await go_on(shop)

    (only,) = await came_of(shop, event)
    why = "it would enter at 26 Nov 2026 12:00 UTC, after the journey's end at 25 Nov 2026 12:00 UTC"
    assert only == ("ignored", f"waited for a pause; {why}")
    assert await runs(shop) == []


async def test_how_new_it_was_is_judged_as_it_came_in(shop: Shop) -> None:
    await begin(shop, starting(newest="1 hour"))
    event = await cart(shop, at=NOON - timedelta(minutes=59))
    shop.later(days=30)

    await go_on(shop)

    assert [did for did, _ in await came_of(shop, event)] == ["started"]


async def test_how_long_ago_somebody_entered_is_counted_up_to_the_resume(shop: Shop) -> None:
    await shop.publish(starting(repeat={"after": "7 days"}, overlap="parallel"))
    await shop.start()
    await pause(shop.store, NAME, by_us(shop.now))
    ignored = await shop.post(NAME, total=60)
    shop.later(days=7)
    events = [await cart(shop), await cart(shop)]
    shop.later(days=1)

    await go_on(shop)

    assert [made.did for made in ignored.decisions] == ["ignored"]  # it would not have started without a pause
    assert [(await came_of(shop, event))[0][0] for event in events] == ["started", "ignored"]


async def test_who_is_under_way_is_started_anew_when_resumed_and_not_before(shop: Shop) -> None:
    await shop.publish(starting(overlap="restart"))
    first = await shop.start()
    await pause(shop.store, NAME, by_us(shop.now))
    event = await cart(shop)
    assert (await get_run(shop.store, first)).ended is None
    at = shop.later(hours=1)

    await go_on(shop)

    made = await came_of(shop, event)
    assert made == [("restarted", "its customer entered anew"), ("started", "waited for a pause; abandoned-cart")]
    old = await get_run(shop.store, first)
    assert (old.ended, old.ended_at, old.why) == ("exited", at, "its customer entered anew")


async def test_who_is_under_way_ignores_it_at_once(shop: Shop) -> None:
    await shop.publish(starting(overlap="ignore"))
    await shop.start()
    await pause(shop.store, NAME, by_us(shop.now))

    assert [made.did for made in (await shop.post(NAME, total=60)).decisions] == ["ignored"]
    assert await kept(shop) == 0


async def test_what_would_not_start_anyway_does_not_wait(shop: Shop) -> None:
    await begin(shop, starting(where="event.total > 0"))

    assert [made.did for made in (await shop.post(NAME, total=0)).decisions] == ["ignored"]
    assert await kept(shop) == 0


async def test_the_version_that_is_live_by_then_is_entered(shop: Shop) -> None:
    await begin(shop)
    event = await cart(shop)
    await shop.publish(long(exit=[]))

    await go_on(shop)

    (run,) = await runs(shop)
    assert run.version == 2
    assert [made.version for made in (await get_event(shop.store, "api", event)).decisions] == [1, 2]


async def test_a_version_that_starts_otherwise_lets_nobody_in(shop: Shop) -> None:
    await begin(shop)
    event = await cart(shop)
    await shop.publish(long(start={"trigger": "store-visit"}))

    await go_on(shop)

    (only,) = await came_of(shop, event)
    assert only == ("ignored", "waited for a pause; version 2 does not start on abandoned-cart")


async def test_skipped_nobody_starts_and_it_says_so(shop: Shop) -> None:
    await begin(shop)
    event = await cart(shop)

    await go_on(shop, "skip")

    assert await came_of(shop, event) == [("ignored", "waited for a pause; skipped while paused")]
    assert (await runs(shop), await kept(shop)) == ([], 0)


async def test_stopped_meanwhile_nobody_ever_starts_and_it_says_so(shop: Shop) -> None:
    await begin(shop)
    waits = [await cart(shop, who) for who in ("ada", "bob")]

    await stop(shop.store, NAME, by_us(shop.now))

    for event in waits:
        assert await came_of(shop, event) == [("ignored", "waited for a pause; the journey was stopped")]
    await shop.publish(long(exit=[]))
    await finish_resuming(shop.store, shop.now)
    assert (await runs(shop), await kept(shop)) == ([], 0)


async def test_one_that_came_in_as_the_journey_was_stopped_never_starts_either(shop: Shop) -> None:
    """The event has read that the journey is paused, and writes after the stop."""
    await begin(shop)
    event = await cart(shop)
    rows = await shop.store.read(lambda connection: connection.execute(select(waiting_starts)).all())
    await stop(shop.store, NAME, by_us(shop.now))
    (row,) = [row._asdict() for row in rows]
    await shop.store.write(lambda connection: connection.execute(waiting_starts.insert(), row))

    assert await finish_resuming(shop.store, shop.now) == 1

    assert set(await came_of(shop, event)) == {("ignored", "waited for a pause; the journey was stopped")}
    assert await kept(shop) == 0


async def test_one_that_came_in_as_the_journey_was_resumed_starts_all_the_same(shop: Shop) -> None:
    await begin(shop)
    event = await cart(shop)
    rows = await shop.store.read(lambda connection: connection.execute(select(waiting_starts)).all())
    await shop.store.write(lambda connection: connection.execute(waiting_starts.delete()))
    await go_on(shop)
    at = shop.now
    (row,) = [row._asdict() for row in rows]
    await shop.store.write(lambda connection: connection.execute(waiting_starts.insert(), row))
    shop.later(seconds=30)

    assert await finish_resuming(shop.store, shop.now) == 1

    (run,) = await runs(shop)
    assert (run.event_id, run.entered_at) == (event, at)


async def test_two_processes_at_once_start_each_once(shop: Shop) -> None:
    await begin(shop, starting(overlap="parallel"))
    for number in range(70):
        await cart(shop, "ada" if number % 2 else "bob")

    await asyncio.gather(go_on(shop), *(finish_resuming(shop.store, shop.now) for _ in range(3)))
    await finish_resuming(shop.store, shop.now)

    started = (await list_runs(shop.store, limit=200)).runs
    assert len(started) == len({run.event_id for run in started}) == 70
    assert await kept(shop) == 0


async def test_some_at_a_time_others_come_in_between(shop: Shop) -> None:
    await begin(shop, starting(overlap="parallel"))
    for _ in range(5):
        await cart(shop)
    await go_on_without_starting(shop)

    with pytest.MonkeyPatch.context() as two:
        two.setattr(waiting, "TOGETHER", 2)
        assert await start_some(shop.store, NAME, shop.now) == 2

    assert (await kept(shop), len(await runs(shop))) == (3, 2)


@pytest.fixture
async def dropping(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The events of five who wait to enter, where two are told in a lot that they never do, and one lot in a turn."""
    monkeypatch.setattr(waiting, "MOST_DROPPED", 2)
    for module in ("stopping", "completing"):
        monkeypatch.setattr(f"store.{module}.A_REQUEST", 0)
    await begin(shop)
    return [await cart(shop, f"customer-{number}") for number in range(5)]


async def finish(shop: Shop) -> None:
    while await finish_resuming(shop.store, shop.now):
        pass


async def test_who_waits_in_vain_is_told_some_at_a_time(shop: Shop, dropping: list[str]) -> None:
    would = await stop(shop.store, NAME, by_us(shop.now), dry_run=True)

    did = await stop(shop.store, NAME, by_us(shop.now))

    assert (would.waiting, did.waiting, did.to_go, (await seen(shop)).to_go, await kept(shop)) == (5, 5, 3, 3, 3)
    again = await stop(shop.store, NAME, by_us(shop.now))
    assert (again.waiting, again.to_go, await kept(shop)) == (0, 1, 1)
    await finish(shop)
    why = "waited for a pause; the journey was stopped"
    assert [await came_of(shop, event) for event in dropping] == [[("ignored", why)]] * 5
    assert ((await seen(shop)).to_go, await kept(shop), await runs(shop)) == (0, 0, [])


async def test_the_same_where_a_journey_that_stays_paused_is_completed(shop: Shop, dropping: list[str]) -> None:
    did = await complete(shop.store, NAME, by_us(shop.now))

    view = await seen(shop)
    assert (did.waiting, view.to_go, await kept(shop)) == (5, 3, 3)
    await finish(shop)
    why = "waited for a pause; nobody enters the journey any more"
    assert [await came_of(shop, event) for event in dropping] == [[("ignored", why)]] * 5
    assert ((await seen(shop)).to_go, await runs(shop)) == (0, [])


async def test_published_again_meanwhile_nobody_enters_who_waited_in_vain(shop: Shop, dropping: list[str]) -> None:
    await complete(shop.store, NAME, by_us(shop.now))
    await shop.publish(long(exit=[]))
    newcomer = await cart(shop, "customer-6")

    await go_on(shop)
    await finish(shop)

    assert [run.event_id for run in await runs(shop)] == [newcomer]
    why = "waited for a pause; nobody enters the journey any more"
    assert [await came_of(shop, event) for event in dropping] == [[("ignored", why)]] * 5


async def test_whoever_tells_them_each_is_told_once(shop: Shop, dropping: list[str]) -> None:
    await _close_doors(shop.store, NAME, None, by_us(shop.now))

    while await kept(shop):
        await asyncio.gather(*(start_some(shop.store, NAME, shop.now) for _ in range(4)))

    why = "waited for a pause; the journey was stopped"
    assert [await came_of(shop, event) for event in dropping] == [[("ignored", why)]] * 5


async def test_stopped_as_they_are_about_to_start_they_do_not(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """They were read as those who start. On SQLite, who writes is alone."""
    await begin(shop)
    event = await cart(shop)
    await go_on_without_starting(shop)
    halfway = Halfway(shop.store)

    def slow(connection: Connection, customers: Iterable[str]) -> None:
        halfway.here()
        lock_customers(connection, customers)

    with monkeypatch.context() as slowly:
        slowly.setattr("store.waiting_starts.lock_customers", slow)
        starting = asyncio.create_task(start_some(shop.store, NAME, shop.now))
        await halfway.reached()
        await _close_doors(shop.store, NAME, None, by_us(shop.now))
        halfway.go_on()
        await starting

    ((did, why),) = await came_of(shop, event)
    assert (did, why) in {("ignored", "waited for a pause; the journey was stopped"), ("started", WAITED)}
    assert did == ("started" if shop.store.dialect == "sqlite" else "ignored")
    assert len(await runs(shop)) == (did == "started")


WAITED = "waited for a pause; abandoned-cart"


async def go_on_without_starting(shop: Shop) -> None:
    """As a process that dies at once."""
    with pytest.MonkeyPatch.context() as dying:
        dying.setattr("store.pausing._go_on", nothing)
        await go_on(shop)


async def nothing(*_: object) -> int:
    return 0


async def test_too_many_who_have_waited_are_held_by_the_brake(shop: Shop) -> None:
    await shop.rule(brake={"entries": {"at_most": 3, "per": "1 hour"}})
    await begin(shop, starting(overlap="parallel"))
    for _ in range(5):
        await cart(shop)
    shop.later(days=1)

    await go_on(shop)

    view = await seen(shop)
    assert (view.state, view.counts.active) == ("held", 5)
    assert view.held is not None
    assert view.held.why == "the brake: more than 3 people entered within 1 hour"


# --- by other journeys --------------------------------------------------------------------------------


TELL: dict[str, object] = {"id": "tell", "raise": "store-visit", "with": {"city": '"Oslo"'}}
VISITORS = "visitors"


async def raised(shop: Shop, *steps: dict[str, object]) -> Delivery:
    """A visit that a run of the abandoned cart raises, while the journey of visitors is paused. It waits there."""
    carts = long(steps=[TELL, LATER])
    await shop.publish(carts)
    start = {"trigger": "store-visit", "where": 'event.city == "Oslo"'}
    await shop.publish(long(journey=VISITORS, start=start, goal=None, exit=[], steps=list(steps)))
    await pause(shop.store, VISITORS, by_us(shop.now))
    run = await shop.start()
    position = Position(step="tell", since=shop.now)
    visit = Visit(run=run, version=1, step=carts.steps[0], position=position, now=shop.now, following="later")
    did = await perform(shop.store, visit)
    assert isinstance(did, Delivery)
    return did


async def decided(shop: Shop, source: str) -> list[Decision]:
    rows = await events.list_events(shop.store, "ada")
    return [made for event in rows if event.source == source for made in event.decisions]


async def test_what_a_run_raises_waits_too_and_keeps_the_chain_that_led_to_it(shop: Shop) -> None:
    assert (await raised(shop, LATER)).outcome == "accepted"

    await resume(shop.store, VISITORS, by_us(shop.later(hours=1)))

    (waits, starts) = await decided(shop, "journey:abandoned-cart")
    assert (waits.did, starts.did) == ("waiting", "started")
    (visitor,) = (await list_runs(shop.store, journey=VISITORS)).runs
    chain = select(table.c.chain).where(table.c.id == visitor.id)
    assert await shop.store.read(lambda connection: connection.execute(chain).scalar_one()) == [NAME]


async def test_a_circle_is_one_though_its_start_has_waited(shop: Shop) -> None:
    back: dict[str, object] = {"id": "back", "raise": NAME, "with": {"total": "60.0", "cart_id": '"c9"'}}
    await shop.rule(spread="0 seconds")
    await raised(shop, back, LATER)
    await resume(shop.store, VISITORS, by_us(shop.later(hours=1)))
    (visitor,) = (await list_runs(shop.store, journey=VISITORS)).runs
    step = long(journey=VISITORS, start={"trigger": "store-visit"}, goal=None, exit=[], steps=[back]).steps[0]
    visit = Visit(
        run=visitor.id,
        version=1,
        step=step,
        position=Position(step="back", since=shop.now),
        now=shop.now,
        following="later",
    )

    did = await perform(shop.store, visit)

    assert isinstance(did, Delivery)
    assert did.reason.startswith("abandoned-cart does not start: it would go in a circle: abandoned-cart → visitors")
