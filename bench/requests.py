"""HTTP as cheap as it can be, so that the load generator is not what is measured."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from bench.serving import KEY
from bench.setting import customer_id

NOTHING = b"GET /healthz HTTP/1.1\r\nHost: bench\r\n\r\n"


class Connection:
    """One connection, which sends the next request when it has an answer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, request: bytes) -> None:
        """Send a request, and read the answer. Raises RuntimeError where it is no yes."""
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        body = await self._reader.readexactly(length)
        if head.split(b" ", 2)[1] not in (b"200", b"202"):
            raise RuntimeError(f"the API answered {body.decode()}")


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    """A connection to the API."""
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()


def post(data: object) -> bytes:
    """The request that posts one event, or a list of them."""
    body = json.dumps(data).encode()
    head = (
        f"POST /v1/events HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {KEY}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def event(id: str, number: int, **more: Any) -> dict[str, object]:
    """One that starts a run: each is of another customer."""
    cart = {"cart_id": id, "total": 60}
    return {"id": id, "trigger": "abandoned-cart", "customer": customer_id(number), "attributes": cart, **more}
