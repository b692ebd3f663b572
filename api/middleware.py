"""What every answer passes on its way out: the headers, and the last catch."""

from __future__ import annotations

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import answer
from journeys.problems import SojournError

log = structlog.get_logger(__name__)

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    ),
    "Cache-Control": "no-store",
}
"""What every answer carries unless its endpoint has said otherwise."""


class SecurityMiddleware:
    """Puts the headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = CatchMiddleware(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})  # where the request keeps what it is told of its key's limit

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in (HEADERS | state.get("limits", {})).items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_on)


class CatchMiddleware:
    """Turns an error that nobody foresaw into a problem that tells nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_on(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        except ClientDisconnect:
            return  # who has gone hears no answer, and to go is no fault
        except Exception:
            log.exception("a request failed", method=scope["method"], path=_without_token(scope["path"]))
            if started:
                raise
            failed = answer(SojournError("This is a fault of ours, and it has been logged."))
            await failed(scope, receive, send_on)


def _without_token(path: str) -> str:
    # Whoever has an unsubscribe link can use it, so a log must not have it.
    return "/u/…" if path.startswith("/u/") else path
