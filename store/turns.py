"""Very much is done some at a time, so that others come in between, and in turns, so that nobody waits for all of it.

Whoever asks for it has an answer within seconds; workers go on with what is left, each journey in its turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic

TOGETHER = 60
"""So many runs are ended, or let go, in one transaction: nobody waits longer than for these."""

BREATH = 0.015
"""Seconds in between. Other processes that write to SQLite look every few milliseconds whether it is their turn."""

A_REQUEST = 5.0
"""For so many seconds it is gone on with before a request is answered."""

A_TURN = 20.0
"""For so many seconds a worker goes on, before it looks again at the time and who else there is."""

Lot = Callable[[], Awaitable[int]]
"""Does some of it. Returns how much that was: 0 where nothing is left, or somebody else is at it."""


async def in_lots(seconds: float, *each: Lot) -> int:
    """Do lots of *each*, one after the other, for so many *seconds* or until nothing is left. Returns how much it was.

    One lot is done at the least, so that it comes to its end however slow all is.
    """
    until, done = monotonic() + seconds, 0
    for lot in each:
        while some := await lot():
            done += some
            if monotonic() >= until:
                return done
            await asyncio.sleep(BREATH)
    return done


async def in_turns(journeys: Sequence[str], go_on: Callable[[str, float], Awaitable[int]]) -> int:
    """Let a worker *go_on* with each of these journeys for its part of a turn. Returns how much was done.

    Where that fails for one of them, the others have their part all the same. Raises the first error after that.
    """
    done, errors = 0, list[Exception]()
    for name in journeys:
        try:
            done += await go_on(name, A_TURN / len(journeys))
        except Exception as error:  # noqa: BLE001 - it is raised below
            errors.append(error)
    if errors:
        raise errors[0]
    return done
