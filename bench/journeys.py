"""Journeys per second: Sojourn against a hand-written workflow of the same journey, on one server in one run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

from rich.progress import Progress, TaskID
from temporalio.client import Client
from temporalio.worker import Worker

from activities.channels import Accepted, Channel, Finding, Handed, Outgoing, ProviderAnswer
from activities.deliver import Deliver
from activities.notes import Notes
from bench.plain import Cart, PlainAbandonedCart, send
from bench.setting import customer_id, now, publish_abandoned_cart, sqlite, temporal
from journeys.catalogue import Event
from journeys.interactions import Kind
from store.events import accept
from workflows.journey import JourneyWorkflow
from workflows.relay import Relay

DAY = timedelta(seconds=1)
TOGETHER = 25


class Silence:
    """A channel that accepts every message and sends none, as the hand-written activity does."""

    async def send(self, message: Outgoing) -> ProviderAnswer:
        return Accepted(provider_id=message.send_id)

    async def find(self, handed: Handed) -> Finding:
        del handed
        return None

    async def close(self) -> None:
        pass


async def measure(count: int, progress: Progress) -> dict[str, float]:
    """Walk *count* customers through the whole journey, both ways. Returns journeys per second, and the ratio."""
    async with temporal() as client:
        plain = await _plainly(client, count, progress)
        ours = await _by_sojourn(client, count, progress)
    return {"hand-written, journeys/s": plain, "Sojourn, journeys/s": ours, "ratio": ours / plain}


async def _plainly(client: Client, count: int, progress: Progress) -> float:
    async def one(number: int) -> None:
        await client.execute_workflow(
            PlainAbandonedCart.run,
            Cart(customer_id(number), DAY.total_seconds()),
            id=f"plain-{number}",
            task_queue="plain",
        )

    async with Worker(client, task_queue="plain", workflows=[PlainAbandonedCart], activities=[send]):
        return await _rate(count, one, progress.add_task("hand-written", total=count), progress)


async def _by_sojourn(client: Client, count: int, progress: Progress) -> float:
    channels: dict[Kind, Channel] = dict.fromkeys(("email", "text", "push"), Silence())
    async with sqlite() as store:
        await publish_abandoned_cart(store, count)
        relay = Relay(store, client, "sojourn", now)

        async def one(number: int) -> None:
            event = Event(
                id=f"e{number}",
                trigger="abandoned-cart",
                customer=customer_id(number),
                attributes={"cart_id": f"c{number}", "total": 60},
            )
            (receipt,) = await accept(store, [event], now(), day=DAY)
            relay.nudge()
            run = receipt.decisions[0].run or ""
            while True:  # the workflow exists once the relay has been there
                try:
                    await client.get_workflow_handle(run).result()
                except Exception as error:
                    if "not found" not in str(error):
                        raise
                    await asyncio.sleep(0.2)
                else:
                    return

        deliver, notes = Deliver(store, channels), Notes(store)
        relaying = asyncio.create_task(relay.run())
        try:
            async with Worker(
                client,
                task_queue="sojourn",
                workflows=[JourneyWorkflow],
                activities=[deliver.deliver, notes.note, notes.catch_up, notes.close],
            ):
                return await _rate(count, one, progress.add_task("Sojourn", total=count), progress)
        finally:
            relaying.cancel()


async def _rate(count: int, one: Callable[[int], Awaitable[None]], task: TaskID, progress: Progress) -> float:
    """How many a second, with *TOGETHER* times as many under way as a second holds."""
    limit = asyncio.Semaphore(TOGETHER * 4)

    async def bounded(number: int) -> None:
        async with limit:
            await one(number)
            progress.advance(task)

    began = time.perf_counter()
    await asyncio.gather(*(bounded(number) for number in range(count)))
    return count / (time.perf_counter() - began)
