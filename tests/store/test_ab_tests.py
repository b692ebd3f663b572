"""Tests of arms: everybody is in one once, measured for the same time, and the winner is decided once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Connection, update

from journeys.ab_tests import AS_BEFORE, BY_LOT, ABTest
from journeys.chance import arm_of
from journeys.definition import send_id
from journeys.walk.diary import Choice
from store.ab_people import ArmView
from store.ab_tests import decide_due_tests, decide_test, find_test, take_arm
from store.ab_views import TestView, view_test
from store.events import accept
from store.runs import close, get_run
from store.schema import ab_people, ab_tests
from store.store import open_store, read_transaction, write_transaction
from tests.samples import abandoned_cart
from tests.shop import NOON, Shop
from tests.transactions import execute, rows, under_way

take = write_transaction(take_arm)
decide = write_transaction(decide_test)


@read_transaction
def show_test(connection: Connection, test: ABTest, now: datetime) -> TestView:
    return view_test(connection, test, find_test(connection, test), [1], now)


DAY = timedelta(days=1)

SUBJECT = ABTest(
    journey="abandoned-cart",
    step="subject",
    arms="0123456789abcdef",
    shares={"plain": Decimal(50), "witty": Decimal(50)},
    default="plain",
    by="goal",
    within=3 * DAY,
    after=14 * DAY,
)
BY_PEOPLE = replace(SUBJECT, after=None, people=40)
BY_OTHERS = replace(SUBJECT, step="other", after=30 * DAY)
BY_OPENED = replace(SUBJECT, by="opened", messages=("initial-reminder",))
# The same arms at another step are another test.
BY_CLICKED = replace(BY_OPENED, step="clicks", by="clicked")

LASTING = abandoned_cart(exit=[])


async def enter(shop: Shop, customers: Sequence[str], test: ABTest = SUBJECT) -> dict[str, tuple[str, str]]:
    """A run for each customer, who comes to the test now. By customer, their run and arm."""
    carts = [shop.event("abandoned-cart", customer, total=1) for customer in customers]
    receipts = await accept(shop.store, carts, shop.now)
    began = {
        cart.customer or "": receipt.decisions[-1].run or "" for cart, receipt in zip(carts, receipts, strict=True)
    }
    return {
        customer: (run, (await take(shop.store, test, customer, run, shop.now)).arm) for customer, run in began.items()
    }


async def buy(shop: Shop, customers: Iterable[str], at: datetime | None = None) -> None:
    """They meet the goal."""
    bought = [shop.event("purchase-completed", customer, at=at) for customer in customers]
    await accept(shop.store, bought, shop.now)


async def witty_wins(shop: Shop, test: ABTest = SUBJECT) -> dict[str, tuple[str, str]]:
    """60 people come; those who took the witty arm meet the goal a day later."""
    await shop.publish(LASTING)
    people = await enter(shop, [f"customer-{number}" for number in range(60)], test)
    shop.later(days=1)
    await buy(shop, [customer for customer, (_, arm) in people.items() if arm == "witty"])
    return people


def counted(arms: Sequence[ArmView]) -> dict[str, tuple[int, int, int]]:
    """By arm, how many were counted, hit, and left out."""
    return {arm.arm: (arm.counted, arm.hits, arm.left_out) for arm in arms}


async def test_everybody_takes_an_arm_by_their_share_and_is_in_the_test(shop: Shop) -> None:
    await shop.publish(LASTING)

    people = await enter(shop, ["ada", "bob", "cy", "di"])

    arms = {customer: arm_of("abandoned-cart", "subject", SUBJECT.shares, customer) for customer in people}
    assert {customer: arm for customer, (_, arm) in people.items()} == arms
    view = await show_test(shop.store, SUBJECT, shop.now)
    assert (view.people, view.started_at, view.ends_at) == (4, NOON, NOON + 14 * DAY)
    assert {arm.arm: arm.people for arm in view.arms} == {
        arm: list(arms.values()).count(arm) for arm in ("plain", "witty")
    }


async def test_a_test_that_nobody_has_come_to_has_no_end(shop: Shop) -> None:
    shop.later(days=300)

    view = await show_test(shop.store, SUBJECT, shop.now)

    assert (view.state, view.people, view.started_at, view.ends_at, view.verdict) == ("waiting", 0, None, None, None)
    assert counted(view.arms) == {"plain": (0, 0, 0), "witty": (0, 0, 0)}
    assert await decide(shop.store, SUBJECT, shop.now) is None


async def test_who_asks_again_gets_the_same_answer_and_is_counted_once(shop: Shop) -> None:
    await shop.publish(LASTING)
    run, arm = (await enter(shop, ["ada"]))["ada"]
    shop.later(days=5)

    assert await take(shop.store, SUBJECT, "ada", run, shop.now) == Choice(arm=arm, why=BY_LOT)
    # Other shares would give another arm, but the first time is the one that counts.
    other = replace(SUBJECT, shares={"plain": Decimal("0.1"), "witty": Decimal("99.9")})
    assert await take(shop.store, other, "ada", "another run", shop.now) == Choice(arm=arm, why=AS_BEFORE)

    [person] = await rows(shop.store, ab_people.select())
    assert (person.run, person.at, person.until) == (run, NOON, NOON + 3 * DAY)
    assert (await show_test(shop.store, SUBJECT, shop.now)).people == 1


async def test_the_winner_is_decided_at_the_end_and_taken_by_all_who_come_then(shop: Shop) -> None:
    people = await witty_wins(shop)
    shop.now = NOON + 14 * DAY - timedelta(microseconds=1)
    assert await decide(shop.store, SUBJECT, shop.now) is None

    shop.now = NOON + 14 * DAY
    newcomers = await enter(shop, [f"newcomer-{number}" for number in range(10)])

    assert {arm for _, arm in newcomers.values()} == {"witty"}
    decision = await decide(shop.store, SUBJECT, shop.now)
    assert decision
    assert (decision.at, decision.verdict.winner, decision.verdict.decided) == (NOON + 14 * DAY, "witty", True)
    witty = sum(arm == "witty" for _, arm in people.values())
    assert counted(decision.arms) == {"plain": (60 - witty, 0, 0), "witty": (witty, witty, 0)}
    view = await show_test(shop.store, SUBJECT, shop.now)
    assert (view.state, view.people, view.verdict) == ("decided", 60, decision.verdict)
    assert counted(view.arms) == counted(decision.arms)


async def test_after_the_end_who_was_in_it_keeps_the_arm_in_that_run_only(shop: Shop) -> None:
    people = await witty_wins(shop)
    customer, (run, _) = next((name, taken) for name, taken in people.items() if taken[1] == "plain")
    shop.now = NOON + 15 * DAY

    winners = await take(shop.store, SUBJECT, customer, "another run", shop.now)

    assert winners == Choice(arm="witty", why="the winner of a test that ended on 2026-12-08 at 12:00 UTC")
    assert await take(shop.store, SUBJECT, customer, run, shop.now) == Choice(arm="plain", why=BY_LOT)


async def test_what_is_decided_stays_whatever_comes_later(shop: Shop) -> None:
    people = await witty_wins(shop)
    shop.now = NOON + 14 * DAY
    first = await decide(shop.store, SUBJECT, shop.now)

    # What is heard of now occurred within their time: too late for the decision.
    shop.later(days=1)
    await buy(shop, [customer for customer, (_, arm) in people.items() if arm == "plain"], at=NOON + DAY)

    assert await decide(shop.store, replace(SUBJECT, after=30 * DAY), shop.now) == first
    assert await decide(shop.store, replace(SUBJECT, default="witty", by="opened"), shop.now) == first
    assert first
    view = await show_test(shop.store, SUBJECT, shop.now)
    assert (view.verdict, counted(view.arms)) == (first.verdict, counted(first.arms))


async def test_of_two_who_decide_at_once_the_second_finds_what_the_first_decided(shop: Shop, database_url: str) -> None:
    await witty_wins(shop)
    elsewhere = open_store(database_url)
    over = NOON + 14 * DAY

    async with under_way(shop.store) as do:
        first = await do(lambda connection: decide_test(connection, SUBJECT, over))
        second = asyncio.create_task(decide(elsewhere, replace(SUBJECT, by="opened"), over))
        await asyncio.sleep(0.2)
        assert not second.done()

    assert first
    assert first.verdict.decided
    assert await second == first
    await elsewhere.close()


async def test_whoever_decides_late_decides_as_of_the_end(shop: Shop) -> None:
    await witty_wins(shop)
    shop.now = NOON + 12 * DAY
    late = await enter(shop, [f"late-{number}" for number in range(30)])
    shop.later(days=2, hours=12)
    await buy(shop, [customer for customer, (_, arm) in late.items() if arm == "plain"])
    shop.now = NOON + 100 * DAY

    before = await show_test(shop.store, SUBJECT, shop.now)
    decision = await decide(shop.store, SUBJECT, shop.now)

    assert decision
    assert (before.state, before.ends_at, before.verdict) == ("over", decision.at, decision.verdict)
    assert counted(before.arms) == counted(decision.arms)
    assert decision.at == NOON + 14 * DAY
    assert sum(arm.left_out for arm in decision.arms) == 30
    assert decision.verdict.winner == "witty"


async def test_everybody_is_measured_for_the_same_time_from_the_split(shop: Shop) -> None:
    await shop.publish(LASTING)
    early, late, before = await enter(shop, ["early"]), await enter(shop, ["late"]), await enter(shop, ["never"])
    await buy(shop, ["early"], at=shop.later(days=3))
    await buy(shop, ["late"], at=shop.later(microseconds=1))

    view = await show_test(shop.store, SUBJECT, shop.now)

    hits = {arm.arm: arm.hits for arm in view.arms}
    assert sum(hits.values()) == 1
    assert hits[early["early"][1]] == 1
    assert sum(arm.counted for arm in view.arms) == len(early | late | before)


async def test_who_met_the_goal_before_the_split_is_no_hit(shop: Shop) -> None:
    await shop.publish(LASTING)
    run = await shop.start("ada")
    await buy(shop, ["ada"])
    shop.later(hours=1)
    await take(shop.store, SUBJECT, "ada", run, shop.now)
    shop.later(days=3)

    view = await show_test(shop.store, SUBJECT, shop.now)

    assert sorted((arm.counted, arm.hits) for arm in view.arms) == [(0, 0), (1, 0)]


async def test_people_whose_time_is_not_over_are_left_out_and_counted_apart(shop: Shop) -> None:
    await shop.publish(LASTING)
    await enter(shop, ["ada", "bob"])
    shop.later(days=2)
    await enter(shop, ["cy"])
    await buy(shop, ["ada", "bob", "cy"])
    shop.later(days=1)

    view = await show_test(shop.store, SUBJECT, shop.now)

    assert [sum(column) for column in zip(*counted(view.arms).values(), strict=True)] == [2, 2, 1]


async def test_too_few_people_decide_for_the_default(shop: Shop) -> None:
    await shop.publish(LASTING)
    people = await enter(shop, [f"customer-{number}" for number in range(8)])
    await buy(shop, [customer for customer, (_, arm) in people.items() if arm == "witty"])
    shop.later(days=14)

    [(_, arm)] = (await enter(shop, ["ada"])).values()

    decision = await decide(shop.store, SUBJECT, shop.now)
    assert decision
    assert (arm, decision.verdict.winner, decision.verdict.decided) == ("plain", "plain", False)
    assert decision.verdict.why.startswith("too few: ")
    taken = await take(shop.store, SUBJECT, "bob", "run", shop.now)
    assert taken.why == "the default of a test that ended on 2026-12-08 at 12:00 UTC"


async def test_by_people_it_ends_when_the_time_of_so_many_is_over(shop: Shop) -> None:
    await shop.publish(LASTING)
    await enter(shop, [f"customer-{number}" for number in range(39)], BY_PEOPLE)
    shop.later(days=30)
    assert (await show_test(shop.store, BY_PEOPLE, shop.now)).ends_at is None
    await enter(shop, ["fortieth"], BY_PEOPLE)
    full = shop.now
    shop.later(days=1)
    await enter(shop, ["after-it"], BY_PEOPLE)

    view = await show_test(shop.store, BY_PEOPLE, shop.now)
    assert (view.people, view.needed, view.ends_at) == (41, 40, full + 3 * DAY)
    assert await decide(shop.store, BY_PEOPLE, full + 3 * DAY - timedelta(seconds=1)) is None
    decision = await decide(shop.store, BY_PEOPLE, full + 3 * DAY)

    assert decision
    assert sum(arm.counted for arm in decision.arms) == 40
    assert sum(arm.left_out for arm in decision.arms) == 1


async def test_a_version_with_the_same_arms_goes_on_and_one_with_others_begins_anew(shop: Shop) -> None:
    await shop.publish(LASTING)
    await enter(shop, ["ada"])
    shop.later(days=10)

    await enter(shop, ["bob"])
    await enter(shop, ["cy"], replace(SUBJECT, arms="fedcba9876543210"))

    goes_on = await show_test(shop.store, SUBJECT, shop.now)
    anew = await show_test(shop.store, replace(SUBJECT, arms="fedcba9876543210"), shop.now)
    assert (goes_on.people, goes_on.ends_at) == (2, NOON + 14 * DAY)
    assert (anew.people, anew.started_at) == (1, NOON + 10 * DAY)
    assert (await show_test(shop.store, replace(SUBJECT, step="other"), shop.now)).people == 0


async def test_rules_that_are_changed_meanwhile_move_neither_the_end_nor_the_measure(shop: Shop) -> None:
    people = await witty_wins(shop)
    sooner = replace(SUBJECT, after=2 * DAY, within=DAY, by="opened", default="witty", messages=("initial-reminder",))
    shop.now = NOON + 12 * DAY

    late = await enter(shop, [f"late-{number}" for number in range(20)], sooner)
    before = await show_test(shop.store, sooner, shop.now)
    shop.now = NOON + 14 * DAY
    decision = await decide(shop.store, sooner, shop.now)

    arms = {customer: arm_of("abandoned-cart", "subject", SUBJECT.shares, customer) for customer in late}
    assert {customer: arm for customer, (_, arm) in late.items()} == arms
    assert (before.state, before.ends_at, before.by, before.within) == ("running", NOON + 14 * DAY, "goal", 3 * DAY)
    assert (before.default, {person.until - person.at for person in await rows(shop.store, ab_people.select())}) == (
        "plain",
        {3 * DAY},
    )
    assert decision
    assert (decision.at, sum(arm.left_out for arm in decision.arms)) == (NOON + 14 * DAY, 20)
    assert sum(arm.counted for arm in decision.arms) == len(people)


async def test_a_test_that_is_due_is_decided_without_anybody_entering(shop: Shop) -> None:
    await witty_wins(shop)
    await enter(shop, ["ada"], BY_OTHERS)
    assert await decide_due_tests(shop.store, NOON + 14 * DAY - timedelta(microseconds=1)) == 0
    expected = await show_test(shop.store, SUBJECT, NOON + 20 * DAY)

    decided = [await decide_due_tests(shop.store, NOON + 20 * DAY) for _ in range(2)]

    view = await show_test(shop.store, SUBJECT, NOON + 20 * DAY)
    assert decided == [1, 0]
    assert (expected.state, view.state, view.ends_at) == ("over", "decided", NOON + 14 * DAY)
    assert (view.verdict, counted(view.arms)) == (expected.verdict, counted(expected.arms))
    assert await decide(shop.store, BY_OTHERS, NOON + 20 * DAY) is None


async def test_a_test_that_cannot_be_decided_keeps_no_other_from_it(shop: Shop) -> None:
    await witty_wins(shop)
    broken = replace(SUBJECT, step="a-broken-one")
    await enter(shop, ["ada"], broken)
    await execute(shop.store, update(ab_tests).where(ab_tests.c.step == broken.step).values(rules={}))

    with pytest.raises(ValueError, match="validation error"):
        await decide_due_tests(shop.store, NOON + 20 * DAY)

    assert (await show_test(shop.store, SUBJECT, NOON + 20 * DAY)).state == "decided"


async def test_of_many_who_look_for_tests_that_are_due_one_decides(shop: Shop, database_url: str) -> None:
    await witty_wins(shop)
    stores = [open_store(database_url) for _ in range(4)]

    decided = await asyncio.gather(*(decide_due_tests(store, NOON + 14 * DAY) for store in stores))

    for store in stores:
        await store.close()
    assert sum(decided) == 1


async def test_by_people_it_is_looked_at_again_when_it_may_be_over(shop: Shop) -> None:
    await shop.publish(LASTING)
    await enter(shop, [f"customer-{number}" for number in range(39)], BY_PEOPLE)
    shop.later(days=3)
    assert await decide_due_tests(shop.store, shop.now) == 0
    shop.later(days=1)
    await enter(shop, ["fortieth"], BY_PEOPLE)
    full = shop.now

    decided = [
        await decide_due_tests(shop.store, at)
        for at in (full + 2 * DAY, full + 3 * DAY - timedelta(seconds=1), full + 3 * DAY)
    ]

    view = await show_test(shop.store, BY_PEOPLE, shop.now)
    assert decided == [0, 0, 1]
    assert (view.state, view.ends_at) == ("decided", full + 3 * DAY)


async def test_the_numbers_hold_whoever_is_just_entering(shop: Shop, database_url: str) -> None:
    await witty_wins(shop)
    elsewhere, over = open_store(database_url), NOON + 14 * DAY

    async with under_way(shop.store) as do:
        await do(lambda connection: take_arm(connection, SUBJECT, "late", "late-run", over - timedelta(seconds=1)))
        deciding = asyncio.create_task(decide(elsewhere, SUBJECT, over))
        await asyncio.sleep(0.2)
        assert not deciding.done()

    decision = await deciding
    await elsewhere.close()
    assert decision
    assert sum(arm.people for arm in decision.arms) == len(await rows(shop.store, ab_people.select())) == 61


async def test_two_who_enter_do_not_wait_for_each_other(shop: Shop, database_url: str) -> None:
    if shop.store.dialect == "sqlite":
        pytest.skip("SQLite has one writer")
    await witty_wins(shop)
    elsewhere = open_store(database_url)

    async with under_way(shop.store) as do:
        await do(lambda connection: take_arm(connection, SUBJECT, "one", "run-1", NOON + DAY))
        await asyncio.wait_for(take(elsewhere, SUBJECT, "other", "run-2", NOON + DAY), timeout=5)

    await elsewhere.close()


async def test_a_goal_counts_for_the_same_time_however_the_run_ended(shop: Shop) -> None:
    await shop.publish(abandoned_cart(exit=[{"trigger": "store-visit"}]))
    people = await enter(shop, ["exited", "cancelled", "late", "outside"])
    await shop.post("store-visit", "exited", city="Oslo")
    await shop.post("store-visit", "late", city="Oslo")
    await close(shop.store, people["cancelled"][0], "operator", "by hand", shop.now, ())
    outside = await shop.start("nobody")
    await shop.post("store-visit", "nobody", city="Oslo")
    await buy(shop, ["exited", "cancelled", "nobody"], at=shop.later(days=3))
    await buy(shop, ["late"], at=shop.later(microseconds=1))

    view = await show_test(shop.store, SUBJECT, shop.now)

    hits = [people["exited"][1], people["cancelled"][1]]
    assert {arm.arm: arm.hits for arm in view.arms} == {arm: hits.count(arm) for arm in ("plain", "witty")}
    assert (await get_run(shop.store, outside)).goal_met_at is None


async def send(shop: Shop, run: str, step: str = "initial-reminder", n: int = 1) -> str:
    following = "pause" if step == "second-reminder" else "second-reminder"
    await shop.claim(run, step, n=n, following=following)
    await shop.record(run, step, n=n, following=following)
    return send_id(run, step)


async def test_by_opened_people_count_who_opened_the_message_of_their_arm(shop: Shop) -> None:
    await shop.publish(LASTING)
    people = await enter(shop, ["ada", "bob", "cy", "di", "eve"], BY_OPENED)
    clickers = {
        customer: (await take(shop.store, BY_CLICKED, customer, run, shop.now)).arm
        for customer, (run, _) in people.items()
    }
    sent = {customer: await send(shop, run) for customer, (run, _) in people.items()}
    other = await send(shop, people["cy"][0], "second-reminder", n=3)
    shop.later(hours=1)
    for opened, more in ((sent["ada"], {}), (sent["bob"], {"machine": True})):
        await shop.post("email-opened", None, send_id=opened, **more)
    await shop.post("text-clicked", None, send_id=other, link="https://shop.example")
    await shop.post("email-opened", None, send_id=sent["ada"])
    await shop.post("email-clicked", None, send_id=sent["di"], link="https://shop.example")
    shop.later(days=3)
    await shop.post("email-opened", None, send_id=sent["eve"])

    opened_by = await show_test(shop.store, BY_OPENED, shop.now)
    clicked_by = await show_test(shop.store, BY_CLICKED, shop.now)

    assert {arm.arm: arm.hits for arm in opened_by.arms if arm.hits} == {people["ada"][1]: 1}
    assert {arm.arm: arm.hits for arm in clicked_by.arms if arm.hits} == {clickers["di"]: 1}
    assert sum(arm.counted for arm in opened_by.arms) == 5


async def test_however_many_come_at_once_everybody_is_in_it_once_and_one_decides(shop: Shop, database_url: str) -> None:
    await witty_wins(shop)
    stores = [open_store(database_url) for _ in range(4)]
    crowd = [f"crowd-{number}" for number in range(25)]

    async def come(number: int, now: datetime) -> list[Choice]:
        each = asyncio.Semaphore(5)

        async def one(customer: str) -> Choice:
            async with each:
                return await take(stores[number], SUBJECT, customer, f"run-{number}-{customer}", now)

        return await asyncio.gather(*map(one, crowd))

    running = await asyncio.gather(*(come(number, NOON + DAY) for number in range(4)))
    over = await asyncio.gather(*(come(number, NOON + 14 * DAY) for number in range(4)))
    for store in stores:
        await store.close()

    expected = [arm_of("abandoned-cart", "subject", SUBJECT.shares, customer) for customer in crowd]
    assert [[taken.arm for taken in each] for each in running] == [expected] * 4
    assert sum(taken.why == BY_LOT for each in running for taken in each) == 25
    assert {taken.arm for each in over for taken in each if taken.why != BY_LOT} == {"witty"}
    assert len(await rows(shop.store, ab_people.select())) == 85
