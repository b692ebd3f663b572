"""How a provider's SDK is called: in threads of its own, without a word in the log, with errors that name nobody."""

from __future__ import annotations

import asyncio
import errno
import logging
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TypeVar

T = TypeVar("T")

LONGEST = timedelta(days=1)
UNREACHABLE = {errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}


class NoAnswer(Exception):
    """Nobody knows whether the message went out. The text names no customer, so that it may be logged."""


@dataclass(frozen=True)
class Limits:
    """How long one request may take, and how many may be under way at once."""

    timeout: timedelta = timedelta(seconds=10)
    connections: int = 16


class Busy(Exception):
    """No thread came free in time; nothing was called."""


class Threads:
    """A few threads for one provider's SDK, which blocks.

    A provider that hangs holds up its own channel only. Whoever gets no thread within *patience* is told so, instead
    of being called when everybody has given up on it.
    """

    def __init__(self, name: str, size: int, patience: timedelta = timedelta(seconds=5)) -> None:
        self._pool = ThreadPoolExecutor(size, thread_name_prefix=name)
        self._free = asyncio.Semaphore(size)
        self._patience = patience.total_seconds()
        self._name = name

    async def run(self, call: Callable[[], T]) -> T:
        """Make the call in a thread. Raises Busy where no thread came free."""
        try:
            async with asyncio.timeout(self._patience):
                await self._free.acquire()
        except TimeoutError:
            raise Busy(f"{self._name} answers so slowly that no connection came free") from None
        running = self._pool.submit(call)
        running.add_done_callback(self._freed_on(asyncio.get_running_loop()))
        return await asyncio.wrap_future(running)

    def _freed_on(self, loop: asyncio.AbstractEventLoop) -> Callable[[Future[T]], None]:
        def freed(_: Future[T]) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(self._free.release)

        return freed

    def close(self) -> None:
        """Take no more calls. Those under way end by their own limits."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def hush(*loggers: str) -> None:
    """Keep an SDK's loggers at WARNING, whatever the level of ours: below, they log keys and recipients."""
    for name in loggers:
        logging.getLogger(name).setLevel(logging.WARNING)


def never_left(error: BaseException) -> bool:
    """Whether the request surely never reached the provider: no address, no connection, no trusted certificate."""
    return any(
        isinstance(cause, socket.gaierror | ssl.SSLCertVerificationError)
        or (isinstance(cause, OSError) and cause.errno in UNREACHABLE)
        or type(cause).__name__ == "ConnectTimeoutError"  # urllib3's, which is there only with an SDK that needs it
        for cause in causes(error)
    )


def causes(error: BaseException) -> Iterator[BaseException]:
    """An error, and all that led to it."""
    # Some libraries hand the cause on as `reason` or as first argument, without `from`.
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        cause = waiting.pop()
        if id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            others = (cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args[:1])
            waiting += [other for other in others if isinstance(other, BaseException)]


def delay(headers: Mapping[str, str]) -> timedelta | None:
    """How long the provider asks us to wait, by its headers; None where it does not say, or not in a way we know."""
    names = {name.lower(): value.strip() for name, value in headers.items()}
    now = datetime.now(UTC)
    try:
        if wait := names.get("retry-after"):
            until = now + timedelta(seconds=float(wait)) if _number(wait) else parsedate_to_datetime(wait)
        elif reset := names.get("x-ratelimit-reset"):  # SendGrid: seconds since 1970
            until = datetime.fromtimestamp(float(reset), UTC)
        else:
            return None
        return min(max(until - now, timedelta(seconds=1)), LONGEST)
    except (ValueError, TypeError, OverflowError, OSError):
        return None


def _number(text: str) -> bool:
    return re.fullmatch(r"\d+(\.\d+)?", text) is not None


def without_addresses(text: str, limit: int = 200) -> str:
    """A provider's words with addresses, numbers and tokens left out, for where operators read them."""
    bare = re.sub(r"\S+@\S+|\+?\d[\d\s()-]{6,}\d|[\w:-]{40,}", "…", text)
    return bare[:limit]
