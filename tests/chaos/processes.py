"""Real processes to kill: a Temporal server with its data in a file, the API and a worker, and what they sent."""

from __future__ import annotations

import asyncio
import os
import random
import re
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from temporalio.client import Client

from workflows.client import connect
from workflows.search_attributes import SEARCH_ATTRIBUTES

HOST = "127.0.0.1"
KEY = "chaos-that-nobody-would-have-guessed"
PATIENCE = 300.0
BESIDE = Path(sys.executable).parent

# A send that a kill cut is asked about after two minutes; here, where days are seconds, after one second.
WORKER = """
import sys
from datetime import timedelta
import activities.reconcile
activities.reconcile.TELLING = timedelta(seconds=1)
import cli
sys.argv = ["sojourn", "worker"]
cli.main()
"""


async def until(
    holds: Callable[[], Awaitable[bool]], what: str, *, patience: float = PATIENCE, every: float = 0.1
) -> None:
    """Wait until something holds. Raises AssertionError, saying what it was, when patience runs out."""
    try:
        async with asyncio.timeout(patience):
            while not await holds():  # noqa: ASYNC110 - other processes set no asyncio.Event
                await asyncio.sleep(every)
    except TimeoutError:
        raise AssertionError(f"waited {patience:.0f} s in vain until {what}") from None


class Process:
    """One process that can be killed and started again. What it prints goes on in the same files."""

    def __init__(
        self, name: str, command: list[str], folder: Path, environment: Mapping[str, str], ready: Ready | None = None
    ) -> None:
        self.name = name
        self.out = folder / f"{name}.out"
        self.log = folder / f"{name}.log"
        self._command = command
        self._folder = folder
        self._environment = environment
        self._ready = ready
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it, and wait until it is ready."""
        with self.out.open("ab") as out, self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=self._folder,
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=log,
            )
        if self._ready:
            await until(self._is_ready, f"{self.name} answers", every=0.05)

    async def kill(self) -> None:
        """kill -9. Raises AssertionError where it has ended by itself."""
        self.check()
        await self.end()

    async def end(self) -> None:
        """Be rid of it, whatever state it is in."""
        if (process := self._process) is not None:
            self._process = None
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def check(self) -> None:
        """Raises AssertionError where it has ended by itself."""
        if self._process is not None and self._process.returncode is not None:
            last = self.log.read_text("utf-8", errors="replace").splitlines()[-15:]
            raise AssertionError(
                "\n".join([f"{self.name} ended by itself, with code {self._process.returncode}:", *last])
            )

    async def _is_ready(self) -> bool:
        self.check()
        assert self._ready
        return await self._ready()


Ready = Callable[[], Awaitable[bool]]


@dataclass(frozen=True)
class Line:
    """One message that really went out: its ids, and where in the ledger it begins."""

    send_id: str
    run: str
    step: str
    position: int


@dataclass
class Ledger:
    """What a worker printed on the console channel, all its lives together: the truth about what was sent."""

    path: Path
    lines: list[Line] = field(default_factory=list)
    _read: int = 0

    @property
    def size(self) -> int:
        """How long it is now. A message that is printed later begins at this position or after it."""
        return self.path.stat().st_size if self.path.exists() else 0

    def look(self) -> list[Line]:
        """All messages so far, in the order in which they went out."""
        if self.size > self._read:
            with self.path.open("rb") as file:
                file.seek(self._read)
                whole = file.read().rpartition(b"\n")[0] + b"\n"
            for line in whole.splitlines(keepends=True):
                if head := _HEAD.match(line.decode()):
                    self.lines.append(Line(head["send"], head["run"], head["step"], self._read))
                self._read += len(line)
        return self.lines

    def has(self, send_id: str) -> bool:
        """Whether this message went out."""
        return any(line.send_id == send_id for line in self.look())


_HEAD = re.compile(r"┌─ \w+ to \S+ · (?P<step>\S+) · (?P<run>\S+) · [^·]+ · (?P<send>\S+)$")


@dataclass(frozen=True)
class Stack:
    """All that runs, and how to reach it."""

    temporal: Process
    api: Process
    worker: Process
    http: httpx.AsyncClient
    client: Client
    database: str
    ledger: Ledger

    @property
    def processes(self) -> tuple[Process, Process, Process]:
        return self.temporal, self.api, self.worker

    async def living(self, work: Awaitable[None]) -> None:
        """Do *work* while nothing ends by itself; what does fails it at once."""
        doing = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait([doing], timeout=0.5))[0]:
                for process in self.processes:
                    process.check()
            await doing
        finally:
            doing.cancel()


@asynccontextmanager
async def stack(folder: Path, database: str, *, day: str) -> AsyncIterator[Stack]:
    """Everything started on free ports, with its data in *folder* and *database* (a migrated one), until the end."""
    temporal_port, port = free_ports(2)
    environment = _environment() | {
        "SOJOURN_DATABASE_URL": database,
        "SOJOURN_KEY": KEY,
        "SOJOURN_PORT": str(port),
        "SOJOURN_DAY": day,
        "SOJOURN_CONSENT_TEXT": "non-restrictive",
        "SOJOURN_DRAIN": "2 seconds",  # of a send that was cut off by a kill, no outcome will come
        "TEMPORAL_ADDRESS": f"{HOST}:{temporal_port}",
    }
    http = httpx.AsyncClient(
        base_url=f"http://{HOST}:{port}", headers={"Authorization": f"Bearer {KEY}"}, timeout=10, trust_env=False
    )
    temporal = Process("temporal", _temporal(temporal_port), folder, environment, lambda: _listens(temporal_port))
    api = Process("api", [str(BESIDE / "sojourn"), "api"], folder, environment, lambda: _answers(http))
    worker = Process("worker", [sys.executable, "-c", WORKER], folder, environment)
    try:
        await temporal.start()
        await asyncio.gather(api.start(), worker.start())
        client = await connect(address=f"{HOST}:{temporal_port}")
        yield Stack(temporal, api, worker, http, client, database, Ledger(worker.out))
    finally:
        await http.aclose()
        for process in (worker, api, temporal):
            await process.end()


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, and that no outgoing connection takes while a server is down."""
    found: list[int] = []
    while len(found) < count:
        port = random.randint(20_000, 32_000)  # below the range from which systems take ports by themselves
        with suppress(OSError):
            socket.create_server((HOST, port)).close()
            found.append(port)
    return found


def _environment() -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("SOJOURN_", "TEMPORAL_"))}
    if sys.dont_write_bytecode:  # compiled again at each of many starts, the code would take longer than the tests
        del ours["PYTHONDONTWRITEBYTECODE"]
        ours["PYTHONPYCACHEPREFIX"] = str(Path(tempfile.gettempdir()) / f"sojourn-chaos-{os.getuid()}")
    return ours


def _temporal(port: int) -> list[str]:
    attributes = [f"--search-attribute={key.name}={key.indexed_value_type.name.title()}" for key in SEARCH_ATTRIBUTES]
    where = ["--ip", HOST, "--port", str(port), "--db-filename", "temporal.db"]
    return [str(BESIDE / "temporal"), "server", "start-dev", "--headless", "--log-level", "warn", *where, *attributes]


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    return True


async def _answers(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/readyz")).is_success
    except httpx.TransportError:
        return False
