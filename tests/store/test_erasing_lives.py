"""A customer is erased wherever their run stands: held, paused, parked, moved, in a webhook's retry, being sent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from sqlalchemy import Connection, select

from journeys.chains import Maker
from journeys.clearance.consent import Rules
from journeys.definition import Journey, send_id
from journeys.endpoints import Endpoint
from journeys.walk.diary import Held
from journeys.walk.position import Position
from journeys.walk.world import Visit
from store import people, sends
from store.audit import list_audit
from store.calls import Call, claim_call, postpone_call
from store.consents import opt, opt_out
from store.endpoints import put_endpoint
from store.erasing import _erase, erase
from store.events import accept_here
from store.journeys import put_journey
from store.links import find_link
from store.locks import lock_customers
from store.outbox import done, lease
from store.pausing import pause
from store.people import move_people
from store.publishing import publish_for
from store.rebuilding import begin_again
from store.runs import get_run, list_runs
from store.schema import waiting_starts
from store.sends import Done
from store.stopping import _close_doors
from store.waiting_starts import start_some
from tests.samples import abandoned_cart
from tests.searching import found
from tests.shop import CHANNELS, Shop, by_us
from tests.transactions import rows, under_way

ID = "zq-2718"
EMAIL = "zelda.quill@secret.example"
NAME = "abandoned-cart"
SECRETS = {"email": EMAIL, "phone": "+15559876543", "first_name": "Zeldamira"}
LATER = {"id": "later", "wait": "9 days"}
HELLO = {"id": "initial-reminder", "email": "initial-email-reminder", "to": "customer.email"}
NIGHT = datetime.fromisoformat("2026-11-24T21:30:00Z")
AT_NIGHT = [{"channels": ["email"], "from": "21:00", "to": "08:00"}]

_tell_some = cast("Callable[..., Any]", cast("Any", start_some).__wrapped__)

Life = Callable[[Shop], Awaitable[str]]


async def ask(shop: Shop, run: str, **more: Any) -> None:
    """Ask for a claim that is not given."""
    assert isinstance(await sends.claim(shop.store, shop.visit(run, **more)), Held)


async def is_held(shop: Shop) -> str:
    await shop.publish()
    await shop.rule(quiet=AT_NIGHT)
    shop.now = NIGHT
    run = await shop.start(ID)
    await ask(shop, run)
    return run


async def is_paused(shop: Shop) -> str:
    """A message waits for the resume, and so does a start by another event."""
    await shop.publish(abandoned_cart(start={"trigger": NAME, "overlap": "parallel"}))
    run = await shop.start(ID)
    await pause(shop.store, NAME, by_us(shop.now))
    await ask(shop, run)
    await shop.post(NAME, ID, total=60, coupon=EMAIL)
    assert len(await rows(shop.store, select(waiting_starts))) == 1
    return run


async def is_parked(shop: Shop) -> str:
    await shop.publish()
    run = await shop.start(ID)
    await shop.claim(run)
    assert await sends.park(shop.store, shop.visit(run), 1, "not filled in", "it cannot be filled in", f"no {EMAIL}")
    return run


async def version(shop: Shop, *steps: dict[str, Any], **more: Any) -> None:
    await put_journey(shop.store, abandoned_cart(steps=[*steps], exit=[]), by_us(shop.now))
    await publish_for(shop.store, NAME, by_us(shop.now), CHANNELS, **more)


async def is_moved(shop: Shop) -> str:
    await version(shop, LATER)
    run = await shop.start(ID)
    await version(shop, LATER | {"wait": "8 days"}, people="move")
    assert (await get_run(shop.store, run)).version == 2
    return run


async def stays_behind(shop: Shop) -> str:
    """Who could not be moved is listed with the new version."""
    await version(shop, LATER)
    run = await shop.start(ID)
    await version(shop, {"id": "other", "wait": "8 days"}, people="move")
    await move_people(shop.store, NAME, 2, shop.now)
    assert (await get_run(shop.store, run)).version == 1
    return run


async def is_called(shop: Shop) -> str:
    """An endpoint was told of them, did not take it, and will be told again."""
    await put_endpoint(shop.store, Endpoint(endpoint="crm", url="https://crm.example.com"), "sealed", by_us(shop.now))
    journey = abandoned_cart(steps=[{"id": "crm", "webhook": "crm", "with": {"email": "customer.email"}}, LATER])
    await shop.publish(journey)
    run = await shop.start(ID)
    visit = calling(shop, journey, run)
    assert isinstance(await claim_call(shop.store, visit), Call)
    await postpone_call(shop.store, visit, f"it answered 503: {EMAIL}", shop.now + timedelta(minutes=1))
    return run


def calling(shop: Shop, journey: Journey, run: str) -> Visit:
    step = journey.steps[0]
    return Visit(
        run=run,
        version=1,
        step=step,
        position=Position(step=step.id, since=shop.now),
        now=shop.now,
        following="later",
        expires_at=shop.now + step.longest,
    )


async def is_being_sent(shop: Shop) -> str:
    await shop.publish()
    run = await shop.start(ID)
    await shop.claim(run)
    return run


async def is_in_doubt(shop: Shop) -> str:
    run = await is_being_sent(shop)
    await sends.lost(shop.store, shop.visit(run), 1, f"no answer about {EMAIL}")
    return run


async def is_tried_again(shop: Shop) -> str:
    run = await is_being_sent(shop)
    await sends.release(shop.store, shop.visit(run), 1, f"429 {EMAIL}")
    return run


async def begins_again_later(shop: Shop) -> str:
    """Temporal had lost the run, and is to be told of it in half an hour at most."""
    await shop.publish()
    run = await shop.start(ID)
    await told(shop)
    await begin_again(shop.store, [run], timedelta(minutes=30), shop.now)
    return run


async def goes_in_a_circle(shop: Shop) -> str:
    """A start was refused, which is counted."""
    run = await is_being_sent(shop)
    event = shop.event(NAME, ID, total=60, id=f"event-{EMAIL}")
    maker = Maker("a-run", "an-event", (NAME,) * 10)
    [receipt] = await shop.store.write(lambda connection: accept_here(connection, [event], shop.now, made_by=maker))
    assert [made.did for made in receipt.decisions] == ["refused"]
    return run


LIVES: tuple[Life, ...] = (
    is_held,
    is_paused,
    is_parked,
    is_moved,
    stays_behind,
    is_called,
    is_being_sent,
    is_in_doubt,
    is_tried_again,
    begins_again_later,
    goes_in_a_circle,
)


async def told(shop: Shop) -> None:
    """Temporal has done all that it was told, so that nothing keeps the run's id any more."""
    while jobs := await lease(shop.store, shop.now, 100, timedelta(seconds=30)):
        await done(shop.store, [job.id for job in jobs])


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.__name__)
async def test_nothing_is_left_wherever_the_run_stands(shop: Shop, life: Life) -> None:
    await shop.change(ID, **SECRETS)
    run = await life(shop)
    needles = (ID, *SECRETS.values())
    assert set(await found(shop.store, ID, EMAIL)) == {ID, EMAIL}

    would = await erase(shop.store, ID, by_us(shop.now), dry_run=True)
    did = await erase(shop.store, ID, by_us(shop.now), drain=timedelta(0))

    assert did == would.model_copy(update={"dry_run": False})
    left = await found(shop.store, *needles, run)
    assert {column for columns in left.values() for column in columns} <= {"outbox.run", "outbox.payload"}
    await told(shop)
    assert await found(shop.store, *needles, run) == {}
    assert {run.ended_by for run in (await list_runs(shop.store)).runs} == {"erased"}


