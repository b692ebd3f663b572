"""The worker: walks runs, sends their messages, and relays what the store has decided to Temporal."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import version

import structlog
import uvloop
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.channels import Channel
from activities.channels.links import Links
from activities.channels.registry import build_channels, close_channels
from activities.deliver import ATTEMPT, Deliver
from activities.endpoints import Caller, Endpoints, Seal
from activities.notes import Notes
from activities.reconcile import Reconcile
from activities.visits import Visits
from activities.webhooks import Webhooks
from journeys.interactions import Kind
from journeys.problems import Unavailable
from settings import Settings, check_secrets, read_settings
from store.policy import begin_with, get_policy
from store.store import Store, opened, ping
from terminal import exits, streams
from terminal.logs import log_to
from workflows.client import check_namespace, connect, register_search_attributes
from workflows.journey import JourneyWorkflow
from workflows.lookout import Lookout
from workflows.relay import Relay
from workflows.sandbox import Sandbox
from workflows.sweep import GO_ON, GO_ON_EVERY, PRUNE, PRUNE_EVERY, SWEEP, SWEEP_EVERY, TellHeld, again_and_again

log = structlog.get_logger()

CONNECT_AGAIN = 2.0


async def run_worker(settings: Settings) -> int:
    """Work until SIGTERM or Ctrl-C; then finish and record the sends under way. Returns the exit code.

    Waits for Temporal as long as it does not answer, or has no such namespace. Raises Unavailable where the database
    does not answer, and Invalid where a secret can be guessed.
    """
    check_secrets(settings, "secret")
    working = asyncio.create_task(_run(settings))
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, working.cancel)
    with suppress(asyncio.CancelledError):
        await working
    return 0


async def work(
    store: Store, client: Client, settings: Settings, channels: Mapping[Kind, Channel], relay: Relay
) -> None:
    """The same in a process that has all it takes already: work until cancelled. *relay* runs as long."""
    await _register(client)
    queue = settings.task_queue
    async with worker_of(settings, store, client, channels, relay), asyncio.TaskGroup() as tasks:
        log.info("working", temporal=client.service_client.config.target_host, task_queue=queue)
        tasks.create_task(relay.run())
        tasks.create_task(again_and_again([*SWEEP, TellHeld().chore], store, SWEEP_EVERY, _now))
        for chore in GO_ON:
            tasks.create_task(again_and_again([chore], store, GO_ON_EVERY, _now))
        tasks.create_task(again_and_again([PRUNE], store, PRUNE_EVERY, _now))
        tasks.create_task(Lookout(store, client, queue, _now).run())


@asynccontextmanager
async def open_channels(settings: Settings) -> AsyncIterator[dict[Kind, Channel]]:
    """The channels that the settings choose. Raises Invalid where these lack something, naming each variable."""
    channels = build_channels(settings.channels, settings.providers, settings.public_url)
    log.info("channels", **settings.channels)
    try:
        yield channels
    finally:
        await close_channels(channels)


@asynccontextmanager
async def worker_of(
    settings: Settings, store: Store, client: Client, channels: Mapping[Kind, Channel], relay: Relay
) -> AsyncIterator[Worker]:
    """The worker that the settings describe. *relay* is nudged when a run has done what Temporal is to be told of."""
    await begin_policy(store, settings, _now())
    endpoints = endpoints_of(settings, store)
    built = build_worker(
        client,
        store,
        settings.task_queue,
        channels,
        links=links_of(settings),
        told=_nudging(relay),
        endpoints=endpoints,
    )
    try:
        async with built:
            yield built
    finally:
        endpoints.close()


def build_worker(
    client: Client,
    store: Store,
    task_queue: str,
    channels: Mapping[Kind, Channel],
    *,
    links: Links | None = None,
    told: Callable[[], Awaitable[object]] | None = None,
    endpoints: Endpoints | None = None,
) -> Worker:
    """The worker of one task queue. *links* go into marketing emails.

    *told* is called when a run has done
    what Temporal may be to be told of. *endpoints*: what webhooks are posted to.
    """
    notes = Notes(store)
    visits = Visits(store, told or _nobody)
    deliver = Deliver(store, channels, links=links)
    return Worker(
        client,
        task_queue=task_queue,
        workflows=[JourneyWorkflow],
        workflow_runner=Sandbox(),
        activities=[
            deliver.deliver,
            Reconcile(store, channels).reconcile,
            notes.note,
            notes.catch_up,
            notes.close,
            visits.decide,
            visits.moment,
            visits.perform,
            Webhooks(store, endpoints or Endpoints(store, Caller(), Seal(""))).call,
        ],
        graceful_shutdown_timeout=ATTEMPT,
        build_id=f"sojourn-{version('sojourn')}",  # without it, the SDK reads and hashes every module there is
    )


def _nudging(relay: Relay) -> Callable[[], Awaitable[None]]:
    async def nudge() -> None:
        relay.nudge()

    return nudge


async def _nobody() -> None:
    """Nobody is in a hurry: a relay looks every second."""


async def begin_policy(store: Store, settings: Settings, now: datetime) -> None:
    """Put the policy of the settings in force where the house has none. Where it has, tell which of them are idle."""
    if await begin_with(store, settings.policy, now):
        log.info("the settings give the first policy; from now on the policy alone decides")
    elif idle := settings.overruled_by((await get_policy(store)).policy):
        log.warning("these settings decide nothing, for the policy says otherwise: see docs/policy.md", settings=idle)


def links_of(settings: Settings) -> Links | None:
    """What makes unsubscribe links; None where their address or their secret is not known."""
    if settings.public_url and settings.secret:
        return Links(settings.public_url, settings.secret.get_secret_value())
    return None


def endpoints_of(settings: Settings, store: Store) -> Endpoints:
    """The endpoints that journeys call."""
    secret = settings.secret.get_secret_value() if settings.secret else ""
    return Endpoints(store, Caller(allow_local=bool(settings.local_endpoints)), Seal(secret))


async def _run(settings: Settings) -> None:
    async with opened(settings.database) as store, open_channels(settings) as channels:
        await ping(store)
        client = await _connected()
        relay = Relay(store, client, settings.task_queue, _now)
        await work(store, client, settings, channels, relay)


async def _connected() -> Client:
    identity = f"sojourn-worker@{socket.gethostname()}"
    while True:
        try:
            client = await connect(identity=identity)
            await check_namespace(client)
            return client
        except RuntimeError as error:
            log.warning("Temporal does not answer yet; set TEMPORAL_ADDRESS if it is elsewhere", error=str(error))
        except Unavailable as error:
            log.warning("nobody can work yet", error=str(error))
        await asyncio.sleep(CONNECT_AGAIN)


async def _register(client: Client) -> None:
    try:
        await register_search_attributes(client)
    except RPCError as error:  # Temporal Cloud has its own way of adding them
        log.warning("could not add the search attributes; runs cannot start without them", error=str(error))


def _now() -> datetime:
    return datetime.now(UTC)


def main() -> int:
    """``python worker.py``"""
    streams.prepare()
    try:
        settings = read_settings()
        log_to(None, settings.log_level)
        return uvloop.run(run_worker(settings))
    except Exception as error:  # noqa: BLE001 - a bug's traceback would be lost by leaving as we do
        return exits.told(error)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # temporalio can abort while the interpreter shuts down (sdk-python #300)
