"""The hand-written worker in a process of its own: ``python -m bench.by_hand.worker ADDRESS QUEUE``.

At its end it prints when each message was sent.
"""

from __future__ import annotations

import asyncio
import json
import sys

from temporalio.client import Client
from temporalio.worker import Worker

from bench.by_hand.abandoned_cart import AbandonedCart
from bench.by_hand.messages import calls, send
from bench.by_hand.reminder import Reminder
from bench.entry import leave, say, until_told


async def main(address: str, queue: str) -> None:
    """Work until the standard input ends."""
    client = await Client.connect(address)
    async with Worker(client, task_queue=queue, workflows=[AbandonedCart, Reminder], activities=[send]):
        say("ready")
        await until_told()
    say(json.dumps(calls))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))  # as the SDK's samples do
    leave()
