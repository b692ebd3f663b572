"""Unsubscribe links: each names the send it travels with, is signed, and holds for ever."""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass, field

PURPOSE = b"unsubscribe:"  # the same secret may sign other things one day
LENGTH = 16


@dataclass(frozen=True)
class Links:
    """Makes the links of emails. *public_url* is the API's address as the outside sees it."""

    public_url: str
    secret: str = field(repr=False)

    def unsubscribe(self, send_id: str) -> str:
        """The address that opts out of what a send was about: ``https://…/u/token``."""
        return f"{self.public_url.rstrip('/')}/u/{sign(send_id, self.secret)}"


def sign(send_id: str, secret: str) -> str:
    """A token that only who knows *secret* can make: ``send_id.signature``, safe in a URL."""
    return f"{send_id}.{_signature(send_id, secret)}"


def read(token: str, secret: str) -> str | None:
    """The send_id that a token was signed for; None where it was not signed with *secret*."""
    send_id, _, signature = token.partition(".")
    genuine = hmac.compare_digest(signature.encode(), _signature(send_id, secret).encode())
    return send_id if genuine else None


def _signature(send_id: str, secret: str) -> str:
    digest = hmac.digest(secret.encode(), PURPOSE + send_id.encode(), "sha256")[:LENGTH]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
