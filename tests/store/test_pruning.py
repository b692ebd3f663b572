"""What is over goes after the time that the policy names; what decides later stays, and no number changes."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text

from journeys.clearance.keeping import Keep
from journeys.definition import send_id
from journeys.problems import Unknown
from store import outbox
from store.audit import list_audit
from store.cancelling import cancel_run
from store.counts import JourneyView
from store.customers import put_customer
from store.events import accept, get_event
from store.journeys import get_journey, put_journey
from store.links import find_link
from store.pruning import ALL_TABLES, Pruned, prune, would_prune
from store.publishing import publish_for
from store.runs import get_run, list_runs
from store.schema import entries, metadata, pruned_counts, runs
from store.store import Store
from store.turns import TOGETHER
from terminal.listing import journey
from tests.recount import check_counts
from tests.samples import CUSTOMER, abandoned_cart
from tests.shop import CHANNELS, Shop, by_us
from tests.transactions import execute, rows

KEPT = timedelta(days=400)
PRUNED: Any = {"counts": {"pruned"}, "versions": {"__all__": {"counts": {"pruned"}}}}
OF_RUNS = ("runs", "diary", "sends", "interactions", "calls", "actions", "decisions", "events", "outbox")


async def told(shop: Shop) -> None:
    """Temporal takes whatever it is to be told."""
    while jobs := await outbox.lease(shop.store, shop.now, 100, timedelta(seconds=30)):
        await outbox.done(shop.store, [job.id for job in jobs])


async def walked(shop: Shop, customer: str = "ada", **more: Any) -> str:
    """A run that sends its first message, hears that it was opened, and is over with a purchase."""
    run = await shop.start(customer, **more)
    await shop.claim(run)
    await shop.record(run)
    await shop.post("email-opened", None, send_id=send_id(run, "initial-reminder"))
    await shop.post("purchase-completed", customer, **({"cart_id": more["cart_id"]} if "cart_id" in more else {}))
    await told(shop)
    return run


async def filled(store: Store) -> Counter[str]:
    """How many rows there are, by table."""
    found = Counter[str]()
    for table in metadata.sorted_tables:
        [row] = await rows(store, select(func.count().label("n")).select_from(table))
        found[table.name] = row.n
    return +found


async def pruned(shop: Shop) -> Pruned:
    """Prune, and hold it to what was said before that it would do, and to what is missing then."""
    said, before = await would_prune(shop.store, shop.now), await filled(shop.store)
    done = await prune(shop.store, shop.now)
    after = await filled(shop.store)
    assert done == said
    assert {table: n for table in ALL_TABLES if (n := before[table] - after[table]) > 0} == done
    await check_counts(shop.store)
    return done


async def view(shop: Shop) -> JourneyView:
    return await get_journey(shop.store, "abandoned-cart", shop.now)


async def test_what_is_over_goes_whole_and_no_number_changes(shop: Shop) -> None:
    await shop.publish()
    run = await walked(shop)
    before = await view(shop)
    shop.later(days=400, seconds=1)

    done = await pruned(shop)

    assert (done["runs"], done["sends"], done["interactions"], done["events"]) == (1, 1, 1, 3)
    assert not (await filled(shop.store)).keys() & set(OF_RUNS)
    after = await view(shop)
    assert (before.counts.pruned, after.counts.pruned, after.versions[0].counts.pruned) == (0, 1, 1)
    assert after.model_dump(exclude=PRUNED) == before.model_dump(exclude=PRUNED)
    assert "Kept no more: 1 of those that ended, which are in no list" in [line.plain for line in journey(after)]
    with pytest.raises(Unknown, match="over are kept for 400 days, and pruned then"):
        await get_run(shop.store, run)
    for dry_run in (True, False):
        with pytest.raises(Unknown, match="over are kept for 400 days, and pruned then"):
            await cancel_run(shop.store, run, "a test order", by_us(shop.now), dry_run=dry_run)
    assert await prune(shop.store, shop.now) == Counter()


async def test_a_run_that_was_moved_is_counted_where_it_was(shop: Shop) -> None:
    await shop.publish(abandoned_cart(steps=[{"id": "later", "wait": "9 days"}]))
    await shop.start()
    another = abandoned_cart(steps=[{"id": "later", "wait": "8 days"}])
    await put_journey(shop.store, another, by_us(shop.now))
    await publish_for(shop.store, "abandoned-cart", by_us(shop.now), CHANNELS, people="move")
    await shop.post("purchase-completed")
    await told(shop)
    shop.later(days=401)

    assert (await pruned(shop))["runs"] == 1

    first, second = (version.counts for version in (await view(shop)).versions)
    assert (first.active, first.pruned, second.active, second.exited, second.pruned) == (0, 0, 0, 1, 1)


async def test_time_is_counted_from_the_end(shop: Shop) -> None:
    await shop.publish()
    await shop.start()
    await told(shop)
    shop.later(days=500)
    await shop.post("purchase-completed")
    await told(shop)
    shop.later(days=399)

    assert (await pruned(shop))["runs"] == 0
    shop.later(days=1, seconds=1)
    assert (await pruned(shop))["runs"] == 1


async def test_what_waits_stays_with_its_event_however_old(shop: Shop) -> None:
    await shop.publish()
    run = await shop.start()
    await shop.claim(run)
    await shop.record(run)
    await told(shop)
    before = await get_run(shop.store, run)
    shop.later(days=5000)

    assert await pruned(shop) == Counter()

    assert await get_run(shop.store, run) == before
    assert (await shop.post("purchase-completed")).exited == (run,)


async def test_what_no_journey_made_anything_of_goes_by_its_own_time(shop: Shop) -> None:
    await shop.rule(keep={"events": "30 days"})
    await shop.publish()
    run = await shop.start()
    alone = await shop.post("purchase-completed", "bob")
    shop.later(days=31)

    assert (await pruned(shop))["events"] == 1

    with pytest.raises(Unknown, match="or it was pruned"):
        await get_event(shop.store, alone.source, alone.event)
    assert (await get_run(shop.store, run)).decisions


async def test_exits_stay_as_long_as_a_start_that_old_is_heard(shop: Shop) -> None:
    start = {**abandoned_cart().model_dump(mode="json", by_alias=True)["start"], "newest": "90 days"}
    await shop.rule(keep={"events": "30 days"})
    await shop.publish(abandoned_cart(start=start))
    occurred = shop.now
    shop.later(hours=1)
    await shop.post("purchase-completed")
    shop.later(days=60)
    await pruned(shop)

    receipt = await shop.post("abandoned-cart", at=occurred, total=60)

    assert receipt.decisions[-1].why.startswith("already exited")


async def test_a_goal_that_may_still_be_met_is_met(shop: Shop) -> None:
    await shop.rule(keep={"runs": "1 day"})
    goal = {"trigger": "purchase-completed", "within": "30 days"}
    await shop.publish(abandoned_cart(goal=goal, exit=[]))
    run = await shop.start()
    await shop.claim(run, following=None)
    await shop.record(run, following=None)
    await told(shop)
    shop.later(days=29)

    assert (await pruned(shop))["runs"] == 0
    await shop.post("purchase-completed")
    shop.later(days=2)
    assert (await pruned(shop))["runs"] == 1
    goals = (await view(shop)).goal
    assert goals
    assert goals.met == 1


@pytest.mark.parametrize("repeat", ["never", {"after": "5000 days"}])
async def test_who_was_in_before_is_not_in_again(shop: Shop, repeat: object) -> None:
    start = {"trigger": "abandoned-cart", "key": "event.cart_id", "repeat": repeat}
    await shop.publish(abandoned_cart(start=start))
    await walked(shop, cart_id="A")
    shop.later(days=300)
    await walked(shop, cart_id="B")
    shop.later(days=3000)
    await pruned(shop)

    again = await shop.post("abandoned-cart", total=60, cart_id="A")
    without = await shop.post("abandoned-cart", total=60)
    other = await shop.post("abandoned-cart", total=60, cart_id="C")

    assert again.decisions[-1].why.endswith("this customer entered at 24 Nov 2026 12:00 UTC")
    assert without.decisions[-1].did == "started"  # no key is a key of its own
    assert other.decisions[-1].did == "started"
    assert {row.key for row in await rows(shop.store, select(entries))} == {"A", "B"}


async def test_first_and_last_entry_are_those_of_all_that_was_pruned(shop: Shop) -> None:
    await shop.publish()
    times = [shop.now, shop.later(days=10), shop.later(days=1000)]
    for shop.now in times[:2]:
        await walked(shop)
    shop.now = times[2]
    await pruned(shop)
    await walked(shop)
    shop.later(days=500)
    await pruned(shop)

    [entry] = await rows(shop.store, select(entries))
    assert (entry.first_at, entry.last_at, entry.keyed, entry.met_goal) == (times[0], times[2], False, True)


async def test_what_another_policy_would_prune_is_what_it_prunes(shop: Shop) -> None:
    await shop.publish()
    await walked(shop)
    shop.later(days=31)
    less = Keep.model_validate({"runs": "30 days", "events": "30 days"})

    would = await would_prune(shop.store, shop.now, less)
    assert await would_prune(shop.store, shop.now) == Counter()
    await shop.rule(keep={"runs": "30 days", "events": "30 days"})

    assert (would["runs"], would["events"]) == (1, 3)
    assert await pruned(shop) == would


async def test_an_event_that_comes_again_is_no_new_one(shop: Shop) -> None:
    await shop.publish()
    cart = shop.event("abandoned-cart", total=60)
    await accept(shop.store, [cart], shop.now)
    await shop.post("purchase-completed")
    await told(shop)
    shop.later(days=401)
    await pruned(shop)

    [receipt] = await accept(shop.store, [cart], shop.now)

    assert receipt.duplicate
    assert (await list_runs(shop.store)).runs == ()


async def test_ids_go_at_last(shop: Shop) -> None:
    await shop.publish()
    run = await walked(shop)
    shop.later(days=401)
    await pruned(shop)
    assert await find_link(shop.store, send_id(run, "initial-reminder"))
    left = await filled(shop.store)
    assert (left["known_events"], left["links"]) == (2, 1)  # not the open, which nobody posts again

    shop.later(days=1830, seconds=1)
    await pruned(shop)

    left = await filled(shop.store)
    assert (left["known_events"], left["links"], left["entries"]) == (0, 0, 1)


async def test_what_temporal_is_still_to_be_told_is_told_first(shop: Shop) -> None:
    await shop.publish()
    await shop.start()
    await shop.post("purchase-completed")
    shop.later(days=500)

    assert (await pruned(shop))["runs"] == 0
    await told(shop)
    assert (await pruned(shop))["runs"] == 1


async def test_what_temporal_refused_goes_with_its_run(shop: Shop) -> None:
    await shop.publish()
    await shop.start()
    await shop.post("purchase-completed")
    await execute(shop.store, text("UPDATE outbox SET refused_at = created_at"))
    shop.later(days=500)

    assert (await pruned(shop))["outbox"] == 2


async def test_a_start_that_waits_keeps_its_event(shop: Shop) -> None:
    await shop.publish()
    posted = await shop.post("purchase-completed")
    waits = text(
        "INSERT INTO waiting_starts (journey, customer, event, source, at)"
        " SELECT 'abandoned-cart', 'ada', id, source, received_at FROM events"
    )
    await execute(shop.store, waits)
    shop.later(days=5000)

    await pruned(shop)

    assert (await get_event(shop.store, posted.source, posted.event)).id == posted.event


TEST = """
journey: abandoned-cart
start: {trigger: abandoned-cart}
goal: {trigger: purchase-completed, within: 3 days}
steps:
  - id: which
    test: {a: {share: 50%}, b: {share: 50%}}
    by: goal
    within: 3 days
    after: 100 days
    default: a
