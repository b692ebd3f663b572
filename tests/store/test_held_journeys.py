"""Journeys that the brake holds: nobody is lost in them, and one command lets all of them go."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from journeys.clearance.circumstances import Circumstances, Clearance
from journeys.clearance.clearance import clearance
from journeys.clearance.policy import BY_DEFAULT
from journeys.definition import Journey
from journeys.problems import Unavailable, Unknown
from journeys.walk.diary import Held
from journeys.walk.world import Visit
from store import brake, held_journeys, sends
from store.audit import list_audit
from store.counts import JourneyView
from store.held_journeys import finish_letting_go, let_go
from store.journeys import get_journey
from store.runs import get_run, list_runs
from store.schema import outbox
from store.sends import Go
from store.stopping import stop
from tests.samples import abandoned_cart
from tests.shop import Shop, by_us
from tests.transactions import Halfway

NAME = "abandoned-cart"
WHY = 'the brake: 3 copies of "initial-email-reminder" went to one customer within 1 day, and this would be one more'
QUARTER = timedelta(minutes=15)


def again_and_again(**more: str) -> Journey:
    """A journey of one email, that somebody may walk again and again, and at once."""
    start = {"trigger": NAME, "repeat": "immediately", "overlap": "parallel"}
    email = {"id": "initial-reminder", "email": "initial-email-reminder", "to": "customer.email", **more}
    return abandoned_cart(start=start, steps=[email])


async def ask(shop: Shop, run: str) -> Go | Held:
    answer = await sends.claim(shop.store, shop.visit(run, following=None))
    assert isinstance(answer, Go | Held), answer
    return answer


async def copy(shop: Shop, customer: str = "ada") -> Go | Held:
    """One more run of *customer*, in which the email goes out if nothing holds it."""
    run = await shop.start(customer)
    answer = await ask(shop, run)
    if isinstance(answer, Go):
        await shop.record(run, following=None)
    shop.later(minutes=1)
    return answer


async def waiting(shop: Shop) -> list[str]:
    return [run.id for run in (await list_runs(shop.store, by="brake", limit=200)).runs]


async def seen(shop: Shop) -> JourneyView:
    return await get_journey(shop.store, NAME, shop.now)


async def told(shop: Shop) -> list[tuple[str, str]]:
    """What Temporal is to be told of runs, other than to start them."""
    jobs = select(outbox.c.run, outbox.c.kind).where(outbox.c.kind != "start").order_by(outbox.c.id)
    rows = await shop.store.read(lambda connection: connection.execute(jobs).all())
    return [(row.run, row.kind) for row in rows]


@pytest.fixture
async def held(shop: Shop) -> str:
    """The run of ada's fourth copy, by which the journey is held."""
    await shop.publish(again_and_again())
    await shop.rule(brake=BY_DEFAULT)
    copies = [await copy(shop) for _ in range(4)]
    assert [type(answer) for answer in copies] == [Go, Go, Go, Held]
    (run,) = await waiting(shop)
    return run


async def test_the_fourth_copy_holds_the_journey_and_it_says_so(shop: Shop, held: str) -> None:
    at = shop.now - timedelta(minutes=1)

    view, run = await seen(shop), await get_run(shop.store, held)

    assert (view.state, view.versions[0].state) == ("held", "held")
    assert view.held is not None
    assert (view.held.since, view.held.why, view.held.waiting) == (at, WHY, 1)
    assert run.held is not None
    assert (run.held.by, run.held.until) == ("brake", None)
    assert run.held.words == f"held until its journey is let go: {WHY}"
    (entry,) = (await list_audit(shop.store, what=f"journey/{NAME}", by="Sojourn")).entries
    assert (entry.did, entry.at, entry.detail) == ("journey held", at, {"why": WHY})


async def test_what_holds_the_journey_says_nothing_of_when_one_message_expires(shop: Shop) -> None:
    await shop.publish(again_and_again(expires="2 days"))
    await shop.rule(brake=BY_DEFAULT)
    assert all([isinstance(await copy(shop), Go) for _ in range(3)])
    fourth = shop.visit(await shop.start(), following=None).expiring(shop.now + timedelta(days=2))

    answer = await sends.claim(shop.store, fourth)

    view = await seen(shop)
    assert isinstance(answer, Held)
    assert answer.why == f"{WHY}; it expires then"
    assert view.held is not None
    assert view.held.why == WHY


async def test_others_enter_all_the_same_and_wait_too(shop: Shop, held: str) -> None:
    assert isinstance(await copy(shop, "bob"), Held)

    bob, ada = (await list_runs(shop.store, held=True)).runs
    assert (bob.customer, ada.id) == ("bob", held)
    view = await seen(shop)
    assert view.held is not None
    assert view.held.waiting == 2
    assert len((await list_audit(shop.store, by="Sojourn")).entries) == 1


