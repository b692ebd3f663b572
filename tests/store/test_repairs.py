"""Runs that are parked: taken out of the way of nobody, shown, and told exactly once to try again."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal

import pytest
from sqlalchemy import func, select, update
from temporalio.testing import ActivityEnvironment

from activities.channels import ProviderAnswer, Refused
from activities.deliver import Deliver
from journeys.definition import Journey, send_id
from journeys.interactions import INTERACTIONS
from journeys.problems import Conflict, Unknown
from journeys.walk.diary import Delivery, Held
from store import held_journeys, pausing, repairs, sends, stopping
from store.audit import list_audit
from store.brake import hold_journey
from store.catalogue import put_content, ready_content
from store.completing import archive, complete
from store.journeys import get_journey, put_journey
from store.lifecycle_parked import Wanted
from store.open_problems import open_problems
from store.publishing import publish_for
from store.repairs import Repaired, finish_repairs, repair
from store.runs import get_run, list_runs
from store.schema import contents, outbox
from store.schema import repairs as begun
from store.sends import Done, Go
from tests.ledger import Ledger
from tests.policy_stories import changed_contents
from tests.samples import abandoned_cart
from tests.shop import CHANNELS, NOON, Shop, by_us

NAME, STEP = "abandoned-cart", "initial-reminder"
EMAIL = "initial-email-reminder"
ALL = Wanted()
WHY = "the content cannot be filled in: line 1: divided_by: can't divide by 0."
REFUSED = 'SendGrid: "ada@example.com" is not an address (400)'
QUARTER = timedelta(minutes=15)
TAKE_BACK = update(contents).where(contents.c.name == EMAIL).values(state="draft")


def one_email(**more: object) -> Journey:
    start = {"trigger": NAME, "repeat": "immediately", "overlap": "parallel"}
    return abandoned_cart(start=start, steps=[{"id": STEP, "email": EMAIL, "to": "customer.email", **more}])


async def write_content(shop: Shop, subject: str) -> None:
    written = {"content": EMAIL, "email": {"subject": subject, "text": "No more of these: {{ unsubscribe_url }}"}}
    await put_content(shop.store, changed_contents(written)[EMAIL], by_us(shop.now))
    await ready_content(shop.store, EMAIL, by_us(shop.now))


@pytest.fixture
async def broken(shop: Shop) -> Shop:
    """Whose content cannot be filled in where a cart is free."""
    await write_content(shop, "{{ 100 | divided_by: event.total }}")
    await shop.publish(one_email())
    return shop


async def attempt(shop: Shop, run: str, *answers: ProviderAnswer) -> Delivery | Held:
    environment = ActivityEnvironment()
    at = shop.visit(run, following=None)
    environment.info = replace(environment.info, scheduled_time=shop.now, started_time=shop.now)
    deliver = Deliver(shop.store, dict.fromkeys(INTERACTIONS, Ledger(*answers)))
    answer = await environment.run(deliver.deliver, at)
    assert isinstance(answer, Delivery | Held)
    return answer


async def parked(shop: Shop, customer: str = "ada") -> str:
    run = await shop.start(customer, total=0)
    assert isinstance(await attempt(shop, run), Held)
    return run


def to_the_second(at: datetime) -> datetime:
    """An attempt takes a moment."""
    return at.replace(microsecond=0)


async def waiting(shop: Shop) -> list[str]:
    return sorted(run.id for run in (await list_runs(shop.store, by="park", limit=200)).runs)


async def told(shop: Shop) -> list[tuple[str, str]]:
    """What Temporal is to be told of runs, other than to start them."""
    jobs = select(outbox.c.run, outbox.c.kind).where(outbox.c.kind != "start").order_by(outbox.c.id)
    rows = await shop.store.read(lambda connection: connection.execute(jobs).all())
    return [(row.run, row.kind) for row in rows]


async def test_a_content_that_cannot_be_filled_in_parks_its_run_and_nobody_is_asked(broken: Shop) -> None:
    run = await broken.start(total=0)

    answer = await attempt(broken, run)

    assert answer == Held(until=None, why="the content cannot be filled in", by="park")
    seen = await get_run(broken.store, run)
    assert seen.held is not None
    assert (seen.step, seen.held.by, seen.held.until, seen.held.why) == (STEP, "park", None, WHY)
    assert seen.diary[-1].why == f"parked until it is repaired: {WHY}"
    (send,) = seen.sends
    assert (send.state, send.reason) == ("released", WHY)


async def test_what_a_provider_refuses_goes_on_unless_it_is_said(broken: Shop) -> None:
    run = await broken.start()

    answer = await attempt(broken, run, Refused(REFUSED))

    assert isinstance(answer, Delivery)
    assert (answer.outcome, await waiting(broken)) == ("failed", [])
    assert (await get_run(broken.store, run)).ended == "completed"


async def test_what_a_provider_refuses_is_parked_where_that_is_said_and_names_nobody(shop: Shop) -> None:
    await shop.publish(one_email(failing="park"))
    run = await shop.start()

    answer = await attempt(shop, run, Refused(REFUSED))

    assert answer == Held(until=None, why="the provider refused it", by="park")
    seen = await get_run(shop.store, run)
    assert seen.held is not None
    assert seen.held.why == "SendGrid: … is not an address (400)"
    assert seen.sends[0].reason == REFUSED


async def test_a_content_that_was_taken_back_blocks_unless_it_is_said(shop: Shop) -> None:
    answers = []
    for said in ({}, {"failing": "park"}):
        await shop.publish(one_email(**said))
        run = await shop.start()
        await shop.store.write(lambda connection: connection.execute(TAKE_BACK))
        answers.append(await sends.claim(shop.store, shop.visit(run, following=None)))
        await ready_content(shop.store, EMAIL, by_us(shop.now))

    blocked, held = answers
    why = f'content "{EMAIL}" is draft, not ready to send'
    assert isinstance(blocked, Done)
    assert (blocked.delivery.outcome, blocked.delivery.reason) == ("blocked", why)
    assert held == Held(until=None, why=why, by="park")
    (run,) = await waiting(shop)
    assert (await get_run(shop.store, run)).sends[0].state == "released"
    await repair(shop.store, NAME, ALL, by_us(shop.now))
    await shop.rule(spread="0 seconds")
    assert isinstance(await sends.claim(shop.store, shop.visit(run, following=None)), Go)


async def test_repaired_they_are_told_and_go_out_in_turn(broken: Shop) -> None:
    runs = sorted([await parked(broken), await parked(broken, "bob")])
    await write_content(broken, "Mended")
    at = broken.later(hours=1)

    answer = await repair(broken.store, NAME, ALL, by_us(at))

    assert (answer.count, answer.spread, answer.dry_run) == (2, QUARTER, False)
    assert await told(broken) == [(run, "let go") for run in runs]
    assert await waiting(broken) == []
    for run in runs:
        broken.now = at
        wait = await attempt(broken, run)
        assert isinstance(wait, Held)
        assert wait.until is not None
        assert (wait.by, at <= wait.until < at + QUARTER) == ("release", True)
        broken.now = wait.until
        delivery = await attempt(broken, run)
        assert isinstance(delivery, Delivery)
        assert delivery.outcome == "accepted"


async def test_a_dry_run_counts_as_the_act_does_and_does_nothing(broken: Shop) -> None:
    runs = [await parked(broken), await parked(broken, "bob")]

    would = await repair(broken.store, NAME, ALL, by_us(broken.now), dry_run=True)

    (each,) = would.parked
    assert (each.step, each.why, each.count, would.dry_run) == (STEP, WHY, 2, True)
    assert (await waiting(broken), await told(broken)) == (sorted(runs), [])
    did = await repair(broken.store, NAME, ALL, by_us(broken.now))
    assert did == would.model_copy(update={"dry_run": False})


async def test_a_second_time_it_changes_nothing(broken: Shop) -> None:
    run = await parked(broken)
    await repair(broken.store, NAME, ALL, by_us(broken.now))

    again = await repair(broken.store, NAME, ALL, by_us(broken.now))

    assert (again.count, again.parked, await told(broken)) == (0, (), [(run, "let go")])
    entries = (await list_audit(broken.store, what=f"journey/{NAME}")).entries
    assert [(entry.did, entry.by, entry.detail) for entry in entries if entry.did == "runs repaired"] == [
        ("runs repaired", "us", {"count": 1})
    ]
    with pytest.raises(Unknown, match='There is no journey "abandoned-card"'):
        await repair(broken.store, "abandoned-card", ALL, by_us(broken.now))


@pytest.mark.parametrize(
    ("wanted", "finds"),
    [
        (Wanted(step=STEP), True),
        (Wanted(reason="CAN'T DIVIDE"), True),
        (Wanted(reason="100%"), False),
        (Wanted(reason="can_t divide"), False),
    ],
)
async def test_only_those_that_are_wanted_are_told(broken: Shop, wanted: Wanted, *, finds: bool) -> None:
    await parked(broken)

    would = await repair(broken.store, NAME, wanted, by_us(broken.now), dry_run=True)
    did = await repair(broken.store, NAME, wanted, by_us(broken.now))

    assert (would.count, did.count, len(await told(broken))) == (finds, finds, finds)


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_step_that_is_in_no_version_is_told_and_others_have_none_parked(broken: Shop, *, dry_run: bool) -> None:
    await parked(broken)
    await broken.publish(abandoned_cart(steps=[{"id": "rest", "wait": "1 day"}]))

    with pytest.raises(Unknown) as refused:
        await repair(broken.store, NAME, Wanted(step="initial-remainder"), by_us(broken.now), dry_run=dry_run)
    elsewhere = await repair(broken.store, NAME, Wanted(step="rest"), by_us(broken.now), dry_run=dry_run)
    before = await repair(broken.store, NAME, Wanted(step=STEP), by_us(broken.now), dry_run=dry_run)

    assert refused.value.detail == f'Journey "{NAME}" has no step "initial-remainder". Did you mean "{STEP}"?'
    assert (elsewhere.count, before.count) == (0, 1)


async def test_only_those_since_then_are_told(broken: Shop) -> None:
    await parked(broken)
    since = broken.later(hours=1)
    later = await parked(broken, "bob")

    answer = await repair(broken.store, NAME, Wanted(since=since), by_us(broken.now))

    assert (answer.count, await told(broken)) == (1, [(later, "let go")])


async def test_since_when_it_is_parked_is_not_since_when_it_was_held(shop: Shop) -> None:
    await shop.publish(one_email(failing="park"))
    await shop.rule(quiet=[{"from": "10:00", "to": "14:00"}], spread="0 seconds")
    run = await shop.start()
    assert isinstance(await attempt(shop, run), Held)
    await shop.store.write(lambda connection: connection.execute(TAKE_BACK))
    parked_at = shop.later(hours=2)
    assert await attempt(shop, run) == Held(until=None, why=f'content "{EMAIL}" is draft, not ready to send', by="park")

    answer = await repair(shop.store, NAME, Wanted(since=parked_at), by_us(shop.later(minutes=5)))

    assert [(parked.count, to_the_second(parked.since)) for parked in answer.parked] == [(1, parked_at)]
    again = shop.later(hours=3)
    assert isinstance(await attempt(shop, run), Held)
    (problem,) = (await open_problems(shop.store)).problems
    assert to_the_second(problem.since) == again
    assert isinstance(await attempt(shop, run), Held)
    assert (await repair(shop.store, NAME, Wanted(since=again), by_us(shop.later(hours=1)))).count == 1


async def test_instead_they_go_on_without_it(broken: Shop) -> None:
    run = await parked(broken)

    answer = await repair(broken.store, NAME, ALL, by_us(broken.later(hours=1)), instead="go on")

    assert (answer.instead, answer.count, await told(broken)) == ("go on", 1, [(run, "let go")])
    await write_content(broken, "Mended")  # it is too late for them
    delivery = await attempt(broken, run)
    assert isinstance(delivery, Delivery)
    assert (delivery.outcome, delivery.at) == ("failed", broken.now)
    seen = await get_run(broken.store, run)
    assert (seen.ended, seen.sends[0].state, seen.sends[0].reason) == ("completed", "failed", WHY)
    assert seen.diary[-1].why == f"failed: {WHY}"


async def test_who_fails_again_is_parked_again_and_told_once(broken: Shop) -> None:
    run = await parked(broken)
    await broken.rule(spread="0 seconds")
    at = broken.later(hours=1)
    await repair(broken.store, NAME, ALL, by_us(at))

    assert isinstance(await attempt(broken, run), Held)

    assert await finish_repairs(broken.store, broken.now) == 0
    seen = await get_run(broken.store, run)
    assert seen.held is not None
    assert (seen.held.by, to_the_second(seen.held.since)) == ("park", at)
    assert await told(broken) == [(run, "let go")]


async def test_a_process_that_dies_before_it_told_the_runs_is_finished_by_another(
    broken: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await parked(broken)
    with monkeypatch.context() as dying:
        dying.setattr(repairs, "_go_on", dies)
        with pytest.raises(ConnectionError):
            await repair(broken.store, NAME, ALL, by_us(broken.now))
    assert (await waiting(broken), await told(broken)) == ([run], [])

    assert await finish_repairs(broken.store, broken.now) == 1

    assert (await waiting(broken), await told(broken)) == ([], [(run, "let go")])
    assert await finish_repairs(broken.store, broken.now) == 0


async def dies(*_: object) -> int:
    raise ConnectionError


async def begun_and_dead(shop: Shop, monkeypatch: pytest.MonkeyPatch, instead: Literal["go on"] | None = None) -> None:
    """A repair whose process dies before it has told anybody."""
    with monkeypatch.context() as dying:
        dying.setattr(repairs, "_go_on", dies)
        with pytest.raises(ConnectionError):
            await repair(shop.store, NAME, ALL, by_us(shop.now), instead=instead)


async def test_who_is_parked_after_it_was_asked_is_not_among_them(
    broken: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were not counted, and their message may be left out."""
    await parked(broken)
    await begun_and_dead(broken, monkeypatch, "go on")
    broken.later(seconds=20)
    later = await parked(broken, "bob")

    assert await finish_repairs(broken.store, broken.now) == 1

    assert await waiting(broken) == [later]


