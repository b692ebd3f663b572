"""How the bench's own processes begin and end: by lines on the standard input and output."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import uvloop

from terminal.logs import log_to


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a process's work on the loop that `sojourn api` has, and leave without finalizing."""
    log_to(None, "warning")  # else structlog writes among the lines on the standard output
    uvloop.run(main)
    leave()


def leave(code: int = 0) -> None:
    """Leave as we do everywhere: temporalio may abort while the interpreter ends (sdk-python #300)."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def say(line: str) -> None:
    """Print a line for whoever started us."""
    print(line, flush=True)


async def lines() -> AsyncIterator[str]:
    """The lines of the standard input, until it ends."""
    reader = asyncio.StreamReader(limit=2**24)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield line.decode().strip()


async def until_told() -> None:
    """Until the standard input ends."""
    async for _ in lines():
        pass
