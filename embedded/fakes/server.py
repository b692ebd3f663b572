"""What all fakes share: a small HTTP server that keeps a ledger of what it accepted, and misbehaves when told to."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import struct
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import httpx


@dataclass(frozen=True)
class Seen:
    """A request as it came."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(self.body.decode(), keep_blank_values=True).items()}


@dataclass(frozen=True)
class Said:
    """An answer."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def said(status: int, body: object, **headers: str) -> Said:
    """An answer in JSON. In names of headers, _ stands for -."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Said(status, json.dumps(body).encode(), {"Content-Type": "application/json"} | named)


@dataclass(frozen=True)
class Kept:
    """One message that was accepted: a line of the ledger, the truth about what was sent."""

    send_id: str
    to: str
    provider_id: str
    at: datetime
    content: dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """One way to misbehave, written as ``503``, ``503-after``, ``400:21610``, ``429-delay``, ``hang``, ``cut-after``.

    ``-after`` accepts the message first; ``-delay`` says how long to wait.
    """

    how: str
    status: int = 0
    code: str = ""
    accepts: bool = False
    says_delay: bool = False

    @classmethod
    def read(cls, text: str) -> Self:
        what, *more = text.split("-")
        what, _, code = what.partition(":")
        how, status = ("answer", int(what)) if what.isdigit() else (what, 0)
        if how not in ("answer", "hang", "reset", "close", "cut", "slow", "garbled") or set(more) - {"after", "delay"}:
            raise ValueError(f'"{text}" is no fault')
        return cls(how, status, code, accepts="after" in more or how == "slow", says_delay="delay" in more)


@dataclass(frozen=True)
class Webhook:
    """One signed POST of a provider's, to be sent as it is, or not quite."""

    url: str
    headers: dict[str, str]
    body: bytes
    signature: str

    def unsigned(self) -> Self:
        return replace(self, headers={name: value for name, value in self.headers.items() if name != self.signature})

    def altered(self, old: bytes, new: bytes) -> Self:
        assert old in self.body
        return replace(self, body=self.body.replace(old, new))


DELAY = timedelta(seconds=7)
SLOW = 0.15
STATUS_LINES = {200: "OK", 201: "Created", 202: "Accepted"}
Accept = Callable[[Seen], Said]


