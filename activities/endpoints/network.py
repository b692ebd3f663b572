"""The way to an endpoint: a name is resolved once for each try, and what is connected to is what was checked."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address

import httpcore
from httpcore import SOCKET_OPTION, AsyncNetworkStream

from journeys.public_addresses import LOOPBACK, Address, not_public

MOST_READ = 64 * 1024
PATIENCE = 5.0
"""Seconds for a connection to one of the addresses: where it does not answer, the next one may."""

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host. It may block."""


class NotPublic(Exception):
    """A host leads to where nothing is posted to. The text says what it is, and names no address."""


class TooMuch(Exception):
    """The answer is longer than anybody reads."""


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, by the machine's own rules."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def public(address: Address) -> str:
    """What speaks against an address that must be public; nothing where it is."""
    kind = not_public(address)
    return f"it leads to an address that is not public ({kind})" if kind else ""


def local(address: Address) -> str:
    """What speaks against an address that must be this machine's; nothing where it is."""
    return "" if not_public(address) == LOOPBACK else "it leads to an address that is not this machine's"


class Guarded(httpcore.AsyncNetworkBackend):
    """Connects to addresses in *found*, each of them checked by *against*, and reads no more than is due.

    *found* are those of the host that is called: nothing is resolved again on the way.
    """

    def __init__(
        self, found: Iterable[str], against: Callable[[Address], str], dial: httpcore.AsyncNetworkBackend | None = None
    ) -> None:
        self._found = [ip_address(each) for each in found]
        self._against = against
        self._dial = dial or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,  # noqa: ARG002 - a name could lead elsewhere by now
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - as httpcore has it
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> AsyncNetworkStream:
        if against := next(filter(None, map(self._against, self._found)), ""):
            raise NotPublic(against)
        failed: Exception = httpcore.ConnectError("no address")
        for address in self._found:
            try:
                stream = await self._dial.connect_tcp(
                    str(address), port, timeout or PATIENCE, local_address, socket_options
                )
                return _Bounded(stream)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed

    async def connect_unix_socket(self, *_: object, **__: object) -> AsyncNetworkStream:
        raise NotPublic("it leads to a socket of this machine")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _Bounded(AsyncNetworkStream):
    """A connection of which no more than MOST_READ bytes are read, whatever it is wrapped in."""

    def __init__(self, stream: AsyncNetworkStream) -> None:
        self._stream = stream
        self._left = MOST_READ

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        if self._left <= 0:
            raise TooMuch
        data = await self._stream.read(min(max_bytes, self._left), timeout)
        self._left -= len(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> AsyncNetworkStream:
        return _Bounded(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)
