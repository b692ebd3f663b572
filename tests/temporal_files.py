"""Temporal with its data in a file, which can be lost, or set back to a copy of it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from temporalio.client import Client

from tests.engine import Engine, worker
from tests.temporal_fixtures import start_temporal
from workflows.relay import Relay


@asynccontextmanager
async def temporal(file: Path) -> AsyncIterator[Client]:
    """A server whose data is in a file."""
    async with await start_temporal(dev_server_database_filename=str(file)) as environment:
        yield environment.client


@asynccontextmanager
async def on(played: Engine, file: Path, *, working: bool = True) -> AsyncIterator[Relay]:
    """The engine on a Temporal whose data is in a file, with a worker and a relay unless *working* is False."""
    async with temporal(file) as client:
        played.client = client
        played.relay = Relay(played.store, client, played.task_queue, played.now)
        if not working:
            yield played.relay
            return
        relaying = asyncio.create_task(played.relay.run())
        async with worker(played):
            yield played.relay
            relaying.cancel()
            await asyncio.gather(relaying, return_exceptions=True)


def copy(file: Path, to: Path) -> None:
    """A database of a server that was killed, perhaps in the middle of a transaction.

    What that has changed is taken back by a journal beside the file: one that is left behind, or that lies beside
    another file, makes a database that is torn.
    """
    for left in (to, Path(f"{to}-journal")):
        left.unlink(missing_ok=True)
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)