class Fake:
    """A provider. Subclasses say what is a send, accept it or not, and word their own errors."""

    name = ""

    def __init__(self) -> None:
        self.ledger: list[Kept] = []
        self.requests: list[Seen] = []
        self.faults: deque[Fault] = deque()
        self.misbehaved: list[Fault] = []
        self.webhook = ""
        """Where reports are posted."""
        self.reports_by_itself = False
        self.chaos: tuple[float, random.Random, list[Fault]] | None = None
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # --- told by tests

    def misbehave(self, *faults: str) -> None:
        """Show these faults, one for each of the sends to come."""
        self.faults.extend(Fault.read(fault) for fault in faults)

    def misbehave_often(self, rate: float, seed: int, *faults: str) -> None:
        """Show one of these faults for that share of the sends, by lot."""
        self.chaos = (rate, random.Random(seed), [Fault.read(fault) for fault in faults])

    def accepted(self, send_id: str) -> list[Kept]:
        return [kept for kept in self.ledger if kept.send_id == send_id]

    @property
    def sends(self) -> list[Seen]:
        return [request for request in self.requests if self.is_send(request)]

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._connection, "127.0.0.1", port)

    async def close(self) -> None:
        if self._server:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        assert self._server
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    # --- for subclasses

    def is_send(self, request: Seen) -> bool:
        raise NotImplementedError

    def accept(self, request: Seen) -> Said:
        """Take a send as the provider would: check it, keep it, answer."""
        raise NotImplementedError

    def answer(self, request: Seen) -> Said:
        """Answer what is no send."""
        raise NotImplementedError

    def error(self, status: int, code: str = "") -> Said:
        raise NotImplementedError

    def asks_to_wait(self) -> dict[str, str]:
        return {"Retry-After": str(int(DELAY.total_seconds()))}

    async def report(self, kept: Kept, what: str) -> None:
        """Post a report of what became of a message."""
        raise NotImplementedError

    def keep(self, send_id: str, to: str, provider_id: str, content: dict[str, Any]) -> Kept:
        kept = Kept(send_id, to, provider_id, datetime.now(UTC), content)
        self.ledger.append(kept)
        if self.reports_by_itself:
            self.later(self._report_fate(kept))
        return kept

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _report_fate(self, kept: Kept) -> None:
        fate = "bounced" if kept.to.startswith(("bounce", "+1500555")) else "delivered"
        await self.report(kept, fate)

    async def post(self, webhook: Webhook, *, tries: int = 1) -> int:
        """Post a webhook, again while it is not taken, and give the last status; 0 for no answer."""
        status = 0
        async with httpx.AsyncClient(timeout=10) as client:
            for left in reversed(range(tries)):
                with suppress(httpx.HTTPError):
                    answer = await client.post(webhook.url, content=webhook.body, headers=webhook.headers)
                    status = answer.status_code
                if 200 <= status < 300 or not left:
                    break
                await asyncio.sleep(0.5)
        return status

    # --- the wire

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            while request := await _read(reader):
                await self._serve(request, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        except asyncio.CancelledError:
            pass  # closing; asyncio's streams would print it as an error of theirs
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, request: Seen, writer: asyncio.StreamWriter) -> None:
        if control := await self._control(request):
            await _write(writer, control)
            return
        self.requests.append(request)
        if not self.is_send(request):
            await _write(writer, self.answer(request))
        elif fault := self._next_fault():
            await self._misbehave(fault, request, writer)
        else:
            await _write(writer, self.accept(request))

    def _next_fault(self) -> Fault | None:
        if self.faults:
            return self.faults.popleft()
        if self.chaos and self.chaos[1].random() < self.chaos[0]:
            return self.chaos[1].choice(self.chaos[2])
        return None

    async def _misbehave(self, fault: Fault, request: Seen, writer: asyncio.StreamWriter) -> None:
        self.misbehaved.append(fault)
        answer = self.accept(request) if fault.accepts else Said(200)
        match fault.how:
            case "answer":
                error = self.error(fault.status, fault.code)
                delay = self.asks_to_wait() if fault.says_delay else {}
                await _write(writer, replace(error, headers=error.headers | delay))
            case "slow":
                await asyncio.sleep(SLOW)
                await _write(writer, answer)
            case "hang":
                await asyncio.Event().wait()  # until the fake is closed
            case "cut":
                await _write(writer, answer, cut=True)
            case "garbled":
                await _write(writer, Said(answer.status, b"<html>what?</html>"))
            case "reset":
                _reset(writer)
            case _:
                pass  # "close": not a word
        if fault.how in ("cut", "close", "reset"):
            raise ConnectionAbortedError

    async def _control(self, request: Seen) -> Said | None:
        """What another process may ask: the ledger, faults to come, a report to be posted."""
        match request.method, request.path:
            case "GET", "/ledger":
                return Said(200, json.dumps([asdict(kept) for kept in self.ledger], default=str).encode())
            case "GET", "/requests":
                return said(200, [f"{seen.method} {seen.path}" for seen in self.requests])
            case "POST", "/faults":
                self.misbehave(*request.json)
            case "POST", "/chaos":
                self.misbehave_often(request.json["rate"], request.json["seed"], *request.json["faults"])
            case "POST", "/report":
                for kept in self.accepted(request.json["send_id"]):
                    await self.report(kept, request.json["what"])
            case _:
                return None
        return said(200, {})


async def _read(reader: asyncio.StreamReader) -> Seen | None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    start, *lines = head.rstrip("\r\n").split("\r\n")
    method, target, _ = start.split(" ")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    parts = urlsplit(target)
    return Seen(method, parts.path, parse_qs(parts.query), headers, body)


async def _write(writer: asyncio.StreamWriter, answer: Said, *, cut: bool = False) -> None:
    length = len(answer.body) + (50 if cut else 0)
    headers = {**answer.headers, "Content-Length": str(length)}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    status = f"{answer.status} {STATUS_LINES.get(answer.status, 'Because')}"
    writer.write(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + answer.body)
    await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
