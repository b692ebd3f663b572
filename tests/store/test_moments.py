"""Until when a run waits: computed once for a step that is entered, kept, and said in the diary with the zone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from journeys.definition import Journey
from journeys.language.moments import Moment
from journeys.walk.diary import Entry, Held, Moved, Over
from journeys.walk.position import Position
from journeys.walk.world import Visit
from store import sends, visits
from store.customers import put_customer
from store.runs import RunView, close, get_run, long_standing, note
from store.sends import Done, Go, expiring
from store.store import Store
from tests.samples import CUSTOMER, abandoned_cart
from tests.shop import NOON, Shop

EMAIL = {"id": "hello", "email": "initial-email-reminder", "to": "customer.email"}
MORNING: dict[str, Any] = {"id": "morning", "wait": {"until": "09:00"}}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
IN_OSLO = NOON.replace(hour=8) + DAY
IN_TOKYO = NOON.replace(hour=0) + DAY
PASSED = Entry(n=1, at=NOON, step="morning", did="passed")


@pytest.fixture
async def shop(store: Store) -> Shop:
    shop = Shop(store)
    await shop.stock()
    return shop


async def start(shop: Shop, *steps: dict[str, Any], zone: str = "Europe/Oslo", **trial: Any) -> str:
    """A run of these steps, of somebody in that zone."""
    await shop.publish(of(*steps))
    await lives_in(shop, zone)
    receipt = await shop.post("trial-started", **{"total": 60, **trial})
    return receipt.decisions[-1].run or ""


def of(*steps: dict[str, Any]) -> Journey:
    return abandoned_cart(steps=[*steps], start={"trigger": "trial-started"}, exit=[])


async def lives_in(shop: Shop, zone: str) -> None:
    await put_customer(shop.store, "ada", {**CUSTOMER, "time_zone": zone}, shop.now)


def at(run: str, step: str = "morning", *, n: int = 1, since: datetime = NOON, **more: Any) -> Visit:
    return Visit(run=run, version=1, position=Position(step=step, since=since, lines=n), now=since, **more)


async def told(shop: Shop, visit: Visit, house: str = "UTC") -> Moment:
    await shop.rule(time_zone=house)
    found = await visits.moment(shop.store, visit)
    assert isinstance(found, Moment)
    return found


async def diary(shop: Shop, run: str) -> tuple[Entry, ...]:
    return (await get_run(shop.store, run)).diary


async def test_the_instant_alone_is_told_and_the_diary_says_why(shop: Shop) -> None:
    run = await start(shop, MORNING, EMAIL)

    assert await told(shop, at(run)) == Moment(at=IN_OSLO)
    assert [line.why for line in await diary(shop, run)] == [
        "until 09:00: 25 Nov 2026 08:00 UTC; Europe/Oslo of customer.time_zone"
    ]


async def test_who_moves_to_another_zone_waits_as_long(shop: Shop) -> None:
    run = await start(shop, MORNING, EMAIL)
    before = await told(shop, at(run))
    await lives_in(shop, "Asia/Tokyo")

    assert await told(shop, at(run)) == before
    assert (await diary(shop, run))[0].why.endswith("Europe/Oslo of customer.time_zone")


async def test_a_series_that_is_answered_meanwhile_leaves_the_moment_as_it_was(shop: Shop) -> None:
    asked = {"trigger": "purchase-completed", "within": "10 days"}
    run = await start(shop, {"id": "nudges", "until": asked, "steps": [MORNING]})
    entered = Entry(n=1, at=NOON, step="morning", did="entered")
    visit = at(run, n=2, unwritten=(entered,))
    before = await told(shop, visit)
    await shop.post("purchase-completed")

    assert await told(shop, visit) == before == Moment(at=IN_OSLO)


async def test_the_next_wait_is_computed_anew(shop: Shop) -> None:
    run = await start(shop, MORNING, {**MORNING, "id": "another"}, EMAIL)
    await told(shop, at(run))
    await lives_in(shop, "Asia/Tokyo")
    entered = Entry(n=2, at=NOON, step="another", did="entered")

    assert await told(shop, at(run, "another", n=3, unwritten=(PASSED, entered))) == Moment(at=IN_TOKYO)
    assert [line.step for line in await diary(shop, run)] == ["morning", "morning", "another"]


async def test_who_asks_of_a_step_that_is_passed_changes_nothing_of_the_next(shop: Shop) -> None:
    """An attempt that Temporal gave up has waited for a lock, or a run was reset to before its wait."""
    run = await start(shop, MORNING, {"id": "evening", "wait": {"until": "18:00"}}, EMAIL)
    before = await told(shop, at(run))
    entered = Entry(n=2, at=NOON, step="evening", did="entered")
    evening = at(run, "evening", n=3, unwritten=(PASSED, entered))
    next_one, lines = await told(shop, evening), await diary(shop, run)

    assert await visits.moment(shop.store, at(run)) == Moved(version=1)
    assert await diary(shop, run) == lines
    assert before != next_one == await told(shop, evening) == Moment(at=NOON + 5 * HOUR)


@pytest.mark.parametrize("trial", [{"ends_at": "2026-11-24T11:00:00Z"}, {}], ids=["passed", "missing"])
async def test_who_was_late_stays_late(trial: dict[str, str], shop: Shop) -> None:
    run = await start(shop, {"id": "morning", "wait": {"until": "event.ends_at"}}, EMAIL, **trial)

    assert [await told(shop, at(run)) for _ in range(2)] == [Moment(late=True)] * 2
    assert (await get_run(shop.store, run)).step == "morning"


async def test_the_house_has_a_zone_of_last_resort(shop: Shop) -> None:
    run = await start(shop, MORNING, EMAIL, zone="Nowhere/Land")

    assert await told(shop, at(run), "Asia/Tokyo") == Moment(at=IN_TOKYO)
    assert (await diary(shop, run))[0].why.endswith(
        "customer.time_zone names no zone that is known, so Asia/Tokyo of the house"
    )


async def test_a_run_that_has_ended_waits_for_nothing(shop: Shop) -> None:
    run = await start(shop, MORNING, EMAIL)
    await close(shop.store, run, "operator", "enough", NOON, ())

    assert await visits.moment(shop.store, at(run)) == Over(ended="cancelled")
    assert [line.why for line in await diary(shop, run)] == ["", "enough"]


async def test_it_is_known_until_when_a_run_stands_there(shop: Shop) -> None:
    run = await start(shop, MORNING, EMAIL)

    async def until() -> datetime | None:
        (standing,) = await long_standing(shop.store, NOON + DAY, None, 10)
        return standing.state.until

    assert await until() is None
    await told(shop, at(run))
    assert await until() == IN_OSLO
    await note(shop.store, run, (PASSED, Entry(n=2, at=NOON, step="hello", did="entered")))
    assert await until() is None


# --- messages that expire at a date ----------------------------------------------------------------


EXPIRING = {**EMAIL, "expires": {"at": "event.ends_at", "before": "2 hours"}}
TEN = "2026-11-24T22:00:00Z"
BY_EIGHT = NOON + 8 * HOUR


async def asked(shop: Shop, run: str, now: datetime = NOON) -> sends.Claim:
    visit = Visit.model_validate(
        {"run": run, "version": 1, "step": EXPIRING, "position": Position(step="hello", since=NOON), "now": now}
    )
    return await sends.claim(shop.store, visit)


async def claim(shop: Shop, run: str, now: datetime = NOON) -> Go | Done | Held:
    claimed = await asked(shop, run, now)
    assert isinstance(claimed, Go | Done | Held)
    return claimed


async def seen(shop: Shop, run: str) -> RunView:
    return await get_run(shop.store, run)


async def test_a_claim_knows_the_date_and_the_ledger_keeps_it(shop: Shop) -> None:
    run = await start(shop, EXPIRING, ends_at=TEN)

    claimed = await claim(shop, run, BY_EIGHT - HOUR)

    assert isinstance(claimed, Go)
    assert claimed.expires_at == BY_EIGHT
    view = await seen(shop, run)
    assert view.sends[0].expires_at == BY_EIGHT
    assert view.diary[0].why == (
        "to be sent until 2 hours before event.ends_at: 24 Nov 2026 20:00 UTC; Europe/Oslo of customer.time_zone"
    )


async def test_a_claim_that_comes_late_says_nothing_of_the_step_after_it(shop: Shop) -> None:
    """The message was held, and the series around it left, while an attempt waited for a lock."""
    run = await start(shop, EXPIRING, MORNING, ends_at=TEN)
    left = Entry(n=1, at=NOON, step="hello", did="left")
    entered = Entry(n=2, at=NOON, step="morning", did="entered")
    await note(shop.store, run, (left, entered))

    assert await asked(shop, run) == Moved(version=1)

    assert (await diary(shop, run))[-1] == entered
    assert await told(shop, at(run, n=3)) == Moment(at=IN_OSLO)


async def test_after_its_date_it_is_blocked(shop: Shop) -> None:
    run = await start(shop, EXPIRING, ends_at=TEN)

    claimed = await claim(shop, run, BY_EIGHT)

    assert isinstance(claimed, Done)
    assert claimed.delivery.reason == "it expired at 24 Nov 20:00"


async def test_without_its_date_it_never_expires_and_the_diary_says_so(shop: Shop) -> None:
    run = await start(shop, EXPIRING)

    claimed = await claim(shop, run, NOON + 400 * DAY)

    assert isinstance(claimed, Go)
    view = await seen(shop, run)
    assert (view.sends[0].expires_at, view.diary[0].why) == (None, "event.ends_at is missing, so it never expires")


async def test_what_is_held_is_looked_at_again_when_it_expires(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    run = await start(shop, EXPIRING, ends_at=TEN)
    monkeypatch.setattr("store.sends.clearance", lambda visit, known: Held(until=NOON + DAY, why="quiet"))

    assert await claim(shop, run) == Held(until=BY_EIGHT, why="quiet; it expires then")


async def test_before_a_claim_it_can_be_asked_for(shop: Shop) -> None:
    run = await start(shop, EXPIRING, ends_at=TEN)
    visit = Visit.model_validate(
        {"run": run, "version": 1, "step": EXPIRING, "position": Position(step="hello", since=NOON), "now": NOON}
    )

    assert (await expiring(shop.store, visit)).expires_at == BY_EIGHT
    assert (await seen(shop, run)).sends == ()