async def test_an_exit_takes_who_waits_out_of_it(shop: Shop, held: str) -> None:
    await shop.post("purchase-completed", "ada")

    view = await seen(shop)
    assert (await get_run(shop.store, held)).ended == "exited"
    assert (view.state, view.held and view.held.waiting) == ("held", 0)


async def test_let_go_all_are_told_and_go_out_spread_and_copies_count_anew(shop: Shop, held: str) -> None:
    await copy(shop, "bob")
    runs = await waiting(shop)

    answer = await let_go(shop.store, NAME, by_us(shop.now))

    assert answer.held is not None
    assert (answer.held.waiting, answer.spread, answer.dry_run) == (2, QUARTER, False)
    assert sorted(await told(shop)) == sorted((run, "let go") for run in runs)
    view = await seen(shop)
    assert (view.state, view.held) == ("live", None)
    let_go_at, waits = shop.now, [await ask(shop, run) for run in runs]
    for run, wait in zip(runs, waits, strict=True):
        assert isinstance(wait, Held)
        assert wait.until is not None
        assert (wait.by, let_go_at <= wait.until < let_go_at + QUARTER) == ("release", True)
        shop.now = wait.until
        assert isinstance(await ask(shop, run), Go)
        await shop.record(run, following=None)
    assert [type(await copy(shop)) for _ in range(3)] == [Go, Go, Held]


async def test_to_let_go_is_audited_with_what_waited(shop: Shop, held: str) -> None:
    del held
    await let_go(shop.store, NAME, by_us(shop.now))

    entry = (await list_audit(shop.store, what=f"journey/{NAME}")).entries[0]
    assert (entry.did, entry.by, entry.detail["waiting"], entry.detail["why"]) == ("journey released", "us", 1, WHY)


async def test_a_dry_run_says_what_it_would_do_and_does_nothing(shop: Shop, held: str) -> None:
    before = await seen(shop)

    answer = await let_go(shop.store, NAME, by_us(shop.now), dry_run=True)

    assert (answer.held, answer.dry_run) == (before.held, True)
    assert (await seen(shop), await waiting(shop), await told(shop)) == (before, [held], [])


async def test_to_let_go_again_changes_nothing(shop: Shop, held: str) -> None:
    await let_go(shop.store, NAME, by_us(shop.now))
    shop.later(minutes=1)

    answer = await let_go(shop.store, NAME, by_us(shop.now))

    assert answer.held is None
    assert await told(shop) == [(held, "let go")]
    assert [entry.did for entry in (await list_audit(shop.store, what="journey")).entries].count(
        "journey released"
    ) == 1
    with pytest.raises(Unknown, match='There is no journey "abandoned-card"'):
        await let_go(shop.store, "abandoned-card", by_us(shop.now))


