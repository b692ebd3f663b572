"""What accepting an event does, in one transaction."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import Connection, func, select

from journeys.catalogue import Event
from journeys.definition import Journey, send_id, short_id
from journeys.facts import Decision
from journeys.problems import Conflict, Invalid, Unknown
from journeys.reading import read_trigger
from journeys.walk.diary import Entry
from journeys.walk.pace import DAY
from store import catalogue, events
from store.events import Receipt, accept, get_event
from store.facts import read_facts
from store.outbox import Job, done, lease
from store.runs import RunView, get_run, list_runs, note
from store.schema import events as event_table
from store.stopping import stop
from store.store import Store, open_store
from tests.samples import abandoned_cart
from tests.shop import NOON, Shop, by_us
from tests.transactions import rows


def did(receipt: Receipt) -> list[str]:
    return [decision.did for decision in receipt.decisions]


def why(receipt: Receipt) -> str:
    return receipt.decisions[0].why


async def jobs(store: Store) -> list[Job]:
    return await lease(store, NOON + timedelta(days=1000), 1000, timedelta(0))


async def runs_of(shop: Shop, **wanted: object) -> list[RunView]:
    page = await list_runs(shop.store, **wanted)  # type: ignore[arg-type]
    return [await get_run(shop.store, run.id) for run in page.runs]


async def stored(store: Store) -> int:
    [(count,)] = await rows(store, select(func.count()).select_from(event_table))
    return int(count)


async def flaws(shop: Shop, *posted: Event) -> list[str]:
    with pytest.raises(Invalid) as error:
        await accept(shop.store, posted, shop.now)
    return [str(flaw) for flaw in error.value.flaws]


class TestStart:
    async def test_a_cart_starts_a_run_at_its_first_step(self, shop: Shop) -> None:
        await shop.publish()

        receipt = await shop.post("abandoned-cart", total=60, cart_id="A")

        [decision] = receipt.decisions
        run = await get_run(shop.store, decision.run or "")
        assert (decision.did, decision.version, receipt.duplicate) == ("started", 1, False)
        assert (run.customer, run.key, run.step, run.entered_at) == ("ada", "A", "initial-reminder", shop.now)
        assert [(line.n, line.step, line.did) for line in run.diary] == [(0, "initial-reminder", "entered")]
        assert [item.decision for item in run.decisions] == [decision]

    async def test_temporal_is_told_all_it_needs_and_nothing_personal(self, shop: Shop) -> None:
        await shop.publish()
        occurred = shop.now - timedelta(hours=1)

        receipt = await shop.post("abandoned-cart", total=60, cart_id="A", at=occurred)

        [job] = await jobs(shop.store)
        steps = abandoned_cart().model_dump(mode="json", by_alias=True, exclude_defaults=True)["steps"]
        assert (job.run, job.kind) == (receipt.decisions[0].run, "start")
        assert job.payload == {
            "id": job.run,
            "steps": steps,
            "started_at": occurred.isoformat(),
            "day": None,
            "journey": "abandoned-cart",
            "version": 1,
            "customer": "ada",
            "trigger": "abandoned-cart",
        }

    async def test_the_pace_of_a_run_is_the_one_of_its_start(self, shop: Shop) -> None:
        await shop.publish()

        await accept(shop.store, [shop.event("abandoned-cart", total=1)], shop.now, day=timedelta(seconds=5))

        [job] = await jobs(shop.store)
        assert job.payload["day"] == 5
        assert (await get_run(shop.store, job.run)).day == timedelta(seconds=5)

    async def test_a_condition_that_does_not_hold_is_the_reason(self, shop: Shop) -> None:
        await shop.publish(abandoned_cart(start={"trigger": "abandoned-cart", "where": "event.total > 50"}))

        receipt = await shop.post("abandoned-cart", total=40)

        assert did(receipt) == ["ignored"]
        assert "unmet condition" in why(receipt)
        assert "40" in why(receipt)
        assert await runs_of(shop) == []

    async def test_a_condition_may_ask_about_the_customer(self, shop: Shop) -> None:
        where = 'customer.first_name == "Ada"'
        await shop.publish(abandoned_cart(start={"trigger": "abandoned-cart", "where": where}))

        assert did(await shop.post("abandoned-cart", "ada", total=1)) == ["started"]
        assert did(await shop.post("abandoned-cart", "nobody-we-know", total=1)) == ["ignored"]

    @pytest.mark.parametrize(
        ("minutes", "expected"), [(-1, "ignored"), (0, "started"), (59, "started"), (60, "ignored")]
    )
    async def test_the_window_is_about_when_it_occurred(self, shop: Shop, minutes: int, expected: str) -> None:
        opens = NOON - timedelta(hours=2)
        window = {"from": opens.isoformat(), "until": (opens + timedelta(hours=1)).isoformat()}
        await shop.publish(abandoned_cart(start={"trigger": "abandoned-cart", **window}))

        receipt = await shop.post("abandoned-cart", total=1, at=opens + timedelta(minutes=minutes))

        assert did(receipt) == [expected]

    async def test_every_live_journey_that_starts_on_the_trigger_decides(self, shop: Shop) -> None:
        await shop.publish()
        await shop.publish(
            abandoned_cart(journey="big-carts", start={"trigger": "abandoned-cart", "where": "event.total > 99"})
        )

        receipt = await shop.post("abandoned-cart", total=60)

        assert [(made.journey, made.did) for made in receipt.decisions] == [
            ("abandoned-cart", "started"),
            ("big-carts", "ignored"),
        ]


class TestRepeat:
    async def entries(self, shop: Shop, repeat: object) -> list[str]:
        await shop.publish(abandoned_cart(start={"trigger": "abandoned-cart", "repeat": repeat}))
        results = []
        for hours in (0, 23, 2):
            shop.later(hours=hours)
            results += did(await shop.post("abandoned-cart", total=1))
            await shop.post("purchase-completed")
            shop.later(seconds=1)
        return results

    @pytest.mark.parametrize(
        ("repeat", "expected"),
        [
            ("never", ["started", "ignored", "ignored"]),
            ("immediately", ["started", "started", "started"]),
            ({"after": "1 day"}, ["started", "ignored", "started"]),
        ],
        ids=["never", "immediately", "after"],
    )
    async def test_repeat(self, shop: Shop, repeat: object, expected: list[str]) -> None:
        assert await self.entries(shop, repeat) == expected

    async def test_never_is_remembered_across_versions(self, shop: Shop) -> None:
        start = {"trigger": "abandoned-cart", "repeat": "never"}
        await shop.publish(abandoned_cart(start=start))
        await shop.start()
        await shop.post("purchase-completed")
        await shop.publish(abandoned_cart(start=start, exit=[]))

        receipt = await shop.post("abandoned-cart", total=1, at=shop.later(hours=1))

        assert did(receipt) == ["ignored"]
        assert "repeat is never" in why(receipt)


class TestOverlap:
    async def two_carts(self, shop: Shop, overlap: str) -> tuple[str, Receipt]:
        await shop.publish(abandoned_cart(start={"trigger": "abandoned-cart", "overlap": overlap}))
        first = await shop.start()
        shop.later(hours=1)
        return first, await shop.post("abandoned-cart", total=1)

    async def test_ignore(self, shop: Shop) -> None:
        first, receipt = await self.two_carts(shop, "ignore")

        assert did(receipt) == ["ignored"]
        assert first in why(receipt)

    async def test_parallel(self, shop: Shop) -> None:
        first, receipt = await self.two_carts(shop, "parallel")

        assert did(receipt) == ["started"]
        assert {run.id for run in await runs_of(shop, active=True)} == {first, receipt.decisions[0].run}

    async def test_restart(self, shop: Shop) -> None:
        first, receipt = await self.two_carts(shop, "restart")

        old = await get_run(shop.store, first)
        assert did(receipt) == ["restarted", "started"]
        assert (old.ended, old.ended_by, old.step) == ("exited", "restart", None)
        assert old.why == "its customer entered anew"
        assert [(job.run, job.kind) for job in await jobs(shop.store)] == [
            (first, "start"),
            (receipt.decisions[1].run, "start"),
        ]


class TestDuplicates:
    async def test_ten_at_once_are_one(self, shop: Shop, database_url: str) -> None:
        await shop.publish()
        event = shop.event("abandoned-cart", total=60, cart_id="A")
        # As if each came to a process of its own.
        stores = [open_store(database_url) for _ in range(10)]

        receipts = await asyncio.gather(*(accept(store, [event], shop.now) for store in stores))
        for store in stores:
            await store.close()

        assert sorted(one[0].duplicate for one in receipts) == [False] + [True] * 9
        assert len({one[0].decisions for one in receipts}) == 1
        assert did(receipts[0][0]) == ["started"]
        assert len(await runs_of(shop)) == 1
        assert [job.kind for job in await jobs(shop.store)] == ["start"]

    async def test_ten_in_one_batch_are_one(self, shop: Shop) -> None:
        await shop.publish()

        receipts = await accept(shop.store, [shop.event("abandoned-cart", total=60, id="one")] * 10, shop.now)

        assert [receipt.duplicate for receipt in receipts] == [False] + [True] * 9
        assert len({receipt.decisions for receipt in receipts}) == 1
        assert len(await runs_of(shop)) == 1

    async def test_the_same_again_without_a_time_is_the_same(self, shop: Shop) -> None:
        first = await shop.post("store-visit", id="one", city="Delft")
        shop.later(hours=1)

        again = await shop.post("store-visit", id="one", city="Delft")

        assert again == first.model_copy(update={"duplicate": True})

    @pytest.mark.parametrize(
        "other", [{"city": "Gouda"}, {"customer": "bob", "city": "Delft"}], ids=["attribute", "customer"]
    )
    async def test_another_body_under_the_same_id_is_a_conflict(self, shop: Shop, other: dict[str, str]) -> None:
        await shop.post("store-visit", id="one", city="Delft")

        with pytest.raises(Conflict) as refused:
            await shop.post("store-visit", id="one", **other)

        assert [flaw.path for flaw in refused.value.flaws] == ["[0].id"]
        assert (await get_event(shop.store, "api", "one")).attributes == {"city": "Delft"}

    async def test_the_same_id_from_another_source_is_another_event(self, shop: Shop) -> None:
        await shop.post("store-visit", id="one", city="Delft")

        assert not (await shop.post("store-visit", id="one", source="tills", city="Delft")).duplicate

    async def test_two_customers_who_claim_one_id_at_once_get_one_event(self, shop: Shop, database_url: str) -> None:
        await shop.publish()
        customers = [f"customer-{number}" for number in range(8)]
        stores = [open_store(database_url) for _ in customers]
        posted = [shop.event("abandoned-cart", customer, id="one", total=1) for customer in customers]

        told = await asyncio.gather(
            *(accept(store, [event], shop.now) for store, event in zip(stores, posted, strict=True)),
            return_exceptions=True,
        )
        for store in stores:
            await store.close()

        assert sorted(type(one).__name__ for one in told) == ["Conflict"] * 7 + ["list"]
        assert len(await runs_of(shop)) == 1

    async def test_two_carts_at_once_are_one_run_where_overlap_is_ignore(self, shop: Shop, database_url: str) -> None:
        await shop.publish(abandoned_cart(start={"trigger": "abandoned-cart"}))
        stores = [open_store(database_url) for _ in range(8)]

        receipts = await asyncio.gather(
            *(accept(store, [shop.event("abandoned-cart", total=1)], shop.now) for store in stores)
        )
        for store in stores:
            await store.close()

        assert sorted(did(one[0])[0] for one in receipts) == ["ignored"] * 7 + ["started"]


class TestExit:
    async def test_a_purchase_is_the_goal_and_ends_the_run(self, shop: Shop) -> None:
        await shop.publish()
        run = await shop.start()
        shop.later(minutes=5)

        receipt = await shop.post("purchase-completed")

        seen = await get_run(shop.store, run)
        assert did(receipt) == ["goal met", "exited"]
        assert (seen.ended, seen.ended_at, seen.why) == ("exited", shop.now, "exit: purchase-completed")
        assert (seen.goal_met_at, seen.step) == (shop.now, None)
        assert [(line.n, line.step, line.did, line.why) for line in seen.diary][1:] == [
            (1, "initial-reminder", "left", "exit: purchase-completed")
        ]

    async def test_temporal_is_told_in_order(self, shop: Shop) -> None:
        await shop.publish()
        run = await shop.start()
        await shop.post("purchase-completed")

        [start] = await jobs(shop.store)
        await done(shop.store, [start.id])
        [cancel] = await jobs(shop.store)

        assert (start.kind, cancel.kind, cancel.run) == ("start", "cancel", run)
        assert cancel.payload == {"reason": "exit: purchase-completed"}

    async def test_the_receipt_names_what_is_on_its_way_and_what_is_out(self, shop: Shop) -> None:
        await shop.publish()
        run = await shop.start()
        await shop.claim(run)
        await shop.record(run)
        shop.later(minutes=1)
        await shop.claim(run, "second-reminder", following="pause")

        receipt = await shop.post("purchase-completed", id="bought")

        assert (receipt.in_flight, receipt.already_sent) == (1, ("initial-reminder",))
        await shop.record(run, "second-reminder", following="pause")
        again = await shop.post("purchase-completed", id="bought")
        assert (again.in_flight, again.already_sent) == (0, ("initial-reminder", "second-reminder"))

    async def test_goal_exit_and_resume_come_in_this_order(self, shop: Shop) -> None:
        await shop.publish(_asks_for_purchase("asks-one"))
        await shop.publish(_asks_for_purchase("exits", exit=[{"trigger": "purchase-completed"}]))
        await shop.post("abandoned-cart", total=1)

        receipt = await shop.post("purchase-completed")

        assert [(made.journey, made.did) for made in receipt.decisions] == [
            ("asks-one", "goal met"),
            ("asks-one", "resumed"),
            ("exits", "goal met"),
            ("exits", "exited"),
        ]

    async def test_a_purchase_before_the_cart_starts_no_run(self, shop: Shop) -> None:
        await shop.publish()
        bought = shop.now - timedelta(minutes=10)
        await shop.post("purchase-completed", id="bought", at=bought)

        late = await shop.post("abandoned-cart", total=1, at=bought - timedelta(minutes=1))
        fresh = await shop.post("abandoned-cart", total=1, at=bought + timedelta(minutes=1))

        assert did(late) == ["ignored"]
        assert "already exited: purchase-completed (bought)" in why(late)
        assert did(fresh) == ["started"]

    async def test_a_purchase_before_the_cart_in_the_same_batch_starts_no_run(self, shop: Shop) -> None:
        await shop.publish()
        bought = shop.event("purchase-completed", at=shop.now)
        left = shop.event("abandoned-cart", total=1, at=shop.now - timedelta(minutes=1))

        receipts = await accept(shop.store, [bought, left], shop.now)

        assert [did(receipt) for receipt in receipts] == [["ignored"], ["ignored"]]

    async def test_a_cart_and_its_purchase_in_one_batch_start_and_end_a_run(self, shop: Shop) -> None:
        await shop.publish()
        posted = [
            shop.event("abandoned-cart", total=1),
            shop.event("purchase-completed"),
            shop.event("abandoned-cart", total=2),
        ]

        receipts = await accept(shop.store, posted, shop.now + timedelta(seconds=1))

        assert [did(receipt) for receipt in receipts] == [["started"], ["goal met", "exited"], ["started"]]
        [run] = [run for run in await runs_of(shop) if run.ended]
        assert [(line.n, line.did) for line in run.diary] == [(0, "entered"), (1, "left")]

    async def test_a_purchase_that_occurred_before_the_run_does_not_end_it(self, shop: Shop) -> None:
        await shop.publish(abandoned_cart(start={"trigger": "abandoned-cart"}))
        run = await shop.start(at=shop.now)

        receipt = await shop.post("purchase-completed", at=shop.now - timedelta(minutes=1))

        assert did(receipt) == ["ignored"]
        assert (await get_run(shop.store, run)).ended is None

    async def test_a_purchase_of_one_cart_leaves_the_other_alone(self, shop: Shop) -> None:
        await shop.publish()
        a = await shop.start(cart_id="A")
        shop.later(minutes=1)
        b = await shop.start(cart_id="B")

        receipt = await shop.post("purchase-completed", cart_id="A")

        assert [(made.run, made.did) for made in receipt.decisions] == [(a, "goal met"), (a, "exited"), (b, "ignored")]
        assert (await get_run(shop.store, b)).ended is None

    async def test_a_purchase_without_a_cart_ends_all(self, shop: Shop) -> None:
        await shop.publish()
        a, b = await shop.start(cart_id="A"), await shop.start(cart_id="B")

        receipt = await shop.post("purchase-completed")

        assert {made.run for made in receipt.decisions if made.did == "exited"} == {a, b}

    async def test_the_purchase_of_another_customer_changes_nothing(self, shop: Shop) -> None:
        await shop.publish()
        await shop.start("ada")

        receipt = await shop.post("purchase-completed", "bob")

        assert did(receipt) == ["ignored"]
        assert (
            why(receipt) == "purchase-completed only does something to runs, and this customer has none under way here"
        )

    @pytest.mark.parametrize(("hours", "expected"), [(71, ["goal met"]), (73, ["ignored"])])
    async def test_the_goal_counts_for_three_days_after_the_end(
        self, shop: Shop, hours: int, expected: list[str]
    ) -> None:
        await shop.publish()
        run = await shop.start()
        await shop.claim(run)
        await shop.record(run, following=None)
        shop.later(hours=hours)

        assert did(await shop.post("purchase-completed")) == expected
        assert did(await shop.post("purchase-completed")) == ["ignored"]

    async def test_a_goal_in_time_counts_though_its_clock_is_ahead(self, shop: Shop) -> None:
        await shop.publish()
        run = await shop.start()
        await shop.claim(run)
        await shop.record(run, following=None)
        shop.later(hours=71, minutes=58)

        receipt = await shop.post("purchase-completed", at=shop.now + timedelta(minutes=4))

        assert did(receipt) == ["goal met"]

    @pytest.mark.parametrize(
        ("newest", "hours", "expected"),
        [(None, 71, "started"), (None, 73, "ignored"), ("2 hours", 3, "ignored"), ("500 days", 9_600, "started")],
    )
    async def test_an_event_that_comes_in_too_late_starts_nothing(
        self, shop: Shop, newest: str | None, hours: int, expected: str
    ) -> None:
        start = {"trigger": "abandoned-cart"} | ({"newest": newest} if newest else {})
        await shop.publish(abandoned_cart(start=start))

        receipt = await shop.post("abandoned-cart", at=shop.now - timedelta(hours=hours), total=60)

        assert did(receipt) == [expected]
        assert ("before it came in (newest)" in why(receipt)) is (expected == "ignored")

    async def test_an_exit_that_comes_in_late_ends_its_run_all_the_same(self, shop: Shop) -> None:
        await shop.publish()
        await shop.start(at=shop.now - timedelta(days=2))
        shop.later(days=5)

        receipt = await shop.post("purchase-completed", at=shop.now - timedelta(days=4))

        assert did(receipt) == ["goal met", "exited"]


class TestResume:
    async def test_an_event_that_an_if_waits_for_is_passed_on(self, shop: Shop) -> None:
        await shop.publish(_asks_for_purchase("asks"))
        run = await shop.start()
        shop.later(minutes=1)

        receipt = await shop.post("purchase-completed", id="bought", source="tills")

        assert receipt.decisions[-1] == Decision(
            journey="asks", version=1, did="resumed", why="purchase-completed for bought", run=run, answers=("bought",)
        )
        [start] = await jobs(shop.store)
        await done(shop.store, [start.id])
        [arrive] = await jobs(shop.store)
        assert arrive.kind == "arrive"
        name = short_id("tills", "bought", length=16)  # an id may hold an address, and Temporal keeps it in clear
        assert arrive.payload == {"event": name, "at": "2026-11-24T12:01:00Z", "answers": ["bought"]}


class TestInteractions:
    async def test_an_open_goes_to_the_run_that_sent_and_to_no_other(self, shop: Shop) -> None:
        await shop.publish()
        a, b = await shop.start(cart_id="A"), await shop.start(cart_id="B")
        for run in (a, b):
            await shop.claim(run)
            await shop.record(run)

        receipt = await shop.post("email-opened", None, send_id=send_id(b, "initial-reminder"))

        assert [(made.run, made.did, made.answers) for made in receipt.decisions] == [(b, "resumed", ("opened",))]
        assert [seen.interaction for seen in (await get_run(shop.store, b)).sends[0].interactions] == ["opened"]
        assert (await get_run(shop.store, a)).sends[0].interactions == ()

    async def test_an_open_counts_while_the_send_is_still_on_its_way(self, shop: Shop) -> None:
        await shop.publish()
        run = await shop.start()
        await shop.claim(run)

        receipt = await shop.post("email-opened", None, send_id=send_id(run, "initial-reminder"))

        assert did(receipt) == ["resumed"]

    async def test_an_interaction_that_no_step_asks_for_is_stored_and_wakes_nobody(self, shop: Shop) -> None:
        await shop.publish()
        run = await shop.start()
        await shop.claim(run)
        await shop.record(run)

        receipt = await shop.post("email-clicked", None, send_id=send_id(run, "initial-reminder"), link="https://a.b")

        [send] = (await get_run(shop.store, run)).sends
        assert did(receipt) == []
        assert [(seen.interaction, seen.link) for seen in send.interactions] == [("clicked", "https://a.b")]
        assert [job.kind for job in await jobs(shop.store)] == ["start"]

    async def test_an_open_of_a_send_that_never_was_is_ignored_with_the_reason(self, shop: Shop) -> None:
        await shop.publish()
        await shop.start()

        receipt = await shop.post("email-opened", "ada", id="lost", send_id="nonsense")

        assert did(receipt) == ["ignored"]
        assert "nonsense" in why(receipt)
        assert (await get_event(shop.store, "api", "lost")).decisions == receipt.decisions

    async def test_an_open_after_the_end_is_stored_and_counted(self, shop: Shop) -> None:
        await shop.publish()
        run = await shop.start()
        await shop.claim(run)
        await shop.record(run)
        await stop(shop.store, "abandoned-cart", by_us(shop.later(hours=1)))

        receipt = await shop.post("email-opened", None, id="late", send_id=send_id(run, "initial-reminder"))

        assert did(receipt) == []
        [send] = (await get_run(shop.store, run)).sends
        assert [seen.interaction for seen in send.interactions] == ["opened"]
        assert (await get_event(shop.store, "api", "late")).customer == "ada"

    async def test_an_open_that_comes_twice_counts_once(self, shop: Shop) -> None:
        await shop.publish()
        run = await shop.start()
        await shop.claim(run)
        opened = {"id": "one", "source": "sendgrid", "send_id": send_id(run, "initial-reminder")}
        await shop.post("email-opened", None, **opened)

        again = await shop.post("email-opened", None, **opened)

        assert again.duplicate
        assert len((await get_run(shop.store, run)).sends[0].interactions) == 1


class TestRefusals:
    async def test_a_batch_with_one_flaw_is_refused_as_a_whole(self, shop: Shop) -> None:
        await shop.publish()

        found = await flaws(
            shop,
            shop.event("abandoned-cart", total=1),
            shop.event("abandoned-cart", total="a lot"),
            shop.event("store-visit"),
        )

        assert [flaw.partition(": ")[0] for flaw in found] == ["[1].attributes.total", "[2].attributes.city"]
        assert (await stored(shop.store), await runs_of(shop), await jobs(shop.store)) == (0, [], [])
        assert (await catalogue.get_trigger(shop.store, "abandoned-cart")).seen == 0

    async def test_a_trigger_that_there_is_not(self, shop: Shop) -> None:
        assert await flaws(shop, shop.event("abandond-cart", total=1)) == [
            '[0].trigger: no trigger "abandond-cart". Did you mean "abandoned-cart"?'
        ]

    async def test_a_trigger_that_is_a_draft(self, shop: Shop) -> None:
        await catalogue.put_trigger(shop.store, read_trigger({"trigger": "back-in-stock"}), by_us(shop.now))

        [flaw] = await flaws(shop, shop.event("back-in-stock"))

        assert flaw.startswith('[0].trigger: trigger "back-in-stock" is draft, not ready.')
        assert flaw.endswith("Mark it ready: POST /v1/triggers/back-in-stock/ready.")

    async def test_a_trigger_that_was_stopped(self, shop: Shop) -> None:
        await catalogue.stop_trigger(shop.store, "store-visit", by_us(shop.now))

        [flaw] = await flaws(shop, shop.event("store-visit", city="Delft"))

        assert "is stopped" in flaw

    @pytest.mark.parametrize(("minutes", "fine"), [(4, True), (6, False)])
    async def test_a_time_still_to_come(self, shop: Shop, minutes: int, fine: bool) -> None:
        event = shop.event("store-visit", city="Delft", at=shop.now + timedelta(minutes=minutes))

        if fine:
            assert len(await accept(shop.store, [event], shop.now)) == 1
        else:
            [flaw] = await flaws(shop, event)
            assert flaw.startswith("[0].occurred_at: ")

    async def test_an_event_about_nobody(self, shop: Shop) -> None:
        [flaw] = await flaws(shop, shop.event("store-visit", None, city="Delft"))

        assert flaw.startswith("[0].customer: ")

    async def test_an_id_that_no_database_can_store(self, shop: Shop) -> None:
        [flaw] = await flaws(shop, shop.event("store-visit", id="a\0b", city="Delft"))

        assert flaw.startswith("[0].id: ")

    async def test_an_interaction_without_a_send(self, shop: Shop) -> None:
        [flaw] = await flaws(shop, shop.event("email-opened", "ada"))

        assert flaw.startswith("[0].attributes.send_id: ")


class TestKeeping:
    async def test_what_nobody_listens_to_and_need_not_be_kept_is_only_counted(self, shop: Shop) -> None:
        await shop.ready({"trigger": "page-view", "keep": False})
        await shop.publish()

        receipt = await shop.post("page-view", id="seen")
        await shop.post("page-view")

        trigger = await catalogue.get_trigger(shop.store, "page-view")
        assert (receipt.decisions, await stored(shop.store)) == ((), 0)
        assert (trigger.seen, trigger.last_seen_at) == (2, shop.now)
        with pytest.raises(Unknown):
            await get_event(shop.store, "api", "seen")

    async def test_what_a_live_journey_listens_to_is_kept_anyway(self, shop: Shop) -> None:
        await shop.ready({"trigger": "page-view", "keep": False})
        await shop.publish(abandoned_cart(exit=[{"trigger": "page-view"}]))

        await shop.post("page-view", id="seen")

        assert (await get_event(shop.store, "api", "seen")).trigger == "page-view"

    async def test_a_stored_event_tells_what_came_of_it(self, shop: Shop) -> None:
        await shop.publish()
        occurred = shop.now - timedelta(minutes=1)
        receipt = await shop.post("abandoned-cart", id="one", total=60.5, at=occurred)

        event = await get_event(shop.store, "api", "one")

        assert (event.customer, event.attributes, event.decisions) == ("ada", {"total": 60.5}, receipt.decisions)
        assert (event.occurred_at, event.received_at) == (occurred, shop.now)

    async def test_the_latest_events_of_a_customer_come_first(self, shop: Shop) -> None:
        for number in range(5):
            await shop.post("store-visit", id=f"visit-{number}", city="Delft")
            shop.later(minutes=number % 2)
        await shop.post("store-visit", "bob", city="Delft")

        first = await events.list_events(shop.store, "ada", limit=3)
        last = first[-1]
        rest = await events.list_events(shop.store, "ada", before=(last.received_at, last.id))

        assert [event.id for event in (*first, *rest)] == [f"visit-{number}" for number in (4, 3, 2, 1, 0)]


class TestVersions:
    async def test_people_inside_stay_on_their_version(self, shop: Shop) -> None:
        await shop.publish()
        old = await shop.start("ada")
        await shop.publish(abandoned_cart(exit=[]))
        new = await shop.start("bob")

        receipts = [await shop.post("purchase-completed", customer) for customer in ("ada", "bob")]

        assert [did(receipt) for receipt in receipts] == [["goal met", "exited"], ["goal met"]]
        assert [(await get_run(shop.store, run)).version for run in (old, new)] == [1, 2]

    async def test_a_key_is_the_same_however_the_number_is_written(self, shop: Shop) -> None:
        await shop.ready({"trigger": "order-opened", "attributes": {"number": "number"}})
        await shop.ready({"trigger": "order-paid", "attributes": {"number": "number"}})
        start = {"trigger": "order-opened", "key": "event.number"}
        steps = [{"id": "pause", "wait": "1 day"}]
        await shop.publish(abandoned_cart(start=start, exit=[{"trigger": "order-paid"}], steps=steps))
        for number in (1234567, 1234568):
            await shop.post("order-opened", number=number, at=shop.later(minutes=1))

        receipt = await shop.post("order-paid", number=1234567.0)

        assert did(receipt) == ["exited", "ignored"]


def _asks_for_purchase(name: str, **changes: object) -> Journey:
    question = {"trigger": "purchase-completed", "within": "1 day"}
    return abandoned_cart(**{"journey": name, "exit": [], "steps": [{"id": "bought", "if": question}], **changes})


class TestClocksAndNames:
    async def test_a_start_from_a_clock_ahead_of_ours_can_be_exited_at_once(self, shop: Shop) -> None:
        await shop.publish()
        await shop.post("abandoned-cart", total=1, at=shop.now + timedelta(minutes=3))

        receipt = await shop.post("purchase-completed")

        assert did(receipt) == ["goal met", "exited"]

    async def test_a_clock_that_goes_back_loses_no_exit(self, shop: Shop) -> None:
        await shop.publish()
        run = await shop.start()
        shop.later(seconds=-2)  # or another process took this one, and its clock is behind

        receipt = await shop.post("purchase-completed")

        assert did(receipt) == ["goal met", "exited"]
        seen = await get_run(shop.store, run)
        assert (seen.ended, seen.goal_met_at) == ("exited", NOON + timedelta(microseconds=1))
        assert seen.ended_at == seen.goal_met_at

    async def test_a_time_of_its_own_is_not_set_back_before_what_is_known(self, shop: Shop) -> None:
        await shop.publish()
        await shop.start()

        shop.later(seconds=-2)
        receipt = await shop.post("purchase-completed", at=NOON + timedelta(seconds=1))

        assert did(receipt) == ["goal met", "exited"]

    async def test_a_cart_after_a_purchase_starts_whatever_the_clock_says(self, shop: Shop) -> None:
        await shop.publish()
        await shop.start()
        await shop.post("purchase-completed")

        shop.later(minutes=-5)
        receipts = [await shop.post("abandoned-cart", total=1), await shop.post("purchase-completed")]

        assert [did(receipt) for receipt in receipts] == [["started"], ["goal met", "exited"]]

    async def test_an_answer_comes_after_its_question_whoever_s_clock_is_ahead(self, shop: Shop) -> None:
        await shop.publish(_asks_for_purchase("asks"))
        run = (await shop.post("abandoned-cart", total=1)).decisions[-1].run or ""
        at_the_question = shop.now + timedelta(seconds=3)  # by Temporal's clock
        await note(shop.store, run, [Entry(n=1, at=at_the_question, step="bought", did="entered")])

        await shop.post("purchase-completed", id="answer")

        event = await get_event(shop.store, "api", "answer")
        assert event.occurred_at > at_the_question

    async def test_another_customer_s_time_does_not_matter(self, shop: Shop) -> None:
        await shop.publish()
        await shop.start()
        shop.later(seconds=-2)

        await shop.post("store-visit", "bob", id="visit", city="Delft")

        assert (await get_event(shop.store, "api", "visit")).occurred_at == shop.now

    async def test_a_late_cart_does_not_end_the_run_of_a_newer_one(self, shop: Shop) -> None:
        start = {"trigger": "abandoned-cart", "overlap": "restart"}
        await shop.publish(abandoned_cart(start=start))
        await shop.post("abandoned-cart", total=1, at=shop.now - timedelta(minutes=1))

        receipt = await shop.post("abandoned-cart", total=1, at=shop.now - timedelta(minutes=5))

        assert did(receipt) == ["ignored"]
        assert "a later run" in receipt.decisions[0].why

    async def test_the_same_attributes_in_another_order_are_no_conflict(self, shop: Shop) -> None:
        await shop.publish()
        await shop.post("abandoned-cart", id="cart-1", cart_id="c1", total=1)

        receipt = await shop.post("abandoned-cart", id="cart-1", total=1, cart_id="c1")

        assert receipt.duplicate

    async def test_a_goal_during_a_run_counts_though_it_is_heard_of_after_the_exit(self, shop: Shop) -> None:
        exit_ = [{"trigger": "store-visit"}]
        await shop.publish(abandoned_cart(exit=exit_))
        await shop.post("abandoned-cart", total=1, at=shop.now - timedelta(minutes=9))
        await shop.post("store-visit", city="Oslo", at=shop.now - timedelta(minutes=1))

        receipt = await shop.post("purchase-completed", at=shop.now - timedelta(minutes=5))

        assert did(receipt) == ["goal met"]


async def test_a_customer_with_very_many_events_is_looked_through_no_more_than_others(shop: Shop) -> None:
    await shop.publish()
    await accept(shop.store, [shop.event("purchase-completed", "ada") for _ in range(500)], shop.now)
    await shop.post("purchase-completed", "bob")
    if shop.store.dialect == "sqlite":  # which counts its steps
        assert await _steps(shop, "ada") < 2 * await _steps(shop, "bob")


async def _steps(shop: Shop, customer: str) -> int:
    """What it takes SQLite to accept one more event of a customer."""
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1

    def read(connection: Connection) -> None:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.set_progress_handler(step, 1)
        read_facts(connection, [shop.event("purchase-completed", customer)], {}, shop.now, DAY)
        driver.set_progress_handler(None, 1)

    await shop.store.read(read)
    return steps