async def sent(shop: Shop) -> str:
    await shop.change(ID, **SECRETS)
    await shop.publish()
    run = await shop.start(ID)
    await shop.claim(run)
    await shop.record(run)
    return run


async def test_a_link_that_is_clicked_in_the_same_moment_brings_nobody_back(shop: Shop) -> None:
    link = await find_link(shop.store, send_id(await sent(shop), "initial-reminder"))
    assert link

    await erase(shop.store, ID, by_us(shop.now))
    heard = await opt_out(shop.store, link, "unsubscribe-link", shop.now)

    assert not heard
    await told(shop)
    assert await found(shop.store, ID, EMAIL) == {}


async def test_a_report_that_waits_for_the_erasure_brings_nobody_back(shop: Shop) -> None:
    run = await sent(shop)
    about = {"send_id": send_id(run, "initial-reminder"), "link": f"https://shop.example/?who={EMAIL}"}

    # Whoever waits for the customer has looked up already whose message it is about.
    async with under_way(shop.store) as do:
        await do(lambda connection: lock_customers(connection, [ID]))
        erasing = asyncio.create_task(_erase(shop.store, ID, by_us(shop.now), 0))
        await asyncio.sleep(0.3)
        heard = asyncio.create_task(shop.post("email-clicked", None, **about))
        await asyncio.sleep(0.3)
    await erasing

    assert [made.did for made in (await heard).decisions] in (["ignored"], [])
    await told(shop)
    assert await found(shop.store, ID, EMAIL) == {}


