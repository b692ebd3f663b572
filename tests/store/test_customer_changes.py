"""A change of a customer is an event: it starts, resumes, exits and is a goal, in the transaction that writes it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from journeys.definition import Journey
from journeys.language.attributes import Attributes, Value
from journeys.problems import Conflict, Invalid
from journeys.reading import read_journey
from store.customers import change_customer, get_customer, patch_customer, put_customer
from store.events import Receipt, get_event, list_events
from store.runs import get_run
from store.schema import AnyRow, customers, events, outbox
from store.sends import Done, Go, claim
from store.store import Store, open_store
from tests.samples import CUSTOMER, abandoned_cart
from tests.shop import NOON, Shop
from tests.transactions import execute, rows

TO_PRO = 'before.plan == "free" && customer.plan == "pro"'
PAUSE = {"id": "pause", "wait": "1000 days"}


def upgraded(**changes: object) -> Journey:
    """A journey for those who go from free to pro."""
    start = {"trigger": "customer-changed", "where": TO_PRO}
    return read_journey({"journey": "upgraded", "start": start, "steps": [PAUSE], **changes})


def member(**changes: object) -> Journey:
    """A journey that a cart starts and that waits, with an exit for who churned."""
    exits = [{"when": 'customer.status == "churned"'}]
    return read_journey({"journey": "member", "start": "abandoned-cart", "exit": exits, "steps": [PAUSE], **changes})


async def knows(shop: Shop, **attributes: Value) -> None:
    """The house knows these attributes, from another customer."""
    await shop.change("zoe", **attributes)


async def jobs(store: Store) -> Sequence[AnyRow]:
    return await rows(store, select(outbox).order_by(outbox.c.id))


def did(receipt: Receipt | None) -> list[tuple[str, str, str]]:
    return [(made.journey, made.did, made.why) for made in receipt.decisions] if receipt else []


class TestWriting:
    async def test_a_patch_merges_and_null_takes_away(self, store: Store) -> None:
        await put_customer(store, "ada", {"email": "ada@example.com", "points": 3, "vip": True}, NOON)

        change = await patch_customer(store, "ada", {"points": 4, "vip": None, "phone": "+15550100"}, NOON)

        assert change.customer.attributes == {"email": "ada@example.com", "points": 4, "phone": "+15550100"}
        assert change.customer == await get_customer(store, "ada")
        assert not change.created

    async def test_a_patch_of_nobody_makes_somebody(self, store: Store) -> None:
        change = await patch_customer(store, "ada", {"points": 4, "vip": None}, NOON)

        assert change.created
        assert (await get_customer(store, "ada")).attributes == {"points": 4}

    @pytest.mark.parametrize("write", [put_customer, patch_customer], ids=["put", "patch"])
    async def test_the_same_again_is_no_change(self, store: Store, write: Any) -> None:
        told: Attributes = {"email": "ada@example.com", "points": 4, "vip": None}
        await write(store, "ada", told, NOON)

        change = await write(
            store, "ada", {**told, "email": "Ada <ada@EXAMPLE.com>", "points": 4.0}, NOON + timedelta(1)
        )

        assert (change.created, change.receipt) == (False, None)
        assert change.customer.changed_at == NOON

    async def test_a_patch_leaves_what_an_earlier_release_let_in(self, store: Store) -> None:
        await put_customer(store, "ada", {"points": 4}, NOON)
        await execute(store, update(customers).values(attributes={"email": "no address", "points": 4}))

        change = await patch_customer(store, "ada", {"points": 5}, NOON)

        assert change.customer.attributes == {"email": "no address", "points": 5}

    async def test_a_patch_with_a_flaw_changes_nothing(self, store: Store) -> None:
        await put_customer(store, "ada", {"points": 4}, NOON)

        with pytest.raises(Invalid) as refused:
            await patch_customer(store, "ada", {"points": "many", "shoe": 40}, NOON)

        assert [flaw.path for flaw in refused.value.flaws] == ["attributes.points"]
        assert (await get_customer(store, "ada")).attributes == {"points": 4}

    async def test_services_that_each_know_a_part_lose_nothing(self, store: Store, database_url: str) -> None:
        stores = [open_store(database_url) for _ in range(6)]

        await asyncio.gather(*(patch_customer(each, "ada", {f"part_{n}": n}, NOON) for n, each in enumerate(stores)))
        for each in stores:
            await each.close()

        assert (await get_customer(store, "ada")).attributes == {f"part_{n}": n for n in range(6)}

    async def test_a_change_may_be_made_of_what_is_there(self, store: Store) -> None:
        def one_more(attributes: Attributes) -> Mapping[str, Value]:
            return {"points": float(attributes.get("points") or 0) + 1}

        for _ in range(3):
            await store.write(lambda connection: change_customer(connection, "ada", one_more, NOON))

        assert (await get_customer(store, "ada")).attributes == {"points": 3}


class TestEvents:
    async def test_a_change_starts_a_journey_that_asks_what_it_was_before(self, shop: Shop) -> None:
        await knows(shop, plan="free")
        await shop.publish(upgraded())
        await shop.change(plan="free")

        change = await shop.change(plan="pro")

        assert change.receipt
        [made] = change.receipt.decisions
        assert (made.journey, made.did) == ("upgraded", "started")
        event = await get_event(shop.store, "customers", change.receipt.event)
        assert (event.trigger, event.attributes, event.decisions) == ("customer-changed", {}, (made,))
        assert event.before == {**CUSTOMER, "plan": "free"}
        assert (await get_run(shop.store, made.run or "")).entered_at >= shop.now

    async def test_a_change_that_is_another_one_says_why_nobody_starts(self, shop: Shop) -> None:
        await knows(shop, plan="free")
        await shop.publish(upgraded())

        change = await shop.change(plan="pro")

        [(journey, happened, why)] = did(change.receipt)
        assert (journey, happened) == ("upgraded", "ignored")
        assert "before.plan is missing" in why

    async def test_a_new_customer_is_an_event_of_its_own(self, shop: Shop) -> None:
        start = {"trigger": "customer-created", "where": 'customer.country == "NO"'}
        await shop.publish(upgraded(journey="welcome", start=start))

        changes = [await shop.change("olav", country="NO"), await shop.change("olav", first_name="Olav")]

        assert [[made.did for made in change.receipt.decisions] for change in changes if change.receipt] == [
            ["started"],
            [],
        ]
        event = await get_event(shop.store, "customers", changes[0].receipt.event if changes[0].receipt else "")
        assert (event.trigger, event.before) == ("customer-created", {})

    async def test_a_put_is_the_same_event_as_a_patch(self, shop: Shop) -> None:
        await knows(shop, plan="free")
        await shop.publish(upgraded())
        await put_customer(shop.store, "ada", {"plan": "free"}, shop.now)

        change = await put_customer(shop.store, "ada", {"plan": "pro"}, shop.now)

        assert did(change.receipt) == [("upgraded", "started", "customer-changed")]

    async def test_each_change_is_an_event_of_its_own(self, shop: Shop) -> None:
        await knows(shop, plan="free")
        await shop.publish(upgraded(start={"trigger": "customer-changed", "overlap": "parallel"}))

        changes = [await shop.change(plan=plan) for plan in ("pro", "free", "pro", "pro")]

        names = [change.receipt.event for change in changes if change.receipt]
        assert len(set(names)) == len(names) == 3
        assert [len(change.receipt.decisions) if change.receipt else 0 for change in changes] == [1, 1, 1, 0]

    async def test_where_nobody_listens_nothing_is_written_down(self, shop: Shop) -> None:
        await shop.publish(abandoned_cart())
        await shop.start(cart_id="A")
        known = len(await list_events(shop.store, "ada"))

        change = await shop.change(first_name="Augusta")

        assert change.receipt
        assert change.receipt.decisions == ()
        assert len(await list_events(shop.store, "ada")) == known

    async def test_it_resumes_is_a_goal_and_exits(self, shop: Shop) -> None:
        await knows(shop, plan="free")
        question = {"trigger": "customer-changed", "where": TO_PRO, "within": "10 days"}
        changed = {"trigger": "customer-changed", "where": TO_PRO}
        steps = [{"id": "went", "if": question, "then": [PAUSE]}]
        await shop.publish(member(journey="asks", goal=changed, exit=[], steps=steps))
        await shop.publish(member(journey="leaves", exit=[changed]))
        await shop.change(plan="free")
        await shop.post("abandoned-cart", total=1)
        shop.later(minutes=1)

        change = await shop.change(plan="pro")

        assert did(change.receipt) == [
            ("asks", "goal met", "customer-changed during the run"),
            ("asks", "resumed", "customer-changed for went"),
            ("leaves", "exited", "exit: customer-changed"),
        ]
        assert sorted(job.kind for job in await jobs(shop.store)) == ["arrive", "cancel", "start", "start"]

    async def test_a_version_with_somebody_inside_listens_though_another_is_live(self, shop: Shop) -> None:
        await knows(shop, plan="free")
        await shop.publish(member(exit=[{"trigger": "customer-changed", "where": TO_PRO}]))
        await shop.change(plan="free")
        run = await shop.start()
        await shop.publish(member(exit=[]))

        change = await shop.change(plan="pro")

        assert change.receipt
        assert change.receipt.exited == (run,)

    async def test_one_that_came_before_a_late_start_keeps_it_out(self, shop: Shop) -> None:
        await knows(shop, plan="free")
        await shop.publish(member(exit=[{"trigger": "customer-changed", "where": TO_PRO}]))
        await shop.change(plan="free")
        shop.later(minutes=10)
        await shop.change(plan="pro")

        receipt = await shop.post("abandoned-cart", total=1, at=shop.now - timedelta(minutes=5))

        assert [(made.did, made.why.partition(" (")[0]) for made in receipt.decisions] == [
            ("ignored", "already exited: customer-changed")
        ]

    @pytest.mark.parametrize("trigger", ["customer-created", "customer-changed"])
    async def test_nobody_else_can_say_that_it_happened(self, shop: Shop, trigger: str) -> None:
        with pytest.raises(Invalid) as refused:
            await shop.post(trigger, source="customers")

        [flaw] = refused.value.flaws
        assert (flaw.path, flaw.message) == (
            "[0].trigger",
            f'"{trigger}" cannot be posted: it happens by itself where a customer is changed.',
        )
        assert "PATCH" in flaw.hint

    async def test_nobody_can_have_a_trigger_of_that_name(self, shop: Shop) -> None:
        with pytest.raises(Conflict, match="built in"):
            await shop.ready({"trigger": "customer-changed"})

    async def test_what_a_customer_was_is_told_to_nobody(self, shop: Shop) -> None:
        await knows(shop, plan="free")
        await shop.publish(upgraded())
        await shop.change(plan="free")

        await shop.change(plan="pro")

        [job] = await jobs(shop.store)
        assert job.kind == "start"
        assert not {"before", "attributes"} & job.payload.keys()
        assert not any(str(value) in str(job.payload) for value in ("free", CUSTOMER["email"]))

    async def test_a_change_named_by_a_step_has_its_name(self, shop: Shop) -> None:
        await knows(shop, plan="free")
        await shop.publish(upgraded())
        await shop.change(plan="free")

        def change(connection: Any) -> Receipt | None:
            named = ("journey:welcome", "welcome/ada/1:tag")
            return change_customer(connection, "ada", {"plan": "pro"}, shop.now, named=named).receipt

        receipt = await shop.store.write(change)

        assert receipt
        assert (receipt.source, receipt.event) == ("journey:welcome", "welcome/ada/1:tag")
        assert (await get_event(shop.store, receipt.source, receipt.event)).trigger == "customer-changed"

    async def test_the_events_of_others_have_nothing_from_before(self, shop: Shop) -> None:
        await knows(shop, status="active")
        await shop.publish(member())
        await shop.start()

        assert [row.before for row in await rows(shop.store, select(events))] == [None]


CHURNED = 'exit: customer.status == "churned"'


class TestExitOnACondition:
    async def test_a_change_ends_the_run(self, shop: Shop) -> None:
        await knows(shop, status="active")
        await shop.publish(member())
        run = await shop.start()

        change = await shop.change(status="churned")

        assert did(change.receipt) == [("member", "exited", CHURNED)]
        view = await get_run(shop.store, run)
        assert (view.ended, view.why) == ("exited", CHURNED)

    async def test_another_change_says_why_the_run_goes_on(self, shop: Shop) -> None:
        await knows(shop, status="active")
        await shop.publish(member())
        run = await shop.start()

        change = await shop.change(status="active")

        [(_, happened, why)] = did(change.receipt)
        assert happened == "ignored"
        assert why.endswith('does not hold (customer.status is "active")')
        assert (await get_run(shop.store, run)).ended is None

    async def test_a_change_of_who_is_in_no_run_is_not_written_down(self, shop: Shop) -> None:
        await knows(shop, status="active")
        await shop.publish(member())

        change = await shop.change(status="churned")

        assert change.receipt
        assert change.receipt.decisions == ()
        assert await list_events(shop.store, "ada") == []

    async def test_who_is_made_during_a_run_may_leave_it(self, shop: Shop) -> None:
        await knows(shop, status="active")
        await shop.publish(member())
        run = await shop.start("stranger")

        change = await shop.change("stranger", status="churned")

        assert change.created
        assert change.receipt
        assert change.receipt.exited == (run,)

    async def test_who_meets_it_does_not_enter(self, shop: Shop) -> None:
        await knows(shop, status="active")
        await shop.publish(member())
        await shop.change(status="churned")

        receipt = await shop.post("abandoned-cart", total=1)

        assert did(receipt) == [("member", "ignored", 'already exited: customer.status == "churned" holds')]

    async def test_who_never_said_enters(self, shop: Shop) -> None:
        await knows(shop, status="active")
        await shop.publish(member())

        assert await shop.start()

    async def test_of_several_exits_the_first_that_holds_is_the_reason(self, shop: Shop) -> None:
        await knows(shop, status="active", vip=True)
        exits = ["purchase-completed", {"when": "customer.vip"}, {"when": 'customer.status == "churned"'}]
        await shop.publish(member(exit=exits))
        await shop.start()

        change = await shop.change(status="churned", vip=True)

        assert did(change.receipt) == [("member", "exited", "exit: customer.vip")]

    async def test_nothing_is_sent_once_it_holds_whoever_wrote_it(self, shop: Shop) -> None:
        await knows(shop, status="active")
        steps = [{"id": "hello", "email": "initial-email-reminder", "to": "customer.email"}, PAUSE]
        await shop.publish(member(steps=steps))
        run = await shop.start()
        untold = update(customers).where(customers.c.id == "ada").values(attributes={**CUSTOMER, "status": "churned"})
        await execute(shop.store, untold)

        claimed = await claim(shop.store, shop.visit(run, "hello", following="pause"))

        assert isinstance(claimed, Done)
        assert (claimed.delivery.outcome, claimed.delivery.reason) == ("blocked", f"the run has ended: {CHURNED}")
        view = await get_run(shop.store, run)
        assert (view.ended, view.why, view.sends) == ("exited", CHURNED, ())
        assert [(job.kind, job.payload) for job in await jobs(shop.store)][1:] == [("cancel", {"reason": CHURNED})]

    async def test_a_claim_and_a_change_at_once_are_one_after_the_other(self, shop: Shop, database_url: str) -> None:
        await knows(shop, status="active")
        steps = [{"id": "hello", "email": "initial-email-reminder", "to": "customer.email"}, PAUSE]
        await shop.publish(member(steps=steps))
        other = open_store(database_url)
        for n in range(20):
            customer = f"c{n}"
            await shop.change(customer, **CUSTOMER)
            run = await shop.start(customer)

            claimed, change = await asyncio.gather(
                claim(other, shop.visit(run, "hello", following="pause")),
                patch_customer(shop.store, customer, {"status": "churned"}, shop.now),
            )

            assert change.receipt
            assert change.receipt.exited == (run,)
            assert change.receipt.in_flight == int(isinstance(claimed, Go))
        await other.close()


async def test_contents_of_a_journey_started_by_a_change_know_the_customer_only(shop: Shop) -> None:
    await knows(shop, plan="free")
    steps = [{"id": "hello", "email": "initial-email-reminder", "to": "customer.email"}]
    with pytest.raises(Invalid) as refused:
        await shop.publish(upgraded(steps=steps))

    assert [flaw.message for flaw in refused.value.flaws] == [
        'content "initial-email-reminder" uses event.total in its text, which is not known here.'
    ]


async def test_changes_events_and_publishing_at_once_wait_for_each_other(shop: Shop, database_url: str) -> None:
    await knows(shop, plan="free")
    await shop.publish(upgraded())
    stores = [open_store(database_url) for _ in range(4)]
    people = [f"c{n}" for n in range(5)]

    async def play(store: Store, number: int) -> None:
        here = Shop(store)
        for turn, person in enumerate(people * 2):
            await here.change(person, plan="pro" if (turn + number) % 2 else "free", **{f"new_{turn}": number})
            await here.post("abandoned-cart", person, total=1)
        await here.publish(member(journey=f"member-{number}", exit=[{"when": 'customer.plan == "gone"'}]))

    await asyncio.gather(*(play(store, number) for number, store in enumerate(stores)))
    for store in stores:
        await store.close()

    attributes = [(await get_customer(shop.store, person)).attributes for person in people]
    assert all(f"new_{n}" in attributes[n % 5] for n in range(10))
