"""Where runs stand, by what the tables hold of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event

from journeys.definition import send_id
from journeys.walk.diary import Delivery, Entry
from journeys.walk.pace import DAY
from journeys.walk.position import Position, Turn
from store import sends
from store.positions import positions, run_inputs
from store.runs import note
from tests.samples import abandoned_cart
from tests.shop import NOON, Shop
from workflows.run_input import RunInput

ASKS = {"id": "asks", "if": {"message": "initial-reminder", "is": "opened", "within": "1 day"}, "then": []}
PAUSE = {"id": "pause", "wait": "1 day"}
NUDGES = {"id": "nudges", "until": {"trigger": "store-visit", "within": "5 days"}, "steps": [ASKS, PAUSE]}
HELLO = {"id": "initial-reminder", "email": "initial-email-reminder", "to": "customer.email"}


async def found(shop: Shop, *runs: str) -> dict[str, Position]:
    return await shop.store.read(lambda connection: positions(connection, runs))


async def test_who_has_just_entered_stands_at_the_first_step(shop: Shop) -> None:
    await shop.publish()
    run = await shop.start()

    assert await found(shop, run) == {run: Position.at_start("initial-reminder", NOON)}


async def test_the_store_knows_all_that_a_walk_needs_to_go_on(shop: Shop) -> None:
    """What it sent, what answered, which series it is in, and since when it stands there."""
    await shop.publish(abandoned_cart(steps=[HELLO, NUDGES], exit=[]))
    run, bob = await shop.start(), await shop.start("bob")
    await shop.claim(run)
    sent = await shop.record(run, following="nudges")
    later = shop.later(hours=1)
    asked = Entry(n=3, at=NOON, step="asks", did="entered")
    await note(shop.store, run, [asked])
    await shop.post("email-opened", None, send_id=send_id(run, "initial-reminder"))
    passed = Entry(n=4, at=later, step="asks", did="passed", arm="yes", why="opened")
    await note(shop.store, run, [passed, Entry(n=5, at=later, step="pause", did="entered")])

    stands = await found(shop, run, bob, "nobody")

    assert stands[bob] == Position.at_start("initial-reminder", NOON)
    (opened,) = stands[run].heard
    assert opened.answers == ("asks",)
    assert stands[run] == Position(
        step="pause",
        since=later,
        turns=(Turn("nudges", "meanwhile"),),
        lines=6,
        sent={"initial-reminder": Delivery(outcome="accepted", at=sent.at)},
        heard=(opened,),
        taken={opened.event: ("nudges",)},
        inside={"nudges": NOON},
    )


async def test_who_is_over_stands_nowhere(shop: Shop) -> None:
    await shop.publish()
    run = await shop.start()
    await shop.post("purchase-completed", total=60)

    assert await found(shop, run) == {}


async def test_why_a_provider_refused_is_not_told(shop: Shop) -> None:
    await shop.publish()
    run = await shop.start()
    await shop.claim(run)
    refused = Delivery(outcome="failed", at=NOON, reason="no mailbox ada@example.com")
    await sends.record(shop.store, shop.visit(run), 1, refused, None)

    told = await shop.store.read(lambda connection: run_inputs(connection, [run]))

    assert "ada@" not in str(told)
    assert (await found(shop, run))[run].sent["initial-reminder"].outcome == "failed"


async def test_temporal_is_told_what_it_was_told_at_the_start_and_where_to_begin(shop: Shop) -> None:
    await shop.publish()
    run = await shop.start()

    told: Any = (await shop.store.read(lambda connection: run_inputs(connection, [run])))[run]

    given = RunInput.model_validate({**told, "day": told["day"] or DAY})
    steps = abandoned_cart().steps
    assert given == RunInput(
        id=run, version=1, steps=steps, started_at=NOON, position=Position.at_start("initial-reminder", NOON)
    )
    assert (told["journey"], told["customer"], told["trigger"]) == ("abandoned-cart", "ada", "abandoned-cart")


async def test_many_runs_are_read_in_a_few_statements(shop: Shop) -> None:
    await shop.publish()
    runs = [await shop.start(f"customer-{number}") for number in range(30)]
    asked: list[str] = []

    def read(connection: Any) -> dict[str, Position]:
        event.listen(connection, "before_cursor_execute", lambda *args: asked.append(args[2]))
        return positions(connection, runs)

    assert len(await shop.store.read(read)) == 30
    assert len(asked) <= 5
