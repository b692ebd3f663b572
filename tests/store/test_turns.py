"""What is done to very many takes effect at once, is answered within seconds, and workers go on with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Connection, func, select

from journeys.problems import Unavailable
from journeys.walk.diary import Held
from store import held_journeys, pausing, repairs, sends, stopping, waiting_starts
from store.audit import Change
from store.brake import hold_journey
from store.counts import JourneyView
from store.held_journeys import LetGo, finish_letting_go, let_go
from store.journeys import get_journey
from store.lifecycle import hold, lock_run
from store.lifecycle_parked import Wanted
from store.pausing import Resumed, finish_resuming, pause, resume
from store.repairs import Repaired, finish_repairs, repair
from store.runs import list_runs
from store.schema import outbox
from store.sends import Go
from store.stopping import Stopped, finish_stops, stop
from store.store import Store
from store.turns import in_turns
from tests.samples import abandoned_cart
from tests.shop import Shop, by_us
from tests.transactions import rows

NAME = "abandoned-cart"
MANY = 5
FAILED = Held(until=None, why="the content cannot be filled in", by="park")


class Act(NamedTuple):
    """Something that is done to a journey. *told*: what Temporal is told of each run then."""

    prepare: Callable[[Shop, str], Awaitable[None]]
    do: Callable[..., Awaitable[Any]]
    about: Callable[[Any], int]
    finish: Callable[[Store, datetime], Awaitable[int]]
    told: str


async def inside(shop: Shop, name: str) -> None:
    await shop.publish(abandoned_cart(journey=name, start={"trigger": NAME, "overlap": "parallel"}))
    for number in range(MANY):
        await shop.change(f"customer-{number}", email=f"{number}@example.com")
        await shop.post(NAME, f"customer-{number}", total=60)


async def held_back(shop: Shop, name: str) -> None:
    for run in (await list_runs(shop.store, journey=name)).runs:
        assert isinstance(await sends.claim(shop.store, shop.visit(run.id)), Held)


async def braked(shop: Shop, name: str) -> None:
    await inside(shop, name)
    await shop.store.write(lambda connection: hold_journey(connection, name, "the brake: so many", None, shop.now))
    await held_back(shop, name)


async def parked(shop: Shop, name: str) -> None:
    await inside(shop, name)
    ids = [run.id for run in (await list_runs(shop.store, journey=name)).runs]

    def park_all(connection: Connection) -> None:
        for id in ids:
            hold(connection, lock_run(connection, id), FAILED, shop.now)

    await shop.store.write(park_all)


async def paused(shop: Shop, name: str) -> None:
    await inside(shop, name)
    await pause(shop.store, name, by_us(shop.now))
    await held_back(shop, name)


async def paused_with_starts(shop: Shop, name: str) -> None:
    await shop.publish(abandoned_cart(journey=name))
    await pause(shop.store, name, by_us(shop.now))
    for number in range(MANY):
        await shop.post(NAME, f"customer-{number}", total=60)


def messages(told: Resumed) -> int:
    return told.paused.waiting_messages if told.paused else 0


def starts(told: Resumed) -> int:
    return told.paused.waiting_starts if told.paused else 0


def held(told: LetGo) -> int:
    return told.held.waiting if told.held else 0


def ended(told: Stopped) -> int:
    return told.runs


def repaired(told: Repaired) -> int:
    return told.count


async def repair_all(store: Store, name: str, change: Change, *, dry_run: bool = False) -> Repaired:
    return await repair(store, name, Wanted(), change, dry_run=dry_run)


async def pass_all(store: Store, name: str, change: Change, *, dry_run: bool = False) -> Repaired:
    return await repair(store, name, Wanted(), change, instead="go on", dry_run=dry_run)


STOP = Act(inside, stop, ended, finish_stops, "cancel")
RELEASE = Act(braked, let_go, held, finish_letting_go, "let go")
RESUME = Act(paused, resume, messages, finish_resuming, "let go")
START = Act(paused_with_starts, resume, starts, finish_resuming, "start")
REPAIR = Act(parked, repair_all, repaired, finish_repairs, "let go")
PASS = Act(parked, pass_all, repaired, finish_repairs, "let go")
ACTS = {
    "stop": STOP,
    "release": RELEASE,
    "resume": RESUME,
    "resume starts": START,
    "repair": REPAIR,
    "repair by going on": PASS,
}
each_act = pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)


@pytest.fixture(autouse=True)
def two_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """One lot is done in a turn, and in a lot there are two."""
    monkeypatch.setattr("store.turns.A_TURN", 0)
    for module in (stopping, pausing, held_journeys, waiting_starts, repairs):
        monkeypatch.setattr(module, "TOGETHER", 2)
        monkeypatch.setattr(module, "A_REQUEST", 0, raising=False)


async def seen(shop: Shop, name: str = NAME) -> JourneyView:
    return await get_journey(shop.store, name, shop.now)


async def told(shop: Shop, act: Act) -> int:
    jobs = select(outbox.c.run).where(outbox.c.kind == act.told)
    runs = [row.run for row in await rows(shop.store, jobs)]
    assert len(runs) == len(set(runs))
    return len(runs)


@each_act
async def test_it_is_answered_with_what_is_left_and_a_worker_goes_on(shop: Shop, act: Act) -> None:
    await act.prepare(shop, NAME)
    before = await told(shop, act)
    would = await act.do(shop.store, NAME, by_us(shop.now), dry_run=True)

    did = await act.do(shop.store, NAME, by_us(shop.now))

    assert (act.about(would), act.about(did), would.to_go, did.to_go) == (MANY, MANY, 0, 3)
    assert ((await seen(shop)).to_go, await told(shop, act) - before) == (3, 2)
    assert [await act.finish(shop.store, shop.now) for _ in range(3)] == [2, 1, 0]
    assert ((await seen(shop)).to_go, await told(shop, act) - before) == (0, MANY)


@each_act
async def test_cut_off_in_the_middle_the_same_once_more_goes_on(
    shop: Shop, act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    await act.prepare(shop, NAME)
    before = await told(shop, act)
    with monkeypatch.context() as killed:
        killed.setattr("store.turns.monotonic", dies_after([0]))
        with pytest.raises(ConnectionError):
            await act.do(shop.store, NAME, by_us(shop.now))
    assert ((await seen(shop)).to_go, await told(shop, act) - before) == (3, 2)

    again = [await act.do(shop.store, NAME, by_us(shop.now)) for _ in range(3)]

    assert [each.to_go for each in again] == [1, 0, 0]
    assert await told(shop, act) - before == MANY


@each_act
async def test_by_several_workers_at_once_each_is_told_once(shop: Shop, act: Act) -> None:
    await act.prepare(shop, NAME)
    before = await told(shop, act)
    await act.do(shop.store, NAME, by_us(shop.now))

    while (await seen(shop)).to_go:
        await asyncio.gather(*(act.finish(shop.store, shop.now) for _ in range(3)))

    assert await told(shop, act) - before == MANY


def dies_after(times: list[int]) -> Callable[[], float]:
    """A clock that a process looks at so often."""
    left = iter(times)

    def look() -> float:
        if (now := next(left, None)) is None:
            raise ConnectionError("the process was killed")
        return now

    return look


async def test_whoever_is_still_to_be_ended_is_sent_nothing(shop: Shop) -> None:
    await inside(shop, NAME)

    did = await stop(shop.store, NAME, by_us(shop.now))

    left = [run.id for run in (await list_runs(shop.store)).runs if not run.ended]
    assert (did.runs, did.to_go, len(left)) == (MANY, 3, 3)
    for run in left:
        with pytest.raises(Unavailable, match="being stopped"):
            await shop.claim(run)


async def test_whoever_is_still_to_be_told_may_be_sent_to_all_the_same(shop: Shop) -> None:
    await paused(shop, NAME)
    await shop.rule(spread="0 seconds")

    assert (await resume(shop.store, NAME, by_us(shop.now))).to_go == 3

    for run in (await list_runs(shop.store)).runs:
        assert isinstance(await shop.claim(run.id), Go)


async def test_what_is_on_its_way_is_told_of_all_who_are_ended(shop: Shop) -> None:
    await inside(shop, NAME)
    for run in (await list_runs(shop.store)).runs:
        await shop.claim(run.id)

    would = await stop(shop.store, NAME, by_us(shop.now), dry_run=True)
    did = await stop(shop.store, NAME, by_us(shop.now))

    assert (would.in_flight, did.in_flight, did.to_go) == (MANY, MANY, 3)


@each_act
async def test_nobody_waits_for_the_very_many_of_another_journey(shop: Shop, act: Act) -> None:
    await act.prepare(shop, NAME)
    await act.prepare(shop, "other")
    await act.do(shop.store, NAME, by_us(shop.now))

    did = await act.do(shop.store, "other", by_us(shop.now))

    left = (await seen(shop)).to_go, (await seen(shop, "other")).to_go
    assert left[1] == did.to_go == act.about(did) - 2
    while await act.finish(shop.store, shop.now):
        left, before = ((await seen(shop)).to_go, (await seen(shop, "other")).to_go), left
        assert all(now < then or not then for now, then in zip(left, before, strict=True))
    assert left == (0, 0)


async def test_what_a_stop_ends_is_told_of_no_repair(shop: Shop) -> None:
    await parked(shop, NAME)
    assert (await repair_all(shop.store, NAME, by_us(shop.now))).to_go == 3

    assert (await stop(shop.store, NAME, by_us(shop.now))).to_go == 3

    assert await finish_repairs(shop.store, shop.now) == 0
    assert [await finish_stops(shop.store, shop.now) for _ in range(3)] == [2, 1, 0]
    assert ((await seen(shop)).to_go, await told(shop, STOP), await told(shop, REPAIR)) == (0, MANY, 2)


async def test_of_two_repairs_that_are_under_way_each_run_is_told_by_one(shop: Shop) -> None:
    await parked(shop, NAME)
    only_others = Wanted(reason="no such reason")

    first = await repair_all(shop.store, NAME, by_us(shop.now))
    other = await repair(shop.store, NAME, only_others, by_us(shop.now), dry_run=True)
    second = await repair(shop.store, NAME, Wanted(reason="FILLED IN"), by_us(shop.now), instead="go on")

    assert (first.to_go, other.count, other.to_go) == (3, 0, 0)
    assert (second.count, second.to_go, (await seen(shop)).to_go) == (3, 1, 1)
    assert [await finish_repairs(shop.store, shop.now) for _ in range(2)] == [1, 0]
    assert ((await seen(shop)).to_go, await told(shop, REPAIR)) == (0, MANY)


async def test_a_repair_counts_none_but_those_that_it_is_about(shop: Shop) -> None:
    await parked(shop, NAME)
    await repair(shop.store, NAME, Wanted(reason="no such reason"), by_us(shop.now))
    assert (await seen(shop)).to_go == 0

    told_of = await repair(shop.store, NAME, Wanted(step="initial-reminder"), by_us(shop.now))
    later = await shop.start("late")
    await shop.store.write(
        lambda connection: hold(connection, lock_run(connection, later), FAILED, shop.later(hours=1))
    )

    assert (told_of.count, told_of.to_go, (await seen(shop)).to_go) == (MANY, 3, 3)


async def test_what_a_stop_ends_waits_for_no_resume(shop: Shop) -> None:
    await paused(shop, NAME)

    await stop(shop.store, NAME, by_us(shop.now))

    assert ((await seen(shop)).to_go, await finish_resuming(shop.store, shop.now)) == (3, 0)
    assert (await resume(shop.store, NAME, by_us(shop.now))).to_go == 3
    assert await shop.store.read(lambda connection: connection.execute(_LET_GO).scalar_one()) == 0


_LET_GO = select(func.count()).where(outbox.c.kind == "let go")


async def test_where_it_fails_for_one_journey_the_others_have_their_turn() -> None:
    done = list[str]()

    async def go_on(name: str, _seconds: float) -> int:
        if name == "broken":
            raise ValueError(name)
        done.append(name)
        return 1

    with pytest.raises(ValueError, match="broken"):
        await in_turns(["broken", "welcome"], go_on)

    assert done == ["welcome"]
