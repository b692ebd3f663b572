"""No question is passed without an answer while one was accepted: whoever writes it is told instead."""

from __future__ import annotations

from datetime import timedelta

import pytest

from journeys.definition import send_id
from journeys.walk.diary import Entry
from journeys.walk.position import Unheard
from store.answers import answers_of
from store.runs import close, get_run, note
from store.sends import Go, claim
from tests.samples import abandoned_cart
from tests.shop import Shop, visit

DAY = timedelta(days=1)


@pytest.fixture
async def run(shop: Shop) -> str:
    """A run that waits for the email to be opened."""
    await shop.publish()
    run = await shop.start(cart_id="c1")
    await shop.claim(run)
    await shop.record(run)
    return run


async def opened(shop: Shop, run: str) -> str:
    """The email is opened in time. Returns what the receipt says."""
    shop.later(hours=23)
    receipt = await shop.post("email-opened", customer=None, send_id=send_id(run, "initial-reminder"))
    shop.later(hours=1)
    return receipt.decisions[0].did


def unanswered(shop: Shop, then: str = "second-reminder") -> tuple[Entry, ...]:
    """The lines of a walk that has heard of nothing when the limit comes."""
    no = Entry(n=3, at=shop.now, step="opened", did="passed", arm="no", why="no opened within 1 day")
    return no, Entry(n=4, at=shop.now, step=then, did="entered")


async def text(shop: Shop, run: str, known: tuple[str, ...] = ()) -> object:
    at = visit(run, "second-reminder", now=shop.now, n=5, entries=unanswered(shop), following="pause")
    return await claim(shop.store, at.model_copy(update={"known": known}))


async def test_a_claim_that_passes_it_is_refused_and_told(shop: Shop, run: str) -> None:
    assert await opened(shop, run) == "resumed"

    told = await text(shop, run)

    assert isinstance(told, Unheard)
    assert [(arrival.at, arrival.answers) for arrival in told.arrivals] == [
        (shop.now - timedelta(hours=1), ("opened",))
    ]
    seen = await get_run(shop.store, run)
    assert (seen.step, len(seen.diary), [send.step for send in seen.sends]) == ("opened", 3, ["initial-reminder"])


async def test_a_note_and_a_completion_too(shop: Shop, run: str) -> None:
    await opened(shop, run)
    no, entered = unanswered(shop)

    noted = await note(shop.store, run, [no, entered])
    closed = await close(shop.store, run, "done", "all steps done", shop.now, [no])

    assert isinstance(noted, Unheard)
    assert closed == noted
    assert (await get_run(shop.store, run)).step == "opened"


async def test_what_the_walk_has_heard_of_and_found_too_late_is_not_told_again(shop: Shop, run: str) -> None:
    await opened(shop, run)
    (arrival,) = await answers_of(shop.store, run)

    assert isinstance(await text(shop, run, (arrival.event,)), Go)


async def test_an_operator_s_cancel_waits_for_no_answer(shop: Shop, run: str) -> None:
    await opened(shop, run)

    assert await close(shop.store, run, "operator", "wrong audience", shop.now, unanswered(shop)[:1]) is None

    assert (await get_run(shop.store, run)).ended == "cancelled"


async def test_a_run_that_has_ended_is_told_nothing(shop: Shop, run: str) -> None:
    await opened(shop, run)
    await shop.post("purchase-completed", cart_id="c1")

    assert not isinstance(await text(shop, run), Unheard)


async def test_once_it_is_written_that_there_is_none_no_answer_is_taken(shop: Shop, run: str) -> None:
    shop.later(hours=24)
    await note(shop.store, run, unanswered(shop))

    at = shop.now - timedelta(hours=1)
    late = await shop.post("email-opened", customer=None, send_id=send_id(run, "initial-reminder"), at=at)

    assert [(made.did, made.why) for made in late.decisions] == [("ignored", "opened: the run is past it")]
    assert await answers_of(shop.store, run) == ()


async def test_answers_are_told_in_the_order_in_which_they_were_accepted(shop: Shop) -> None:
    ask = {"trigger": "store-visit", "within": "2 days"}
    await shop.publish(abandoned_cart(steps=[{"id": "first", "if": ask}, {"id": "second", "if": ask}]))
    run = await shop.start()
    shop.later(hours=2)
    for ago in (0, 1):
        await shop.post("store-visit", at=shop.now - timedelta(hours=ago), city="Oslo")

    heard = await answers_of(shop.store, run)

    assert [arrival.at for arrival in heard] == [shop.now, shop.now - timedelta(hours=1)]
    assert [arrival.answers for arrival in heard] == [("first",), ("second",)]