async def test_a_process_that_dies_before_it_told_the_runs_is_finished_by_another(
    shop: Shop, held: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as dying:
        dying.setattr(held_journeys, "_go_on", dies)
        with pytest.raises(ConnectionError):
            await let_go(shop.store, NAME, by_us(shop.now))
    assert ((await seen(shop)).state, await told(shop)) == ("live", [])

    assert await finish_letting_go(shop.store, shop.now) == 1

    assert await told(shop) == [(held, "let go")]
    assert await finish_letting_go(shop.store, shop.now) == 0


async def test_let_go_by_several_at_once_each_is_told_once(shop: Shop, held: str) -> None:
    more = [await shop.start("bob") for _ in range(8)]
    for run in more:
        assert isinstance(await ask(shop, run), Held)

    await asyncio.gather(*(let_go(shop.store, NAME, by_us(shop.now)) for _ in range(3)))

    assert sorted(await told(shop)) == [(run, "let go") for run in sorted([held, *more])]


async def dies(*_: object) -> int:
    raise ConnectionError


@pytest.mark.parametrize("is_held", [True, False], ids=["it was held", "it would hold it"])
async def test_who_is_just_being_held_while_it_is_let_go_is_told(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, *, is_held: bool
) -> None:
    """The claim has read before the release and writes after it. What it has counted is forgiven: it holds nothing."""
    await shop.publish(again_and_again())
    await shop.rule(brake=BY_DEFAULT)
    for _ in range(3):
        await copy(shop)
        await copy(shop, "bob")
    if is_held:
        await copy(shop, "bob")
    slow = Slow(shop, await shop.start("ada"))
    monkeypatch.setattr("store.sends.clearance", slow)
    claiming = asyncio.create_task(ask(shop, slow.run))
    await slow.reached()
    if not is_held:
        await copy(shop, "bob")
    await let_go(shop.store, NAME, by_us(shop.later(minutes=1)))
    slow.go_on()
    assert isinstance(await claiming, Held)

    await finish_letting_go(shop.store, shop.now)

    assert await waiting(shop) == []
    assert (await seen(shop)).state == "live"
    assert (slow.run, "let go") in await told(shop)


class Slow(Halfway):
    """Clearance that takes its time over one run, once it knows."""

    def __init__(self, shop: Shop, run: str) -> None:
        super().__init__(shop.store)
        self.run = run
        self._is_first = True

    def __call__(self, visit: Visit, known: Circumstances) -> Clearance:
        answer = clearance(visit, known)
        if visit.run == self.run and self._is_first:
            self._is_first = False
            self.here()
        return answer


async def test_a_stop_ends_the_hold_and_who_waits(shop: Shop, held: str) -> None:
    stopped = await stop(shop.store, NAME, by_us(shop.now))

    view = await seen(shop)
    assert (stopped.runs, view.state, view.held) == (1, "stopped", None)
    assert (await get_run(shop.store, held)).ended == "stopped"
    assert await told(shop) == [(held, "cancel")]
    entry = (await list_audit(shop.store, what=f"journey/{NAME}")).entries[0]
    assert (entry.did, entry.detail["held"]) == ("journey stopped", WHY)


async def test_while_it_is_being_stopped_nobody_is_told_to_go_on(
    shop: Shop, held: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as dying:
        dying.setattr("store.stopping._go_on", dies)
        with pytest.raises(ConnectionError):
            await stop(shop.store, NAME, by_us(shop.now))

    assert await finish_letting_go(shop.store, shop.now) == 0
    with pytest.raises(Unavailable, match="being stopped"):
        await ask(shop, held)


async def test_published_again_after_a_stop_it_is_not_held_and_copies_still_count(shop: Shop, held: str) -> None:
    del held
    await stop(shop.store, NAME, by_us(shop.now))

    published = await shop.publish(again_and_again(expires="2 days"))

    assert (published.warnings, (await seen(shop)).state) == ((), "live")
    assert isinstance(await copy(shop, "bob"), Go)
    assert isinstance(await copy(shop), Held)  # her fourth today, whatever version it is of


async def test_a_new_version_lets_nobody_go_and_publishing_says_so(shop: Shop, held: str) -> None:
    published = await shop.publish(again_and_again(expires="2 days"))

    (warning,) = published.warnings
    assert warning.message == f"It is held since 24 Nov 2026 12:03 UTC, and a new version lets nobody go: {WHY}."
    assert warning.hint == "Once all is well: sojourn release abandoned-cart"
    view = await seen(shop)
    assert [version.state for version in view.versions] == ["held", "held"]
    assert await waiting(shop) == [held]


async def test_the_incident_of_1487_copies_to_230_people(shop: Shop) -> None:
    """Events came in a loop. Three copies went to each, the next held the journey, and nobody was lost."""
    await shop.publish(again_and_again())
    await shop.rule(brake=BY_DEFAULT)
    people = [f"person-{n:03}" for n in range(230)]
    for person in people:
        await shop.change(person, email=f"{person}@example.com")
    went = dict.fromkeys(people, 0)
    for n in range(1_487):
        person = people[n % len(people)]
        run = await shop.start(person)
        if isinstance(await ask(shop, run), Go):
            await shop.record(run, following=None)
            went[person] += 1
        shop.later(seconds=1)

    assert set(went.values()) == {3}
    view = await seen(shop)
    assert view.held is not None
    assert (view.state, view.held.waiting, view.counts.active) == ("held", 1_487 - 690, 797)

    at = shop.later(hours=1)
    await let_go(shop.store, NAME, by_us(at))

    assert len(await told(shop)) == 797
    untils = []
    for run, _ in (await told(shop))[:60]:
        wait = await ask(shop, run)
        assert isinstance(wait, Held)
        assert wait.until is not None
        untils.append(wait.until)
    assert at <= min(untils)
    assert at + QUARTER / 2 < max(untils) < at + QUARTER


async def test_stopped_meanwhile_it_is_not_held(shop: Shop) -> None:
    """The fourth copy was counted before the stop, and is to hold the journey after it."""
    await shop.publish(again_and_again())
    await stop(shop.store, NAME, by_us(shop.now))

    await shop.store.write(lambda connection: brake.hold_journey(connection, NAME, WHY, None, shop.now))

    view = await seen(shop)
    assert (view.state, view.held) == ("stopped", None)
