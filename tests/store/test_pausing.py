"""A journey that is paused: nothing goes out, nobody is lost, and it is resumed with all that has waited."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from journeys.clearance.circumstances import Circumstances, Clearance
from journeys.clearance.clearance import clearance
from journeys.clearance.releases import CatchUp, Over
from journeys.definition import Journey
from journeys.endpoints import Endpoint
from journeys.problems import Conflict, Unknown
from journeys.walk.diary import Delivery, Held
from journeys.walk.position import Position
from journeys.walk.world import Visit
from store import pausing, sends
from store.audit import list_audit
from store.brake import hold_journey
from store.calls import Call, claim_call, postpone_call
from store.counts import JourneyPause, JourneyView
from store.endpoints import put_endpoint
from store.events import get_event
from store.held_journeys import finish_letting_go, let_go
from store.journeys import get_journey, put_journey
from store.pausing import Paused, Resumed, finish_resuming, pause, resume
from store.runs import get_run, list_runs
from store.schema import outbox
from store.sends import Done, Go
from store.stopping import stop
from store.visits import perform
from tests.samples import abandoned_cart
from tests.shop import NOON, Shop, by_us
from tests.transactions import Halfway

NAME = "abandoned-cart"
QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)
NOTHING_WAITS = JourneyPause(since=NOON, waiting_messages=0, waiting_starts=0)


async def paused(shop: Shop, *, dry_run: bool = False) -> Paused:
    return await pause(shop.store, NAME, by_us(shop.now), dry_run=dry_run)


async def resumed(shop: Shop, catch_up: CatchUp = "now", *, dry_run: bool = False) -> Resumed:
    return await resume(shop.store, NAME, by_us(shop.now), catch_up, dry_run=dry_run)


async def ask(shop: Shop, run: str, step: str = "initial-reminder", **more: object) -> Go | Held | Delivery:
    answer = await sends.claim(shop.store, shop.visit(run, step, **more))
    assert isinstance(answer, Go | Held | Done), answer
    return answer.delivery if isinstance(answer, Done) else answer


async def seen(shop: Shop) -> JourneyView:
    return await get_journey(shop.store, NAME, shop.now)


async def told(shop: Shop) -> list[tuple[str, str]]:
    """What Temporal is to be told of runs, other than to start them."""
    jobs = select(outbox.c.run, outbox.c.kind).where(outbox.c.kind != "start").order_by(outbox.c.id)
    rows = await shop.store.read(lambda connection: connection.execute(jobs).all())
    return [(row.run, row.kind) for row in rows]


@pytest.fixture
async def waiting(shop: Shop) -> str:
    """A run whose first message waits, as its journey is paused."""
    await shop.publish()
    run = await shop.start()
    await paused(shop)
    assert isinstance(await ask(shop, run), Held)
    return run


async def test_nothing_goes_out_and_it_says_so(shop: Shop, waiting: str) -> None:
    assert await ask(shop, waiting) == Held(until=None, why="its journey is paused", by="pause")

    view, run = await seen(shop), await get_run(shop.store, waiting)
    assert (view.state, view.versions[0].state, view.held) == ("paused", "paused", None)
    assert view.paused == JourneyPause(since=NOON, waiting_messages=1, waiting_starts=0)
    assert run.held is not None
    assert run.held.words == "held until its journey is resumed"
    assert [run.id for run in (await list_runs(shop.store, by="pause")).runs] == [waiting]
    (entry,) = (await list_audit(shop.store, what=f"journey/{NAME}", limit=1)).entries
    assert (entry.did, entry.by, entry.detail) == ("journey paused", "us", {"active": 1})


async def test_to_pause_it_again_changes_nothing(shop: Shop, waiting: str) -> None:
    del waiting
    shop.later(hours=1)

    answer = await paused(shop)

    expected = JourneyPause(since=NOON, waiting_messages=1, waiting_starts=0)
    assert answer == Paused(journey=NAME, paused=expected, active=1, in_flight=0, changed=False, dry_run=False)
    assert [entry.did for entry in (await list_audit(shop.store)).entries].count("journey paused") == 1


async def test_what_is_on_its_way_to_a_provider_is_counted(shop: Shop) -> None:
    await shop.publish(abandoned_cart(start={"trigger": NAME, "overlap": "parallel"}))
    on_its_way, arrived, held = [await shop.start() for _ in range(3)]
    await shop.claim(on_its_way)
    await shop.claim(arrived)
    await shop.record(arrived)
    assert isinstance(await ask(shop, held), Go)
    await shop.post("purchase-completed")
    others = await shop.start()
    await shop.claim(others)

    would = await paused(shop, dry_run=True)
    did = await paused(shop)

    assert (would.active, would.in_flight) == (did.active, did.in_flight) == (1, 1)
    assert (await paused(shop)).in_flight == 1  # as long as its outcome is not known


async def test_a_dry_run_of_both_says_what_they_would_do_and_does_nothing(shop: Shop) -> None:
    await shop.publish()
    run = await shop.start()

    would = await paused(shop, dry_run=True)

    assert would == Paused(journey=NAME, paused=NOTHING_WAITS, active=1, in_flight=0, changed=True, dry_run=True)
    assert (await seen(shop)).state == "live"
    await paused(shop)
    await ask(shop, run)
    would_resume = await resumed(shop, Over(over=HOUR), dry_run=True)
    assert would_resume.paused == JourneyPause(since=NOON, waiting_messages=1, waiting_starts=0)
    assert (would_resume.spread, would_resume.dry_run) == (HOUR, True)
    assert ((await seen(shop)).state, await told(shop)) == ("paused", [])


async def test_what_nothing_goes_out_of_cannot_be_paused(shop: Shop) -> None:
    await put_journey(shop.store, abandoned_cart(), by_us(shop.now))
    with pytest.raises(Conflict, match='"abandoned-cart" is a draft: there is nothing to pause'):
        await paused(shop)
    await shop.publish()
    await stop(shop.store, NAME, by_us(shop.now))
    with pytest.raises(Conflict, match='"abandoned-cart" is stopped: there is nothing to pause'):
        await paused(shop, dry_run=True)
    with pytest.raises(Unknown, match='Did you mean "abandoned-cart"'):
        await pause(shop.store, "abandoned-card", by_us(shop.now))


async def test_what_is_not_paused_is_not_resumed(shop: Shop) -> None:
    await shop.publish()

    assert (await resumed(shop)).paused is None
    assert (await list_audit(shop.store, limit=1)).entries[0].did == "journey published"


@pytest.mark.parametrize(
    ("catch_up", "spread"), [("now", QUARTER), (Over(over=10 * HOUR), 10 * HOUR)], ids=["now", "over"]
)
async def test_resumed_all_are_told_and_go_out_one_after_the_other(
    shop: Shop, waiting: str, catch_up: CatchUp, spread: timedelta
) -> None:
    await shop.rule()
    at = shop.later(days=365)

    answer = await resumed(shop, catch_up)

    assert answer.paused == JourneyPause(since=NOON, waiting_messages=1, waiting_starts=0)
    assert (answer.spread, answer.catch_up, await told(shop)) == (spread, catch_up, [(waiting, "let go")])
    assert ((await seen(shop)).state, (await seen(shop)).paused) == ("live", None)
    wait = await ask(shop, waiting)
    assert isinstance(wait, Held)
    assert wait.until is not None
    assert (wait.by, at <= wait.until < at + spread) == ("release", True)
    assert wait.why == "its journey was resumed at 24 Nov 12:00, and all that waited goes out one after the other"
    shop.now = wait.until
    assert isinstance(await ask(shop, waiting), Go)
    entry = (await list_audit(shop.store, limit=2)).entries[0]
    assert (entry.did, entry.detail["paused"]) == ("journey resumed", answer.paused.model_dump(mode="json"))


async def test_skipped_it_is_blocked_and_what_comes_later_is_not(shop: Shop, waiting: str) -> None:
    shop.later(hours=1)
    await resumed(shop, "skip")
    shop.later(minutes=1)

    became = await ask(shop, waiting, since=NOON, following="second-reminder")

    assert became == Delivery(outcome="blocked", at=shop.now, reason="skipped while paused")
    assert isinstance(await ask(shop, waiting, "second-reminder", n=3), Go)


@pytest.mark.parametrize("behind", [0, 30], ids=["at once", "by a clock that is behind"])
async def test_what_comes_right_after_what_is_skipped_is_not(shop: Shop, waiting: str, behind: int) -> None:
    at = shop.later(hours=1)
    await resumed(shop, "skip")
    shop.later(seconds=-behind)

    became = await ask(shop, waiting, since=NOON, following="second-reminder")

    assert became == Delivery(outcome="blocked", at=at, reason="skipped while paused")
    assert isinstance(await ask(shop, waiting, "second-reminder", n=3, since=at), Go)


async def test_what_expires_meanwhile_is_blocked_then(shop: Shop, waiting: str) -> None:
    expires_at = NOON + HOUR
    wait = await ask(shop, waiting, expires_at=expires_at)
    assert isinstance(wait, Held)
    assert (wait.until, wait.by) == (expires_at, "pause")

    shop.later(hours=1)

    became = await ask(shop, waiting, expires_at=expires_at)
    assert isinstance(became, Delivery)
    assert (became.outcome, became.reason) == ("blocked", "it expired at 24 Nov 13:00")


@pytest.mark.parametrize("first", ["brake", "pause"])
async def test_neither_the_brake_nor_a_pause_lets_go_what_the_other_holds(shop: Shop, first: str) -> None:
    await shop.publish()
    run = await shop.start()
    await shop.store.write(lambda connection: hold_journey(connection, NAME, "the brake: too many", None, shop.now))
    await ask(shop, run)
    await paused(shop)

    assert (await seen(shop)).state == "held"
    other = (
        (await let_go(shop.store, NAME, by_us(shop.now))).paused
        if first == "brake"
        else (await resume(shop.store, NAME, by_us(shop.now))).held
    )

    assert other is not None
    answer = await ask(shop, run)
    assert isinstance(answer, Held)
    assert answer.by == ("pause" if first == "brake" else "brake")
    view = await seen(shop)
    assert (view.state, view.held is None) == ("paused" if first == "brake" else "held", first == "brake")
    await (resumed(shop) if first == "brake" else let_go(shop.store, NAME, by_us(shop.now)))
    last = await ask(shop, run)
    assert isinstance(last, Held)
    assert (last.by, (await seen(shop)).state) == ("release", "live")


async def test_a_process_that_dies_before_it_told_the_runs_is_finished_by_another(
    shop: Shop, waiting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = await shop.post(NAME, "bob", total=60)
    with monkeypatch.context() as dying:
        dying.setattr(pausing, "_go_on", dies)
        with pytest.raises(ConnectionError):
            await resumed(shop)
    assert ((await seen(shop)).state, await told(shop)) == ("live", [])

    assert await finish_resuming(shop.store, shop.now) == 2

    assert await told(shop) == [(waiting, "let go")]
    (bob,) = (await list_runs(shop.store, customer="bob")).runs
    assert (bob.event_id, bob.entered_at) == (waits.event, shop.now)
    assert await finish_resuming(shop.store, shop.now) == 0
    assert await finish_letting_go(shop.store, shop.now) == 0


async def dies(*_: object) -> int:
    raise ConnectionError


async def test_paused_again_whoever_is_not_told_yet_waits_on(
    shop: Shop, waiting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as dying:
        dying.setattr(pausing, "_go_on", dies)
        with pytest.raises(ConnectionError):
            await resumed(shop)
    await paused(shop)

    assert (await finish_resuming(shop.store, shop.now), await told(shop)) == (0, [])
    assert isinstance(await ask(shop, waiting), Held)


async def test_who_is_just_being_held_while_it_is_resumed_is_told(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The claim has read before the resume, and writes after it."""
    await shop.publish()
    run = await shop.start()
    await paused(shop)
    slow = Slow(shop.store)
    monkeypatch.setattr("store.sends.clearance", slow)
    claiming = asyncio.create_task(ask(shop, run))
    await slow.reached()
    await resumed(shop)
    slow.go_on()
    assert isinstance(await claiming, Held)

    await finish_resuming(shop.store, shop.now)

    assert await told(shop) == [(run, "let go")]
    assert (await list_runs(shop.store, by="pause")).runs == ()


