"""The key that guards the API, as each router under ``/v1`` demands it."""

from __future__ import annotations

import hashlib
import secrets
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.dependencies import Deps
from journeys.problems import Unauthorized

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
