"""While a rebuild goes over the runs, everything else goes on: each ends as if Temporal had never been away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import pytest
from sqlalchemy import select
from temporalio.testing import WorkflowEnvironment

from journeys.definition import Journey, send_id
from store import rebuilding
from store.erasing import erase
from store.journeys import put_journey
from store.missing import some_missing
from store.pausing import pause, resume
from store.people import move_people
from store.publishing import publish_for
from store.runs import RunView, get_run, list_runs
from store.schema import runs
from tests.engine import Engine, engine, until, worker
from tests.samples import abandoned_cart
from tests.shop import CHANNELS, Shop, by_us
from tests.temporal_fixtures import start_temporal
from tests.transactions import rows
from workflows.rebuilding import Rebuild, Wish
from workflows.relay import Relay

NAME = "abandoned-cart"
MOMENTS = ("listed", "compared", "half begun", "begun")
"""When something happens: Temporal has said what it has; the runs were compared; some are to begin; all are."""

GETS: Mapping[str, list[str]] = {
    "opens": ["bye", "hello", "thanks"],
    "visits": ["bye", "hello", "welcome"],
    "buys": ["hello"],
    "is erased": ["hello"],
    "enters anew": ["bye", "bye", "hello", "hello", "welcome", "welcome"],
    "buys and enters anew": ["bye", "hello", "hello", "welcome"],
    "does nothing": ["bye", "hello", "welcome"],
}


def journey(*more: Mapping[str, object]) -> Journey:
    """Nothing of it happens by itself: whoever does nothing is answered for in the end."""
    visited = {"arm": "visited", "trigger": "store-visit"}
    opened = {"arm": "opened", "message": "hello", "is": "opened"}
    reaction = {
        "within": "9 days",
        "arms": [
            opened | {"then": [{"id": "thanks", "text": "second-text-reminder", "to": "customer.phone"}]},
            visited | {"then": [{"id": "welcome", "push": "final-push-notification", "to": "customer.push_token"}]},
        ],
        "otherwise": [],
    }
    hello = {"id": "hello", "email": "initial-email-reminder", "to": "customer.email"}
    return abandoned_cart(steps=[hello, {"id": "reaction", "await": reaction}, *more])


BYE: Mapping[str, object] = {"id": "bye", "email": "initial-email-reminder", "to": "customer.email"}


class Person(NamedTuple):
    name: str
    does: str
    when: str


EVERYBODY = [Person(f"p{n}{m}", does, when) for n, does in enumerate(GETS) for m, when in enumerate(MOMENTS)]


async def act(played: Engine, person: Person, run: str) -> None:
    """What somebody does; Temporal may hear of it whenever it likes."""
    match person.does:
        case "opens":
            await played.accept(played.event("email-opened", send_id=send_id(run, "hello")))
        case "visits":
            await played.accept(played.event("store-visit", person.name, city="Oslo"))
        case "is erased":
            await erase(played.store, person.name, by_us(played.now()))
        case "enters anew":
            await played.accept(played.event(NAME, person.name, cart_id="another", total=60))
        case "buys and enters anew":
            await played.accept(played.event("purchase-completed", person.name, cart_id="c"))
            await played.accept(played.event(NAME, person.name, cart_id="c", total=60))
        case "buys":
            await played.accept(played.event("purchase-completed", person.name, cart_id="c"))
        case _:
            pass


class Meanwhile(Rebuild):
    """A rebuild in the course of which something is done."""

    def __init__(self, played: Engine, do: Callable[[str], Awaitable[None]]) -> None:
        super().__init__(played.store, played.client, played.task_queue)
        self._do = do

    async def _there(self, journey: str | None) -> dict[str, datetime]:
        there = await super()._there(journey)
        await self._do("listed")
        return there

    async def _compare(self, began: dict[str, datetime], journey: str | None):  # type: ignore[no-untyped-def]
        found = await super()._compare(began, journey)
        await self._do("compared")
        return found


async def test_each_ends_as_if_nothing_had_been_lost(
    temporal: WorkflowEnvironment, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with engine(temporal.client, database_url, working=False) as played, await start_temporal() as another:
        await Shop(played.store, played.now()).rule(spread="0 seconds")
        await played.publish(journey())
        async with worker(played):
            entered = await enter(played)
            await until(lambda: all_got(played, "hello", len(EVERYBODY)))
            await until(lambda: nothing_waits(played))

        played.client = another.client
        played.relay = Relay(played.store, played.client, played.task_queue, played.now)

        async def do(when: str) -> None:
            for person in EVERYBODY:
                if person.when == when:
                    await act(played, person, entered[person.name])
            if when == "compared":
                await pause(played.store, NAME, by_us(played.now()))
            if when == "half begun":
                await put_journey(played.store, journey(BYE), by_us(played.now()))
                await publish_for(played.store, NAME, by_us(played.now()), CHANNELS, people="move")
                await move_people(played.store, NAME, 1000, played.now())

        begin_again, begun = rebuilding.begin_again, list[str]()

        async def half(*arguments: object, **more: object) -> list[str]:
            some = await begin_again(*arguments, **more)  # type: ignore[arg-type]
            if not begun:
                await do("half begun")
            begun.extend(some)
            return some

        monkeypatch.setattr("workflows.rebuilding.begin_again", half)
        monkeypatch.setattr("workflows.rebuilding.TOGETHER", len(EVERYBODY) // 2)
        async with worker(played):
            rebuilt = await Meanwhile(played, do).do(Wish(), by_us(played.now()))
            await played.relay.drain_once()
            await do("begun")
            await resume(played.store, NAME, by_us(played.now()))
            await played.relay.drain_once()
            again = await Rebuild(played.store, played.client, played.task_queue).do(Wish(), by_us(played.now()))
            await until(lambda: all_wait(played))
            await visit_all(played)
            await until(lambda: nobody_is_under_way(played))
        seen = await all_of(played)

        assert rebuilt.missing == len(begun) > len(EVERYBODY) // 2
        assert again.missing == 0
        assert await some_missing(played.store, "", 10) == []
        got = {person: got_by(played, person) for person in EVERYBODY}
        assert {person: steps for person, steps in got.items() if steps != GETS[person.does]} == {}
        assert set(Counter(message.send_id for message in played.ledger.took).values()) == {1}
        assert Counter(run.ended for run in seen) == {
            "completed": 4 * 6,  # opens, visits, nothing, one of who bought, two of who entered anew
            "exited": 4 * 2,
            "cancelled": 4,
        }


async def enter(played: Engine) -> dict[str, str]:
    """All of them abandon their carts. Returns their runs."""
    entered = dict[str, str]()
    for person in EVERYBODY:
        await played.customer(person.name)
        receipt = await played.accept(played.event(NAME, person.name, cart_id="c", total=60))
        (entered[person.name],) = [made.run for made in receipt.decisions if made.did == "started" and made.run]
    await played.relay.drain_once()
    return entered


async def visit_all(played: Engine) -> None:
    """Whoever still waits for an answer gets it."""
    for person in EVERYBODY:
        if person.does != "is erased":
            await played.accept(played.event("store-visit", person.name, city="Oslo"))
    await played.relay.drain_once()


def got_by(played: Engine, person: Person) -> list[str]:
    return sorted(message.step for message in played.ledger.took if message.run.split("/")[1] == person.name)


async def all_of(played: Engine) -> list[RunView]:
    ids: Sequence[str] = [row.id for row in await rows(played.store, select(runs.c.id))]
    return [await get_run(played.store, id) for id in ids]


async def all_got(played: Engine, step: str, number: int) -> bool:
    return [message.step for message in played.ledger.took].count(step) == number


async def nothing_waits(played: Engine) -> bool:
    await played.relay.drain_once()
    return await played.waiting() == 0


async def all_wait(played: Engine) -> bool:
    """Whether everybody under way waits for an answer: who is not there yet would not hear of it."""
    await played.relay.drain_once()
    under_way = (await list_runs(played.store, active=True, limit=200)).runs
    return {run.step for run in under_way} == {"reaction"}


async def nobody_is_under_way(played: Engine) -> bool:
    await played.relay.drain_once()
    return not (await list_runs(played.store, active=True, limit=1)).runs
