"""The embedded stack: a real Temporal server, the API and a worker as one process tree, with its data in a folder."""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import shlex
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr
from rich.text import Text
from temporalio.client import Client

from activities.channels import Channel
from api.serve import serve
from embedded.temporal import Port, Temporal, check_ports, free_port, temporal_server
from journeys.interactions import Kind
from journeys.language.durations import say
from journeys.problems import Conflict, Unavailable
from journeys.walk.pace import DAY
from server import build_app, key_of
from settings import Settings
from store.migrate import migrate
from store.store import opened
from terminal.client import Connection, keep_connection, kept_connection
from terminal.data import keep_private
from terminal.lifetimes import beside, cancelled_by_signals, one_error
from terminal.logs import log_to
from terminal.show import tell
from terminal.started import command, from_here
from worker import open_channels, work
from workflows.client import DEFAULT_NAMESPACE, check_namespace, connect, named
from workflows.relay import Relay

PATIENCE = 30.0
EXAMPLE = Path(__file__).parent.parent / "examples" / "abandoned-cart"


@dataclass(frozen=True)
class Stack:
    """What runs, and where."""

    connection: Connection
    temporal: Temporal
    settings: Settings


async def run_dev(settings: Settings) -> int:
    """``sojourn dev``: the stack, until Ctrl-C or SIGTERM. Returns the exit code."""
    with cancelled_by_signals():
        try:
            async with stack(settings) as running:
                tell(banner(running))
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            tell("Ended. Everything is kept for the next start.")
    return 0


@asynccontextmanager
async def stack(settings: Settings, channels: Mapping[Kind, Channel] | None = None) -> AsyncIterator[Stack]:
    """Everything running, until the end of the block: then the worker ends, the API, and Temporal at last.

    *channels* instead of those that the settings name. Raises Conflict for a taken port or folder, and Unavailable;
    a part that fails later cancels the block and raises its error.
    """
    keep_private(settings.data)
    log_to(settings.data / "sojourn.log", settings.log_level)
    async with AsyncExitStack() as parts:
        parts.enter_context(_alone_in(settings.data))
        parts.enter_context(one_error())
        settings = settings.model_copy(update={**_kept_secrets(settings), **_local_endpoints(settings)})
        if channels is None:
            channels = await parts.enter_async_context(open_channels(settings))
        settings, temporal = await parts.enter_async_context(_temporal(settings))
        await migrate(settings.database)
        store = await parts.enter_async_context(opened(settings.database))
        client = await _connected(temporal)
        relay = Relay(store, client, settings.task_queue, _now)
        listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        app = build_app(settings, store, relay, channels)
        serving = serve(app, settings.host, settings.port, ready=listening.set_result)
        await parts.enter_async_context(beside(serving))
        connection = Connection(
            url=await listening,
            key=key_of(settings),
            temporal=temporal.address,
            namespace=client.namespace,
            temporal_ui=temporal.ui,
        )
        settings = settings.model_copy(update={"public_url": settings.public_url or connection.url})
        await parts.enter_async_context(beside(work(store, client, settings, channels, relay)))
        keep_connection(settings.data, connection)
        yield Stack(connection, temporal, settings)


def banner(running: Stack) -> Iterator[Text]:
    """Where everything is, and what to try first."""
    connection, data = running.connection, running.settings.data
    yield Text.assemble("\n", ("Sojourn is running.", "bold green"), f" Ctrl-C ends it; its data stays in {data}\n")
    yield from addresses(running)
    yield Text("\nTry, in another terminal, from the same folder:\n")
    yield Text(f"  {command_for(running, 'apply', from_here(EXAMPLE))}\n")
    yield Text(
        f"  curl {connection.url}/v1/events -H {shlex.quote(f'Authorization: Bearer {connection.key}')} \\\n"
        """    -d '{"id": "cart-1", "trigger": "abandoned-cart", "customer": "ada", """
        """"attributes": {"cart_id": "c-1001", "total": 60}}'\n"""
    )
    yield Text(f"  {command_for(running, 'runs')}\n")


