"""Runs that are moved while something holds them: they are held there too, for the same reason and until the same time.

All of it where their step has another name as well: what is sent or posted keeps its id, and is what it was.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from journeys.clearance.releases import Over
from journeys.definition import call_id
from journeys.endpoints import Endpoint
from journeys.walk.diary import Delivery, Entry, Held
from journeys.walk.position import Position
from journeys.walk.world import Visit
from store import sends
from store.brake import hold_journey
from store.calls import Call, claim_call, postpone_call, record_call
from store.catalogue import ready_content
from store.endpoints import put_endpoint
from store.lifecycle_parked import Wanted
from store.pausing import pause, resume
from store.positions import positions
from store.repairs import repair
from store.runs import CallView, Holding, get_run, note
from store.schema import contents
from store.schema import sends as ledger
from tests.samples import CUSTOMER
from tests.shop import Shop, by_us
from tests.store.test_people import HELLO, published
from tests.store.test_people import pause as waiting
from tests.transactions import rows

HOUR = timedelta(hours=1)
WEBHOOK = {"id": "crm", "webhook": "crm", "with": {"email": "customer.email"}, "within": "1 day", "failing": "park"}
STEP, CRM = "initial-reminder", "crm"
NAMES = pytest.mark.parametrize("named", [None, "anew"], ids=["of-the-same-name", "of-another-name"])


async def moved(shop: Shop, step: dict[str, Any], named: str | None) -> None:
    """Publish a version in which the first step has another name, if it is *named* anew, and move everybody there."""
    names = {step["id"]: named} if named else {}
    first = {**step, "id": named or step["id"]}
    told = await published(shop, first, waiting(), waiting("more"), people="move", names=names)
    assert told.move
    assert told.move.stays == ()


async def there(shop: Shop, run: str) -> Position:
    return (await shop.store.read(lambda connection: positions(connection, [run])))[run]


async def visit(shop: Shop, run: str, version: int, step: dict[str, Any] = HELLO) -> Visit:
    """The visit of a walk that begins where the run stands, at a step like this one."""
    stands = await there(shop, run)
    expires_at = stands.since + timedelta(days=1) if "webhook" in step else None
    told = {"run": run, "version": version, "position": stands, "now": shop.now, "expires_at": expires_at}
    return Visit.model_validate({**told, "step": {**step, "id": stands.step}, "following": "pause"})


async def calls(shop: Shop, run: str, version: int = 1) -> Visit:
    """The same, of a call."""
    return await visit(shop, run, version, WEBHOOK)


async def at_a_call(shop: Shop) -> str:
    """A run that stands at its call."""
    for name in ("crm", "erp"):
        endpoint = Endpoint(endpoint=name, url=f"https://{name}.example.com")
        await put_endpoint(shop.store, endpoint, "sealed", by_us(shop.now))
    await published(shop, WEBHOOK, waiting())
    run = await shop.start()
    shop.later(minutes=1)
    return run


async def call(shop: Shop, run: str) -> CallView:
    (found,) = (await get_run(shop.store, run)).calls
    return found


async def tried(shop: Shop, run: str, next_in: timedelta) -> Call:
    """Try a call in vain."""
    at = await calls(shop, run)
    claimed = await claim_call(shop.store, at)
    assert isinstance(claimed, Call)
    assert await postpone_call(shop.store, at, "it answered 503", shop.now + next_in) is None
    return claimed


@NAMES
async def test_a_call_is_tried_again_when_it_was_to_be_with_what_was_posted(shop: Shop, named: str | None) -> None:
    run = await at_a_call(shop)
    first = await tried(shop, run, 2 * HOUR)
    await shop.change(email="another@example.com")
    shop.later(hours=1)

    await moved(shop, WEBHOOK, named)
    early = await claim_call(shop.store, await calls(shop, run, 2))
    before = await call(shop, run)
    shop.later(hours=1)
    again = await claim_call(shop.store, await calls(shop, run, 2))

    assert early == Held(until=shop.now, why="the endpoint takes nothing now")
    assert (before.state, before.tries, before.next_at, before.reason) == ("trying", 1, shop.now, "it answered 503")
    assert isinstance(again, Call)
    assert (again.id, again.data, again.tries) == (first.id, {"email": CUSTOMER["email"]}, 2)
    assert (again.step, again.since) == (named or CRM, first.since)


@NAMES
async def test_a_call_that_is_parked_stays_so_until_it_is_repaired(shop: Shop, named: str | None) -> None:
    run = await at_a_call(shop)
    at = await calls(shop, run)
    first = await claim_call(shop.store, at)
    assert isinstance(first, Call)
    refused = Delivery(outcome="failed", at=shop.now, reason="it answered 400")
    assert isinstance(await record_call(shop.store, at, refused), Held)
    was = (await get_run(shop.store, run)).held
    shop.later(hours=1)

    await moved(shop, WEBHOOK, named)
    held = await claim_call(shop.store, await calls(shop, run, 2))

    assert held == Held(until=None, why="it has failed before", by="park")
    seen = await get_run(shop.store, run)
    assert (seen.held, seen.diary[-1].why) == (was, "parked until it is repaired: it answered 400")
    assert ((await call(shop, run)).state, (await call(shop, run)).tries) == ("parked", 1)
    await repair(shop.store, "abandoned-cart", Wanted(step=named or CRM), by_us(shop.now))
    shop.later(hours=1)
    again = await claim_call(shop.store, await calls(shop, run, 2))
    assert isinstance(again, Call)
    assert (again.id, again.data) == (first.id, first.data)


@pytest.mark.parametrize(
    ("other", "posts"),
    [
        pytest.param({"webhook": "erp"}, ("erp", {"email": "new@example.com"}), id="another-endpoint"),
        pytest.param({"with": {"total": "event.total"}}, ("crm", {"total": 60}), id="something-else"),
    ],
)
@NAMES
async def test_what_posts_something_else_is_tried_at_once(
    shop: Shop, named: str | None, other: dict[str, Any], posts: object
) -> None:
    run = await at_a_call(shop)
    first = await tried(shop, run, 2 * HOUR)
    await shop.change(email="new@example.com")

    await moved(shop, WEBHOOK | other, named)
    again = await claim_call(shop.store, await calls(shop, run, 2))

    assert isinstance(again, Call)
    assert ((again.endpoint, again.data), again.id, again.tries) == (posts, first.id, 2)
    assert (await call(shop, run)).endpoint == again.endpoint


async def by_quiet_time(shop: Shop) -> None:
    await shop.rule(quiet=[{"from": "00:00", "to": "23:00"}])


async def by_a_cap(shop: Shop) -> None:
    await shop.rule(caps=[{"channels": ["email"], "at_most": 1, "per": "1 day", "over": "hold"}])
    other = await shop.start(cart_id="other")
    await shop.claim(other)
    await shop.record(other, following="pause")


async def by_the_brake(shop: Shop) -> None:
    await shop.store.write(lambda connection: hold_journey(connection, "abandoned-cart", "too many", None, shop.now))


async def by_a_pause(shop: Shop) -> None:
    await pause(shop.store, "abandoned-cart", by_us(shop.now))


async def by_a_failure(shop: Shop) -> None:
    await shop.store.write(lambda connection: connection.execute(TAKE_BACK))


TAKE_BACK = update(contents).where(contents.c.name == "initial-email-reminder").values(state="draft")
ONE_OF_MANY = {"trigger": "abandoned-cart", "overlap": "parallel", "repeat": "immediately", "key": "event.cart_id"}
HOLDS = pytest.mark.parametrize("holds", [by_quiet_time, by_a_cap, by_the_brake, by_a_pause, by_a_failure])
PARKS = {**HELLO, "failing": "park"}


async def held(shop: Shop, holds: Any = by_a_failure) -> tuple[str, Holding]:
    """A run whose first message is held."""
    await published(shop, PARKS, waiting(), start=ONE_OF_MANY)
    run = await shop.start(cart_id="c1")
    await holds(shop)
    assert isinstance(await sends.claim(shop.store, shop.visit(run, following="pause")), Held)
    await ready_content(shop.store, "initial-email-reminder", by_us(shop.now))
    found = (await get_run(shop.store, run)).held
    assert found
    return run, found


@HOLDS
@NAMES
async def test_a_message_that_is_held_is_held_there_too(shop: Shop, holds: Any, named: str | None) -> None:
    run, before = await held(shop, holds)
    shop.later(hours=1)

    await moved(shop, PARKS, named)

    assert (await get_run(shop.store, run)).held == before
    again = await sends.claim(shop.store, await visit(shop, run, 2))
    after = (await get_run(shop.store, run)).held
    assert isinstance(again, Held)
    assert after
    assert (after.by, after.since, after.why) == (again.by, before.since, before.why)


@NAMES
async def test_whom_a_pause_holds_is_left_out_where_it_is_resumed_so(shop: Shop, named: str | None) -> None:
    run, _ = await held(shop, by_a_pause)
    shop.later(hours=1)
    await moved(shop, PARKS, named)
    shop.later(hours=1)

    await resume(shop.store, "abandoned-cart", by_us(shop.now), "skip")

    claimed = await sends.claim(shop.store, await visit(shop, run, 2))
    assert isinstance(claimed, sends.Done)
    assert (claimed.delivery.outcome, claimed.delivery.reason) == ("blocked", "skipped while paused")
    assert (await get_run(shop.store, run)).step == "pause"


@NAMES
async def test_who_was_let_go_takes_its_turn_still(shop: Shop, named: str | None) -> None:
    run, _ = await held(shop, by_a_pause)
    await resume(shop.store, "abandoned-cart", by_us(shop.now), Over(over=10 * HOUR))

    await moved(shop, PARKS, named)

    turn = await sends.claim(shop.store, await visit(shop, run, 2))
    assert isinstance(turn, Held)
    assert (turn.by, turn.why[:28]) == ("release", "its journey was resumed at 2")


@NAMES
async def test_a_message_that_is_parked_is_not_tried_before_it_is_repaired(shop: Shop, named: str | None) -> None:
    run, before = await held(shop)

    await moved(shop, PARKS, named)

    at = await visit(shop, run, 2)
    assert await sends.claim(shop.store, at) == Held(until=None, why="it has failed before", by="park")
    assert (await get_run(shop.store, run)).held == before
    await repair(shop.store, "abandoned-cart", Wanted(step=named or STEP), by_us(shop.now))
    assert await sent_once(shop, run)


@NAMES
async def test_a_message_that_is_parked_is_tried_where_it_is_another_now(shop: Shop, named: str | None) -> None:
    run, _ = await held(shop)

    await moved(shop, {**PARKS, "expires": "3 days"}, named)

    turn = await sends.claim(shop.store, await visit(shop, run, 2))
    assert isinstance(turn, Held)
    assert turn.by == "release"
    assert await sent_once(shop, run)


async def sent_once(shop: Shop, run: str) -> bool:
    """Send the message of a run in version 2 that waits for its turn. Returns whether its ledger has it, and once."""
    at = await visit(shop, run, 2)
    shop.later(hours=1)
    claimed = await sends.claim(shop.store, at.at(shop.now))
    assert isinstance(claimed, sends.Go)
    accepted = Delivery(outcome="accepted", at=shop.now)
    assert await sends.record(shop.store, at.at(shop.now), claimed.attempt, accepted, "p-1") is None
    (row,) = await rows(shop.store, select(ledger).where(ledger.c.run == run))
    assert (await get_run(shop.store, run)).step == "pause"
    return (row.id, row.step, row.state, row.attempt) == (claimed.send_id, at.at_step, "accepted", claimed.attempt)


async def test_a_message_keeps_its_id_for_life_and_its_name_is_for_another(shop: Shop) -> None:
    """Providers know the id of an attempt that was none; a message that has the name then is another one."""
    await published(shop, HELLO, waiting())
    run = await shop.start()
    first = await shop.claim(run, following="pause")
    assert isinstance(first, sends.Go)
    await sends.release(shop.store, shop.visit(run), first.attempt, "busy")
    shop.later(minutes=1)

    await moved(shop, HELLO, "anew")
    again = await sends.claim(shop.store, await visit(shop, run, 2))
    assert isinstance(again, sends.Go)
    accepted = Delivery(outcome="accepted", at=shop.now)
    await sends.record(shop.store, await visit(shop, run, 2), again.attempt, accepted, "p-1")
    told = await published(shop, {**HELLO, "id": "anew"}, waiting(), HELLO, people="move")
    shop.later(minutes=1)
    passed = Entry(n=(await there(shop, run)).lines, at=shop.now, step="pause", did="passed")
    await note(shop.store, run, [passed, Entry(n=passed.n + 1, at=shop.now, step=STEP, did="entered")], version=3)
    other = await sends.claim(shop.store, await visit(shop, run, 3))

    assert told.move
    assert told.move.steps == {"pause": 1}
    assert isinstance(other, sends.Go)
    assert (again.send_id, again.attempt) == (first.send_id, 2)
    assert other.send_id != first.send_id
    await sends.record(shop.store, await visit(shop, run, 3), other.attempt, accepted, "p-2")
    assert [(row.step, row.provider_id) for row in await rows(shop.store, select(ledger).order_by(ledger.c.step))] == [
        ("anew", "p-1"),
        (STEP, "p-2"),
    ]


async def test_a_call_has_an_id_of_its_own_where_another_had_its_name(shop: Shop) -> None:
    run = await at_a_call(shop)
    first = await tried(shop, run, timedelta(0))
    await moved(shop, WEBHOOK, "anew")
    await record_call(shop.store, await calls(shop, run, 2), Delivery(outcome="accepted", at=shop.now))
    await published(shop, {**WEBHOOK, "id": "anew"}, waiting(), WEBHOOK, people="move")
    shop.later(minutes=1)
    passed = Entry(n=(await there(shop, run)).lines, at=shop.now, step="pause", did="passed")
    await note(shop.store, run, [passed, Entry(n=passed.n + 1, at=shop.now, step=CRM, did="entered")], version=3)

    other = await claim_call(shop.store, await calls(shop, run, 3))

    assert isinstance(other, Call)
    assert other.id not in {first.id, call_id(run, CRM)}