class Slow(Halfway):
    """Clearance that takes its time, once it knows."""

    def __call__(self, visit: Visit, known: Circumstances) -> Clearance:
        answer = clearance(visit, known)
        self.here()
        return answer


async def test_a_claim_and_a_pause_at_once_send_or_hold_and_nothing_else(shop: Shop) -> None:
    await shop.publish(abandoned_cart(start={"trigger": NAME, "overlap": "parallel"}))
    runs = [await shop.start() for _ in range(12)]

    asked = asyncio.gather(*(ask(shop, run) for run in runs))
    await paused(shop)
    answers = await asked

    assert {type(answer) for answer in answers} <= {Go, Held}
    held = {run for run, answer in zip(runs, answers, strict=True) if isinstance(answer, Held)}
    assert {run.id for run in (await list_runs(shop.store, by="pause")).runs} == held
    for run in held:
        assert isinstance(await ask(shop, run), Held)


async def test_resumed_in_two_ways_at_once_one_of_them_holds_for_all(shop: Shop) -> None:
    await shop.publish(abandoned_cart(start={"trigger": NAME, "overlap": "parallel"}))
    runs = [await shop.start() for _ in range(8)]
    await paused(shop)
    for run in runs:
        await ask(shop, run)
    events = [await shop.post(NAME, "bob", total=60) for _ in range(4)]
    shop.later(hours=1)

    answers = await asyncio.gather(resumed(shop), resumed(shop, "skip"), resumed(shop, Over(over=HOUR)))
    await finish_resuming(shop.store, shop.now)

    (did,) = [answer.catch_up for answer in answers if answer.paused is not None]
    assert await told(shop) == [(run, "let go") for run in sorted(runs)]
    became = [await ask(shop, run, since=NOON) for run in runs]
    assert {isinstance(answer, Delivery) and answer.reason for answer in became} == (
        {"skipped while paused"} if did == "skip" else {False}
    )
    made = [(await get_event(shop.store, "api", event.event)).decisions[-1].did for event in events]
    assert set(made) == ({"ignored"} if did == "skip" else {"started"})


