"""Whether workflows have come so far that they only wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from temporalio.client import Client

from bench.sides import Side

AT_ONCE = 50
AGAIN = 0.5


async def until_waiting(side: Side, client: Client, ids: Sequence[str], events: int, waits: Callable[[], None]) -> None:
    """Until the history of each workflow has at least so many events, the last of which starts its timer."""
    left = iter(ids)

    async with side.going_on() as news:

        async def some() -> None:
            for id in left:  # shared by all
                while (await client.get_workflow_handle(id).describe()).history_length < events:  # noqa: ASYNC110
                    await asyncio.sleep(AGAIN)
                waits()
                news()

        await asyncio.gather(*(some() for _ in range(AT_ONCE)))
