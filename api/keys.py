"""The key that guards the API, as each router under ``/v1`` demands it."""

from __future__ import annotations

import hashlib
import secrets
from math import inf
from time import monotonic
from typing import Annotated

import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.dependencies import Dependencies, Deps
from journeys.problems import Unauthorized

TELL_EVERY = 10.0
"""Seconds."""

log = structlog.get_logger(__name__)

Key = Annotated[
    HTTPAuthorizationCredentials | None,
    Depends(HTTPBearer(auto_error=False, scheme_name="key", description="The API's key, `SOJOURN_KEY`.")),
]


class Refusals:
    """Tells the log of those who come without the key: how many, at most once in a while, and nothing about them."""

    def __init__(self, every: float = TELL_EVERY) -> None:
        self._every = every
        self._since_told = 0
        self._next = -inf

    def add(self, now: float) -> None:
        """One more, at *now* of a clock that only goes forward."""
        self._since_told += 1
        if now >= self._next:
            log.warning("refused without the key, or with a wrong one", requests=self._since_told)
            self._since_told, self._next = 0, now + self._every


async def require_key(request: Request, deps: Deps, given: Key) -> None:
    """Let only those in who have the key."""
    try:
        _check(deps, given)
    except Unauthorized:
        request.app.state.refusals.add(monotonic())
        raise


def _check(deps: Dependencies, given: HTTPAuthorizationCredentials | None) -> None:
    if given is None:
        raise Unauthorized("No key was given. Send it as: Authorization: Bearer <key>, with the value of SOJOURN_KEY.")
    if not secrets.compare_digest(_digest(given.credentials), _digest(deps.key)):
        raise Unauthorized("This is not the key. Send the value of SOJOURN_KEY as: Authorization: Bearer <key>.")


def _digest(key: str) -> bytes:
    # Digests are equally long, so that the comparison tells nothing of the length of the key either.
    return hashlib.sha256(key.encode()).digest()
