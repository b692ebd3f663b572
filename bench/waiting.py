"""Whether workflows have come so far that they only wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from temporalio.client import Client

AT_ONCE = 50
AGAIN = 0.5


async def until_waiting(client: Client, ids: Sequence[str], events: int, waits: Callable[[], None]) -> None:
    """Until the history of each workflow has at least so many events, the last of which starts its timer."""
    left = iter(ids)

    async def some() -> None:
        for id in left:  # shared by all
            while (await client.get_workflow_handle(id).describe()).history_length < events:  # noqa: ASYNC110 - not ours
                await asyncio.sleep(AGAIN)
            waits()

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))
