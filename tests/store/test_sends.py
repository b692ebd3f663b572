"""The ledger: who may send, once, and what is known of each send afterwards."""

from __future__ import annotations

import asyncio
import traceback
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError

from journeys.definition import send_id
from journeys.problems import Unavailable, Unknown
from journeys.walk.diary import Delivery, Entry
from store import catalogue
from store.customers import put_customer
from store.events import in_flight
from store.runs import SendView, close, get_run
from store.schema import diary, versions
from store.sends import Done, Go, claim, give_up_stale, record, release
from tests.samples import CONTENTS, CUSTOMER, abandoned_cart
from tests.shop import Shop, by_us
from tests.transactions import execute, rows


@pytest.fixture
async def run(shop: Shop) -> str:
    """A run at its first step."""
    await shop.publish()
    return await shop.start(cart_id="A")


async def the_send(shop: Shop, run: str) -> SendView:
    [send] = (await get_run(shop.store, run)).sends
    return send


def outcome(claimed: Go | Done) -> tuple[str, str]:
    assert isinstance(claimed, Done)
    return claimed.delivery.outcome, claimed.delivery.reason


async def test_a_claim_hands_over_all_that_the_message_needs(shop: Shop, run: str) -> None:
    claimed = await shop.claim(run)

    assert claimed == Go(
        send_id=send_id(run, "initial-reminder"),
        attempt=1,
        to="ada@example.com",
        content=CONTENTS["initial-email-reminder"],
        values={"event": {"cart_id": "A", "total": 60}, "customer": dict(CUSTOMER)},
    )
    send = await the_send(shop, run)
    assert (send.state, send.recipient, send.claimed_at) == ("claimed", "ada@example.com", shop.now)
    assert await in_flight(shop.store, [run]) == 1


async def test_an_accepted_send_moves_the_run_to_the_next_step(shop: Shop, run: str) -> None:
    await shop.claim(run)
    shop.later(seconds=1)

    delivery = await shop.record(run)

    seen = await get_run(shop.store, run)
    assert (seen.step, seen.step_at, seen.ended) == ("opened", delivery.at, None)
    assert [(line.n, line.step, line.did, line.why) for line in seen.diary] == [
        (0, "initial-reminder", "entered", ""),
        (1, "initial-reminder", "passed", "accepted"),
        (2, "opened", "entered", ""),
    ]
    assert (seen.sends[0].state, seen.sends[0].at, seen.sends[0].provider_id) == ("accepted", delivery.at, "p-1")
    assert await in_flight(shop.store, [run]) == 0


async def test_the_last_send_completes_the_run(shop: Shop, run: str) -> None:
    await shop.claim(run)

    delivery = await shop.record(run, following=None)

    seen = await get_run(shop.store, run)
    assert (seen.ended, seen.ended_at, seen.why, seen.step) == ("completed", delivery.at, "all steps done", None)
    assert [line.did for line in seen.diary] == ["entered", "passed"]


async def test_a_second_claim_of_an_accepted_send_gets_its_outcome(shop: Shop, run: str) -> None:
    await shop.claim(run)
    delivery = await shop.record(run, following=None)

    again = await shop.claim(run, now=shop.later(hours=1), following=None)

    assert again == Done(delivery=delivery)


async def test_a_claim_that_never_reported_makes_the_outcome_unknown(shop: Shop, run: str) -> None:
    await shop.claim(run)
    claimed_at = shop.now

    again = await shop.claim(run, now=shop.later(minutes=1))

    reason = "an attempt was started and never reported"
    assert again == Done(delivery=Delivery(outcome="unknown", at=claimed_at, reason=reason))
    assert (await the_send(shop, run)).state == "unknown"
    assert (await get_run(shop.store, run)).step == "initial-reminder"
    assert await in_flight(shop.store, [run]) == 0


async def test_an_outcome_that_comes_after_all_is_written(shop: Shop, run: str) -> None:
    await shop.claim(run)
    await shop.claim(run)

    await shop.record(run)

    assert (await the_send(shop, run)).state == "accepted"
    assert [line.n for line in (await get_run(shop.store, run)).diary] == [0, 1, 2]


