"""One connection to the API: uvicorn's, with a limit to what a caller may send before it is known what for."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from api.problems import HeadTooLarge, Malformed, TooLarge, answer
from journeys.problems import SojournError, Unavailable

MOST_CONNECTIONS = 900
"""Fits into the 1,024 open files that a process usually has."""

MOST_HEAD = 64 * 1024
MOST_ADDRESS = 16 * 1024
MOST_REQUEST = 8 * 1024 * 1024
"""Bytes of a request in all, whoever reads them: more than any endpoint takes."""

ARRIVAL = 20.0
"""Seconds that a request may take to arrive, an answer to be taken, and a connection to be idle."""

NO_PATIENCE = 1.0
"""The same where there are too many connections already."""


class Connection(HttpToolsProtocol):
    """Hangs up on a head that does not end, on a request that does not arrive, and on an answer that nobody takes."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._patience = ARRIVAL
        self._size = 0
        self._in_head = True
        self._arriving: asyncio.TimerHandle | None = None
        self._leaving: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            self.app = _crowded
            self._patience = NO_PATIENCE
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._arrived()
        if self._leaving:
            self._leaving.cancel()

    def data_received(self, data: bytes) -> None:
        if self._arriving is None:
            self._expect()
        while data and not self.transport.is_closing():
            # A head may come with the body in one piece, so it is read up to its limit first.
            room = MOST_HEAD - self._size if self._in_head else len(data)
            part, data = data[:room], data[room:]
            self._size += len(part)
            super().data_received(part)
            if self._in_head and self._size >= MOST_HEAD:
                self._refuse(HeadTooLarge(f"The headers do not end within {MOST_HEAD} bytes."))
            elif self._size > MOST_REQUEST:
                self._refuse(TooLarge(f"The request is larger than {MOST_REQUEST} bytes."))

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > MOST_ADDRESS:
            self._refuse(HeadTooLarge(f"The address is longer than {MOST_ADDRESS} bytes."))

    def on_headers_complete(self) -> None:
        self._in_head = False
        if not self.transport.is_closing():
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._arrived()
        self._size, self._in_head = 0, True
        if not self.transport.is_closing():
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        del msg
        self._refuse(Malformed("This is no HTTP request."))

    def timeout_keep_alive_handler(self) -> None:
        self._hang_up()

    def shutdown(self) -> None:
        super().shutdown()
        if self.transport.is_closing():
            self._hang_up()

    def _expect(self) -> None:
        self._arriving = self.loop.call_later(self._patience, self._hang_up)

    def _arrived(self) -> None:
        if self._arriving:
            self._arriving.cancel()
            self._arriving = None

    def _refuse(self, error: SojournError) -> None:
        """Answer, unless the request has an answer already, and hang up."""
        if not self.transport.is_closing() and not self._is_answered():
            self.transport.write(_written(answer(error, {"Connection": "close"})))
        self._hang_up()

    def _is_answered(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None:
            return False
        # In a head, it is that of the request before.
        return not cycle.response_complete if self._in_head else cycle.response_started

    def _hang_up(self) -> None:
        """Close once the caller has what was written, and in any case before long."""
        self.transport.close()
        if self._leaving is None:
            self._leaving = self.loop.call_later(ARRIVAL, self.transport.abort)


async def _crowded(scope: Scope, receive: Receive, send: Send) -> None:
    crowded = Unavailable(f"There are more than {MOST_CONNECTIONS} connections. Send the same request again.")
    await answer(crowded, {"Connection": "close"})(scope, receive, send)


def _written(response: Response) -> bytes:
    head = b"".join(name + b": " + value + b"\r\n" for name, value in response.raw_headers)
    return STATUS_LINE[response.status_code] + head + b"\r\n" + bytes(response.body)
