"""Secrets of endpoints, sealed: the database alone reads none, and whoever has the house's own secret reads all."""

from __future__ import annotations

import base64
import hmac

from cryptography.fernet import Fernet, InvalidToken

from journeys.problems import Conflict

PURPOSE = b"endpoint secrets"  # the same secret signs unsubscribe links


class Seal:
    """Seals with *secret*, the house's own one."""

    def __init__(self, secret: str) -> None:
        # A secret of full strength (settings.py sees to it) needs no slow derivation of a key.
        key = hmac.digest(secret.encode(), PURPOSE, "sha256") if secret else None
        self._fernet = Fernet(base64.urlsafe_b64encode(key)) if key else None

    def seal(self, text: str) -> str:
        """*text* so that only who has the secret can read it. Raises Conflict where there is none."""
        if self._fernet is None:
            raise Conflict("SOJOURN_SECRET is not set, and secrets of endpoints are kept sealed by it. Set it first.")
        return self._fernet.encrypt(text.encode()).decode()

    def unseal(self, sealed: str) -> str | None:
        """What was sealed; None where that was with another secret."""
        try:
            return self._fernet.decrypt(sealed).decode() if self._fernet else None
        except InvalidToken:
            return None
