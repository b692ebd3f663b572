"""The tries at one endpoint: some at once, some in line, and the rest sent away, so that no other is held up."""

from __future__ import annotations

import asyncio

from activities.channels.calls import Busy, Threads

MOST_IN_LINE = 16
PATIENCE = 1.0
"""Seconds in line. Who finds more there, or waits longer, tries again later: an activity's place is then another's."""


class Lane:
    """Places for tries at one endpoint, and threads that resolve its name: a slow name server holds up nobody else."""

    def __init__(self, name: str, at_once: int) -> None:
        self.threads = Threads(f'The name server of "{name}"', at_once)
        self._name = name
        self._free = asyncio.Semaphore(at_once)
        self._in_line = 0

    async def __aenter__(self) -> None:
        """Take a place. Raises Busy where none comes free."""
        if self._free.locked() and self._in_line >= MOST_IN_LINE:
            raise self._busy()
        self._in_line += 1
        try:
            async with asyncio.timeout(PATIENCE):
                await self._free.acquire()
        except TimeoutError:
            raise self._busy() from None
        finally:
            self._in_line -= 1

    async def __aexit__(self, *_: object) -> None:
        self._free.release()

    def _busy(self) -> Busy:
        return Busy(f'"{self._name}" answers so slowly that nothing more is posted to it at once')
