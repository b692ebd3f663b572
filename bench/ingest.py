"""Events accepted per second: a plain load generator against the API, each in a process of its own."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from rich.progress import Progress

from bench.serving import KEY
from bench.setting import customer_id

CONNECTIONS = 64

Request = Callable[[int], bytes]


async def measure(count: int, progress: Progress) -> dict[str, float]:
    """Send *count* requests that do nothing, as many events one by one, and ten times as many in lists of 100."""
    async with serving() as url:
        nothing = await _rate(url, count, progress, "requests that do nothing", _nothing)
        single = await _rate(url, count, progress, "events, one by one", _one)
        listed = 100 * await _rate(url, count // 10, progress, "events, in lists of 100", _hundred)
    return {
        "requests that do nothing/s": nothing,
        "events, one by one/s": single,
        "events, in lists of 100/s": listed,
        "ratio, one by one to nothing": single / nothing,
    }


@asynccontextmanager
async def serving() -> AsyncIterator[str]:
    """The address of the API under load."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.serving", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin
    assert process.stdout
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.stdin.close()
        await process.wait()


async def _rate(url: str, count: int, progress: Progress, what: str, request: Request) -> float:
    """Requests answered per second, over connections that each send the next one when they have an answer."""
    task = progress.add_task(what, total=count)
    numbers = iter(range(count))
    place = urlsplit(url)

    async def connection() -> None:
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        for number in numbers:  # shared by all connections
            writer.write(request(number))
            await _answered(reader)
            progress.advance(task)
        writer.close()
        await writer.wait_closed()

    began = time.perf_counter()
    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    return count / (time.perf_counter() - began)


async def _answered(reader: asyncio.StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
    body = await reader.readexactly(length)
    if head.split(b" ", 2)[1] not in (b"200", b"202"):
        raise RuntimeError(f"the API answered {body.decode()}")


def _nothing(_: int) -> bytes:
    return b"GET /healthz HTTP/1.1\r\nHost: bench\r\n\r\n"


def _one(number: int) -> bytes:
    return _post(_event(f"one-{number}", number))


def _hundred(number: int) -> bytes:
    return _post([_event(f"list-{number}-{index}", number * 100 + index) for index in range(100)])


def _post(data: object) -> bytes:
    body = json.dumps(data).encode()
    head = (
        f"POST /v1/events HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {KEY}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _event(id: str, number: int) -> dict[str, object]:
    """One that starts a run: each is of another customer."""
    cart = {"cart_id": id, "total": 60}
    return {"id": id, "trigger": "abandoned-cart", "customer": customer_id(number), "attributes": cart}