async def test_resume_exit_and_claim_at_once_leave_one_end(shop: Shop) -> None:
    await shop.publish()
    await shop.rule(spread="0 seconds")
    for n in range(10):
        customer = f"racer-{n}"
        await shop.change(customer, email=f"{customer}@example.com")
        run = await shop.start(customer)
        await paused(shop)
        assert isinstance(await ask(shop, run), Held)
        waits = await shop.post(NAME, customer, total=60, cart_id="another")

        _, _, claimed = await asyncio.gather(
            resumed(shop),
            shop.post("purchase-completed", customer),
            sends.claim(shop.store, shop.visit(run)),
        )
        await finish_resuming(shop.store, shop.now)

        seen_run = await get_run(shop.store, run)
        assert (seen_run.ended, seen_run.held) == ("exited", None)
        assert {send.state for send in seen_run.sends} == ({"claimed"} if isinstance(claimed, Go) else set())
        assert [kind for of, kind in await told(shop) if of == run].count("cancel") == 1
        first, last = (await get_event(shop.store, "api", waits.event)).decisions
        assert (first.did, last.did in {"started", "ignored"}) == ("waiting", True)
        shop.later(minutes=1)


async def test_resumed_and_stopped_at_once_everybody_is_ended(shop: Shop, waiting: str) -> None:
    await shop.post(NAME, "bob", total=60)

    await asyncio.gather(resumed(shop), stop(shop.store, NAME, by_us(shop.now)))
    await stop(shop.store, NAME, by_us(shop.now))
    await finish_resuming(shop.store, shop.now)

    view = await seen(shop)
    assert (view.state, view.paused, view.counts.active) == ("stopped", None, 0)
    assert (await get_run(shop.store, waiting)).ended == "stopped"
    assert [run.ended for run in (await list_runs(shop.store)).runs if run.ended != "stopped"] == []


