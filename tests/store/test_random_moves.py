"""Random people at random places of random journeys are moved to random new versions of these, in a real store."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from journeys.catalogue import CustomerAttribute
from journeys.definition import Journey, send_id
from journeys.endpoints import Endpoint
from journeys.moving import BEING_SENT, moved
from journeys.reading import read_journey
from journeys.steps import Message, every_step
from journeys.versions import Version
from journeys.walk.diary import Choice, Entry, Outcome
from journeys.walk.position import Position
from journeys.walk.walk import Walk
from store import people
from store.customer_attributes import put_attribute
from store.endpoints import put_endpoint
from store.journeys import put_journey
from store.positions import positions
from store.publishing import PublishedFor, publish_for
from store.runs import RunView, get_run, note
from store.schema import actions, sends
from store.versions import load
from tests.journeys.walk.test_position import OUTCOMES, START, Scripted, choices, scripts
from tests.random_journeys import FATES, beginning, journeys
from tests.random_stories import trials
from tests.random_versions import can_be_published, new_versions
from tests.recount import check_counts
from tests.shop import CHANNELS, Shop, by_us

EXAMPLES = int(os.environ.get("SOJOURN_TEST_MOVES", "8"))
"""So many pairs of versions are tried on each database: the same ones, unless that is said."""
SEARCHES = "SOJOURN_TEST_MOVES" in os.environ

_names = count(1)
_customers = count(1)


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "A_MOMENT", 0.001)


@dataclass(frozen=True)
class Someone:
    """One who has walked so far, and what became of what was sent and done on the way. *sending*: it is under way."""

    entries: Sequence[Entry]
    did: Mapping[str, Outcome]
    sending: bool


@st.composite
def walked(draw: st.DrawFn, journey: Journey) -> Someone:
    """Somebody who has come to any place of a journey."""
    fates = {step.id: draw(st.sampled_from(OUTCOMES)) for step in every_step(journey.steps)}
    walk = Walk(journey.steps, Position.at_start(journey.steps[0].id, START))
    world = Scripted(walk, START, draw(scripts(journey)), fates, draw(choices(journey)))
    _to_its_end(walk, world)
    places = [n for n, entry in enumerate(walk.diary.entries) if entry.stands]
    entries = walk.diary.entries[: draw(st.sampled_from(places)) + 1]
    passed = {entry.step for entry in entries if entry.did == "passed"}
    did = {step: fates[step] for step, _, _ in world.sent if step in passed}
    return Someone(entries, did, draw(st.integers(0, 5)) == 0)


def _to_its_end(walk: Walk, world: Scripted) -> None:
    walking = walk.go(world).__await__()
    with pytest.raises(StopIteration):
        next(walking)


@dataclass(frozen=True)
class Pair:
    """A journey with people inside, and a version of it that is published then, where steps may have other *names*."""

    old: Journey
    new: Journey
    names: Mapping[str, str]
    people: Sequence[Someone]
    arms: Mapping[str, Choice]


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    """Two versions, and up to six people."""
    old = draw(journeys(exit=[], journey=f"random-{next(_names)}"))
    new: Journey = draw(new_versions(old))
    names: dict[str, str] = {}
    both: list[str] = sorted({step.id for step in every_step(old.steps)} & {step.id for step in every_step(new.steps)})
    if draw(st.booleans()) and both:
        step = draw(st.sampled_from(both))
        written = json.dumps(new.model_dump(mode="json", by_alias=True, exclude_unset=True))
        renamed = json.loads(written.replace(f'"{step}"', f'"{step}-anew"'))
        if can_be_published(renamed):
            new, names = read_journey(renamed), {step: f"{step}-anew"}
    assume(new.hash != old.hash)
    old, new = beginning(old, START), beginning(new, START)
    inside = draw(st.lists(walked(old), min_size=1, max_size=6))
    return Pair(old, new, names, inside, draw(choices(new)))


@settings(max_examples=EXAMPLES, derandomize=not SEARCHES, deadline=None, suppress_health_check=[*HealthCheck])
@given(pair=pairs())
async def test_nobody_is_lost_and_nobody_is_sent_a_step_twice(shop: Shop, pair: Pair) -> None:
    old = await stocked(shop, pair.old)
    inside = {await entered(shop, pair.old, someone): someone for someone in pair.people}
    stood = await where(shop, inside)

    would, did = [await published(shop, pair, dry_run=dry_run) for dry_run in (True, False)]

    assert did == would.model_copy(update={"dry_run": False})
    seen = {run: await get_run(shop.store, run) for run in inside}
    stands = await where(shop, inside)
    new = await version(shop, pair.new, 2)
    for run, someone in inside.items():
        check_run(seen[run], someone, stands[run], pair.names)
        goes = isinstance(moved(old, new, stood[run], pair.names), Position) and not is_busy(someone, stood[run])
        assert (seen[run].version == 2) == goes
        if seen[run].version == 2:
            check_the_rest(pair, someone, stands[run])
    check_the_answer(did, list(seen.values()), {run for run, each in inside.items() if is_busy(each, stood[run])})
    await check_counts(shop.store)


@settings(max_examples=EXAMPLES, derandomize=not SEARCHES, deadline=None, suppress_health_check=[*HealthCheck])
@given(pair=pairs())
async def test_there_and_back_everybody_stands_where_they_stood_with_what_they_had(shop: Shop, pair: Pair) -> None:
    """The third version is the first one, word for word, and those whose steps had other names have their own again."""
    await stocked(shop, pair.old)
    inside = {await entered(shop, pair.old, someone): someone for someone in pair.people}
    stood = await where(shop, inside)
    before = {run: await get_run(shop.store, run) for run in inside}
    await published(shop, pair, dry_run=False)
    stayed = [run for run in inside if (await get_run(shop.store, run)).version == 1]
    back = Pair(pair.new, pair.old, {} if stayed else {now: old for old, now in pair.names.items()}, (), {})

    would, did = [await published(shop, back, dry_run=dry_run) for dry_run in (True, False)]

    assert did == would.model_copy(update={"dry_run": False})
    stands = await where(shop, inside)
    for run in inside:
        seen = await get_run(shop.store, run)
        assert [(send.id, send.state) for send in seen.sends] == [(s.id, s.state) for s in before[run].sends]
        if seen.version == 3 and (run in stayed or back.names.keys() == set(pair.names.values())):
            check_back(seen, before[run], stands[run], stood[run])
    await check_counts(shop.store)


def check_back(seen: RunView, before: RunView, stands: Position, stood: Position) -> None:
    """It stands where it stood, with all that it had had then."""
    assert (seen.step, seen.step_at, seen.sends) == (before.step, before.step_at, before.sends)
    assert seen.diary[: len(before.diary)] == before.diary
    gone_on = {"lines": stands.lines, "moved_at": stands.moved_at}
    assert stands == stood.model_copy(update=gone_on)


def is_busy(someone: Someone, stood: Position) -> bool:
    return someone.sending and stood.step.startswith(("email", "text", "push"))


def check_run(view: RunView, someone: Someone, stands: Position, names: Mapping[str, str]) -> None:
    """It is under way, stands where it stood since when it stood there, and has all that it had."""
    assert view.ended is None
    assert [entry.n for entry in view.diary] == [*range(len(someone.entries) + 2 * (view.version - 1))]
    called = names if view.version == 2 else {}
    last = someone.entries[-1]
    assert (view.step, view.step_at) == (called.get(last.step, last.step), last.at)
    assert set(stands.sent) == {called.get(step, step) for step in someone.did}


def check_the_rest(pair: Pair, someone: Someone, stands: Position) -> None:
    """What it does from there on is none of what it did."""
    walk = Walk(pair.new.steps, stands)
    world = Scripted(walk, max(stands.since, START), (), {}, pair.arms)
    _to_its_end(walk, world)
    had = {pair.names.get(step, step) for step in someone.did}
    comes = Counter(step for step, _, _ in world.sent)
    assert not had & comes.keys()
    assert max(comes.values(), default=1) == 1


def check_the_answer(did: PublishedFor, views: Sequence[RunView], at_work: set[str]) -> None:
    """How many went where, and how many stayed, is what is to be seen."""
    assert did.move
    assert did.move.steps == Counter(view.step for view in views if view.version == 2)
    assert did.move.moved + did.move.stayed == len(views)
    for stays in did.move.stays:
        assert (stays.why != BEING_SENT) or set(stays.runs) <= at_work


async def stocked(shop: Shop, journey: Journey) -> Version:
    """Publish it where all is there that journeys by chance refer to, and nobody is inside."""
    shop.now = START
    await put_attribute(shop.store, CustomerAttribute(attribute="renews_at", type="time"), by_us(shop.now))
    for name in FATES:
        await put_endpoint(
            shop.store, Endpoint(endpoint=name, url=f"https://{name}.example.com"), "sealed", by_us(shop.now)
        )
    await shop.publish(journey)
    return await version(shop, journey, 1)


async def started(shop: Shop, journey: Journey) -> str:
    attributes = beginning(next(iter(trials(""))).attributes, START)
    receipt = await shop.post(journey.start.triggers[0], f"someone-{next(_customers)}", **attributes)
    (run,) = [each.run for each in receipt.decisions if each.did == "started" and each.journey == journey.journey]
    return run or ""


async def entered(shop: Shop, journey: Journey, someone: Someone) -> str:
    """A run in the store that has come as far."""
    run = await started(shop, journey)
    await note(shop.store, run, someone.entries[1:])
    view = await get_run(shop.store, run)
    for step, outcome in someone.did.items():
        await keep(shop, view, journey, step, outcome, START)
    if is_busy(someone, Position(step=view.step or "", since=START)):
        await keep(shop, view, journey, view.step or "", "claimed", START)
    return run


async def keep(shop: Shop, view: RunView, journey: Journey, step: str, outcome: str, at: datetime) -> None:
    """Keep what became of a step that sends or acts."""
    message = journey.message(step)
    kept = {"run": view.id, "step": step, "at": at, "reason": ""}
    if isinstance(message, Message):
        told = {"id": send_id(view.id, step), "customer": view.customer, "kind": message.kind, "attempt": 1}
        row = insert(sends).values(
            **kept, **told, content=message.content, state=outcome, claimed_at=at, recipient="a@example.com"
        )
    else:
        row = insert(actions).values(**kept, outcome=outcome)
    await shop.store.write(lambda connection: connection.execute(row))


async def where(shop: Shop, runs: Mapping[str, object]) -> Mapping[str, Position]:
    return await shop.store.read(lambda connection: positions(connection, [*runs]))


async def version(shop: Shop, journey: Journey, number: int) -> Version:
    wanted = (journey.journey, number)
    return (await shop.store.read(lambda connection: load(connection, [wanted])))[wanted]


async def published(shop: Shop, pair: Pair, *, dry_run: bool) -> PublishedFor:
    await put_journey(shop.store, pair.new, by_us(shop.now))
    name, change = pair.new.journey, by_us(shop.now)
    return await publish_for(shop.store, name, change, CHANNELS, people="move", names=pair.names, dry_run=dry_run)
