"""The API with its relay in a process of its own: ``python -m bench.serving DATABASE DAY [ADDRESS QUEUE]``.

Without a Temporal, nothing is relayed. It prints its address, and then the id of each run that Temporal has.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack
from datetime import timedelta

from api.app import create_app
from api.dependencies import Dependencies
from api.serve import serve
from bench.entry import run, say, until_told
from bench.setting import now
from bench.starts import saying_starts
from store.store import opened
from terminal.lifetimes import beside
from workflows.client import connect
from workflows.relay import Relay

KEY = "bench"


async def main(database: str, day: str, address: str = "", queue: str = "") -> None:
    """Serve until the standard input ends."""
    async with AsyncExitStack() as parts:
        store = await parts.enter_async_context(opened(database))
        nudge = lambda: None  # noqa: E731
        if address:
            relay = Relay(store, saying_starts(await connect(address=address)), queue, now)
            await parts.enter_async_context(beside(relay.run()))
            nudge = relay.nudge
        lasting = timedelta(seconds=float(day))
        app = create_app(Dependencies(store=store, relay_nudge=nudge, key=KEY, now=now, day=lasting))
        serving = asyncio.create_task(serve(app, "127.0.0.1", 0, ready=say))
        await until_told()
        serving.cancel()
        await asyncio.wait([serving])


if __name__ == "__main__":
    run(main(*sys.argv[1:]))
