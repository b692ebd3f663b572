"""Runs that are moved to another version: all at once in the store, and what their old walk still says is not heard."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from journeys.definition import Journey
from journeys.language.moments import Moment
from journeys.problems import Unknown
from journeys.walk.diary import Delivery, Entry, Moved
from journeys.walk.position import Position
from journeys.walk.world import Visit
from store import calls, sends, visits
from store.erasing import erase
from store.journeys import get_journey, put_journey
from store.outbox import Job, done, lease
from store.positions import positions
from store.publishing import publish_for
from store.runs import close, get_run, list_runs, note
from store.schema import sends as ledger
from store.store import open_store
from tests.moving import move_runs
from tests.recount import check_counts
from tests.samples import abandoned_cart
from tests.shop import CHANNELS, NOON, Shop, by_us
from tests.transactions import rows

PAUSE = {"id": "pause", "wait": "1 day"}
LONG = {"id": "pause", "wait": "3 days"}
HELLO = {"id": "initial-reminder", "email": "initial-email-reminder", "to": "customer.email"}
NUDGE = {"id": "nudge", "text": "second-text-reminder", "to": "customer.phone"}
HOUR = timedelta(hours=1)


def cart(*steps: dict[str, Any]) -> Journey:
    return abandoned_cart(steps=list(steps))


async def published(shop: Shop, *versions: Journey) -> None:
    for journey in versions:
        await shop.publish(journey)


async def moved(shop: Shop, *first: dict[str, Any], to: Journey, names: dict[str, str] | None = None) -> str:
    """A run that entered the first steps' version, and was moved to another."""
    await published(shop, cart(*first))
    run = await shop.start()
    await published(shop, to)
    shop.later(hours=1)
    assert await move_runs(shop.store, [run], 2, shop.now, names=names) == [run]
    return run


async def told(shop: Shop, run: str) -> list[tuple[int, str, str, str]]:
    return [(entry.n, entry.did, entry.step, entry.why) for entry in (await get_run(shop.store, run)).diary]


async def test_a_moved_run_stands_there_since_it_stood_where_it_stood(shop: Shop) -> None:
    run = await moved(shop, PAUSE, to=cart(LONG, NUDGE))

    seen = await get_run(shop.store, run)

    assert (seen.version, seen.step, seen.step_at) == (2, "pause", NOON)
    assert await told(shop, run) == [
        (0, "entered", "pause", ""),
        (1, "moved", "pause", "version 1 → 2"),
        (2, "entered", "pause", ""),
    ]
    assert [line.at for line in seen.diary] == [NOON, shop.now, NOON]
    await check_counts(shop.store)


async def test_it_may_be_moved_to_a_step_of_another_name(shop: Shop) -> None:
    run = await moved(shop, PAUSE, to=cart({**LONG, "id": "rest"}), names={"pause": "rest"})

    stands = await shop.store.read(lambda connection: positions(connection, [run]))

    assert stands == {run: Position(step="rest", since=NOON, lines=3, moved_at=shop.now)}


async def test_a_version_counts_who_was_moved_there(shop: Shop) -> None:
    await moved(shop, PAUSE, to=cart(LONG))
    await shop.start("bob")

    first, second = (await get_journey(shop.store, "abandoned-cart", shop.now)).versions

    assert (first.counts.active, second.counts.active) == (0, 2)
    assert (first.state, second.state) == ("completed", "live")


async def test_temporal_is_told_where_to_go_on(shop: Shop) -> None:
    run = await moved(shop, PAUSE, to=cart(LONG, NUDGE))
    start, *none_yet = await lease(shop.store, shop.now, 10, HOUR)
    await done(shop.store, [start.id])
    (job,) = await lease(shop.store, shop.now, 10, HOUR)

    assert none_yet == []
    assert (job.run, job.kind, job.payload["version"]) == (run, "move", 2)
    assert [step["id"] for step in job.payload["steps"]] == ["pause", "nudge"]
    assert Position.model_validate(job.payload["position"]) == Position(
        step="pause", since=NOON, lines=3, moved_at=shop.now
    )


async def test_a_version_without_the_step_is_refused(shop: Shop) -> None:
    with pytest.raises(Unknown, match='Version 2 of "abandoned-cart" has no step "pause"'):
        await moved(shop, PAUSE, to=cart(NUDGE))


