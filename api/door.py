"""What every request passes on its way in and out: the key, the headers, and the last catch."""

from __future__ import annotations

import hashlib
import secrets
from typing import Annotated

import structlog
from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.dependencies import Deps
from api.problems import answer
from journeys.problems import SojournError, Unauthorized

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

Key = Annotated[
    HTTPAuthorizationCredentials | None,
    Depends(HTTPBearer(auto_error=False, scheme_name="key", description="The API's key, `SOJOURN_KEY`.")),
]


async def require_key(deps: Deps, given: Key) -> None:
    """Let only those in who have the key."""
    if given is None:
        raise Unauthorized("No key was given. Send it as: Authorization: Bearer <key>, with the value of SOJOURN_KEY.")
    if not secrets.compare_digest(_digest(given.credentials), _digest(deps.key)):
        raise Unauthorized("This is not the key. Send the value of SOJOURN_KEY as: Authorization: Bearer <key>.")


def _digest(key: str) -> bytes:
    # Digests are equally long, so that the comparison tells nothing of the length of the key either.
    return hashlib.sha256(key.encode()).digest()


class Door:
    """Puts the headers on every answer, and turns an error that nobody foresaw into a problem that tells nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_on(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        except Exception:
            log.exception("a request failed", method=scope["method"], path=_without_token(scope["path"]))
            if started:
                raise
            failed = answer(SojournError("This is a fault of ours, and it has been logged."))
            await failed(scope, receive, send_on)


def _without_token(path: str) -> str:
    # Whoever has an unsubscribe link can use it, so a log must not have it.
    return "/u/…" if path.startswith("/u/") else path