def addresses(running: Stack) -> Iterator[Text]:
    """Where to look, and the key."""
    connection, settings = running.connection, running.settings
    yield Text(f"  {'API':<13}{connection.url}")
    yield Text(f"  {'API docs':<13}{connection.url}/docs")
    if running.temporal.ui:
        yield Text(f"  {'Temporal UI':<13}{running.temporal.ui}")
    else:
        yield Text(f"  {'Temporal':<13}{running.temporal.address}")
    if settings.day != DAY:
        yield Text(f"  {'Pace':<13}a day lasts {say(settings.day)}")
    yield Text(f"  {'Key':<13}{connection.key}")
    yield Text(f"  {'Logs':<13}{settings.data / 'sojourn.log'}, {settings.data / 'temporal.log'}")


def command_for(running: Stack, *arguments: str) -> str:
    """A command as a shell takes it, so that it finds the stack: by itself where the data are in their usual place."""
    data = running.settings.data
    usual = data == Settings.model_fields["data"].default
    return command(*arguments) if usual else command(*arguments, SOJOURN_DATA=str(data))


@asynccontextmanager
async def _temporal(settings: Settings) -> AsyncIterator[tuple[Settings, Temporal]]:
    """The Temporal that the environment names, or one of our own. Free ports are chosen for those that are 0."""
    told = named()
    if address := told.get("target_host"):
        check_ports([Port(settings.port, "the API", "--port")])
        yield settings, Temporal(address=address, ui="")
        return
    settings = settings.model_copy(
        update={
            "temporal_port": settings.temporal_port or free_port(),
            "temporal_ui_port": settings.temporal_ui_port or free_port(),
        }
    )
    check_ports(
        [
            Port(settings.port, "the API", "--port"),
            Port(settings.temporal_port, "Temporal", "--temporal-port"),
            Port(settings.temporal_ui_port, "Temporal's UI", "--temporal-ui-port"),
        ]
    )
    namespace = told.get("namespace", DEFAULT_NAMESPACE)
    server = temporal_server(settings.data, settings.temporal_port, settings.temporal_ui_port, namespace)
    async with server as temporal, beside(_stays(temporal, settings.data)):
        yield settings, temporal


async def _stays(temporal: Temporal, data: Path) -> None:
    """Raises Unavailable as soon as the Temporal server is gone."""
    if temporal.process:
        code = await temporal.process.wait()
        tell("Temporal has ended by itself. Ending the rest …")
        raise Unavailable(f"Temporal ended by itself, with code {code}. Its log is {data / 'temporal.log'}.")


async def _connected(temporal: Temporal) -> Client:
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    client = await connect(address=temporal.address, identity="sojourn-dev")
                    await check_namespace(client)
                    return client
                except (RuntimeError, Unavailable):
                    if temporal.process is None:
                        raise
                    await asyncio.sleep(0.1)
    except (RuntimeError, TimeoutError) as error:
        raise Unavailable(
            f"No Temporal answers at {temporal.address} ({error}). "
            "Start it, or unset TEMPORAL_ADDRESS to have one started here."
        ) from None


def _kept_secrets(settings: Settings) -> dict[str, SecretStr]:
    """The key and the secret that are not set: those of the last start, so that what relies on them goes on working."""
    found: dict[str, SecretStr] = {}
    if settings.key is None:
        kept = kept_connection(settings.data)
        found["key"] = SecretStr(kept.key if kept else secrets.token_urlsafe(24))
    if settings.secret is None:
        found["secret"] = SecretStr(_kept_secret(settings.data / "secret"))
    return found


def _local_endpoints(settings: Settings) -> dict[str, bool]:
    """Whatever is tried out on one machine is called there, unless the settings say no."""
    return {"local_endpoints": settings.local_endpoints is not False}


def _kept_secret(file: Path) -> str:
    """What signs unsubscribe links, which are clicked years later. Nobody else may read it."""
    with suppress(FileExistsError), os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as note:
        note.write(secrets.token_urlsafe(32))
    return file.read_text()


@contextmanager
def _alone_in(data: Path) -> Iterator[None]:
    """Two servers on the same files would destroy them."""
    with (data / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Conflict(
                f"Another sojourn runs with its data in {data}. End it, or choose another one: --data or SOJOURN_DATA."
            ) from None
        yield


def _now() -> datetime:
    return datetime.now(UTC)
