"""Starts hand-written workflows: ``python -m bench.by_hand.starter ADDRESS QUEUE``, told a JSON line for each."""

from __future__ import annotations

import asyncio
import json
import sys

from temporalio.client import Client

from bench.by_hand.abandoned_cart import AbandonedCart
from bench.by_hand.messages import Appointment, Cart
from bench.by_hand.reminder import Reminder
from bench.entry import lines, run, say
from bench.starts import saying_starts


async def main(address: str, queue: str) -> None:
    """Start what each line says, many at once, until the standard input ends."""
    client = saying_starts(await Client.connect(address))

    async def start(line: str) -> None:
        told = json.loads(line)
        number, at, day = told["number"], told.get("at"), told.get("day", 0)
        if at is None:
            cart = Cart(f"customer-{number}", day)
            await client.start_workflow(AbandonedCart.run, cart, id=f"by-hand-{number}", task_queue=queue)
        else:
            appointment = Appointment(f"customer-{number}", at)
            await client.start_workflow(Reminder.run, appointment, id=f"by-hand-{number}", task_queue=queue)

    say("ready")
    async with asyncio.TaskGroup() as starting:
        async for line in lines():
            starting.create_task(start(line))


if __name__ == "__main__":
    run(main(*sys.argv[1:]))