async def test_many_are_moved_in_a_few_statements(shop: Shop) -> None:
    await published(shop, cart(PAUSE))
    runs = [await shop.start(f"customer-{number}") for number in range(60)]
    await published(shop, cart(LONG))
    asked: list[str] = []
    engine = shop.store.engine
    listened = getattr(engine, "sync_engine", engine)
    event.listen(listened, "before_cursor_execute", lambda *args: asked.append(args[2]))

    assert len(await move_runs(shop.store, runs, 2, shop.now)) == 60
    assert len(asked) < 25


async def test_a_run_that_waits_for_what_becomes_of_a_message_is_not_moved_now(shop: Shop) -> None:
    await published(shop, cart(HELLO, PAUSE))
    run = await shop.start()
    await shop.claim(run)
    await published(shop, cart(HELLO, LONG))

    assert await move_runs(shop.store, [run], 2, shop.now) == []
    await shop.record(run, following="pause")
    assert await move_runs(shop.store, [run], 2, shop.now) == [run]


async def test_who_hears_that_it_was_moved_is_told_where_to_go_on_even_if_the_word_was_lost(shop: Shop) -> None:
    run = await moved(shop, HELLO, to=cart(HELLO, LONG))
    await taken(shop)

    for _ in range(2):
        assert await sends.claim(shop.store, shop.visit(run)) == Moved(version=2)

    (told_again,) = await taken(shop)
    assert (told_again.run, told_again.kind, told_again.payload["version"]) == (run, "move", 2)
    assert Position.model_validate(told_again.payload["position"]).lines == 3


async def test_while_the_word_is_on_its_way_it_is_not_sent_again(shop: Shop) -> None:
    run = await moved(shop, HELLO, to=cart(HELLO, LONG))

    assert await sends.claim(shop.store, shop.visit(run)) == Moved(version=2)

    assert [job.kind for job in await taken(shop)] == ["start", "move"]


async def taken(shop: Shop) -> list[Job]:
    """The jobs that wait, which are lost with this."""
    jobs: list[Job] = []
    while some := await lease(shop.store, shop.now, 10, HOUR):
        await done(shop.store, [job.id for job in some])
        jobs += some
    return jobs


BRANCH = {"id": "it", "branch": [{"arm": "norwegian", "when": 'customer.country == "NO"', "then": []}]}
UNTIL = {"id": "it", "wait": {"until": "event.ends_at"}}
RAISE = {"id": "it", "raise": "store-visit", "with": {"city": "'Oslo'"}}


async def test_no_claim_of_the_old_walk_succeeds(shop: Shop) -> None:
    run = await moved(shop, HELLO, to=cart(HELLO, LONG))

    assert await sends.claim(shop.store, shop.visit(run)) == Moved(version=2)

    assert await rows(shop.store, select(ledger)) == []
    assert len(await told(shop, run)) == 3
    assert isinstance(await sends.claim(shop.store, shop.visit(run, n=3, version=2)), sends.Go)


@pytest.mark.parametrize(
    ("step", "does"),
    [
        pytest.param(BRANCH, visits.decide, id="an-arm"),
        pytest.param(UNTIL, visits.moment, id="a-moment"),
        pytest.param(RAISE, visits.perform, id="an-action"),
        pytest.param(RAISE, calls.claim_call, id="a-call"),
    ],
)
async def test_nothing_is_chosen_or_done_for_the_old_walk(shop: Shop, step: dict[str, Any], does: Any) -> None:
    await published(shop, abandoned_cart(start={"trigger": "trial-started"}, steps=[step]))
    receipt = await shop.post("trial-started", total=60, ends_at="2026-11-30T12:00:00Z")
    run = receipt.decisions[-1].run or ""
    await published(shop, abandoned_cart(start={"trigger": "trial-started"}, steps=[step, PAUSE]))
    await move_runs(shop.store, [run], 2, shop.now)
    before = await told(shop, run)

    visit = Visit(run=run, version=1, position=Position(step="it", since=NOON), now=shop.now)

    assert await does(shop.store, visit) == Moved(version=2)
    assert await told(shop, run) == before
    assert (await get_run(shop.store, run)).actions == ()


