"""Temporal loses its data in the middle of everybody's way: all begin again where they stood, and nobody gets more."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import func, select
from temporalio.client import Client

from journeys.definition import Journey, send_id
from journeys.reading import read_journey
from journeys.walk.preview import preview
from journeys.walk.script import DEFAULT_START, Happening
from store.missing import some_missing
from store.runs import RunView, get_run, list_runs
from store.schema import sends
from tests.engine import PATIENCE, Engine, engine, until
from tests.ledger import Ledger
from tests.samples import CUSTOMER, version
from tests.shop import by_us
from tests.temporal_files import copy, on
from tests.transactions import rows
from workflows.rebuilding import Rebuild, Rebuilt, Wish

PEOPLE = int(os.environ.get("SOJOURN_TEST_REBUILT", "36"))
DAY = timedelta(seconds=max(30.0, PEOPLE / 4))
"""So long a day lasts: in a part of one all of them must have come to where they wait."""


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.engine.PATIENCE", PATIENCE + 2 * PEOPLE)


HALF = timedelta(hours=12)
EMAIL: dict[str, object] = {"email": "initial-email-reminder", "to": "customer.email"}
TEXT: dict[str, object] = {"text": "second-text-reminder", "to": "customer.phone"}
PUSH: dict[str, object] = {"push": "final-push-notification", "to": "customer.push_token"}


def journey(name: str, place: int, steps: Sequence[dict[str, object]]) -> Journey:
    """One journey of several: the total of a cart says which of them somebody enters."""
    start = {"trigger": "abandoned-cart", "key": "event.cart_id", "where": f"event.total == {60 + place}"}
    return read_journey(
        {"journey": name, "start": start, "exit": [{"trigger": "purchase-completed"}], "steps": list(steps)}
    )


def journeys(begin: datetime, day: timedelta) -> list[Journey]:
    """In each, everybody stands at another kind of step when half a day has passed."""
    instant = (begin + 1.5 * day).isoformat()
    hello: dict[str, object] = {"id": "hello", **EMAIL}
    last: dict[str, object] = {"id": "last", **PUSH}
    pause: dict[str, object] = {"id": "pause", "wait": "1 day"}
    visited: dict[str, object] = {"trigger": "store-visit"}
    mixed: list[dict[str, object]] = [
        {"id": "tag", "set": {"first_name": "'Ada L.'"}},
        {
            "id": "known",
            "branch": [{"arm": "big", "when": "event.total > 10", "then": [{"id": "more", **TEXT}]}],
            "otherwise": [],
        },
        {
            "id": "lot",
            "split": [{"arm": "a", "share": "50%", "then": [last]}, {"arm": "b", "share": "50%", "then": []}],
        },
    ]
    named: dict[str, list[dict[str, object]]] = {
        "asks": [
            hello,
            {
                "id": "opened",
                "if": {"message": "hello", "is": "opened", "within": "1 day"},
                "then": [],
                "else": [{"id": "second", **TEXT}, pause, last],
            },
        ],
        "waits": [hello, pause, *mixed],
        "has-asked": [
            hello,
            {
                "id": "came",
                "if": {"message": "hello", "is": "opened", "within": "1 day"},
                "then": [{"id": "thanks", **TEXT}],
                "else": [],
            },
            pause,
            last,
        ],
        "in-a-series": [
            {
                "id": "visits",
                "until": {**visited, "within": "10 days"},
                "steps": [hello, pause, {"id": "second", **TEXT}, {"id": "again", "wait": "1 day"}],
                "then": [{"id": "welcome", **PUSH}],
                "else": [],
            }
        ],
        "awaits": [
            hello,
            {
                "id": "reaction",
                "await": {
                    "within": "1 day",
                    "arms": [
                        {"arm": "opened", "message": "hello", "is": "opened", "then": [{"id": "thanks", **TEXT}]},
                        {"arm": "visited", **visited, "then": [last]},
                    ],
                    "otherwise": [{"id": "second", **TEXT}, {"id": "over", "end": "enough"}],
                },
            },
        ],
        "to-an-instant": [hello, {"id": "then", "wait": {"until": instant}}, last],
    }
    return [journey(name, place, steps) for place, (name, steps) in enumerate(named.items())]


class Act(NamedTuple):
    """What somebody does at some time of the first day, and whether Temporal is away then."""

    happening: Happening | None = None
    away: bool = False


ACTS = {
    "nothing": Act(),
    "opens before": Act(Happening.model_validate({"at": "1 hour", "message": "hello", "is": "opened"})),
    "opens meanwhile": Act(Happening.model_validate({"at": HALF, "message": "hello", "is": "opened"}), away=True),
    "buys meanwhile": Act(Happening.model_validate({"at": HALF, "trigger": "purchase-completed"}), away=True),
    "visits meanwhile": Act(
        Happening.model_validate({"at": HALF, "trigger": "store-visit", "attributes": {"city": "Oslo"}}), away=True
    ),
}


class Person(NamedTuple):
    name: str
    place: int
    does: str


async def act(played: Engine, person: Person, run: str, line: Happening) -> None:
    if line.message:
        event = played.event("email-opened", send_id=send_id(run, line.message))
    else:
        assert line.trigger
        event = played.event(line.trigger, person.name, **line.attributes)  # type: ignore[arg-type]
    await played.accept(event)


def people(named: Sequence[Journey], number: int = PEOPLE) -> list[Person]:
    acts = list(ACTS)
    return [Person(f"p{n}", n % len(named), acts[n // len(named) % len(acts)]) for n in range(number)]


def as_previewed(person: Person, of: Sequence[Journey]) -> tuple[list[str], str]:
    """The steps that send something to somebody, and how it ends, on the virtual clock."""
    happening = ACTS[person.does].happening
    entry = Happening(trigger="abandoned-cart", attributes={"cart_id": "c", "total": 60 + person.place})
    script = [entry, *([happening] if happening else [])]
    told = preview(version(of[person.place]), script, CUSTOMER, customer_id=person.name, started_at=DEFAULT_START)
    (run,) = told.runs
    return [send.step for send in run.sends if send.outcome == "accepted"], str(run.ended)


def came_to(seen: RunView) -> tuple[list[str], str]:
    return [send.step for send in seen.sends if send.state == "accepted"], str(seen.ended)


async def all_of(played: Engine) -> list[RunView]:
    page, seen = await list_runs(played.store, limit=200), list[RunView]()
    while True:
        seen += [await get_run(played.store, run.id) for run in page.runs]
        if page.next is None:
            return seen
        page = await list_runs(played.store, limit=200, before=page.next)


async def enter(played: Engine, everybody: Sequence[Person]) -> dict[str, str]:
    """All of them abandon their carts. Returns their runs."""
    entered = dict[str, str]()
    for person in everybody:
        await played.customer(person.name)
        receipt = await played.accept(played.event("abandoned-cart", person.name, cart_id="c", total=60 + person.place))
        (entered[person.name],) = [made.run for made in receipt.decisions if made.did == "started" and made.run]
        played.relay.nudge()
    return entered


async def until_all_wait(played: Engine, everybody: Sequence[Person]) -> None:
    """Until a message to each has gone out, and is recorded."""
    accepted = select(func.count(sends.c.run.distinct())).where(sends.c.state == "accepted")

    async def have() -> bool:
        ((number,),) = await rows(played.store, accepted)
        return int(number) == len(everybody)

    await until(have)


async def until_over(played: Engine) -> list[RunView]:
    async def over() -> bool:
        page = await list_runs(played.store, active=True, limit=1)
        return not page.runs

    await until(over)
    return await all_of(played)


def rebuild(played: Engine) -> Rebuild:
    return Rebuild(played.store, played.client, played.task_queue)


async def rebuilt(played: Engine, **wish: object) -> Rebuilt:
    return await rebuild(played).do(Wish.model_validate(wish), by_us(played.now()))


async def test_all_begin_again_where_they_stood_when_temporal_has_lost_its_data(
    database_url: str, tmp_path: Path
) -> None:
    """SOJOURN_TEST_REBUILT: how many of them there are."""
    before, after = tmp_path / "temporal.db", tmp_path / "another.db"
    async with shop(database_url) as (played, of):
        everybody = people(of)
        async with on(played, before):
            runs = await enter(played, everybody)
            await until_all_wait(played, everybody)
            await do(played, everybody, runs, away=False)
            await until(lambda: nothing_waits(played))
            stood = Counter(run.step for run in await all_of(played) if run.ended is None)
        before.unlink()
        await do(played, everybody, runs, away=True)

        async with on(played, after):
            would = await rebuilt(played, dry_run=True)
            at_once = await asyncio.gather(rebuilt(played), rebuilt(played))
            seen = await until_over(played)

        assert stood.keys() >= {"opened", "pause", "reaction", "then"}
        assert would.missing == sum(done.missing for done in at_once) > 0
        assert not would.went_back
        assert await some_missing(played.store, "", 10) == []
        check_all(played, everybody, seen)


async def test_all_go_on_where_they_stood_when_temporal_was_set_back(sqlite_url: str, tmp_path: Path) -> None:
    """Answers, exits and newcomers of the time that Temporal has lost: nobody is lost, nobody gets it twice."""
    file, backup = tmp_path / "temporal.db", tmp_path / "backup.db"
    async with shop(sqlite_url) as (played, of):
        everybody = people(of)
        inside, newcomers = everybody[: PEOPLE * 3 // 4], everybody[PEOPLE * 3 // 4 :]
        async with on(played, file):
            runs = await enter(played, inside)
            await until_all_wait(played, inside)
            await do(played, inside, runs, away=False)
            await until(lambda: nothing_waits(played))
        copy(file, backup)
        async with on(played, file):
            runs |= await enter(played, newcomers)
            await do(played, inside, runs, away=True)
            await until_all_wait(played, everybody)
            await do(played, newcomers, runs, away=False)
            await do(played, newcomers, runs, away=True)
            await until(lambda: nothing_waits(played))
        copy(backup, file)

        async with on(played, file):
            would = await rebuilt(played, dry_run=True)
            done = await rebuilt(played)
            seen = await until_over(played)

        assert would.went_back
        assert (done.missing, done.sent_on) == (would.missing, would.sent_on)
        assert 0 < done.missing <= len(newcomers)
        assert 0 < done.sent_on <= len(inside)
        check_all(played, everybody, seen)


def check_all(played: Engine, everybody: Sequence[Person], seen: Sequence[RunView]) -> None:
    """Each got what the preview says, in that order, and none of it twice."""
    of, came = journeys(DEFAULT_START, timedelta(days=1)), {run.customer: came_to(run) for run in seen}
    expected = {person.name: as_previewed(person, of) for person in everybody}
    assert {
        (of[person.place].journey, person.does, person.name): (came[person.name], expected[person.name])
        for person in everybody
        if came[person.name] != expected[person.name]
    } == {}
    assert set(Counter(message.send_id for message in played.ledger.took).values()) == {1}
    assert len(played.ledger.took) == sum(len(steps) for steps, _ in expected.values())


@asynccontextmanager
async def shop(database_url: str) -> AsyncIterator[tuple[Engine, list[Journey]]]:
    """An engine with all the journeys, whose Temporal is to come."""
    client = await Client.connect("localhost:1", lazy=True)
    async with engine(client, database_url, ledger=Ledger(), day=DAY, working=False) as played:
        of = journeys(played.now(), DAY)
        for each in of:
            await played.publish(each)
        yield played, of


async def do(played: Engine, everybody: Sequence[Person], runs: Mapping[str, str], *, away: bool) -> None:
    """What each does while Temporal is there, or is *away*."""
    for person in everybody:
        happening, meanwhile = ACTS[person.does]
        if happening and meanwhile == away:
            await act(played, person, runs[person.name], happening)
            played.relay.nudge()


async def nothing_waits(played: Engine) -> bool:
    return await played.waiting() == 0
