"""People inside older versions go on in a new one: how many would, and how many did."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from datetime import timedelta
from itertools import count
from time import perf_counter
from typing import Any

import pytest
from sqlalchemy import func, select

from journeys.moving import BEING_SENT
from journeys.problems import Invalid
from journeys.walk.diary import Entry
from store import journeys, people
from store.audit import list_audit
from store.journeys import put_journey
from store.move_progress import Move
from store.people import finish_moves, move_people
from store.positions import positions
from store.publishing import PublishedFor, publish_for
from store.runs import get_run, list_runs, note
from store.schema import diary, runs
from store.stopping import stop
from tests.recount import check_counts
from tests.samples import abandoned_cart
from tests.shop import CHANNELS, Shop, by_us
from tests.transactions import rows

MANY = int(os.environ.get("SOJOURN_TEST_PEOPLE", "600"))
"""How many people are inside where a version is published."""

HELLO = {"id": "initial-reminder", "email": "initial-email-reminder", "to": "customer.email"}
VISIT = {"trigger": "store-visit", "within": "9 days"}


def pause(id: str = "pause", wait: str = "7 days") -> dict[str, Any]:
    return {"id": id, "wait": wait}


async def published(
    shop: Shop, *steps: dict[str, Any], start: dict[str, Any] | None = None, **more: Any
) -> PublishedFor:
    """Publish a journey of these steps, from which nobody exits."""
    begins = {"start": start} if start else {}
    await put_journey(shop.store, abandoned_cart(steps=[*steps], exit=[], **begins), by_us(shop.now))
    return await publish_for(shop.store, "abandoned-cart", by_us(shop.now), CHANNELS, **more)


async def walked(shop: Shop, run: str, *steps: str, arms: dict[str, str] | None = None) -> None:
    """Note that a run has passed all of these steps but the last one, where it stands."""
    entries: list[Entry] = []
    for step in steps:
        entries.append(Entry(n=len(entries), at=shop.now, step=step, did="entered"))
        arm = (arms or {}).get(step)
        entries.append(Entry(n=len(entries), at=shop.now, step=step, did="passed", arm=arm, why="by a test"))
    await note(shop.store, run, entries[1:-1])


async def sent(shop: Shop, run: str) -> None:
    """Send a run its first message, after which it waits."""
    await shop.claim(run, following="pause")
    await shop.record(run, following="pause")


async def test_who_stands_where_it_is_goes_on_and_others_stay(shop: Shop) -> None:
    await published(shop, pause("first"), pause("second"), pause("third"))
    ids = [await shop.start(f"customer-{number}") for number in range(6)]
    for run in ids[:3]:
        await walked(shop, run, "first", "second")
    await walked(shop, ids[0], "first", "second", "third")
    new = [pause("first", "3 days"), pause("third")]

    would = await published(shop, *new, people="move", dry_run=True)
    did = await published(shop, *new, people="move")

    assert would.move
    assert did == would.model_copy(update={"dry_run": False})
    assert (would.version, would.move.moved, would.move.steps) == (2, 4, {"first": 3, "third": 1})
    [stays] = would.move.stays
    assert (stays.why, stays.people, set(stays.runs)) == ("second is no step of version 2", 2, set(ids[1:3]))
    assert Counter(run.version for run in (await list_runs(shop.store)).runs) == {2: 4, 1: 2}
    await check_counts(shop.store)


async def test_changes_are_told_with_who_stands_where(shop: Shop) -> None:
    await published(shop, pause("first"), pause("second"))
    ids = [await shop.start(f"customer-{number}") for number in range(3)]
    await walked(shop, ids[0], "first", "second")

    told = await published(shop, pause("first"), pause("second", "1 day"), dry_run=True)

    [before] = told.changes
    assert (before.version, before.people, told.people, told.move) == (1, 3, "stay", None)
    [change] = before.changes
    assert change.words == "second waits 1 day instead of 7 days"
    assert change.people
    assert change.people.model_dump() == {"before": 2, "at": 1, "behind": 0}
    assert len((await list_runs(shop.store)).runs) == 3
    assert (await journeys.get_journey(shop.store, "abandoned-cart", shop.now)).live_version == 1


async def test_people_of_all_older_versions_go_on(shop: Shop) -> None:
    for wait in ("7 days", "6 days"):
        await published(shop, pause(wait=wait))
        await shop.start(f"customer-of-{wait[0]}")

    did = await published(shop, pause(wait="5 days"), people="move")

    assert did.move
    assert (did.version, did.move.steps) == (3, {"pause": 2})
    assert [(each.version, each.people) for each in did.changes] == [(2, 1), (1, 1)]
    await check_counts(shop.store)


async def test_who_had_a_message_already_is_not_put_before_it(shop: Shop) -> None:
    await published(shop, HELLO, pause())
    had, waits = [await shop.start(customer) for customer in ("ada", "bob")]
    await sent(shop, had)

    new = [pause(), HELLO]
    would = await published(shop, *new, people="move", dry_run=True)
    did = await published(shop, *new, people="move")

    assert would.move == did.move
    assert did.move
    assert {each.why: each.runs for each in did.move.stays} == {
        "it had initial-reminder already, which comes after pause in version 2": (had,)
    }
    assert (await get_run(shop.store, waits)).version == 2


async def test_who_has_done_all_of_a_series_goes_on_and_is_not_put_before_it(shop: Shop) -> None:
    series = {"id": "series", "until": VISIT, "steps": [HELLO]}
    await published(shop, series)
    waits, done = [await shop.start(customer) for customer in ("ada", "bob")]
    await note(shop.store, done, [Entry(n=1, at=shop.now, step="initial-reminder", did="entered")])
    await shop.claim(done, n=2, following="series")
    await shop.record(done, n=2, following="series", returns=True)

    told = []
    for steps in ([series | {"until": VISIT | {"within": "8 days"}}], [series | {"steps": [pause()]}, HELLO]):
        would = await published(shop, *steps, people="move", dry_run=True)
        did = await published(shop, *steps, people="move")
        assert would.move == did.move
        assert did.move
        told.append((did.move.moved, {each.why: each.runs for each in did.move.stays}))

    why = "it had initial-reminder already, which comes after series in version 3"
    assert told == [(2, {}), (1, {why: (done,)})]
    assert (await get_run(shop.store, waits)).version == 3


async def test_who_is_being_sent_a_message_is_tried_again_and_stays(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "A_MOMENT", 0.001)
    await published(shop, HELLO, pause())
    run = await shop.start()
    await shop.claim(run)

    new = [HELLO, pause(wait="1 day")]
    would = await published(shop, *new, people="move", dry_run=True)
    did = await published(shop, *new, people="move")

    assert would.move == did.move
    assert did.move
    assert [(each.why, each.runs) for each in did.move.stays] == [(BEING_SENT, (run,))]


async def test_all_that_is_kept_of_a_run_goes_by_the_new_names(shop: Shop) -> None:
    await published(shop, HELLO, pause())
    run = await shop.start()
    await sent(shop, run)
    names = {"initial-reminder": "hello", "pause": "rest"}

    did = await published(shop, HELLO | {"id": "hello"}, pause("rest"), people="move", names=names)

    assert did.move
    assert did.move.steps == {"rest": 1}
    seen = await get_run(shop.store, run)
    assert [send.step for send in seen.sends] == ["hello"]
    assert {entry.step for entry in seen.diary} == {"hello", "rest"}
    stands = (await shop.store.read(lambda connection: positions(connection, [run])))[run]
    assert (stands.step, stands.since, set(stands.sent)) == ("rest", shop.now, {"hello"})


async def test_wrong_names_change_nothing(shop: Shop) -> None:
    await published(shop, pause())
    await shop.start()

    with pytest.raises(Invalid, match=r'version 2 has no step "rset". Did you mean "rest"\?'):
        await published(shop, pause("rest"), people="move", names={"pause": "rset"})
    with pytest.raises(Invalid, match="goes with people: move"):
        await published(shop, pause("rest"), names={"pause": "rest"})

    assert (await journeys.get_journey(shop.store, "abandoned-cart", shop.now)).live_version == 1


async def test_publishing_again_moves_who_stayed(shop: Shop) -> None:
    await published(shop, pause())
    await shop.start()
    first = await published(shop, pause("rest"), people="move")

    again = await published(shop, pause("rest"), people="move", names={"pause": "rest"})
    once_more = await published(shop, pause("rest"), people="move")

    assert first.move
    assert again.move
    assert once_more.move
    assert (first.move.moved, first.move.stayed, first.new) == (0, 1, True)
    assert (again.move.moved, again.move.stayed, again.new) == (1, 0, False)
    assert (once_more.move.moved, once_more.move.stayed) == (0, 0)


async def test_a_move_that_was_cut_off_is_finished(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "TOGETHER", 2)
    await published(shop, pause())
    for number in range(5):
        await shop.start(f"customer-{number}")
    with monkeypatch.context() as broken:
        broken.setattr(people, "_counted", cut_off_after(2))
        with pytest.raises(RuntimeError):
            await published(shop, pause(wait="3 days"), people="move")
    assert Counter(run.version for run in (await list_runs(shop.store)).runs) == {2: 4, 1: 1}

    assert await finish_moves(shop.store, shop.now + timedelta(seconds=30)) == 0  # somebody may be at it
    assert await finish_moves(shop.store, shop.now + timedelta(minutes=2)) == 1
    assert await finish_moves(shop.store, shop.now + timedelta(minutes=9)) == 0

    assert Counter(run.version for run in (await list_runs(shop.store)).runs) == {2: 5}
    assert (await move_people(shop.store, "abandoned-cart", 2, shop.now)).moved == 5
    await check_counts(shop.store)


def cut_off_after(times: int) -> Any:
    left, counted = [times], people._counted

    def count(*arguments: Any, **named: Any) -> Any:
        if not left[0]:
            raise RuntimeError("the process was killed")
        left[0] -= 1
        return counted(*arguments, **named)

    return count


def turns_of(monkeypatch: pytest.MonkeyPatch, lots: int) -> None:
    """Whoever moves people moves two at a time, and so many lots of them in one turn."""
    monkeypatch.setattr(people, "TOGETHER", 2)
    seconds = count()
    monkeypatch.setattr(people, "monotonic", lambda: next(seconds))
    monkeypatch.setattr(people, "A_REQUEST", lots + 0.5)
    monkeypatch.setattr(people, "A_TURN", lots + 0.5)


async def five_wait(shop: Shop) -> None:
    await published(shop, pause())
    for number in range(5):
        await shop.start(f"customer-{number}")


async def by_version(shop: Shop) -> dict[int, int]:
    return {row.version: row.n for row in await rows(shop.store, _BY_VERSION)}


async def told(shop: Shop, number: int) -> Move | None:
    """What the journey says of a version's move."""
    view = await journeys.get_journey(shop.store, "abandoned-cart", shop.now)
    return view.versions[number - 1].move


