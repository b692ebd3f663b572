"""The circuit breaker: a channel that takes nothing from us is left alone, tried once a minute, and said to be down."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from time import monotonic

from activities.privacy import log
from journeys.interactions import Kind
from journeys.problems import Unavailable
from store.channels import set_channel
from store.store import Store

PROBE = timedelta(minutes=1)
"""How long a circuit stays open. Then it is half open: one send tries, and all others wait for what becomes of it."""


class CircuitBreaker:
    """One circuit for each kind of message: closed while its channel works, open while nothing is to be sent by it.

    The circuits are this worker's own; the store shows operators what was found.
    """

    def __init__(self, store: Store, probe: timedelta = PROBE) -> None:
        self._store = store
        self._probe = probe
        self._next_try: dict[Kind, float] = {}  # of the circuits that are open
        self._said_ok: dict[Kind, float] = {}

    def wait(self, kind: Kind) -> timedelta | None:
        """How long to wait before the channel may be called; None where it may be called now.

        Whoever asks first once an open circuit is due finds it half open, and is to try: the next one is told to wait.
        """
        due = self._next_try.get(kind)
        if due is None:
            return None
        if (left := due - monotonic()) > 0:
            return timedelta(seconds=left)
        self._next_try[kind] = monotonic() + self._probe.total_seconds()
        return None

    async def open(self, kind: Kind, reason: str, now: datetime) -> timedelta:
        """The channel takes nothing. Says so loudly, once, and returns how long to leave it alone."""
        if kind not in self._next_try:
            log.error("channel down: nothing is sent until this is mended", channel=kind, reason=reason)
        self._next_try[kind] = monotonic() + self._probe.total_seconds()
        self._said_ok.pop(kind, None)
        with suppress(Unavailable):
            await set_channel(self._store, kind, "down", reason, now)
        return self._probe

    async def stumble(self, kind: Kind, reason: str, now: datetime) -> None:
        """There was no way to the provider just now. Operators see it at once; the next send tries all the same."""
        self._said_ok.pop(kind, None)
        with suppress(Unavailable):
            if await set_channel(self._store, kind, "down", reason, now):
                log.warning("channel cannot be reached; it is tried again and again", channel=kind, reason=reason)

    async def close(self, kind: Kind, now: datetime) -> None:
        """The channel took a message."""
        if self._next_try.pop(kind, None) is not None:
            log.warning("channel works again", channel=kind)
        # Said again now and then: another worker may have found it down, and never heard that it was mended.
        if monotonic() - self._said_ok.get(kind, -PROBE.total_seconds()) >= self._probe.total_seconds():
            self._said_ok[kind] = monotonic()
            with suppress(Unavailable):
                await set_channel(self._store, kind, "ok", "", now)
