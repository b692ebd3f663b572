"""Endpoints by their names: looked up, called, and closed where they want no more."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from activities.channels import NotNow, ProviderAnswer, Refused
from activities.endpoints.answers import Gone, NotPosted
from activities.endpoints.caller import Caller
from activities.endpoints.sealing import Seal
from activities.privacy import log
from journeys.problems import Unknown
from store.endpoints import close_endpoint, get_callee
from store.store import Store


class Endpoints:
    """The endpoints that are registered in a store. Reasons name an endpoint, and quote nothing that was answered."""

    def __init__(self, store: Store, caller: Caller, seal: Seal) -> None:
        self._store = store
        self._caller = caller
        self._seal = seal

    async def call(self, name: str, id: str, body: bytes, now: datetime) -> ProviderAnswer | NotPosted:
        """Post *body* to an endpoint, once. See Caller.call; one that answers 410 is closed. Raises Unavailable."""
        try:
            callee = await get_callee(self._store, name, now)
        except Unknown:
            return Refused(f'there is no endpoint "{name}"')
        if callee.closed:
            return Refused(f'the endpoint "{name}" is closed: {callee.closed}')
        secrets = [secret for sealed in callee.secrets if (secret := self._seal.unseal(sealed))]
        if not secrets:
            log.error(
                "endpoint cannot be signed for: rotate its secret, or set the former SOJOURN_SECRET", endpoint=name
            )
            return NotNow(f'the secret of "{name}" cannot be read: SOJOURN_SECRET is not what it was')
        answer = await self._caller.call(callee.endpoint, secrets, id, body, now)
        if isinstance(answer, Gone):
            if await close_endpoint(self._store, name, callee.endpoint.url, answer.reason, now):
                log.error("endpoint closed: nothing is posted to it until somebody opens it", endpoint=name)
            return Refused(f'the endpoint "{name}" is closed: {answer.reason}')
        if isinstance(answer, Refused | NotNow | NotPosted):
            return replace(answer, reason=f'the endpoint "{name}": {answer.reason}')
        return answer

    def close(self) -> None:
        """Let go of threads. Calls that are under way go on to their end."""
        self._caller.close()