async def test_whose_clock_is_ahead_is_among_them(broken: Shop) -> None:
    asked_at = broken.now
    broken.later(seconds=20)
    run = await parked(broken)

    answer = await repair(broken.store, NAME, ALL, by_us(asked_at))

    assert (answer.count, await told(broken)) == (1, [(run, "let go")])


async def test_who_is_about_to_be_stopped_is_not_told(broken: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told to go on, they would be completed, and not stopped."""
    run = await parked(broken)
    with monkeypatch.context() as dying:
        dying.setattr(stopping, "_go_on", dies)
        with pytest.raises(ConnectionError):
            await stopping.stop(broken.store, NAME, by_us(broken.now))

    would = await repair(broken.store, NAME, ALL, by_us(broken.now), instead="go on", dry_run=True)
    did = await repair(broken.store, NAME, ALL, by_us(broken.now), instead="go on")

    assert (would.count, did.count, await told(broken)) == (0, 0, [])
    await stopping.finish_stops(broken.store, broken.later(minutes=10))
    assert (await get_run(broken.store, run)).ended == "stopped"


async def test_what_fits_nothing_is_kept_nowhere(broken: Shop) -> None:
    await parked(broken)

    for wanted in (Wanted(since=broken.now + timedelta(hours=1)), Wanted(reason="no such")):
        assert (await repair(broken.store, NAME, wanted, by_us(broken.now))).count == 0

    assert await finish_repairs(broken.store, broken.later(hours=2)) == 0
    entries = (await list_audit(broken.store, what=f"journey/{NAME}")).entries
    assert [entry for entry in entries if entry.did in ("runs repaired", "runs let go on")] == []


async def test_of_two_that_want_otherwise_the_first_one_stands(broken: Shop) -> None:
    """Each run is told once, and does one of the two."""
    await broken.rule(spread="0 seconds")
    runs = [await parked(broken, customer) for customer in ("ada", "bob")]

    await asyncio.gather(
        repair(broken.store, NAME, ALL, by_us(broken.now)),
        repair(broken.store, NAME, ALL, by_us(broken.now), instead="go on"),
    )

    assert sorted(await told(broken)) == sorted((run, "let go") for run in runs)
    states = {run: [send.state for send in (await get_run(broken.store, run)).sends] for run in runs}
    assert set(map(tuple, states.values())) <= {("released",), ("failed",)}
    await write_content(broken, "Mended")
    for run in runs:
        did = await attempt(broken, run)
        assert isinstance(did, Delivery)
        assert did.outcome == ("failed" if states[run] == ["failed"] else "accepted")


async def paused(shop: Shop) -> None:
    await pausing.pause(shop.store, NAME, by_us(shop.now))


async def resumed(shop: Shop) -> None:
    await pausing.resume(shop.store, NAME, by_us(shop.now))


async def braked(shop: Shop) -> None:
    await shop.store.write(lambda connection: hold_journey(connection, NAME, "a copy too many", None, shop.now))


async def let_go(shop: Shop) -> None:
    await held_journeys.let_go(shop.store, NAME, by_us(shop.now))


@pytest.mark.parametrize(
    ("holds", "lets_go", "by"),
    [pytest.param(paused, resumed, "pause", id="paused"), pytest.param(braked, let_go, "brake", id="braked")],
)
async def test_repaired_while_its_journey_is_held_it_goes_out_once_that_is_over(
    broken: Shop, holds: Any, lets_go: Any, by: str
) -> None:
    await broken.rule(spread="0 seconds")
    run = await parked(broken)
    await holds(broken)
    await write_content(broken, "Mended")
    broken.later(minutes=5)

    answer = await repair(broken.store, NAME, ALL, by_us(broken.now))
    held = await attempt(broken, run)
    again = await repair(broken.store, NAME, ALL, by_us(broken.later(minutes=5)))
    await lets_go(broken)

    assert (answer.count, again.count) == (1, 0)
    assert isinstance(held, Held)
    assert held.by == by
    assert await told(broken) == [(run, "let go"), (run, "let go")]
    delivery = await attempt(broken, run)
    assert isinstance(delivery, Delivery)
    assert delivery.outcome == "accepted"
    (send,) = (await get_run(broken.store, run)).sends
    assert (send.state, send.attempt) == ("accepted", 2)


async def test_who_stayed_in_an_older_version_is_repaired_there(broken: Shop) -> None:
    run = await parked(broken)
    await broken.publish(one_email(quiet="ignore"))
    newer = await parked_in(broken, 2)
    await write_content(broken, "Mended")
    await broken.rule(spread="0 seconds")

    answer = await repair(broken.store, NAME, Wanted(step=STEP), by_us(broken.now))

    assert (answer.count, sorted(await told(broken))) == (2, sorted([(run, "let go"), (newer, "let go")]))
    for each in (run, newer):
        assert isinstance(await attempt(broken, each), Delivery)
    assert [(await get_run(broken.store, each)).version for each in (run, newer)] == [1, 2]


async def parked_in(shop: Shop, version: int) -> str:
    run = await parked(shop, "bob")
    assert (await get_run(shop.store, run)).version == version
    return run


@pytest.mark.parametrize("instead", [None, "go on"])
@pytest.mark.parametrize("named", [STEP, "anew"])
async def test_who_is_moved_before_it_heard_does_there_what_it_was_told(
    broken: Shop, instead: Literal["go on"] | None, named: str
) -> None:
    """And what publishing said before is so, also of a message that has failed for good."""
    await broken.rule(spread="0 seconds")
    run = await parked(broken)
    await repair(broken.store, NAME, ALL, by_us(broken.now), instead=instead)
    await write_content(broken, "Mended")
    await put_journey(broken.store, one_email(id=named, quiet="ignore"), by_us(broken.now))
    names = {STEP: named} if named != STEP else {}
    broken.later(minutes=1)

    publishing = partial(publish_for, broken.store, NAME, by_us(broken.now), CHANNELS, people="move", names=names)
    would, did = [(await publishing(dry_run=dry_run)).move for dry_run in (True, False)]

    assert would == did
    assert did
    assert did.steps == {named: 1}
    lines = len((await get_run(broken.store, run)).diary)
    at = broken.visit(run, named, version=2, n=lines, since=NOON, following=None)
    claimed = await sends.claim(broken.store, at)
    if instead:
        assert isinstance(claimed, Done)
        assert claimed.delivery.outcome == "failed"
    else:
        assert isinstance(claimed, Go)
        assert (claimed.send_id, claimed.attempt) == (send_id(run, STEP), 2)
    assert len((await get_run(broken.store, run)).sends) == 1


async def test_a_thousand_are_told_once_each_by_two_at_once(broken: Shop) -> None:
    customers = [f"person-{n:04}" for n in range(1_000)]
    for customer in customers:
        await broken.change(customer, email=f"{customer}@example.com")
        run = await broken.start(customer, total=0)
        go = await sends.claim(broken.store, broken.visit(run, following=None))
        assert isinstance(go, Go)
        held = await sends.park(broken.store, broken.visit(run, following=None), 1, "not filled in", WHY)
        assert held is not None
    would = await repair(broken.store, NAME, ALL, by_us(broken.now), dry_run=True)

    did = await asyncio.gather(*(repair(broken.store, NAME, ALL, by_us(broken.now)) for _ in range(2)))

    assert would.count == max(answer.count for answer in did) == 1_000
    runs = [run for run, kind in await told(broken) if kind == "let go"]
    assert (len(runs), len(set(runs))) == (1_000, 1_000)
    assert await waiting(broken) == []
    left = select(func.count()).select_from(begun)
    assert await broken.store.read(lambda connection: connection.execute(left).scalar_one()) == 0


async def test_repair_exit_and_claim_at_once_leave_one_end(broken: Shop) -> None:
    await broken.rule(spread="0 seconds")
    for n in range(20):
        customer = f"racer-{n}"
        await broken.change(customer, email=f"{customer}@example.com")
        run = await parked(broken, customer)
        await write_content(broken, "Mended")

        answers = await asyncio.gather(
            repair(broken.store, NAME, ALL, by_us(broken.now)),
            broken.post("purchase-completed", customer),
            sends.claim(broken.store, broken.visit(run, following=None)),
        )

        repaired, _, claimed = answers
        assert isinstance(repaired, Repaired)
        seen = await get_run(broken.store, run)
        assert (seen.ended, seen.held) == ("exited", None)
        states = {send.state for send in seen.sends}
        assert states == ({"claimed"} if isinstance(claimed, Go) else {"released"})
        kinds = [kind for told_run, kind in await told(broken) if told_run == run]
        assert kinds.count("cancel") == 1
        assert kinds.count("let go") <= repaired.count  # the purchase may come before it is told
        await write_content(broken, "{{ 100 | divided_by: event.total }}")


async def test_those_that_are_parked_are_a_problem_with_what_helps(broken: Shop) -> None:
    first = broken.now
    await parked(broken)
    broken.later(hours=1)
    await parked(broken, "bob")

    (problem,) = (await open_problems(broken.store)).problems

    assert (problem.kind, problem.name, to_the_second(problem.since), problem.count) == (
        "runs parked",
        NAME,
        first,
        2,
    )
    assert problem.why == f"2 runs are parked at {STEP}: {WHY}"
    assert f"sojourn repair {NAME} --step {STEP}" in problem.help
    await repair(broken.store, NAME, ALL, by_us(broken.now))
    assert (await open_problems(broken.store)).problems == ()


async def test_who_is_parked_is_counted_where_their_journey_is_shown_and_ended(broken: Shop) -> None:
    await parked(broken)
    await parked(broken, "bob")
    await broken.start()

    would = await complete(broken.store, NAME, by_us(broken.now), dry_run=True)
    did = await complete(broken.store, NAME, by_us(broken.now))

    assert (would.runs, would.parked) == (did.runs, did.parked) == (3, 2)
    view = await get_journey(broken.store, NAME, broken.now)
    assert (view.state, view.counts.active, view.parked) == ("completing", 3, 2)
    with pytest.raises(Conflict, match=f"3 in version 1. Of these 2 are parked: sojourn repair {NAME}. Let nobody"):
        await archive(broken.store, NAME, by_us(broken.now))
    await repair(broken.store, NAME, ALL, by_us(broken.now), instead="go on")
    assert (await get_journey(broken.store, NAME, broken.now)).parked == 0


async def test_an_expiry_ends_it_as_blocked(shop: Shop) -> None:
    await write_content(shop, "{{ 100 | divided_by: event.total }}")
    await shop.publish(one_email(expires="2 hours"))
    run = await shop.start(total=0)
    expires_at = shop.now + timedelta(hours=2)
    visit = shop.visit(run, following=None, expires_at=expires_at)
    assert isinstance(await sends.claim(shop.store, visit), Go)

    held = await sends.park(shop.store, visit, 1, "not filled in", WHY)

    assert held == Held(until=expires_at, why=f"{WHY}; it expires then", by="park")
    shop.later(hours=2)
    done = await sends.claim(shop.store, visit.at(shop.now))
    assert isinstance(done, Done)
    assert done.delivery.outcome == "blocked"
