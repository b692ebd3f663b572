"""Where rounds are run: one Temporal server, and every side alive on it at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count, islice
from typing import NamedTuple

from temporalio.client import Client

from bench.setting import stocked, temporal
from bench.sides import Side, sides
from bench.spending import Spent, spent

TOGETHER = 100
"""How many journeys are under way at once, on every side."""

SETTLING = 0.5
"""Seconds after a round in which its last work is still done, and charged to it."""

QUIET = 3.0
"""Seconds until what was just started is quiet."""

IDLE = 5.0
"""Seconds in which nothing happens, to see what each part spends on waiting. They come first: after a round the
server still has a tenth of its work to do, in bursts over the next 40 seconds.
"""


class Round(NamedTuple):
    """What so many journeys cost, in CPU, and after how many seconds the last of them was over."""

    journeys: int
    cost: Spent
    seconds: float


class Track:
    """The sides, and what is known of the server. *pid*: its process."""

    def __init__(self, client: Client, pid: int, sides: Sequence[Side]) -> None:
        self.client = client
        self.sides = sides
        self._pid = pid
        self._numbers = {side.name: count() for side in sides}
        self.idle: dict[str, Spent] = {}

    async def round(self, side: Side, journeys: int, ended: Callable[[], None]) -> Round:
        """Walk so many customers through the journey. Waiting, which costs something too, is not counted."""
        before = spent(side, self._pid)
        await side.walk(self.client, list(islice(self._numbers[side.name], journeys)), TOGETHER, ended)
        seconds = time.monotonic() - before.wall
        await asyncio.sleep(SETTLING)
        return Round(journeys, spent(side, self._pid).since(before).without(self.idle[side.name]), seconds)

    async def rest(self) -> None:
        """Do nothing, to see what that costs each side."""
        await asyncio.sleep(QUIET)
        before = [spent(side, self._pid) for side in self.sides]
        await asyncio.sleep(IDLE)
        for side, then in zip(self.sides, before, strict=True):
            self.idle[side.name] = spent(side, self._pid).since(then)


@asynccontextmanager
async def track(databases: Sequence[str], people: int) -> AsyncIterator[Track]:
    """A track, with so many customers known to every database."""
    async with AsyncExitStack() as parts:
        server, client = await parts.enter_async_context(temporal())
        stocks = [await parts.enter_async_context(stocked(name, people)) for name in databases]
        all_sides = await parts.enter_async_context(sides(server.address, stocks))
        assert server.process
        course = Track(client, server.process.pid, all_sides)
        await course.rest()
        yield course
