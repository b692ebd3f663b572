"""The worker: walks runs, sends their messages, and relays what the store has decided to Temporal."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version

import structlog
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.channels import Channel
from activities.channels.registry import build_channels
from activities.deliver import ABANDONED_AFTER, ATTEMPT, Deliver
from activities.notes import Notes
from journeys.definition import Kind
from journeys.problems import SojournError, Unavailable
from settings import Settings, read_settings
from store.sends import give_up_stale
from store.store import Store, open_store, ping
from terminal.logs import log_to
from workflows.client import connect, register_search_attributes
from workflows.journey import JourneyWorkflow
from workflows.relay import Relay

log = structlog.get_logger()

CONNECT_AGAIN = 2.0
SWEEP_EVERY = 30.0


async def run_worker(settings: Settings) -> int:
    """Work until SIGTERM or Ctrl-C; then finish and record the sends under way. Returns the exit code.

    Waits for Temporal as long as it does not answer. Raises Unavailable where the database does not.
    """
    working = asyncio.create_task(_run(settings))
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, working.cancel)
    with suppress(asyncio.CancelledError):
        await working
    return 0


async def work(
    store: Store, client: Client, settings: Settings, channels: Mapping[Kind, Channel] | None = None
) -> None:
    """The same in a process that has a store and a client already: work until cancelled.

    *channels*: others than those that the settings name.
    """
    await _register(client)
    relay = Relay(store, client, settings.task_queue, _now)
    channels = channels or build_channels({"email": settings.email, "text": settings.text, "push": settings.push})
    async with build_worker(client, store, settings.task_queue, channels), asyncio.TaskGroup() as tasks:
        log.info("working", temporal=client.service_client.config.target_host, task_queue=settings.task_queue)
        tasks.create_task(relay.run())
        tasks.create_task(_sweep(store))


def build_worker(client: Client, store: Store, task_queue: str, channels: Mapping[Kind, Channel]) -> Worker:
    """The worker of one task queue."""
    notes = Notes(store)
    return Worker(
        client,
        task_queue=task_queue,
        workflows=[JourneyWorkflow],
        activities=[Deliver(store, channels).deliver, notes.note, notes.close],
        graceful_shutdown_timeout=ATTEMPT,
        build_id=f"sojourn-{version('sojourn')}",  # without it, the SDK reads and hashes every module there is
    )


async def _run(settings: Settings) -> None:
    store = open_store(settings.database)
    try:
        await ping(store)
        await work(store, await _connected(), settings)
    finally:
        await store.close()


async def _connected() -> Client:
    identity = f"sojourn-worker@{socket.gethostname()}"
    while True:
        try:
            return await connect(identity=identity)
        except RuntimeError as error:
            log.warning("Temporal does not answer yet; set TEMPORAL_ADDRESS if it is elsewhere", error=str(error))
            await asyncio.sleep(CONNECT_AGAIN)


async def _register(client: Client) -> None:
    try:
        await register_search_attributes(client)
    except RPCError as error:  # Temporal Cloud has its own way of adding them
        log.warning("could not add the search attributes; runs cannot start without them", error=str(error))


async def _sweep(store: Store) -> None:
    """Call sends unknown whose worker died, where no retry will: their run has ended."""
    while True:
        with suppress(Unavailable):
            if given_up := await give_up_stale(store, _now(), ABANDONED_AFTER):
                log.warning("sends without an outcome", unknown=given_up)
        await asyncio.sleep(SWEEP_EVERY)


def _now() -> datetime:
    return datetime.now(UTC)


def main() -> int:
    """``python worker.py``"""
    try:
        settings = read_settings()
        log_to(None, settings.log_level)
        return asyncio.run(run_worker(settings))
    except SojournError as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # temporalio can abort while the interpreter shuts down (sdk-python #300)
