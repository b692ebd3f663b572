"""What every measurement runs in: a real Temporal server, a database, and the published abandoned-cart journey."""

from __future__ import annotations

import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from journeys.interactions import INTERACTIONS
from store import catalogue, customers, journeys
from store.migrate import migrate
from store.store import Store, open_store
from tests.samples import CONTENTS, CUSTOMER, TRIGGERS, abandoned_cart
from workflows.client import register_search_attributes


def now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


@asynccontextmanager
async def temporal() -> AsyncIterator[Client]:
    """A real Temporal server of its own, in memory, with its default limits."""
    binary = shutil.which("temporal") or str(Path(sys.executable).with_name("temporal"))
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=binary, data_converter=pydantic_data_converter
    ) as environment:
        await register_search_attributes(environment.client)
        yield environment.client


@asynccontextmanager
async def sqlite() -> AsyncIterator[Store]:
    """A SQLite database in a file, with synchronous=FULL, as it is by default."""
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/bench.db"
        await migrate(url)
        store = open_store(url)
        try:
            yield store
        finally:
            await store.close()


async def publish_abandoned_cart(store: Store, people: int) -> None:
    """The journey, live, and as many customers who could enter it."""
    for trigger in TRIGGERS.values():
        await catalogue.put_trigger(store, trigger, now())
        await catalogue.ready_trigger(store, trigger.trigger, now())
    for content in CONTENTS.values():
        await catalogue.put_content(store, content, now())
        await catalogue.ready_content(store, content.content, now())
    for number in range(people):
        await customers.put_customer(store, customer_id(number), CUSTOMER, now())
    await journeys.put_journey(store, abandoned_cart(), now())
    await journeys.publish(store, "abandoned-cart", now(), frozenset(INTERACTIONS))


def customer_id(number: int) -> str:
    """The id of one of many customers."""
    return f"customer-{number}"
