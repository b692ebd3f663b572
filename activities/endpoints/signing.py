"""Signatures by Standard Webhooks, so that an endpoint knows who posts to it, what, and when."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime

from standardwebhooks import Webhook

SECRET_BYTES = 32


def new_secret() -> str:
    """A secret to sign with, as receivers' libraries take it: ``whsec_…``."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def signed(id: str, now: datetime, body: bytes, secrets: Iterable[str]) -> dict[str, str]:
    """The headers that sign *body*, with each of *secrets*.

    *id* is the same for all tries, and *now* (aware) that of this one, on the wall: five minutes off, it is refused.
    """
    if "." in id:
        raise ValueError("a dot parts what is signed, so that no id has one")
    now = now.astimezone(UTC)  # the library takes any time for UTC
    return {
        "webhook-id": id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(id, now, body.decode()) for secret in secrets),
    }
