"""Work that goes on beside other work, and how all of it ends in order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do *work* beside the block, and end it with the block. If it fails, the block is cancelled."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work)
        try:
            yield
        finally:
            task.cancel()


@contextmanager
def cancelled_by_signals() -> Iterator[None]:
    """Ctrl-C and SIGTERM cancel the block, once: what ends is left to end in order."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    signals = (signal.SIGINT, signal.SIGTERM)
    asked = False

    def end() -> None:
        nonlocal asked
        if task and not asked:
            asked = True
            task.cancel()

    for number in signals:
        loop.add_signal_handler(number, end)
    try:
        yield
    finally:
        # Until the process is gone: another Ctrl-C would only leave things half done.
        for number in signals:
            loop.add_signal_handler(number, lambda: None)


@contextmanager
def one_error() -> Iterator[None]:
    """What a part failed with, out of the groups that it came through."""
    try:
        yield
    except BaseExceptionGroup as group:
        raise _first(group) from None


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
