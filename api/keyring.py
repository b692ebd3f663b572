"""Whose a secret is, as the database said a moment ago: no request waits for a statement of its own."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from math import inf
from time import monotonic

import structlog

from api.keys import ROOT, Caller
from journeys.problems import Unauthorized, Unavailable
from store.keys import USED_EVERY, Key, Known, digest_of, known_keys, note_used
from store.store import Store

FRESH_FOR = 5.0
"""So many seconds what the database said is gone by. Longer, nothing that was revoked is taken."""

ASKED_AGAIN = 1.0
"""No sooner is the database asked again, whatever unknown secrets are tried."""

HOW = "Send a key's secret, or the value of SOJOURN_KEY, as: Authorization: Bearer <key>."

log = structlog.get_logger(__name__)


class Keyring:
    """All keys, by the hashes of their secrets. The one whose secret is *root* needs no database.

    *now* is the wall's clock (aware UTC), *clock* one that only goes forward, in seconds.
    """

    def __init__(
        self, store: Store, root: str, now: Callable[[], datetime], clock: Callable[[], float] = monotonic
    ) -> None:
        self._store = store
        self._root = digest_of(root)
        self._now = now
        self._clock = clock
        self._known: Mapping[str, Known] = {}
        self._known_at = -inf
        self._changes = 0
        self._asking: asyncio.Task[Mapping[str, Known]] | None = None
        self._noted_at: dict[str, float] = {}
        self._used: dict[str, datetime] = {}
        self._wake = asyncio.Event()
        self._closing = False

    async def caller(self, secret: str) -> Caller:
        """Whoever has *secret*. Raises Unauthorized where it is nobody's, and Unavailable."""
        digest = digest_of(secret)
        if secrets.compare_digest(digest, self._root):
            return ROOT
        known = (await self._keys(FRESH_FOR)).get(digest)
        if known is None:  # it may have been made by another process just now
            known = (await self._keys(ASKED_AGAIN)).get(digest)
        if known is None:
            raise Unauthorized(f"No key has this secret; it may have been revoked. {HOW}")
        if ended := _ended(known, self._now()):
            raise Unauthorized(f"{ended} {HOW}")
        self._note(digest)
        return _caller(known.key)

    async def knows(self, origin: str) -> bool:
        """Whether any key is for pages of *origin*, as far as is known: it opens nothing, and is no secret."""
        try:
            keys = await self._keys(FRESH_FOR)
        except Unavailable:  # pages that could read answers a while ago are to read that too
            keys = self._known
        now = self._now()
        return any(origin in known.key.origins and not _ended(known, now) for known in keys.values())

    def forget(self) -> None:
        """Ask the database before anybody is let in again: a key was changed."""
        self._changes += 1
        self._known_at = -inf
        self._asking = None  # what is being asked already may not know of it

    async def run(self) -> None:
        """Write down when secrets are used, until closed."""
        while not self._closing or self._used:
            await self._wake.wait()
            self._wake.clear()
            await self._write_used()

    def close(self) -> None:
        """``run`` returns once all that is known is written."""
        self._closing = True
        self._wake.set()

    async def _keys(self, fresh_for: float) -> Mapping[str, Known]:
        """All secrets, as the database said so many seconds ago at most. Of many who ask at once, one does."""
        if self._clock() - self._known_at < fresh_for:
            return self._known
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(self._asking)  # whoever began it may go away, and the others wait for it

    async def _ask(self) -> Mapping[str, Known]:
        changes, at = self._changes, self._clock()
        known = {each.digest: each for each in await known_keys(self._store)}
        if changes == self._changes:
            self._known, self._known_at = known, at
            self._noted_at = {digest: noted for digest, noted in self._noted_at.items() if digest in known}
        return known

    async def _write_used(self) -> None:
        used, self._used = self._used, {}
        try:
            if used:
                await note_used(self._store, used)
        except Exception as error:  # noqa: BLE001 - whatever it is, keys are taken all the same
            log.warning("when keys were used cannot be written", secrets=len(used), error=type(error).__name__)

    def _note(self, digest: str) -> None:
        at = self._clock()
        if at - self._noted_at.get(digest, -inf) >= USED_EVERY.total_seconds():
            self._noted_at[digest] = at
            self._used[digest] = self._now()
            self._wake.set()


def _ended(known: Known, now: datetime) -> str:
    """Why a secret is valid no more; empty where it is."""
    key = known.key
    if key.until and key.until <= now:
        return f'The key "{key.key}" ended at {key.until:%d %b %Y %H:%M} UTC.'
    if known.until and known.until <= now:
        return f'This secret of the key "{key.key}" ended at {known.until:%d %b %Y %H:%M} UTC: there is a newer one.'
    return ""


def _caller(key: Key) -> Caller:
    return Caller(key.key, frozenset(key.scopes), key.triggers, key.origins, key.per_second)