async def test_a_stop_from_their_address_is_heard_without_them(shop: Shop) -> None:
    await sent(shop)
    await erase(shop.store, ID, by_us(shop.now))

    customers = await opt(shop.store, "email", EMAIL, "out", "sendgrid", shop.now, "report-1")

    assert customers == ()
    assert await found(shop.store, ID, EMAIL) == {ID: {"outbox.run", "outbox.payload"}}
    await shop.change("bob", email=EMAIL)
    claimed = await shop.claim(await shop.start("bob"), rules=Rules())
    assert isinstance(claimed, Done)
    assert claimed.delivery.reason == "opted out of commercial email"


async def test_a_move_that_was_cut_off_goes_on_without_whose_turn_it_was(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "TOGETHER", 1)
    await version(shop, LATER)
    ids = {customer: await shop.start(customer) for customer in ("a", ID, "zz")}
    move_some = people._move_some

    async def cut_off(*args: Any) -> None:
        await move_some(*args)
        if args[4] == [ids[ID]]:
            raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(people, "_move_some", cut_off)
        with pytest.raises(RuntimeError):
            await version(shop, LATER | {"wait": "8 days"}, people="move")

    await erase(shop.store, ID, by_us(shop.now))
    await told(shop)
    assert await found(shop.store, ID) == {}
    move = await move_people(shop.store, NAME, 2, shop.now)

    assert (move.moved, move.stayed) == (3, 0)
    assert [(await get_run(shop.store, ids[each])).version for each in ("a", "zz")] == [2, 2]


async def test_whoever_is_erased_before_their_turn_is_passed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    await version(shop, LATER)
    for customer in ("a", ID):
        await shop.start(customer)
    move_some = people._move_some

    async def erased_first(*args: Any) -> None:
        await erase(shop.store, ID, by_us(shop.now))
        await move_some(*args)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(people, "_move_some", erased_first)
        await version(shop, LATER | {"wait": "8 days"}, people="move")

    await told(shop)
    assert await found(shop.store, ID) == {}
    [moved] = [run for run in (await list_runs(shop.store)).runs if run.customer == "a"]
    assert moved.version == 2


async def test_nothing_is_told_of_a_start_whose_customer_is_erased_in_the_same_moment(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever tells very many that they never enter has not locked each of them."""
    monkeypatch.setattr("store.waiting_starts.TOGETHER", 1)
    await shop.publish(abandoned_cart())
    await pause(shop.store, NAME, by_us(shop.now))
    for customer in ("ada", ID):
        await shop.post(NAME, customer, id=f"cart-of-{customer}", total=60)
    await _close_doors(shop.store, NAME, None, by_us(shop.now))

    def tell(connection: Connection) -> None:
        assert _tell_some(connection, NAME, shop.now) == 2

    async with under_way(shop.store) as do:
        await do(tell)
        erasing = asyncio.create_task(erase(shop.store, ID, by_us(shop.now), drain=timedelta(0)))
        await asyncio.sleep(0.3)

    assert (await erasing).rows
    assert await found(shop.store, ID) == {}


async def test_two_who_erase_at_once_erase_once(shop: Shop) -> None:
    await sent(shop)

    both = await asyncio.gather(*(erase(shop.store, ID, by_us(shop.now)) for _ in range(2)))

    assert sorted(bool(each.rows) for each in both) == [False, True]
    assert sum(each.ended for each in both) == 1
    log = (await list_audit(shop.store, what="customer")).entries
    assert [entry.did for entry in log] == ["customer erased"]
    await told(shop)
    assert await found(shop.store, ID, EMAIL) == {}


async def test_whoever_has_the_same_address_keeps_what_they_said(shop: Shop) -> None:
    await sent(shop)
    await shop.change("bob", email=EMAIL)
    await opt(shop.store, "email", EMAIL, "out", "sendgrid", shop.now, "report-1")
    other = await shop.start("bob")

    await erase(shop.store, ID, by_us(shop.now))

    claimed = await shop.claim(other, rules=Rules())
    assert isinstance(claimed, Done)
    assert claimed.delivery.reason == "opted out of commercial email"
    assert (await get_run(shop.store, other)).customer == "bob"
