"""A customer is erased: what was planted is found in the tables before, and after it only as hashes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from journeys.clearance.consent import Consent
from journeys.definition import send_id
from journeys.problems import Unknown
from journeys.walk.diary import Delivery
from store.audit import list_audit
from store.consents import get_consents, opt, put_consents, said_by
from store.customers import get_customer, put_customer
from store.erasing import Erasure, erase
from store.erasures import digest_of
from store.events import accept, get_event
from store.outbox import done, lease
from store.pruning import prune
from store.runs import get_run, list_runs
from store.schema import (
    ab_people,
    ab_tests,
    consents,
    counts,
    events,
    interactions,
    outbox,
    places,
    places_taken,
    runs,
    sends,
    suppressions,
)
from store.sends import get_send, record
from store.store import Store, open_store
from store.suppressions import lift, list_suppressions, suppress
from tests.engine import until
from tests.recount import check_counts
from tests.searching import found
from tests.shop import Shop, by_us
from tests.transactions import execute, rows

ID = "zq-4711"
PLANTED = {
    "id": ID,
    "email": "zelda.quill@secret.example",
    "phone": "+15559876543",
    "token": "token-xyzzy-4711",
    "attribute": "Zeldamira",
    "key": "cart-of-velvet",
    "coupon": "needle-of-an-event",
    "event": "event-of-zelda",
    "reply": "call me at noon, zelda",
    "link": "https://shop.example/?who=zelda",
    "provider": "provider-id-of-zelda",
    "reason": "550 no mailbox of zelda",
    "why": "zelda asked for it",
}


async def counted(store: Store) -> Sequence[object]:
    every = await rows(store, select(counts).order_by(counts.c.journey, counts.c.version, counts.c.did))
    return [(row.journey, row.version, row.did, row.n) for row in every]


async def plant(shop: Shop) -> str:
    """A customer with everything, whose run is over; and another run of theirs that is under way."""
    await shop.publish()
    attributes = {"email": PLANTED["email"], "phone": PLANTED["phone"], "push_token": PLANTED["token"]}
    await put_customer(shop.store, ID, {**attributes, "first_name": "somebody"}, shop.now)
    await shop.change(ID, first_name=PLANTED["attribute"])
    told = {"cart_id": PLANTED["key"], "coupon": PLANTED["coupon"], "id": PLANTED["event"]}
    run = await shop.start(ID, **told)
    await shop.claim(run, following="second-reminder")
    await shop.record(run, following="second-reminder", provider_id=PLANTED["provider"])
    await shop.claim(run, "second-reminder", n=3)
    failed = Delivery(outcome="failed", at=shop.now, reason=PLANTED["reason"])
    await record(shop.store, shop.visit(run, "second-reminder", n=3, following="pause"), 1, failed, None)
    await shop.post("email-clicked", None, send_id=send_id(run, "initial-reminder"), link=PLANTED["link"])
    await shop.post("text-replied", None, send_id=send_id(run, "second-reminder"), reply=PLANTED["reply"])
    await put_consents(shop.store, ID, [Consent(channel="email", choice="in")], "checkout", shop.now, "report-of-zelda")
    await suppress(shop.store, "email", PLANTED["email"], "bounced", shop.now)
    await suppress(shop.store, "text", PLANTED["phone"], "bounced", shop.now)
    page = await list_suppressions(shop.store, channel="text")
    await lift(shop.store, page.suppressions[0].id, PLANTED["why"], "grace", by_us(shop.now))
    return run


async def act(shop: Shop, **how: object) -> Erasure:
    return await erase(shop.store, ID, by_us(shop.now), drain=timedelta(0), **how)  # type: ignore[arg-type]


async def test_what_was_planted_is_found_nowhere_after_it(shop: Shop) -> None:
    run = await plant(shop)
    needles = list(PLANTED.values())
    before = await found(shop.store, *needles, run, "zelda")
    assert set(before) == {*needles, run, "zelda"}

    await act(shop)

    after = await found(shop.store, *needles, run, "zelda", send_id(run, "initial-reminder"))
    jobs = {"outbox.run", "outbox.payload"}  # until Temporal has forgotten it
    assert after == {ID: jobs, run: jobs}
    told = await lease(shop.store, shop.now + timedelta(days=1), 10, timedelta(0))
    assert [job.kind for job in told if job.run == run] == ["start"]


async def test_the_dry_run_counts_what_the_act_erases(shop: Shop) -> None:
    run = await plant(shop)

    would = await act(shop, dry_run=True)
    before = await found(shop.store, ID)
    did = await act(shop)

    assert would.model_copy(update={"dry_run": False}) == did
    assert "customers.id" in before[ID]
    assert (did.ended, did.in_flight, did.erased_before) == (1, 0, None)
    assert did.rows == {
        "consents": 1,
        "customers": 1,
        "decisions": 1,
        "diary": 6,
        "events": 3,
        "interactions": 2,
        "liftings": 1,
        "people": 1,
        "runs": 1,
        "sends": 2,
    }
    with pytest.raises(Unknown):
        await get_run(shop.store, run)


async def test_a_second_time_changes_nothing_and_says_when_it_was(shop: Shop) -> None:
    await plant(shop)
    await act(shop)
    first = shop.now
    shop.later(days=1)

    again, would = await act(shop), await act(shop, dry_run=True)

    assert (again.rows, again.ended, again.erased_before) == ({}, 0, first)
    assert would.erased_before == first
    log = (await list_audit(shop.store, what="customer")).entries
    assert [(entry.did, entry.what) for entry in log] == [("customer erased", f"customer/{digest_of(ID)[:16]}")]
    assert [entry.detail["ended"] for entry in log] == [1]


async def test_whom_nobody_knows_is_told(shop: Shop) -> None:
    for dry_run in (True, False):
        with pytest.raises(Unknown, match="nothing that is about them"):
            await act(shop, dry_run=dry_run)


async def test_counts_stay_and_the_run_is_cancelled(shop: Shop) -> None:
    await plant(shop)
    await shop.start("ada")
    before = await counted(shop.store)

    await act(shop)

    after = await counted(shop.store)
    assert [line for line in after if line not in before] == [("abandoned-cart", 1, "cancelled", 1)]
    assert [line for line in before if line not in after] == []
    await check_counts(shop.store)
    [gone] = [run for run in (await list_runs(shop.store)).runs if run.customer != "ada"]
    seen = await get_run(shop.store, gone.id)
    assert (seen.ended, seen.ended_by, seen.key, seen.why) == ("cancelled", "erased", None, "")
    assert [(send.step, send.state, send.recipient, send.reason) for send in seen.sends] == [
        ("initial-reminder", "accepted", None, ""),
        ("second-reminder", "failed", None, ""),
    ]
    assert [line.did for line in seen.diary] == ["entered", "passed", "entered", "passed", "entered", "left"]
    assert [told.interaction for send in seen.sends for told in send.interactions] == ["clicked", "replied"]


async def test_others_keep_what_they_have(shop: Shop) -> None:
    await plant(shop)
    other = await shop.start("ada", cart_id="A")
    await shop.claim(other)
    await shop.record(other)
    before = await get_run(shop.store, other), await get_customer(shop.store, "ada")

    await act(shop)

    assert (await get_run(shop.store, other), await get_customer(shop.store, "ada")) == before


async def test_the_word_of_whoever_has_the_address_still_holds(shop: Shop) -> None:
    await plant(shop)
    await opt(shop.store, "text", PLANTED["phone"], "out", "twilio", shop.now)

    await act(shop)
    await put_customer(shop.store, ID, {"email": PLANTED["email"], "phone": PLANTED["phone"]}, shop.now)

    assert {row.channel for row in await rows(shop.store, select(suppressions))} == {"email", "text"}
    run = await shop.start(ID)
    claimed = await shop.claim(run)
    assert "suppressed" in claimed.delivery.reason  # type: ignore[union-attr]


async def test_the_proof_of_consent_is_found_by_who_has_the_id(shop: Shop) -> None:
    await plant(shop)

    await act(shop)

    [proof] = [row for row in await rows(shop.store, select(consents)) if row.customer]
    assert (proof.customer, proof.channel, proof.choice, proof.source) == (digest_of(ID), "email", "in", "checkout")
    assert (await get_consents(shop.store, ID)).log == ()
    said = await shop.store.read(lambda connection: said_by(connection, ID, "email", []))
    assert said == {}


async def test_places_and_arms_stay_taken_by_nobody(shop: Shop) -> None:
    await shop.publish()
    run = await shop.start(ID)
    at = {"journey": "abandoned-cart", "step": "pilot"}
    in_test = {**at, "arms": "a,b"}
    await execute(
        shop.store,
        insert(places).values(**at, arm="pilot", customer=ID),
        insert(places_taken).values(**at, arm="pilot", n=1),
        insert(ab_tests).values(**in_test, rules={}, started_at=shop.now, due_at=shop.now),
        insert(ab_people).values(**in_test, customer=ID, run=run, arm="a", at=shop.now, until=shop.now),
    )

    would = await act(shop, dry_run=True)
    await act(shop)

    assert (would.rows["places"], would.rows["ab_people"]) == (1, 1)
    [kept] = (await list_runs(shop.store)).runs
    [place] = await rows(shop.store, select(places))
    [sits] = await rows(shop.store, select(ab_people))
    assert (place.customer, sits.customer, sits.run) == (kept.customer, kept.customer, kept.id)
    assert kept.customer.startswith("erased-")


class TestUsedAgain:
    async def test_a_repeated_event_stays_a_duplicate(self, shop: Shop) -> None:
        await shop.publish()
        cart = shop.event("abandoned-cart", ID, total=60)
        await accept(shop.store, [cart], shop.now)
        await act(shop)

        [receipt] = await accept(shop.store, [cart], shop.now)

        assert (receipt.duplicate, receipt.decisions) == (True, ())
        with pytest.raises(Unknown):
            await get_event(shop.store, cart.source, cart.id)
        assert await found(shop.store, cart.id) == {}

    async def test_a_new_event_makes_a_new_customer_and_the_audit_log_knows(self, shop: Shop) -> None:
        await plant(shop)
        await act(shop)

        await put_customer(shop.store, ID, {"email": "new@example.com"}, shop.now)
        run = await shop.start(ID)

        assert (await get_run(shop.store, run)).customer == ID
        assert [seen.id for seen in (await list_runs(shop.store, customer=ID)).runs] == [run]
        log = (await list_audit(shop.store, what="customer")).entries
        assert [entry.did for entry in log] == ["erased id used again", "customer erased"]

    async def test_reports_of_old_messages_find_nobody_and_are_dropped(self, shop: Shop) -> None:
        run = await plant(shop)
        await act(shop)

        for trigger in ("email-opened", "email-clicked"):
            receipt = await shop.post(trigger, None, send_id=send_id(run, "initial-reminder"), link=PLANTED["link"])
            assert [made.did for made in receipt.decisions] == ["ignored"]

        assert await found(shop.store, PLANTED["link"]) == {}
        assert {row.customer for row in await rows(shop.store, select(events))} == {None}
        assert len(await rows(shop.store, select(interactions))) == 2  # as before
        with pytest.raises(Unknown):
            await get_send(shop.store, send_id(run, "initial-reminder"))


async def has_ended(shop: Shop, run: str) -> bool:
    return (await get_run(shop.store, run)).ended is not None


class TestMeanwhile:
    async def test_a_send_under_way_does_not_bring_its_recipient_back(self, shop: Shop) -> None:
        await shop.publish()
        await put_customer(shop.store, ID, {"email": PLANTED["email"]}, shop.now)
        run = await shop.start(ID)
        await shop.claim(run)

        did = await act(shop)
        with pytest.raises(Unknown):
            await shop.record(run, provider_id=PLANTED["provider"])
        with pytest.raises(Unknown):
            await shop.claim(run)

        assert did.in_flight == 1
        after = await found(shop.store, PLANTED["email"], PLANTED["provider"])
        assert after == {}

    async def test_a_send_that_comes_to_its_end_is_counted_as_what_it_was(self, shop: Shop) -> None:
        await shop.publish()
        await put_customer(shop.store, ID, {"email": PLANTED["email"]}, shop.now)
        run = await shop.start(ID)
        await shop.claim(run)

        erasing = asyncio.create_task(erase(shop.store, ID, by_us(shop.now)))
        await until(lambda: has_ended(shop, run))
        await shop.record(run)

        assert (await erasing).in_flight == 0
        [send] = await rows(shop.store, select(sends))
        assert (send.state, send.recipient, send.provider_id) == ("accepted", None, None)

    async def test_who_comes_in_while_it_is_erased_is_erased_or_new(self, shop: Shop, database_url: str) -> None:
        await shop.publish()
        elsewhere = Shop(open_store(database_url))
        for number in range(40):
            customer = f"racer-{number}"
            await put_customer(shop.store, customer, {"email": f"{customer}@example.com"}, shop.now)
            await shop.start(customer)
            cart = shop.event("abandoned-cart", customer, total=60)
            _, [receipt] = await asyncio.gather(
                erase(shop.store, customer, by_us(shop.now)), accept(elsewhere.store, [cart], shop.now)
            )
            left = (await list_runs(shop.store, customer=customer)).runs
            assert (len(left) in {0, 1}, receipt.duplicate) == (True, False)
            assert all(run.ended is None for run in left)
        await elsewhere.store.close()
        under_way = [row for row in await rows(shop.store, select(runs)) if row.customer.startswith("erased-")]
        assert {row.ended_by for row in under_way} == {"erased"}


async def test_temporal_is_told_to_forget_after_what_it_is_still_to_start(shop: Shop) -> None:
    await shop.publish()
    run = await shop.start(ID)

    await act(shop)

    jobs = [(row.run, row.kind) for row in await rows(shop.store, select(outbox).order_by(outbox.c.id))]
    assert jobs == [(run, "start"), (run, "forget")]


async def test_what_is_left_of_runs_that_were_pruned_names_nobody_either(shop: Shop) -> None:
    await plant(shop)
    await shop.post("purchase-completed", ID)
    while jobs := await lease(shop.store, shop.now, 100, timedelta(seconds=30)):
        await done(shop.store, [job.id for job in jobs])
    shop.later(days=500)
    assert (await prune(shop.store, shop.now))["runs"] == 1
    before = await found(shop.store, ID, PLANTED["key"])
    assert {"entries.customer", "links.customer"} <= before[ID]
    assert "entries.key" in before[PLANTED["key"]]

    await act(shop)

    assert await found(shop.store, ID, PLANTED["key"]) == {}
    await check_counts(shop.store)