async def test_accepted_stays_accepted(shop: Shop, run: str) -> None:
    await shop.claim(run)
    await shop.record(run)

    await shop.record(run, outcome="failed")

    assert (await the_send(shop, run)).state == "accepted"


@pytest.mark.parametrize("text", ["no\0thing", "half \ud83d of it"], ids=["a NUL", "half a character"])
async def test_whatever_a_provider_says_its_answer_is_kept(shop: Shop, run: str, text: str) -> None:
    await shop.claim(run)
    refused = Delivery(outcome="failed", at=shop.now, reason=text)

    await record(shop.store, shop.visit(run), 1, refused, text)

    send = await the_send(shop, run)
    assert (send.state, (await get_run(shop.store, run)).step) == ("failed", "opened")
    assert not {"\0", "\ud83d"} & {*send.reason, *(send.provider_id or "")}


async def test_an_outcome_is_kept_although_the_run_cannot_go_on(shop: Shop, run: str) -> None:
    await shop.claim(run)
    in_the_way = {"run": run, "n": 1, "at": shop.now, "step": "opened", "did": "entered", "why": ""}
    await execute(shop.store, insert(diary), **in_the_way)

    with pytest.raises((Unavailable, IntegrityError)):
        await shop.record(run)

    assert (await the_send(shop, run)).state == "accepted"
    with pytest.raises((Unavailable, IntegrityError)):  # and nothing is sent again, however often it is tried
        await shop.claim(run)
    assert (await the_send(shop, run)).attempt == 1


async def test_a_run_completes_however_long_its_goal_counts(shop: Shop) -> None:
    goal = {"trigger": "purchase-completed", "within": "1 day"}
    await shop.publish(abandoned_cart(goal=goal, exit=[]))
    run = await shop.start(cart_id="long")
    [row, *_] = await rows(shop.store, select(versions).order_by(versions.c.number.desc()))
    # As an earlier release let it be published.
    endless = row.definition | {"goal": goal | {"within": "999999999 days"}}
    await execute(shop.store, update(versions).where(versions.c.number == row.number).values(definition=endless))
    shop.store.engine.get_execution_options()["versions"].clear()
    await shop.claim(run, following=None)

    await shop.record(run, following=None)

    assert (await get_run(shop.store, run)).ended == "completed"
    assert [made.did for made in (await shop.post("purchase-completed", cart_id="long")).decisions] == ["goal met"]


async def test_a_released_send_may_be_claimed_again(shop: Shop, run: str) -> None:
    await shop.claim(run)
    await release(shop.store, shop.visit(run), 1, reason="429, come back in 30 s")
    released = await the_send(shop, run)
    assert (released.state, released.reason) == ("released", "429, come back in 30 s")
    assert await in_flight(shop.store, [run]) == 0

    again = await shop.claim(run, now=shop.later(seconds=30))

    assert isinstance(again, Go)
    send = await the_send(shop, run)
    assert (send.state, send.attempt, send.claimed_at, send.at, send.reason) == ("claimed", 2, shop.now, None, "")


async def test_ten_claims_at_once_are_one(shop: Shop, run: str) -> None:
    claims = await asyncio.gather(*(shop.claim(run) for _ in range(10)))

    assert sum(isinstance(claimed, Go) for claimed in claims) == 1


async def test_a_missing_address_blocks_and_the_run_goes_on(shop: Shop, run: str) -> None:
    await put_customer(shop.store, "ada", {"first_name": "Ada"}, shop.now)

    blocked = await shop.claim(run)

    assert outcome(blocked) == ("blocked", "customer.email is missing")
    seen = await get_run(shop.store, run)
    assert (seen.step, seen.ended) == ("opened", None)
    assert [line.why for line in seen.diary] == ["", "blocked: customer.email is missing", ""]
    assert (seen.sends[0].state, seen.sends[0].reason) == ("blocked", "customer.email is missing")
    assert await in_flight(shop.store, [run]) == 0


async def test_a_blocked_last_message_completes_the_run(shop: Shop, run: str) -> None:
    await put_customer(shop.store, "ada", {}, shop.now)

    await shop.claim(run, following=None)

    assert (await get_run(shop.store, run)).ended == "completed"