async def test_a_stop_ends_the_pause_and_published_again_it_is_live(shop: Shop, waiting: str) -> None:
    await stop(shop.store, NAME, by_us(shop.now))

    assert (await get_run(shop.store, waiting)).ended == "stopped"
    assert ((await seen(shop)).state, (await seen(shop)).paused) == ("stopped", None)
    await shop.publish(abandoned_cart(exit=[]))
    assert isinstance(await ask(shop, await shop.start()), Go)


async def test_a_new_version_resumes_nobody_and_publishing_says_so(shop: Shop, waiting: str) -> None:
    published = await shop.publish(abandoned_cart(exit=[]))

    (warning,) = [warning for warning in published.warnings if "paused" in warning.message]
    assert warning.message == "It is paused since 24 Nov 2026 12:00 UTC, and a new version resumes nobody."
    assert warning.hint == "To let it go on: sojourn resume abandoned-cart"
    assert [version.state for version in (await seen(shop)).versions] == ["paused", "paused"]
    assert isinstance(await ask(shop, waiting), Held)


# --- actions ------------------------------------------------------------------------------------------


SETS: dict[str, object] = {"id": "mark", "set": {"country": '"NO"'}}
RAISES: dict[str, object] = {"id": "tell", "raise": "store-visit", "with": {"city": '"Oslo"'}}
LATER = {"id": "later", "wait": "1 day"}


def acting(step: dict[str, object]) -> Journey:
    return abandoned_cart(steps=[step, LATER])


def at_its_step(shop: Shop, run: str, journey: Journey) -> Visit:
    step, position = journey.steps[0], Position(step=journey.steps[0].id, since=NOON)
    expires_at = NOON + step.longest if step.longest else None
    return Visit(
        run=run, version=1, step=step, position=position, now=shop.now, following="later", expires_at=expires_at
    )


