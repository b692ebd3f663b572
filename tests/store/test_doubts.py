"""A send that got no answer: proved by a report, settled, or sent again; and never twice by mistake."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, Literal

import pytest

from journeys.definition import send_id
from journeys.problems import Unknown
from journeys.walk.diary import Delivery, Moved, Outcome
from store.doubts import look
from store.events import in_flight
from store.lifecycle import lock_run
from store.runs import SendView, close, get_run
from store.sends import Done, Go, again, lost, prove, release, settle
from store.store import open_store
from tests.samples import CONTENTS, CUSTOMER
from tests.shop import Shop
from tests.transactions import under_way

STEP = "initial-reminder"


@pytest.fixture
async def run(shop: Shop) -> str:
    """A run whose first message was claimed, and then no answer came."""
    await shop.publish()
    run = await shop.start()
    await shop.claim(run)
    await lost(shop.store, shop.visit(run, now=shop.later(seconds=10)), 1, reason="time-out")
    return run


async def the_send(shop: Shop, run: str) -> SendView:
    [send] = (await get_run(shop.store, run)).sends
    return send


async def prove_it(shop: Shop, run: str, provider_id: str | None = "p-7") -> bool:
    return await prove(shop.store, send_id(run, STEP), provider_id, shop.now)


async def settled(shop: Shop, run: str, outcome: Outcome, attempt: int = 1, **more: Any) -> Delivery | Moved | None:
    delivery = Delivery(outcome=outcome, at=more.pop("at", shop.now))
    provider_id = more.pop("provider_id", None)
    return await settle(shop.store, shop.visit(run, **more), attempt, delivery, provider_id)


async def whys(shop: Shop, run: str) -> list[str]:
    return [line.why for line in (await get_run(shop.store, run)).diary]


async def test_a_lost_send_is_unknown_and_its_step_is_not_passed(shop: Shop, run: str) -> None:
    send = await the_send(shop, run)

    assert (send.state, send.at, send.reason) == ("unknown", shop.now, "time-out")
    assert (await get_run(shop.store, run)).step == STEP
    assert await whys(shop, run) == [""]


async def test_a_claim_of_a_lost_send_gets_no_right_to_send(shop: Shop, run: str) -> None:
    claimed = await shop.claim(run, now=shop.later(minutes=1))

    assert isinstance(claimed, Done)
    assert (claimed.delivery.outcome, claimed.delivery.reason) == ("unknown", "time-out")
    assert await whys(shop, run) == [""]


@pytest.mark.parametrize("outcome", ["accepted", "failed", "unknown"])
async def test_what_is_settled_passes_the_step_once(shop: Shop, run: str, outcome: Outcome) -> None:
    deliveries = [await settled(shop, run, outcome, provider_id="p-7") for _ in range(2)]

    assert {delivery.outcome for delivery in deliveries if isinstance(delivery, Delivery)} == {outcome}
    assert ((await the_send(shop, run)).state, (await the_send(shop, run)).provider_id) == (outcome, "p-7")
    assert await whys(shop, run) == ["", outcome, ""]
    assert (await get_run(shop.store, run)).step == "opened"


async def test_the_last_send_completes_the_run_when_it_is_settled(shop: Shop, run: str) -> None:
    await settled(shop, run, "unknown", following=None)

    assert (await get_run(shop.store, run)).ended == "completed"


async def test_a_report_proves_a_lost_send(shop: Shop, run: str) -> None:
    shop.later(minutes=1)

    assert await prove_it(shop, run)
    assert not await prove_it(shop, run, "another")

    send = await the_send(shop, run)
    assert (send.state, send.at, send.reason, send.provider_id) == ("accepted", shop.now, "", "p-7")
    assert await whys(shop, run) == [""]  # the walk has not heard of it yet


async def test_what_is_proved_goes_before_what_was_found(shop: Shop, run: str) -> None:
    await prove_it(shop, run)
    proved_at = shop.now

    delivery = await settled(shop, run, "unknown", at=shop.later(minutes=2))

    assert delivery == Delivery(outcome="accepted", at=proved_at)
    assert (await the_send(shop, run)).state == "accepted"
    assert await whys(shop, run) == ["", "accepted", ""]


async def test_a_claim_that_finds_the_send_proved_passes_the_step(shop: Shop, run: str) -> None:
    await prove_it(shop, run)

    claimed = await shop.claim(run, now=shop.later(minutes=2))

    assert isinstance(claimed, Done)
    assert claimed.delivery.outcome == "accepted"
    assert await whys(shop, run) == ["", "accepted", ""]


async def test_a_send_that_was_given_up_can_still_be_proved(shop: Shop, run: str) -> None:
    await settled(shop, run, "unknown")

    assert await prove_it(shop, run)

    assert (await the_send(shop, run)).state == "accepted"


async def test_a_report_may_come_before_the_providers_own_answer(shop: Shop) -> None:
    await shop.publish()
    run = await shop.start()
    await shop.claim(run)

    assert await prove_it(shop, run)
    await lost(shop.store, shop.visit(run), 1, reason="time-out")
    await release(shop.store, shop.visit(run), 1, reason="429")

    assert (await the_send(shop, run)).state == "accepted"


async def test_what_nobody_was_given_cannot_be_proved(shop: Shop) -> None:
    await shop.publish()
    stranger = await shop.start("stranger")
    await shop.claim(stranger)  # has no address

    assert not await prove_it(shop, stranger)
    assert not await prove(shop.store, "no-such-send", "p-7", shop.now)
    assert (await the_send(shop, stranger)).state == "blocked"


async def test_no_send_is_accepted_before_it_was_claimed(shop: Shop, run: str) -> None:
    claimed_at = (await the_send(shop, run)).claimed_at

    await prove(shop.store, send_id(run, STEP), "p-7", shop.now - timedelta(days=1))

    assert (await the_send(shop, run)).at == claimed_at


async def test_what_the_provider_has_not_got_is_claimed_again(shop: Shop, run: str) -> None:
    assert await again(shop.store, shop.visit(run), 1)
    assert (await the_send(shop, run)).state == "released"

    claimed = await shop.claim(run, now=shop.later(minutes=2))

    assert isinstance(claimed, Go)
    assert ((await the_send(shop, run)).state, (await the_send(shop, run)).attempt) == ("claimed", 2)


async def test_a_proof_that_comes_before_the_second_claim_prevents_it(shop: Shop, run: str) -> None:
    await again(shop.store, shop.visit(run), 1)

    assert await prove_it(shop, run)

    assert isinstance(await shop.claim(run), Done)


async def test_a_proof_of_the_first_attempt_outweighs_a_refusal_of_the_second(shop: Shop, run: str) -> None:
    await again(shop.store, shop.visit(run), 1)
    await shop.claim(run)
    await shop.record(run, outcome="failed")

    assert await prove_it(shop, run)

    assert (await the_send(shop, run)).state == "accepted"


@pytest.fixture
async def newer(shop: Shop, run: str) -> str:
    """The run when the first attempt was given up, and a second one is calling the provider."""
    await again(shop.store, shop.visit(run), 1)
    assert isinstance(await shop.claim(run, now=shop.later(minutes=2)), Go)
    return run


async def test_what_an_old_attempt_writes_late_leaves_a_newer_claim_alone(shop: Shop, newer: str) -> None:
    before, visit = await the_send(shop, newer), shop.visit(newer)

    await release(shop.store, visit, 1, reason="held up")
    await lost(shop.store, visit, 1, reason="time-out")
    await shop.record(newer, outcome="failed")
    assert not await again(shop.store, visit, 1)
    assert await settled(shop, newer, "unknown") is None
    assert await settled(shop, newer, "failed") is None

    assert await the_send(shop, newer) == before
    assert await in_flight(shop.store, [newer]) == 1
    assert (await get_run(shop.store, newer)).step == STEP
    await shop.record(newer, attempt=2)
    assert (await the_send(shop, newer)).state == "accepted"


async def test_what_an_old_attempt_writes_late_leaves_a_newer_doubt_alone(shop: Shop, newer: str) -> None:
    await lost(shop.store, shop.visit(newer), 2, reason="time-out")
    before = await the_send(shop, newer)

    await shop.record(newer, outcome="failed")
    assert not await again(shop.store, shop.visit(newer), 1)
    assert await settled(shop, newer, "unknown") is None

    assert await the_send(shop, newer) == before
    assert (await get_run(shop.store, newer)).step == STEP


@pytest.mark.parametrize("second", ["accepted", "failed", "unknown"])
async def test_what_an_old_attempt_got_accepted_is_accepted(shop: Shop, newer: str, second: Outcome) -> None:
    await shop.record(newer, provider_id="p-1")

    await shop.record(newer, outcome=second, attempt=2, provider_id="p-2")

    send = await the_send(shop, newer)
    assert (send.state, send.provider_id) == ("accepted", "p-1")
    assert await whys(shop, newer) == ["", "accepted", ""]


async def test_an_acceptance_after_a_later_refusal_counts(shop: Shop, newer: str) -> None:
    await shop.record(newer, outcome="failed", attempt=2)

    await shop.record(newer)

    assert (await the_send(shop, newer)).state == "accepted"


async def test_what_surely_was_not_handed_over_is_in_doubt_no_more(shop: Shop) -> None:
    await shop.publish()
    run = await shop.start()
    await shop.claim(run)
    await shop.claim(run)  # Temporal had given up the first attempt, which was slow

    await release(shop.store, shop.visit(run), 1, reason="held up")

    assert (await the_send(shop, run)).state == "released"
    assert isinstance(await shop.claim(run), Go)


async def test_what_was_settled_stays_settled(shop: Shop, run: str) -> None:
    await settled(shop, run, "unknown")

    await release(shop.store, shop.visit(run), 1, reason="held up")

    assert (await the_send(shop, run)).state == "unknown"


@pytest.mark.parametrize("first", ["proved", "settled", "released", "ended"])
async def test_not_again_what_is_not_in_doubt_any_more(
    shop: Shop, run: str, first: Literal["proved", "settled", "released", "ended"]
) -> None:
    match first:
        case "proved":
            await prove_it(shop, run)
        case "settled":
            await settled(shop, run, "unknown")
        case "released":
            await again(shop.store, shop.visit(run), 1)
        case "ended":
            await close(shop.store, run, "operator", "by hand", shop.now, [])
    before = await the_send(shop, run)

    assert not await again(shop.store, shop.visit(run), 1)

    assert await the_send(shop, run) == before


async def test_a_run_that_has_ended_gets_no_lines(shop: Shop, run: str) -> None:
    await shop.post("purchase-completed")
    before = await whys(shop, run)

    assert await settled(shop, run, "accepted") == Delivery(outcome="accepted", at=shop.now)

    assert (await the_send(shop, run)).state == "accepted"
    assert await whys(shop, run) == before


async def test_a_proof_waits_for_a_claim_under_way(shop: Shop, run: str, database_url: str) -> None:
    elsewhere = open_store(database_url)
    async with under_way(shop.store) as do:
        await do(lambda connection: lock_run(connection, run))  # as a claim does, which looks first and writes then
        proving = asyncio.create_task(prove_it(Shop(elsewhere, shop.now), run))
        await asyncio.sleep(0.2)

        assert not proving.done()

    assert await proving
    await elsewhere.close()


async def test_proofs_and_second_claims_at_once_end_in_one(shop: Shop, run: str) -> None:
    await again(shop.store, shop.visit(run), 1)

    claimed, proved = await asyncio.gather(shop.claim(run), asyncio.gather(*(prove_it(shop, run) for _ in range(4))))

    # Whichever comes first: it is never claimed after it was proved, and the proof stays.
    assert sum(proved) == 1
    send = await the_send(shop, run)
    assert (send.state, send.attempt) == ("accepted", 2 if isinstance(claimed, Go) else 1)


async def test_all_that_helps_to_find_out(shop: Shop, run: str) -> None:
    other = await shop.start(cart_id="B")
    await shop.claim(other)
    await shop.record(other, provider_id="p-other")

    doubt = await look(shop.store, shop.visit(run))

    assert (doubt.send_id, doubt.state, doubt.to) == (send_id(run, STEP), "unknown", "ada@example.com")
    assert doubt.content == CONTENTS["initial-email-reminder"]
    assert doubt.values == {"event": {"total": 60}, "customer": dict(CUSTOMER)}
    assert doubt.taken == {"p-other"}


async def test_there_is_nothing_to_find_out(shop: Shop, run: str) -> None:
    with pytest.raises(Unknown):
        await look(shop.store, shop.visit(run, "second-reminder"))
