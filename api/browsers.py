"""Browsers: pages of the origins that keys name may post events, and read what is answered."""

from __future__ import annotations

from fastapi.middleware.cors import CORSMiddleware
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.keyring import Keyring

OPEN_TO_PAGES = "/v1/events"
REMEMBERED_FOR = 600
"""Seconds for which a browser does not ask again whether it may post."""


class BrowserMiddleware(CORSMiddleware):
    """Answers browsers what they ask before a page of another site may post (CORS), for the one address where it may.

    To others nothing is said, so that their browser keeps them out. It is asked without a key, so that this is about
    any key; whether the key that is then sent is for that origin, its own check says.
    """

    def __init__(self, app: ASGIApp, keyring: Keyring) -> None:
        super().__init__(
            app,
            allow_methods=["POST"],
            allow_headers=["Authorization", "Content-Type"],
            expose_headers=["Retry-After", "RateLimit", "RateLimit-Policy"],
            max_age=REMEMBERED_FOR,
        )
        self._keyring = keyring

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = Headers(scope=scope).get("origin") if scope.get("path") == OPEN_TO_PAGES else None
        if origin and await self._keyring.knows(origin):
            await super().__call__(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def is_allowed_origin(self, origin: str) -> bool:
        """All that come so far."""
        del origin
        return True
