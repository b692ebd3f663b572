"""What a connection may ask of the API before it is known what for, by plain sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from structlog.testing import capture_logs

from api import connections
from api.serve import listen
from store.store import Store
from tests.api.door import KEY, Clock, deps_for, served
from tests.engine import PATIENCE, until

HEAD = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + KEY.encode() + b"\r\n"
TOO_MUCH = b"a" * 70_000


@pytest.fixture
async def port(store: Store) -> AsyncIterator[int]:
    async with served(deps_for(store, Clock())) as address:
        yield int(address.rpartition(":")[2])


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def answered(port: int, *sent: bytes) -> bytes:
    """All that is answered until the API hangs up."""
    async with connected(port) as (reader, writer):
        for part in sent:
            writer.write(part)
        got = bytearray()
        with suppress(ConnectionError):  # what it would not read is reset; its answer came before
            while part := await asyncio.wait_for(reader.read(65_536), PATIENCE):
                got += part
    return bytes(got)


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def test_an_answer_does_not_wait_for_an_acknowledgement() -> None:
    with listen("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (HEAD + b"X: " + b"a" * 60_000 + b"\r\nConnection: close\r\n\r\n", 200),
        (HEAD + b"X: " + TOO_MUCH, 431),
        (HEAD + b"X: y\r\n" * 12_000, 431),
        (HEAD + TOO_MUCH, 431),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n", 431),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"a" * 9_000_000, 413),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n1\r\n0\r\nX: " + b"a" * 9_000_000, 413),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n1", 400),
    ],
    ids=[
        "a large head",
        "a value without end",
        "headers without end",
        "a name without end",
        "a long address",
        "a chunk's notes without end",
        "a trailer without end",
        "TLS",
        "HTTP/2",
        "two lengths",
    ],
)
async def test_what_does_not_end_or_is_no_http_is_refused(port: int, sent: bytes, expected: int) -> None:
    answer = await answered(port, sent)

    assert status(answer) == expected
    assert (b"application/problem+json" in answer) == (expected != 200)


async def test_the_second_request_of_a_connection_is_measured_by_itself(port: int) -> None:
    head = HEAD + b"X: " + b"a" * 40_000 + b"\r\n\r\n"

    async with connected(port) as (reader, writer):
        for _ in range(3):
            writer.write(head)
            assert status(await asyncio.wait_for(reader.readuntil(b'{"status":"ok"}'), PATIENCE)) == 200
        writer.write(HEAD + b"X: " + TOO_MUCH)
        assert status(await asyncio.wait_for(reader.read(), PATIENCE)) == 431


@pytest.mark.parametrize(
    "sent",
    [b"", HEAD, HEAD + b"X: ", POST + b"Content-Length: 40\r\n\r\n{", HEAD + b"\r\n" + HEAD],
    ids=["nothing", "half a head", "half a header", "half a body", "half of a second one"],
)
async def test_a_request_that_does_not_arrive_is_hung_up_on(
    port: int, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "ARRIVAL", 0.2)

    with capture_logs() as logs:
        answer = await answered(port, sent)

    assert answer.count(b"HTTP/1.1") == sent.count(b"\r\n\r\n" + HEAD)
    assert [line for line in logs if line["log_level"] == "error"] == []


async def test_a_request_in_pieces_arrives(port: int) -> None:
    async with connected(port) as (reader, writer):
        for byte in HEAD + b"Connection: close\r\n\r\n":
            writer.write(bytes([byte]))
            await writer.drain()
        assert status(await asyncio.wait_for(reader.read(), PATIENCE)) == 200


async def test_too_many_connections_are_told_to_come_again(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 3)

    async with connected(port), connected(port), connected(port):
        refused = await answered(port, HEAD + b"\r\n")
    assert status(refused) == 503
    assert b"\r\nretry-after: 1\r\n" in refused

    async def taken_again() -> bool:
        return status(await answered(port, HEAD + b"Connection: close\r\n\r\n")) == 200

    await until(taken_again)
