"""The API in a process of its own, over a fresh SQLite database: ``python -m bench.serving``. Prints its address."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta

import uvloop

from api.app import create_app
from api.dependencies import Dependencies
from api.serve import serve
from bench.setting import now, publish_abandoned_cart, sqlite

KEY = "bench"


async def main() -> None:
    """Serve until the standard input ends."""
    async with sqlite() as store:
        await publish_abandoned_cart(store, 0)
        app = create_app(
            Dependencies(store=store, relay_nudge=lambda: None, key=KEY, now=now, drain_for=timedelta(seconds=1))
        )
        serving = asyncio.create_task(serve(app, "127.0.0.1", 0, ready=lambda url: print(url, flush=True)))
        await asyncio.to_thread(sys.stdin.read)
        serving.cancel()
        await asyncio.wait([serving])


if __name__ == "__main__":
    uvloop.run(main())  # as `sojourn api` does
