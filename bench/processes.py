"""A process of the bench: started with its input open, asked by lines, and over when that input ends."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO

import psutil

PATIENCE = 60.0
_NOT_OURS = ("PYTHONDONTWRITEBYTECODE", "TEMPORAL_")
"""Else the sandbox would compile the workflow's module for each run, and one side would heed what the other does not.
"""

AT_ITS_END = 2000
"""How many characters of what a process complained of are shown."""


class Process:
    """``python -m MODULE ARGUMENTS``, which says one line when it is ready, and ends when its input does."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, complaints: IO[bytes]) -> None:
        self.name = name
        self.pid = process.pid
        self.greeting = ""
        self.last_words = ""
        self._process = process
        self._complaints = complaints

    def tell(self, line: str) -> None:
        """Write a line to its input."""
        assert self._process.stdin
        self._process.stdin.write(f"{line}\n".encode())

    async def line(self) -> str:
        """The next line that it prints. Raises RuntimeError with what it complained of where it has ended."""
        assert self._process.stdout
        if line := await self._process.stdout.readline():
            return line.decode().strip()
        await self.outlives()
        raise AssertionError

    async def outlives(self) -> None:
        """Watch it. Raises RuntimeError with what it complained of once it has ended."""
        code = await self._process.wait()
        raise RuntimeError(f"{self.name} ended with {code}:\n{self._complained()}")

    async def end(self) -> None:
        """Close its input, and keep what it prints until it ends; it is killed where it does not."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        try:
            async with asyncio.timeout(PATIENCE):
                self.last_words = (await self._process.stdout.read()).decode()
                await self._process.wait()
        except TimeoutError:
            raise RuntimeError(f"{self.name} did not end within {PATIENCE:.0f} s") from None
        finally:
            await self.kill()

    async def kill(self) -> None:
        """End it at once: what it still had to say is of no use any more."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    def _complained(self) -> str:
        self._complaints.seek(0)
        return self._complaints.read().decode(errors="replace")[-AT_ITS_END:]


@asynccontextmanager
async def process(name: str, module: str, *arguments: str) -> AsyncIterator[Process]:
    """A process that is ready. It ends with the block, and with us, however we end."""
    with tempfile.TemporaryFile() as complaints:
        started = Process(
            name,
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", module, *arguments),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=complaints,
                limit=2**24,
                cwd=Path(__file__).parent.parent,
                env={name: value for name, value in os.environ.items() if not name.startswith(_NOT_OURS)},
                start_new_session=True,  # Ctrl-C is for us: the others are ended in order
            ),
            complaints,
        )
        try:
            async with asyncio.timeout(PATIENCE):
                started.greeting = await started.line()
            yield started
        except BaseException:
            await started.kill()
            raise
        await started.end()


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process has used, user and system, in all its threads."""
    used = psutil.Process(pid).cpu_times()
    return float(used.user + used.system)


def cpu_of_all(pid: int) -> float:
    """The same with its children, those that are over included."""
    parent, used = psutil.Process(pid), 0.0
    for child in parent.children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it is over by now, and its parent's times tell of it
            used += cpu_of(child.pid)
    times = parent.cpu_times()
    return used + float(times.user + times.system + times.children_user + times.children_system)