async def test_a_move_that_takes_long_is_answered_before_it_is_over_and_goes_on(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns_of(monkeypatch, 1)
    await five_wait(shop)
    would = await published(shop, pause(wait="3 days"), people="move", dry_run=True)

    did = await published(shop, pause(wait="3 days"), people="move")

    assert would.move
    assert did.move
    assert (did.move.moved, did.move.to_move, await by_version(shop)) == (2, 3, {1: 3, 2: 2})
    assert await told(shop, 2) == did.move
    assert [await finish_moves(shop.store, shop.now) for _ in range(3)] == [1, 1, 0]
    assert await told(shop, 2) == would.move
    assert (would.move.moved, would.move.to_move, await by_version(shop)) == (5, 0, {2: 5})
    assert await told(shop, 1) is None
    await check_counts(shop.store)


async def test_publishing_again_goes_on_with_a_move_and_counts_on(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    turns_of(monkeypatch, 1)
    await five_wait(shop)

    did = [await published(shop, pause("rest"), people="move", names={"pause": "rest"}) for _ in range(4)]

    moves = [(each.new, each.move.moved, each.move.to_move) for each in did if each.move]
    assert moves == [(True, 2, 3), (False, 4, 1), (False, 5, 0), (False, 0, 0)]


async def test_two_who_publish_at_once_move_everybody_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "TOGETHER", 2)
    await five_wait(shop)

    await put_journey(shop.store, abandoned_cart(steps=[pause(wait="3 days")], exit=[]), by_us(shop.now))
    both = await asyncio.gather(
        *(publish_for(shop.store, "abandoned-cart", by_us(shop.now), CHANNELS, people="move") for _ in range(2))
    )

    assert sorted(each.new for each in both) == [False, True]
    assert await by_version(shop) == {2: 5}
    lines = await rows(shop.store, select(diary.c.run).where(diary.c.did == "moved"))
    assert len(lines) == 5
    await check_counts(shop.store)


async def test_of_several_workers_one_goes_on_with_a_move(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    turns_of(monkeypatch, 1)
    await five_wait(shop)
    await published(shop, pause(wait="3 days"), people="move")

    taken = await asyncio.gather(*(finish_moves(shop.store, shop.now) for _ in range(3)))

    assert sum(taken) >= 1
    while await finish_moves(shop.store, shop.now):
        pass
    assert await by_version(shop) == {2: 5}
    await check_counts(shop.store)


async def test_a_move_to_a_newer_version_takes_the_place_of_one_that_is_under_way(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns_of(monkeypatch, 1)
    await five_wait(shop)
    await published(shop, pause(wait="3 days"), people="move")

    await published(shop, pause(wait="2 days"), people="move")
    while await finish_moves(shop.store, shop.now):
        pass

    assert await by_version(shop) == {3: 5}
    moves = await told(shop, 2), await told(shop, 3)
    assert [(move.moved, move.to_move) for move in moves if move] == [(2, 0), (5, 0)]
    audited = [each.detail for each in (await list_audit(shop.store)).entries if each.did == "people moved"]
    assert [(detail["version"], detail["moved"]) for detail in audited] == [(3, 5), (2, 2)]
    await check_counts(shop.store)


async def test_a_move_that_was_cut_off_and_one_back_take_turns_and_nobody_is_lost(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The third version is the first one, word for word."""
    monkeypatch.setattr(people, "TOGETHER", 2)
    await five_wait(shop)
    with monkeypatch.context() as broken:
        broken.setattr(people, "_counted", cut_off_after(1))
        with pytest.raises(RuntimeError):
            await published(shop, pause(wait="3 days"), people="move")
    assert await by_version(shop) == {1: 3, 2: 2}
    later = shop.now + timedelta(minutes=2)

    back, *_ = await asyncio.gather(
        published(shop, pause(), people="move"), finish_moves(shop.store, later), finish_moves(shop.store, later)
    )
    while await finish_moves(shop.store, later + timedelta(minutes=5)):
        pass

    assert (back.version, await by_version(shop)) == (3, {3: 5})
    lines = await rows(shop.store, select(diary.c.run, diary.c.n))
    assert len(lines) == len({(line.run, line.n) for line in lines})
    move = await told(shop, 3)
    assert move
    assert (move.moved, move.stayed, move.to_move) == (5, 0, 0)
    await check_counts(shop.store)


async def test_nobody_is_moved_back_by_a_move_that_goes_on(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    turns_of(monkeypatch, 1)
    await five_wait(shop)
    await published(shop, pause(wait="3 days"), people="move")

    await published(shop, pause(wait="2 days"))
    await shop.start("newcomer")
    while await finish_moves(shop.store, shop.now):
        pass

    assert await by_version(shop) == {2: 5, 3: 1}


async def test_nobody_is_moved_to_a_version_that_was_stopped(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    turns_of(monkeypatch, 1)
    await five_wait(shop)
    await published(shop, pause(wait="3 days"), people="move")

    await stop(shop.store, "abandoned-cart", by_us(shop.now), version=2)

    assert [await finish_moves(shop.store, shop.now) for _ in range(2)] == [1, 0]
    assert await by_version(shop) == {1: 3}
    move = await told(shop, 2)
    assert move
    assert (move.moved, move.to_move) == (2, 0)


async def test_who_is_in_a_stopped_version_is_not_moved(shop: Shop) -> None:
    await published(shop, pause())
    await shop.start()
    await stop(shop.store, "abandoned-cart", by_us(shop.now))

    did = await published(shop, pause(wait="3 days"), people="move")

    assert did.move
    assert (did.move.moved, did.move.stayed) == (0, 0)


async def test_a_move_is_in_the_audit_log(shop: Shop) -> None:
    await published(shop, pause())
    await shop.start()
    await published(shop, pause(wait="3 days"), people="move")

    entries = [(each.did, each.detail) for each in (await list_audit(shop.store)).entries]

    assert ("people moved", {"version": 2, "moved": 1, "stayed": 0, "gone": 0}) in entries


async def test_very_many_people_are_moved_as_was_said(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    old = [
        pause("first"),
        {"id": "asks", "if": VISIT, "then": [pause("came")], "else": [pause("stayed"), pause("gone")]},
        {"id": "series", "until": VISIT, "steps": [pause("inner"), pause("innermost")]},
        pause("last"),
    ]
    places: tuple[tuple[tuple[str, ...], dict[str, str]], ...] = (
        (("first",), {}),
        (("first", "asks"), {}),
        (("first", "asks", "came"), {"asks": "yes"}),
        (("first", "asks", "stayed"), {"asks": "no"}),
        (("first", "asks", "stayed", "gone"), {"asks": "no"}),
        (("first", "asks", "last"), {"asks": "no"}),
    )
    await published(shop, *old)
    for number in range(MANY):
        steps, arms = places[number % len(places)]
        await walked(shop, await shop.start(f"customer-{number}"), *steps, arms=arms)
    new = [
        pause("first", "3 days"),
        {"id": "asks", "if": VISIT, "then": [pause("new"), pause("came")], "else": [pause("stayed")]},
        pause("last", "1 day"),
    ]

    monkeypatch.setattr(people, "A_REQUEST", 3600)
    began = perf_counter()
    would = await published(shop, *new, people="move", dry_run=True)
    said = perf_counter()
    did = await published(shop, *new, people="move")
    took = perf_counter() - said

    sys.stdout.write(f"{MANY} people: said in {said - began:.2f} s, moved in {took:.2f} s\n")
    assert did.move
    assert did == would.model_copy(update={"dry_run": False})
    assert did.move.moved + did.move.stayed == MANY
    assert [(each.why, each.people) for each in did.move.stays] == [
        ("gone is no step of version 2", len(range(4, MANY, len(places))))
    ]
    assert await by_version(shop) == {2: did.move.moved, 1: did.move.stayed}
    await check_counts(shop.store)


_BY_VERSION = select(runs.c.version, func.count().label("n")).where(runs.c.ended.is_(None)).group_by(runs.c.version)
