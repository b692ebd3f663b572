"""An operator's cancel in the store: the fence at once, the reason kept, and Temporal told."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest
from sqlalchemy import select

from journeys.problems import Unknown
from store.audit import list_audit
from store.cancelling import InJourney, cancel_run, cancel_runs
from store.events import get_event, in_flight
from store.journeys import get_journey
from store.pausing import pause, resume
from store.runs import get_run, list_runs
from store.schema import AnyRow, outbox
from store.sends import Done, Go
from store.store import Store, open_store
from store.turns import TOGETHER
from tests.samples import abandoned_cart
from tests.shop import Shop, by_us
from tests.transactions import rows

NAME = "abandoned-cart"
WHY = "a test order"
ANEW = {"trigger": NAME, "overlap": "parallel", "repeat": "immediately"}


async def racer(shop: Shop, number: int) -> str:
    """Somebody new, who can be sent messages."""
    customer = f"racer-{number}"
    await shop.change(customer, email=f"{customer}@example.com")
    return customer


async def cancels(shop: Shop) -> Sequence[AnyRow]:
    return await rows(shop.store, select(outbox).where(outbox.c.kind == "cancel"))


async def test_nothing_of_a_run_is_sent_once_it_is_cancelled(shop: Shop) -> None:
    await shop.publish()
    run = await shop.start()

    answer = await cancel_run(shop.store, run, WHY, by_us(shop.now))

    seen = await get_run(shop.store, run)
    assert (seen.ended, seen.ended_by, seen.why, seen.step) == ("cancelled", "operator", WHY, None)
    assert [(line.did, line.why) for line in seen.diary][-1] == ("left", WHY)
    assert (answer.ended, answer.in_flight, answer.changed) == ("cancelled", 0, True)
    claimed = await shop.claim(run)
    assert isinstance(claimed, Done)
    assert claimed.delivery.reason == f"the run has ended: {WHY}"
    assert [(job.run, job.payload) for job in await cancels(shop)] == [(run, {"reason": f"cancelled: {WHY}"})]
    assert (await get_journey(shop.store, NAME, shop.now)).counts.cancelled == 1


async def test_a_dry_run_of_a_cancel_says_what_the_act_says_and_a_second_act_says_so(shop: Shop) -> None:
    await shop.publish()
    run = await shop.start()
    await shop.claim(run)

    would = await cancel_run(shop.store, run, WHY, by_us(shop.now), dry_run=True)
    assert (await get_run(shop.store, run)).ended is None
    did = await cancel_run(shop.store, run, WHY, by_us(shop.now))
    before = await get_run(shop.store, run)
    again = await cancel_run(shop.store, run, "another reason", by_us(shop.later(hours=1)))

    assert (would.in_flight, would.dry_run) == (1, True)
    assert did == would.model_copy(update={"dry_run": False})
    assert (again.changed, again.ended) == (False, "cancelled")
    assert again.in_flight == 1  # whoever asks again, as the first answer was lost, has to know
    assert await get_run(shop.store, run) == before
    assert len(await cancels(shop)) == 1
    log = (await list_audit(shop.store, what=f"journey/{NAME}")).entries
    kept = [entry.detail for entry in log if entry.did == "run cancelled"]
    assert kept == [{"run": run.rpartition("/")[2], "version": 1, "reason": WHY}]
    assert "ada" not in str(kept)


async def test_a_run_that_was_over_says_how_it_ended(shop: Shop) -> None:
    await shop.publish()
    run = await shop.start()
    await shop.post("purchase-completed")

    answer = await cancel_run(shop.store, run, WHY, by_us(shop.now))

    assert (answer.changed, answer.ended) == (False, "exited")


async def test_all_runs_of_a_customer_are_cancelled_or_those_of_one_journey(shop: Shop) -> None:
    for name in (NAME, "other"):
        await shop.publish(abandoned_cart(journey=name, start=ANEW))
    for customer in ("ada", "ada", "bob"):
        await shop.post(NAME, customer, total=60)
    of_other = [InJourney(journey="other", runs=2)]

    would = await cancel_runs(shop.store, "ada", WHY, by_us(shop.now), journey="other", dry_run=True)
    did = await cancel_runs(shop.store, "ada", WHY, by_us(shop.now), journey="other")
    all_ = await cancel_runs(shop.store, "ada", WHY, by_us(shop.now))
    again = await cancel_runs(shop.store, "ada", WHY, by_us(shop.now))

    assert (list(would.inside), would.runs, would.dry_run) == (of_other, 2, True)
    assert did == would.model_copy(update={"dry_run": False})
    assert all_.inside == (InJourney(journey=NAME, runs=2),)
    assert (again.inside, again.runs) == ((), 0)
    assert {run.customer for run in (await list_runs(shop.store, active=True)).runs} == {"bob"}
    log = (await list_audit(shop.store)).entries
    assert [(entry.what, entry.detail) for entry in log if entry.did == "runs cancelled"] == [
        (f"journey/{NAME}", {"runs": 2, "reason": WHY}),
        ("journey/other", {"runs": 2, "reason": WHY}),
    ]


async def test_what_is_on_its_way_is_told_again_whoever_cancels_again(shop: Shop) -> None:
    """Until what became of it is known."""
    for name in (NAME, "other"):
        await shop.publish(abandoned_cart(journey=name, start=ANEW))
    receipt = await shop.post(NAME, total=60)
    for made in receipt.decisions:
        assert made.run
        await shop.claim(made.run)

    told = [await cancel_runs(shop.store, "ada", why, by_us(shop.now)) for why in (WHY, "another reason")]
    of_other = await cancel_runs(shop.store, "ada", WHY, by_us(shop.now), journey="other")
    for made in receipt.decisions:
        await shop.record(made.run or "")
    at_last = await cancel_runs(shop.store, "ada", WHY, by_us(shop.now))

    assert [(each.runs, each.in_flight) for each in (*told, of_other, at_last)] == [(2, 2), (0, 2), (0, 1), (0, 0)]
    assert {run.why for run in (await list_runs(shop.store)).runs} == {WHY}


async def test_starts_that_wait_for_a_pause_are_dropped_with_the_runs(shop: Shop) -> None:
    for name in (NAME, "other"):
        await shop.publish(abandoned_cart(journey=name, start=ANEW))
        await pause(shop.store, name, by_us(shop.now))
    events = [await shop.post(NAME, customer, total=60) for customer in ("ada", "bob", "newcomer")]

    would = await cancel_runs(shop.store, "ada", WHY, by_us(shop.now), journey="other", dry_run=True)
    did = await cancel_runs(shop.store, "ada", WHY, by_us(shop.now), journey="other")
    others = [await cancel_runs(shop.store, customer, WHY, by_us(shop.now)) for customer in ("ada", "newcomer")]
    again = await cancel_runs(shop.store, "ada", WHY, by_us(shop.now))

    assert did == would.model_copy(update={"dry_run": False})
    assert [(each.runs, each.waiting) for each in (did, *others, again)] == [(0, 1), (0, 1), (0, 2), (0, 0)]
    for name in (NAME, "other"):
        await resume(shop.store, name, by_us(shop.later(hours=1)))
    assert {run.customer for run in (await list_runs(shop.store)).runs} == {"bob"}
    told = (await get_event(shop.store, events[0].source, events[0].event)).decisions
    why = f"waited for a pause; cancelled: {WHY}"
    assert [(made.journey, made.did, made.why) for made in told if made.did != "waiting"] == [
        ("other", "ignored", why),
        (NAME, "ignored", why),
    ]
    log = (await list_audit(shop.store, what="journey/other")).entries
    kept = [entry.detail for entry in log if entry.did == "starts cancelled"]
    assert kept == [{"starts": 1, "reason": WHY}] * 2


async def test_a_start_that_is_let_go_as_it_is_cancelled_is_one_or_the_other(shop: Shop, database_url: str) -> None:
    await shop.publish(abandoned_cart(start=ANEW))
    elsewhere = open_store(database_url)
    for number in range(20):
        await pause(shop.store, NAME, by_us(shop.later(hours=1)))
        await shop.post(NAME, f"racer-{number}", total=60)

        cancelled, _ = await asyncio.gather(
            cancel_runs(elsewhere, f"racer-{number}", WHY, by_us(shop.now)),
            resume(shop.store, NAME, by_us(shop.later(hours=1))),
        )

        seen = (await list_runs(shop.store, customer=f"racer-{number}")).runs
        assert len(seen) + cancelled.waiting == 1
        assert [run.ended for run in seen] == ["cancelled"] * cancelled.runs
    await elsewhere.close()


async def test_a_customer_with_very_many_runs_is_cancelled_some_at_a_time(shop: Shop) -> None:
    await shop.publish(abandoned_cart(start=ANEW))
    for _ in range(TOGETHER + 1):
        await shop.start()

    assert (await cancel_runs(shop.store, "ada", WHY, by_us(shop.now))).runs == TOGETHER + 1
    assert (await list_runs(shop.store, active=True)).runs == ()


async def test_what_there_is_not_cannot_be_cancelled(shop: Shop) -> None:
    with pytest.raises(Unknown, match='no run "a/b/c"'):
        await cancel_run(shop.store, "a/b/c", WHY, by_us(shop.now))
    with pytest.raises(Unknown, match='no customer "nobody"'):
        await cancel_runs(shop.store, "nobody", WHY, by_us(shop.now))

    assert (await cancel_runs(shop.store, "bob", WHY, by_us(shop.now))).runs == 0


async def test_a_journey_that_is_not_there_is_named_with_the_one_that_is(shop: Shop) -> None:
    await shop.publish()
    await shop.start("ada")

    with pytest.raises(Unknown, match=f'no journey "abandoned-crat". Did you mean "{NAME}"'):
        await cancel_runs(shop.store, "ada", WHY, by_us(shop.now), journey="abandoned-crat")


async def test_a_claim_succeeds_if_and_only_if_it_comes_before_the_cancel(shop: Shop, database_url: str) -> None:
    await shop.publish()
    elsewhere = Shop(open_store(database_url), shop.now)
    went = 0
    for number in range(20):
        run = await shop.start(await racer(shop, number))

        async def cancel(run: str = run) -> int:
            await asyncio.sleep(random.uniform(0, 0.02))
            return (await cancel_run(elsewhere.store, run, WHY, by_us(shop.now))).in_flight

        claimed, in_flight_then = await asyncio.gather(shop.claim(run), cancel())

        assert isinstance(claimed, Go) == (in_flight_then == 1)
        assert await in_flight(shop.store, [run]) == in_flight_then
        went += in_flight_then
    assert went
    await elsewhere.store.close()


async def test_of_a_cancel_and_an_exit_at_once_one_ends_the_run(shop: Shop, database_url: str) -> None:
    await shop.publish()
    elsewhere = Shop(open_store(database_url), shop.now)
    for number in range(20):
        customer = await racer(shop, number)
        run = await shop.start(customer)

        answer, receipt = await asyncio.gather(
            cancel_run(elsewhere.store, run, WHY, by_us(shop.now)), shop.post("purchase-completed", customer)
        )

        exited = any(made.did == "exited" for made in receipt.decisions)
        seen = await get_run(shop.store, run)
        assert answer.changed is not exited
        assert (answer.ended, seen.ended_by) == (seen.ended, "exit" if exited else "operator")
        assert len([job for job in await cancels(shop) if job.run == run]) == 1
    await elsewhere.store.close()


@pytest.mark.parametrize("of_one", [True, False], ids=["a-run", "a-customer"])
async def test_of_two_cancels_at_once_one_ends_the_run_and_says_why(
    shop: Shop, database_url: str, *, of_one: bool
) -> None:
    """And of one that comes with the claim of its message."""
    await shop.publish()
    elsewhere = open_store(database_url)
    for number in range(20):
        customer = await racer(shop, number)
        run = await shop.start(customer)

        async def cancel(store: Store, why: str, run: str = run, customer: str = customer) -> bool:
            if of_one:
                return (await cancel_run(store, run, why, by_us(shop.now))).changed
            return (await cancel_runs(store, customer, why, by_us(shop.now))).runs == 1

        first, second, claimed = await asyncio.gather(
            cancel(shop.store, f"{customer} says so"), cancel(elsewhere, f"{customer} says otherwise"), shop.claim(run)
        )

        assert first is not second
        seen = await get_run(shop.store, run)
        assert (seen.ended, seen.ended_by) == ("cancelled", "operator")
        assert seen.why == (f"{customer} says so" if first else f"{customer} says otherwise")
        assert {send.state for send in seen.sends} == ({"claimed"} if isinstance(claimed, Go) else set())
        assert [line.did for line in seen.diary].count("left") == 1
        assert len([job for job in await cancels(shop) if job.run == run]) == 1
    log = (await list_audit(shop.store, what=f"journey/{NAME}", limit=100)).entries
    assert len([entry for entry in log if entry.did in ("run cancelled", "runs cancelled")]) == 20
    await elsewhere.close()
