"""Very many at once: what is decided in a thread waits for nobody else's work there."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from store.many import MANY, beside
from store.store import Store


async def test_who_decides_about_many_does_not_wait_for_long_work_of_others(store: Store) -> None:
    loop, over = asyncio.get_running_loop(), Event()
    loop.set_default_executor(ThreadPoolExecutor(1))
    long = loop.run_in_executor(None, over.wait)

    try:
        assert await asyncio.wait_for(store.read(lambda connection: beside(connection, MANY + 1, int, "5")), 5) == 5
        assert not long.done()
    finally:
        over.set()
