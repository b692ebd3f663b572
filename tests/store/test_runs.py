"""The diary, the end, and the lists of runs."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from journeys.problems import Unknown
from journeys.walk.diary import Entry
from store.events import accept
from store.runs import close, get_run, list_runs, note
from tests.samples import abandoned_cart
from tests.shop import Shop


@pytest.fixture
async def run(shop: Shop) -> str:
    """A run whose first message is out; it stands at the question whether that was opened."""
    await shop.publish()
    run = await shop.start()
    await shop.claim(run)
    await shop.record(run)
    return run


def lines(shop: Shop) -> list[Entry]:
    return [
        Entry(n=3, at=shop.now, step="opened", did="passed", arm="yes", why="opened"),
        Entry(n=4, at=shop.now, step="pause", did="entered"),
    ]


async def test_a_note_moves_the_run(shop: Shop, run: str) -> None:
    entries = lines(shop)

    await note(shop.store, run, entries)

    seen = await get_run(shop.store, run)
    assert (seen.step, seen.step_at) == ("pause", shop.now)
    assert list(seen.diary)[3:] == entries


async def test_the_same_note_twice_is_one(shop: Shop, run: str) -> None:
    entries = lines(shop)

    await asyncio.gather(*(note(shop.store, run, entries) for _ in range(5)))
    await note(shop.store, run, entries[:1])

    seen = await get_run(shop.store, run)
    assert [line.n for line in seen.diary] == [0, 1, 2, 3, 4]
    assert seen.step == "pause"


async def test_a_close_writes_the_last_lines_and_the_end(shop: Shop, run: str) -> None:
    [passed, _] = lines(shop)

    await close(shop.store, run, "done", "all steps done", shop.now, [passed])

    seen = await get_run(shop.store, run)
    assert (seen.ended, seen.ended_at, seen.why, seen.step) == ("completed", shop.now, "all steps done", None)
    assert [line.did for line in seen.diary] == ["entered", "passed", "entered", "passed"]


async def test_a_reason_may_hold_what_no_database_keeps(shop: Shop, run: str) -> None:
    await close(shop.store, run, "operator", "by\0hand", shop.now, [])

    seen = await get_run(shop.store, run)
    assert (seen.ended, seen.why) == ("cancelled", "by�hand")


async def test_a_close_in_the_middle_leaves_the_step(shop: Shop, run: str) -> None:
    await close(shop.store, run, "operator", "by hand", shop.now, lines(shop))

    seen = await get_run(shop.store, run)
    assert [(line.n, line.step, line.did, line.why) for line in seen.diary][-1] == (5, "pause", "left", "by hand")


async def test_the_first_end_stays(shop: Shop, run: str) -> None:
    await shop.post("purchase-completed")
    before = await get_run(shop.store, run)

    await close(shop.store, run, "operator", "by hand", shop.later(hours=1), lines(shop))
    await note(shop.store, run, lines(shop))

    assert await get_run(shop.store, run) == before


async def test_every_step_that_was_entered_was_passed_or_left_once_the_run_is_over(shop: Shop, run: str) -> None:
    await shop.post("purchase-completed")

    diary = (await get_run(shop.store, run)).diary

    entered = [line.step for line in diary if line.did == "entered"]
    assert entered == [line.step for line in diary if line.did in ("passed", "left")]


async def test_only_a_completed_run_waits_for_its_goal(shop: Shop, run: str) -> None:
    await close(shop.store, run, "operator", "by hand", shop.now, [])
    shop.later(seconds=1)

    assert [made.did for made in (await shop.post("purchase-completed")).decisions] == ["ignored"]


async def test_there_is_no_such_run(shop: Shop) -> None:
    for attempt in (get_run(shop.store, "a/b/c"), note(shop.store, "a/b/c", []), list_runs(shop.store, before="a/b/c")):
        with pytest.raises(Unknown):
            await attempt


async def test_pages_hold_every_run_once_the_latest_first(shop: Shop) -> None:
    await shop.publish()
    started = []
    for number in range(7):
        started.append(await shop.start(f"customer-{number}"))
        shop.later(seconds=number % 2)
    pages: list[list[str]] = []
    before = None

    while not pages or before:
        page = await list_runs(shop.store, limit=3, before=before)
        pages.append([run.id for run in page.runs])
        before = page.next

    listed = [run for page in pages for run in page]
    assert [len(page) for page in pages] == [3, 3, 1]
    assert sorted(listed) == sorted(started)
    times = [(await get_run(shop.store, run)).started_at for run in listed]
    assert times == sorted(times, reverse=True)


async def test_runs_are_found_by_journey_customer_and_state(shop: Shop) -> None:
    await shop.publish()
    await shop.publish(abandoned_cart(journey="other"))
    await shop.post("abandoned-cart", "ada", total=1)
    await shop.post("abandoned-cart", "bob", total=1)
    await shop.post("purchase-completed", "bob")

    async def found(**wanted: object) -> list[tuple[str, str]]:
        page = await list_runs(shop.store, **wanted)  # type: ignore[arg-type]
        return sorted((run.journey, run.customer) for run in page.runs)

    assert await found(journey="other") == [("other", "ada"), ("other", "bob")]
    assert await found(customer="bob") == [("abandoned-cart", "bob"), ("other", "bob")]
    assert await found(journey="other", active=True) == [("other", "ada")]
    assert await found(journey="other", active=False) == [("other", "bob")]


async def test_what_an_event_did_to_the_run_is_its_why(shop: Shop, run: str) -> None:
    await shop.post("purchase-completed", id="bought", at=shop.now + timedelta(minutes=1))

    seen = await get_run(shop.store, run)

    assert [(item.event, item.trigger, item.decision.did) for item in seen.decisions][1:] == [
        ("bought", "purchase-completed", "goal met"),
        ("bought", "purchase-completed", "exited"),
    ]


async def test_a_send_stands_where_the_reports_say_in_any_order(shop: Shop, run: str) -> None:
    send = (await get_run(shop.store, run)).sends[0]
    assert send.standing == "accepted"
    reports = [
        shop.event("email-bounced", None, id="r-2", send_id=send.id, at=shop.now),
        shop.event("email-delivered", None, id="r-1", send_id=send.id, at=shop.now),
        shop.event("email-opened", None, id="r-3", send_id=send.id, machine=True, at=shop.now),
    ]

    for report in (*reports, *reports):
        await accept(shop.store, [report], shop.now)

    [seen] = (await get_run(shop.store, run)).sends
    assert seen.standing == "bounced"
    assert [(one.interaction, one.machine) for one in seen.interactions] == [
        ("delivered", False),
        ("bounced", False),
        ("opened", True),
    ]


async def test_what_was_opened_stays_opened(shop: Shop, run: str) -> None:
    send = (await get_run(shop.store, run)).sends[0]

    await shop.post("email-opened", None, send_id=send.id)
    await shop.post("email-bounced", None, send_id=send.id)

    assert (await get_run(shop.store, run)).sends[0].standing == "opened"
