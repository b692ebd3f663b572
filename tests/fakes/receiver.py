"""A system that is posted to: a plain server that keeps what came, and answers byte for byte as it is told."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Posted:
    """A request as it came; names of headers in small letters. *name*: whom the caller asked for by TLS."""

    line: str
    headers: dict[str, str]
    body: bytes
    name: str | None = None


class Receiver:
    """Answers every request with *answer*, and hangs up."""

    def __init__(self, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.posted: list[Posted] = []
        self.connections = 0
        self.hung_up = asyncio.Event()
        self._came = asyncio.Condition()
        self.answer: Answer = says(200)
        self._host = host
        self._tls = tls
        self._name: str | None = None
        if tls:
            tls.sni_callback = self._asked_for

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self._host, 0, ssl=self._tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    @property
    def url(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}/hooks"

    async def has(self, posted: int) -> None:
        """Wait until so much was posted."""
        async with self._came:
            await self._came.wait_for(lambda: len(self.posted) >= posted)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
            body = await reader.readexactly(int(headers["content-length"]))
            async with self._came:
                self.posted.append(Posted(head[0], headers, body, self._name))
                self._came.notify_all()
            answering = asyncio.create_task(_quietly(self.answer(writer)))
            left = asyncio.create_task(_quietly(_end_of(reader)))
            left.add_done_callback(lambda _: self.hung_up.set())
            await asyncio.wait([answering, left], return_when=asyncio.FIRST_COMPLETED)
            answering.cancel()
            left.cancel()
        writer.close()

    def _asked_for(self, _: object, name: str | None, __: object) -> None:
        self._name = name


def says(status: int, *headers: str, body: bytes = b"") -> Answer:
    """A plain answer."""
    lines = [f"HTTP/1.1 {status} Whatever", *headers, f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return writes("\r\n".join(lines).encode() + body)


def writes(*parts: bytes, every: float = 0.0, for_ever: bytes = b"") -> Answer:
    """Some bytes, and then for ever the same ones, if any: one part *every* so many seconds."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(every)
        while for_ever:
            writer.write(for_ever)
            await writer.drain()
            await asyncio.sleep(every)

    return answer


async def hangs(_: asyncio.StreamWriter) -> None:
    """No answer, ever."""
    await asyncio.Event().wait()


async def _end_of(reader: asyncio.StreamReader) -> None:
    while await reader.read(1024):
        pass


async def _quietly(work: Awaitable[None]) -> None:
    with suppress(ConnectionError):
        await work


def certificate(folder: Path, *names: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What a server for *names* shows, and what a caller that trusts it is set up with."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "for tests")])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "certificate.pem"
    file.write_bytes(private + made.public_bytes(pem))
    shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown.load_cert_chain(file)
    return shown, ssl.create_default_context(cafile=file)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
