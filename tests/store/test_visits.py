"""A run at a step that chooses: one transaction, in which it goes on, and what it chose stays chosen."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

from journeys.chance import arm_of
from journeys.steps.choosing import Split
from journeys.walk.diary import Choice, Entry, Over
from journeys.walk.position import Position
from journeys.walk.world import Visit
from store.ab_tests import decide_due_tests
from store.ab_views import TestView, list_tests
from store.customers import put_customer
from store.places import take_place
from store.runs import RunView, get_run
from store.schema import ab_people
from store.store import open_store, write_transaction
from store.visits import decide
from tests.samples import CUSTOMER, abandoned_cart
from tests.shop import NOON, Shop
from tests.transactions import rows

HELLO = {"id": "hello", "email": "initial-email-reminder", "to": "customer.email"}
NUDGE = {"id": "nudge", "text": "second-text-reminder", "to": "customer.phone"}
TIER: dict[str, Any] = {
    "id": "tier",
    "branch": [
        {"arm": "norwegian", "when": 'customer.country == "NO"', "then": [HELLO]},
        {"arm": "early", "when": 'now < timestamp("2026-11-24T12:00:01Z")', "then": [NUDGE]},
    ],
}
SPLIT: dict[str, Any] = {
    "id": "half",
    "split": [{"arm": "a", "share": "50%", "then": [HELLO]}, {"arm": "b", "share": "50%", "then": [NUDGE]}],
}
PILOT: dict[str, Any] = {
    "id": "pick",
    "split": [{"arm": "pilot", "first": 3, "then": [HELLO]}],
    "otherwise": [NUDGE],
}
SUBJECT: dict[str, Any] = {
    "id": "subject",
    "test": {
        "winner": {"by": "goal", "after": "2 weeks"},
        "arms": [{"arm": "plain", "share": "50%", "then": [HELLO]}, {"arm": "witty", "share": "50%", "then": []}],
        "default": "plain",
    },
}


def visit(run: str, step: str, now: datetime = NOON, version: int = 1) -> Visit:
    return Visit(run=run, version=version, position=Position(step=step, since=now), now=now)


async def chosen(shop: Shop, run: str, step: str, since: datetime | None = None) -> Choice:
    version = (await get_run(shop.store, run)).version
    at = visit(run, step, since or shop.now, version).at(shop.now)
    choice = await decide(shop.store, at)
    assert isinstance(choice, Choice)
    return choice


async def told(shop: Shop, run: str) -> tuple[list[tuple[str, str, str | None]], RunView]:
    seen = await get_run(shop.store, run)
    return [(entry.did, entry.step, entry.arm) for entry in seen.diary], seen


async def test_the_choice_passes_the_step_and_enters_the_first_one_in_its_arm(shop: Shop) -> None:
    await shop.publish(abandoned_cart(steps=[TIER]))
    run = await shop.start()

    choice = await chosen(shop, run, "tier")

    why = 'now < timestamp("2026-11-24T12:00:01Z") holds; customer.country == "NO" cannot be told: '
    assert choice == Choice(arm="early", why=f"{why}customer.country is missing")
    diary, seen = await told(shop, run)
    assert diary == [("entered", "tier", None), ("passed", "tier", "early"), ("entered", "nudge", None)]
    assert (seen.diary[1].why, seen.step) == (choice.why, "nudge")


async def test_an_empty_arm_at_the_end_completes_the_run(shop: Shop) -> None:
    await shop.publish(abandoned_cart(steps=[{**TIER, "branch": TIER["branch"][:1]}]))
    run = await shop.start()

    assert (await chosen(shop, run, "tier")).arm == "otherwise"

    diary, seen = await told(shop, run)
    assert diary == [("entered", "tier", None), ("passed", "tier", "otherwise")]
    assert (seen.ended, seen.why) == ("completed", "all steps done")


async def test_what_was_chosen_stays_chosen_whatever_changes_before_it_is_asked_again(shop: Shop) -> None:
    await shop.publish(abandoned_cart(steps=[TIER]))
    run = await shop.start()
    first = await chosen(shop, run, "tier")
    await put_customer(shop.store, "ada", {**CUSTOMER, "country": "NO"}, shop.now)
    shop.later(days=1)

    again = await chosen(shop, run, "tier", since=NOON)

    assert again == first
    assert [line[0] for line in (await told(shop, run))[0]] == ["entered", "passed", "entered"]


async def test_a_choice_that_completed_the_run_is_the_same_when_it_is_asked_again(shop: Shop) -> None:
    await shop.publish(
        abandoned_cart(steps=[{**TIER, "branch": [{**TIER["branch"][1], "then": []}, TIER["branch"][0]]}])
    )
    run = await shop.start()

    assert (await chosen(shop, run, "tier")).arm == (await chosen(shop, run, "tier")).arm == "early"


async def test_what_was_chosen_stays_where_a_series_around_it_is_answered(shop: Shop) -> None:
    """The answer of the store was lost on its way to Temporal, and something else came before it was asked again."""
    asked = {"trigger": "purchase-completed", "within": "10 days"}
    await shop.publish(abandoned_cart(steps=[{"id": "nudges", "until": asked, "steps": [TIER]}], exit=[]))
    run = await shop.start()
    entered = Entry(n=1, at=NOON, step="tier", did="entered")
    position = Position(step="tier", since=NOON, lines=2, inside={"nudges": NOON})
    at_tier = visit(run, "tier").model_copy(update={"position": position, "unwritten": (entered,)})
    before = await decide(shop.store, at_tier)
    await shop.post("purchase-completed")

    assert await decide(shop.store, at_tier) == before
    assert isinstance(before, Choice)


async def test_a_run_that_has_ended_chooses_nothing_and_takes_no_place(shop: Shop) -> None:
    await shop.publish(abandoned_cart(steps=[PILOT]))
    run = await shop.start()
    await shop.post("purchase-completed")

    assert await decide(shop.store, visit(run, "pick", shop.now)) == Over(ended="exited")
    take = write_transaction(take_place)
    free = [await take(shop.store, "abandoned-cart", "pick", {"pilot": 3}, who) for who in ("bob", "cy", "di", "eve")]
    assert free == ["pilot", "pilot", "pilot", None]


async def test_a_split_takes_the_arm_of_the_customer_s_hash(shop: Shop) -> None:
    await shop.publish(abandoned_cart(steps=[SPLIT], exit=[]))
    shares = Split.model_validate(SPLIT).shares

    for customer in ("ada", "bob", "cy", "di"):
        run = await shop.start(customer)

        arm = arm_of("abandoned-cart", "half", shares, customer)
        assert await chosen(shop, run, "half") == Choice(arm=arm, why="by lot, with a share of 50%")


async def test_places_go_on_over_versions_and_the_same_person_keeps_theirs(shop: Shop) -> None:
    await shop.publish(abandoned_cart(steps=[PILOT], exit=[]))
    first = [(await chosen(shop, await shop.start(who), "pick")).arm for who in ("ada", "bob")]
    await shop.publish(abandoned_cart(steps=[PILOT, {"id": "pause", "wait": "1 day"}], exit=[]))

    then = [
        (await chosen(shop, await shop.start(who, cart_id="c2"), "pick")).arm
        for who in ("cy", "di", "ada", "bob", "eve")
    ]

    assert first == ["pilot", "pilot"]
    assert then == ["pilot", "otherwise", "pilot", "pilot", "otherwise"]


async def test_however_many_come_at_once_three_find_a_place(shop: Shop, database_url: str) -> None:
    await shop.publish(abandoned_cart(steps=[PILOT], exit=[]))
    runs = [await shop.start(f"customer-{n}") for n in range(12)]
    stores = [open_store(database_url) for _ in range(3)]

    async def come(store: Any, mine: list[str]) -> list[Any]:
        return [await decide(store, visit(run, "pick")) for run in mine]

    taken = await asyncio.gather(*(come(store, runs[n::3]) for n, store in enumerate(stores)))
    for store in stores:
        await store.close()

    arms = [choice.arm for each in taken for choice in each]
    assert sorted(arms) == ["otherwise"] * 9 + ["pilot"] * 3


async def enter(shop: Shop, customers: list[str]) -> dict[str, str]:
    """All of them come to the test. By customer, the arm."""
    return {who: (await chosen(shop, await shop.start(who), "subject")).arm for who in customers}


async def shown(shop: Shop) -> list[TestView]:
    return list((await list_tests(shop.store, "abandoned-cart", shop.now)).tests)


async def test_the_winner_is_taken_by_whoever_enters_after_the_end(shop: Shop) -> None:
    await shop.publish(abandoned_cart(steps=[SUBJECT], exit=[]))
    arms = await enter(shop, [f"customer-{n}" for n in range(60)])
    shop.later(days=1)
    for who, arm in arms.items():
        if arm == "witty":
            await shop.post("purchase-completed", who)
    shop.later(days=12)
    await enter(shop, ["late-1"])

    [running] = await shown(shop)
    shop.later(days=1)
    [over] = await shown(shop)
    after = await enter(shop, ["after-1", "after-2", "after-3"])
    [decided] = await shown(shop)

    assert (running.state, running.people, running.verdict) == ("running", 61, None)
    assert (running.started_at, running.ends_at) == (NOON, NOON + timedelta(days=14))
    assert {arm.arm: (arm.people, arm.hits) for arm in running.arms} == {
        "plain": (list(arms.values()).count("plain") + (running.arms[0].left_out), 0),
        "witty": (list(arms.values()).count("witty") + (running.arms[1].left_out), list(arms.values()).count("witty")),
    }
    assert over.state == "over"
    assert decided.state == "decided"
    assert set(after.values()) == {"witty"}
    assert decided.verdict
    assert decided.verdict == over.verdict
    assert (decided.verdict.winner, decided.people) == ("witty", 61)
    assert sum(arm.left_out for arm in decided.arms) == 1
    assert [arm.rate for arm in decided.arms] == [0.0, 1.0]
    assert len(await rows(shop.store, ab_people.select())) == 61


async def test_looking_at_a_test_decides_nothing(shop: Shop) -> None:
    await shop.publish(abandoned_cart(steps=[SUBJECT], exit=[]))
    await enter(shop, ["ada"])
    shop.later(days=20)

    assert [[test.state for test in await shown(shop)] for _ in range(2)] == [["over"], ["over"]]
    await enter(shop, ["bob"])
    assert [test.state for test in await shown(shop)] == ["decided"]


async def test_a_version_with_other_arms_begins_anew_and_publishing_says_so(shop: Shop) -> None:
    await shop.publish(abandoned_cart(steps=[SUBJECT]))
    nobody_yet = await shop.publish(abandoned_cart(steps=[_with("60%", "40%")]))
    await shop.publish(abandoned_cart(steps=[SUBJECT]))
    await enter(shop, ["ada", "bob"])

    same = await shop.publish(abandoned_cart(steps=[SUBJECT, {"id": "pause", "wait": "1 day"}]))
    [first] = await shown(shop)
    anew = await shop.publish(abandoned_cart(steps=[{"id": "pause", "wait": "1 day"}, _with("70%", "30%")]))

    assert [told_.warnings for told_ in (nobody_yet, same)] == [(), ()]
    assert (first.versions, first.people) == ((4, 3, 1), 2)
    assert [(flaw.path, flaw.message) for flaw in anew.warnings] == [
        (
            "steps[1].test.arms",
            "the arms have changed, so the test begins anew, without the 2 people who were in it.",
        )
    ]
    assert [(test.versions, test.state, test.people) for test in await shown(shop)] == [
        ((5,), "waiting", 0),
        ((4, 3, 1), "running", 2),
    ]
    back = await shop.publish(abandoned_cart(steps=[SUBJECT]))
    assert back.warnings == ()


async def test_other_rules_do_not_count_for_a_test_that_runs_and_publishing_says_so(shop: Shop) -> None:
    await shop.publish(abandoned_cart(steps=[SUBJECT]))
    nobody_yet = await shop.publish(abandoned_cart(steps=[_ruled(after="5 days")]))
    await shop.publish(abandoned_cart(steps=[SUBJECT]))
    await enter(shop, ["ada", "bob"])

    other = await shop.publish(abandoned_cart(steps=[_ruled(after="5 days")]))
    [running] = await shown(shop)
    same = await shop.publish(abandoned_cart(steps=[SUBJECT, {"id": "pause", "wait": "1 day"}]))

    assert [told_.warnings for told_ in (nobody_yet, same)] == [(), ()]
    [flaw] = other.warnings
    rules = "by goal, after 14 days, within 3 days, default plain"
    message = f"people are in this test, so it goes on by the rules that it began with: {rules}."
    assert (flaw.path, flaw.message, flaw.hint) == ("steps[0].test", message, "To test anew, give the step another id.")
    assert (running.versions, running.ends_at) == ((4, 3, 2, 1), NOON + timedelta(days=14))


async def test_arms_that_were_decided_before_are_said_to_be_when_they_come_back(shop: Shop) -> None:
    await shop.publish(abandoned_cart(steps=[SUBJECT]))
    await enter(shop, ["ada"])
    shop.later(days=14)
    assert await decide_due_tests(shop.store, shop.now) == 1
    unchanged = await shop.publish(abandoned_cart(steps=[SUBJECT, {"id": "pause", "wait": "1 day"}]))
    await shop.publish(abandoned_cart(steps=[_with("70%", "30%")]))

    back = await shop.publish(abandoned_cart(steps=[SUBJECT]))

    assert unchanged.warnings == ()
    assert [flaw.message for flaw in back.warnings] == [
        'a test of these arms was decided before, so everybody takes "plain".'
    ]


def _ruled(**winner: object) -> dict[str, Any]:
    return {**SUBJECT, "test": {**SUBJECT["test"], "winner": {**SUBJECT["test"]["winner"], **winner}}}


def _with(*shares: str) -> dict[str, Any]:
    arms = [{**arm, "share": share} for arm, share in zip(SUBJECT["test"]["arms"], shares, strict=True)]
    return {**SUBJECT, "test": {**SUBJECT["test"], "arms": arms}}


async def test_by_clicked_the_one_message_in_each_arm_is_measured(shop: Shop) -> None:
    again = {**HELLO, "id": "again"}
    arms = [
        {"arm": "plain", "share": "50%", "then": [HELLO]},
        {"arm": "witty", "share": "50%", "then": [{**TIER, "branch": [{**TIER["branch"][1], "then": [again]}]}]},
    ]
    winner = {"by": "clicked", "people": 2, "within": "1 day"}
    step = {"id": "subject", "test": {"winner": winner, "arms": arms, "default": "plain"}}
    await shop.publish(abandoned_cart(steps=[step]))
    run = await shop.start("ada")
    arm = (await chosen(shop, run, "subject")).arm
    message = {"plain": "hello", "witty": "again"}[arm]
    tier = Entry(n=3, at=shop.now, step="tier", did="passed", arm="early")
    way = () if arm == "plain" else (tier, Entry(n=4, at=shop.now, step="again", did="entered"))
    await shop.claim(run, message, n=3 + len(way), entries=way)
    await shop.record(run, message, n=3 + len(way))
    await shop.post(
        "email-clicked", None, send_id=(await get_run(shop.store, run)).sends[0].id, link="https://x.example"
    )
    shop.later(days=1)

    [test] = await shown(shop)

    assert (test.state, test.needed, test.ends_at, test.within) == ("running", 2, None, timedelta(days=1))
    assert {each.arm: (each.counted, each.hits) for each in test.arms if each.people} == {arm: (1, 1)}