"""


async def test_nobody_is_missing_from_a_test_before_it_is_decided(shop: Shop) -> None:
    await shop.rule(keep={"runs": "1 day"})
    await shop.publish()
    run = await walked(shop)
    person = text(
        "INSERT INTO ab_people (journey, step, arms, customer, run, arm, at, until)"
        " SELECT journey, 'which', 'a,b', customer, id, 'a', entered_at, ended_at FROM runs"
    )
    test = text(
        "INSERT INTO ab_tests (journey, step, arms, rules, started_at, due_at)"
        " SELECT journey, 'which', 'a,b', '{}', entered_at, entered_at FROM runs"
    )
    await execute(shop.store, person, test)
    shop.later(days=30)

    assert (await pruned(shop))["runs"] == 0
    assert (await get_run(shop.store, run)).ended
    await execute(shop.store, text("UPDATE ab_tests SET decision = '{}'"))
    done = await pruned(shop)
    assert (done["runs"], done["ab_people"]) == (1, 1)


async def test_the_audit_log_stays_unless_the_policy_says_otherwise(shop: Shop) -> None:
    await shop.publish()
    shop.later(days=10_000)
    assert (await pruned(shop))["audit"] == 0
    before = len((await list_audit(shop.store, limit=200)).entries)
    await shop.rule(keep={"audit": "100 days"})

    assert (await pruned(shop))["audit"] == before

    [entry] = (await list_audit(shop.store)).entries
    assert entry.did == "policy put"


async def test_what_is_kept_forever_stays(shop: Shop) -> None:
    await shop.rule(keep={"runs": "forever", "events": "forever"})
    await shop.publish()
    run = await walked(shop)
    shop.later(days=100_000)

    assert await pruned(shop) == Counter()
    assert (await get_run(shop.store, run)).ended


async def crowd(shop: Shop, people: int) -> None:
    """So many runs that are over."""
    names = [f"customer-{number}" for number in range(people)]
    for name in names:
        await put_customer(shop.store, name, CUSTOMER, shop.now)
    await accept(shop.store, [shop.event("abandoned-cart", name, total=60) for name in names], shop.now)
    await accept(shop.store, [shop.event("purchase-completed", name) for name in names], shop.now)
    await told(shop)


async def test_others_come_in_between(shop: Shop) -> None:
    await shop.publish()
    await crowd(shop, 3 * TOGETHER)
    shop.later(days=401)
    left: list[int] = []

    pruning = asyncio.create_task(prune(shop.store, shop.now))
    while not pruning.done():
        await shop.post("abandoned-cart", total=60)
        [row] = await rows(shop.store, select(func.count().label("n")).where(runs.c.customer != "ada"))
        left.append(row.n)

    assert (await pruning)["runs"] == 3 * TOGETHER
    assert any(0 < n < 3 * TOGETHER for n in left)


async def test_two_at_once_prune_each_run_once(shop: Shop) -> None:
    await shop.publish()
    await crowd(shop, 2 * TOGETHER)
    shop.later(days=401)

    both = await asyncio.gather(prune(shop.store, shop.now), prune(shop.store, shop.now))

    assert sum(done["runs"] for done in both) == 2 * TOGETHER
    again = await prune(shop.store, shop.now)  # what one had locked, the other has passed
    assert (again["runs"], (await filled(shop.store))["events"]) == (0, 0)
    carried = {row.did: row.n for row in await rows(shop.store, select(pruned_counts))}
    assert carried == {"exited": 2 * TOGETHER}