async def test_a_customer_that_nobody_told_us_of_has_no_address(shop: Shop) -> None:
    await shop.publish()

    assert outcome(await shop.claim(await shop.start("stranger"))) == ("blocked", "customer.email is missing")


async def test_the_ready_content_is_sent_whatever_the_draft_says(shop: Shop, run: str) -> None:
    content = CONTENTS["initial-email-reminder"]
    assert content.email
    draft = content.model_copy(update={"email": content.email.model_copy(update={"subject": "Half-written"})})
    await catalogue.put_content(shop.store, draft, by_us(shop.now))

    claimed = await shop.claim(run)

    assert isinstance(claimed, Go)
    assert claimed.content == content


async def test_a_run_that_has_ended_sends_nothing(shop: Shop, run: str) -> None:
    await shop.post("purchase-completed")

    assert outcome(await shop.claim(run)) == ("blocked", "the run has ended: exit: purchase-completed")
    assert (await get_run(shop.store, run)).sends == ()


async def test_a_released_send_of_a_run_that_has_ended_stays_put(shop: Shop, run: str) -> None:
    await shop.claim(run)
    await release(shop.store, shop.visit(run), 1, reason="429")
    await shop.post("purchase-completed")

    assert outcome(await shop.claim(run))[0] == "blocked"


async def test_an_outcome_after_the_end_only_touches_the_send(shop: Shop, run: str) -> None:
    await shop.claim(run)
    await shop.post("purchase-completed")
    before = await get_run(shop.store, run)

    await shop.record(run)

    after = await get_run(shop.store, run)
    assert after.sends[0].state == "accepted"
    assert after.model_copy(update={"sends": before.sends}) == before


async def test_the_diary_that_a_claim_carries_is_written_once(shop: Shop, run: str) -> None:
    await shop.claim(run)
    await shop.record(run)
    carried = [
        Entry(n=3, at=shop.now, step="opened", did="passed", arm="no", why="no opened within 1 day"),
        Entry(n=4, at=shop.now, step="second-reminder", did="entered"),
    ]
    for _ in range(2):
        await shop.claim(run, "second-reminder", entries=carried, n=5, following="pause")
    await shop.record(run, "second-reminder", n=5, following="pause")

    seen = await get_run(shop.store, run)

    assert list(seen.diary)[3:5] == carried
    assert [line.n for line in seen.diary] == list(range(7))
    assert seen.step == "pause"


async def test_a_late_repetition_does_not_move_the_run_back(shop: Shop, run: str) -> None:
    first = [Entry(n=0, at=shop.now, step="initial-reminder", did="entered")]
    await shop.claim(run, entries=first)
    await shop.record(run)

    await shop.claim(run, entries=first)
    await shop.record(run)

    assert (await get_run(shop.store, run)).step == "opened"


async def test_only_old_claims_of_ended_runs_are_given_up(shop: Shop, run: str) -> None:
    other = await shop.start("bob")
    for claimed in (run, other):
        await shop.claim(claimed)
    await close(shop.store, run, "operator", "by hand", shop.now, [])

    young = await give_up_stale(shop.store, shop.now + timedelta(minutes=1), timedelta(minutes=5))
    old = await give_up_stale(shop.store, shop.later(minutes=6), timedelta(minutes=5))

    assert (young, old) == (0, 1)
    assert [(await the_send(shop, one)).state for one in (run, other)] == ["unknown", "claimed"]


async def test_there_is_no_such_run(shop: Shop) -> None:
    with pytest.raises(Unknown):
        await claim(shop.store, shop.visit("a/b/c", following=None))


async def test_a_statement_that_fails_tells_no_address(shop: Shop) -> None:
    await shop.publish()
    run = await shop.start()
    await _rename(shop, "recipient", "elsewhere")

    with pytest.raises(Exception, match="recipient") as raised:
        await shop.claim(run)

    await _rename(shop, "elsewhere", "recipient")  # in PostgreSQL, the tests that follow use the same tables
    told = "".join(traceback.format_exception(raised.value))
    assert "INSERT INTO sends" in told
    assert CUSTOMER["email"] not in told


async def _rename(shop: Shop, column: str, to: str) -> None:
    await execute(shop.store, text(f"ALTER TABLE sends RENAME COLUMN {column} TO {to}"))