@pytest.mark.parametrize("step", [SETS, RAISES], ids=["set", "raise"])
@pytest.mark.parametrize("catch_up", ["now", "skip"])
async def test_an_action_waits_and_is_done_or_left_out(shop: Shop, step: dict[str, object], catch_up: CatchUp) -> None:
    journey = acting(step)
    await shop.publish(journey)
    await shop.rule(spread="0 seconds")
    run = await shop.start()
    await paused(shop)

    assert await perform(shop.store, at_its_step(shop, run, journey)) == Held(
        until=None, why="its journey is paused", by="pause"
    )

    view = await get_run(shop.store, run)
    assert (view.step, view.held and view.held.by, view.actions) == (step["id"], "pause", ())
    shop.later(hours=1)
    await resumed(shop, catch_up)
    assert await told(shop) == [(run, "let go")]
    did = await perform(shop.store, at_its_step(shop, run, journey))
    expected = ("accepted", "") if catch_up == "now" else ("blocked", "skipped while paused")
    assert isinstance(did, Delivery)
    assert (did.outcome, did.reason) == expected
    view = await get_run(shop.store, run)
    assert (view.step, view.held) == ("later", None)
    assert await perform(shop.store, at_its_step(shop, run, journey)) == did


async def test_what_waited_to_be_done_takes_its_turn_too(shop: Shop) -> None:
    journey = acting(SETS)
    await shop.publish(journey)
    await shop.rule()
    run = await shop.start()
    await paused(shop)
    await perform(shop.store, at_its_step(shop, run, journey))
    await resumed(shop)

    turn = await perform(shop.store, at_its_step(shop, run, journey))

    assert isinstance(turn, Held)
    assert turn.until is not None
    assert (turn.by, NOON <= turn.until < NOON + QUARTER) == ("release", True)
    shop.now = turn.until
    assert isinstance(await perform(shop.store, at_its_step(shop, run, journey)), Delivery)


@pytest.fixture
async def calling(shop: Shop) -> tuple[str, Journey]:
    """A run that comes to a call, within a day."""
    await put_endpoint(shop.store, Endpoint(endpoint="crm", url="https://crm.example.com"), "sealed", by_us(shop.now))
    crm: dict[str, object] = {"id": "crm", "webhook": "crm", "within": "1 day"}
    journey = acting(crm)
    await shop.publish(journey)
    await shop.rule(spread="0 seconds")
    return await shop.start(), journey


async def test_a_call_waits_and_is_made_when_resumed(shop: Shop, calling: tuple[str, Journey]) -> None:
    await paused(shop)
    wait = await claim_call(shop.store, at_its_step(shop, *calling))
    assert isinstance(wait, Held)
    assert (wait.until, wait.by) == (NOON + timedelta(days=1), "pause")

    shop.later(hours=1)
    await resumed(shop)

    assert isinstance(await claim_call(shop.store, at_its_step(shop, *calling)), Call)
    assert (await get_run(shop.store, calling[0])).held is None


async def test_a_call_that_expires_meanwhile_is_blocked_then(shop: Shop, calling: tuple[str, Journey]) -> None:
    await paused(shop)
    await claim_call(shop.store, at_its_step(shop, *calling))
    shop.later(days=1)

    became = await claim_call(shop.store, at_its_step(shop, *calling))

    why = "it expired at 25 Nov 12:00, while its journey was paused"
    assert became == Delivery(outcome="blocked", at=shop.now, reason=why)


@pytest.mark.parametrize(
    ("is_known", "outcome", "reason"),
    [
        (True, "failed", "it answered 503; skipped while paused"),
        (False, "unknown", "nobody knows what became of the last try; skipped while paused"),
    ],
)
async def test_a_call_that_was_tried_before_the_pause_says_so_when_skipped(
    shop: Shop, calling: tuple[str, Journey], outcome: str, reason: str, *, is_known: bool
) -> None:
    await claim_call(shop.store, at_its_step(shop, *calling))
    if is_known:
        await postpone_call(shop.store, at_its_step(shop, *calling), "it answered 503", shop.now + HOUR)
    await paused(shop)
    shop.later(hours=1)
    assert isinstance(await claim_call(shop.store, at_its_step(shop, *calling)), Held)
    await resumed(shop, "skip")

    became = await claim_call(shop.store, at_its_step(shop, *calling))

    assert isinstance(became, Delivery)
    assert (became.outcome, became.reason) == (outcome, reason)