async def test_until_when_it_waits_is_found_anew_from_when_it_began(shop: Shop) -> None:
    step = {"id": "it", "wait": {"until": "18:00"}}
    run = await moved(shop, step, to=cart(step, NUDGE))
    visit = Visit(run=run, version=2, position=Position(step="it", since=NOON, lines=3), now=shop.now)

    found = await visits.moment(shop.store, visit)

    assert isinstance(found, Moment)
    assert found.at == NOON + 6 * HOUR


async def test_nothing_that_the_old_walk_says_is_written(shop: Shop) -> None:
    run = await moved(shop, PAUSE, NUDGE, to=cart(LONG, HELLO))
    lines = [
        Entry(n=1, at=shop.now, step="pause", did="passed", why="waited 1 day"),
        Entry(n=2, at=shop.now, step="nudge", did="entered"),
        Entry(n=3, at=shop.now, step="nudge", did="passed"),
    ]

    answers = [
        await note(shop.store, run, lines, version=1),
        await note(shop.store, run, lines),  # as release 0.1 said it
        await close(shop.store, run, "done", "all steps done", shop.now, lines, version=1),
    ]

    assert answers == [Moved(version=2)] * 3
    assert len(await told(shop, run)) == 3
    assert await note(shop.store, run, [Entry(n=3, at=NOON, step="pause", did="passed")], version=2) is None


async def test_an_operator_s_cancel_ends_it_though_its_walk_is_the_old_one(shop: Shop) -> None:
    run = await moved(shop, PAUSE, NUDGE, to=cart(LONG))
    lines = [Entry(n=n, at=shop.now, step="pause", did="passed") for n in (1, 2, 3)]

    await close(shop.store, run, "operator", "by hand", shop.now, lines, version=1)

    assert (await get_run(shop.store, run)).ended == "cancelled"
    assert (await told(shop, run))[3:] == [(3, "left", "pause", "by hand")]
    await check_counts(shop.store)


async def test_the_outcome_of_a_message_is_kept_and_its_step_is_not_passed(shop: Shop) -> None:
    """It should not have been moved; what a provider has is known all the same, and its new walk is told."""
    await published(shop, cart(HELLO, PAUSE))
    run = await shop.start()
    await shop.claim(run)
    await published(shop, cart(HELLO, LONG))
    await move_runs(shop.store, [run], 2, shop.now, though_busy=True)
    accepted = Delivery(outcome="accepted", at=shop.now)

    answer = await sends.record(shop.store, shop.visit(run, following="pause"), 1, accepted, "p-1")

    assert answer == Moved(version=2)
    assert (await get_run(shop.store, run)).step == "initial-reminder"
    claimed = await sends.claim(shop.store, shop.visit(run, n=3, version=2, following="pause"))
    assert claimed == sends.Done(delivery=accepted)
    assert (await get_run(shop.store, run)).step == "pause"


async def test_a_run_that_is_over_is_not_moved(shop: Shop) -> None:
    await published(shop, cart(PAUSE), cart(LONG))
    run = await shop.start()
    await shop.post("purchase-completed", total=60)

    assert await move_runs(shop.store, [run], 2, shop.now) == []


async def test_who_exits_or_is_erased_while_everybody_is_moved_is_gone_and_all_others_are_there(
    shop: Shop, database_url: str
) -> None:
    customers = [f"customer-{number}" for number in range(24)]
    await published(shop, cart(PAUSE))
    for customer in customers:
        await shop.start(customer)
    await put_journey(shop.store, cart(LONG), by_us(shop.now))
    others = Shop(open_store(database_url), shop.now)

    async def leave() -> None:
        for customer in customers[::3]:
            await others.post("purchase-completed", customer, total=60)

    async def are_erased() -> None:
        for customer in customers[1::3]:
            await erase(others.store, customer, by_us(shop.now))

    change = by_us(shop.now)
    did, *_ = await asyncio.gather(
        publish_for(shop.store, "abandoned-cart", change, CHANNELS, people="move"), leave(), are_erased()
    )
    await others.store.close()

    stand = Counter((run.version, run.ended) for run in (await list_runs(shop.store, limit=200)).runs)
    assert did.move
    assert did.move.stayed == 0
    assert stand[2, None] == 8
    assert sum(n for (_, ended), n in stand.items() if ended == "exited") == 8
    assert sum(n for (_, ended), n in stand.items() if ended == "cancelled") == 8
    await check_counts(shop.store)
