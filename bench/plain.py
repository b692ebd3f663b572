"""The abandoned-cart journey as one would write it by hand on Temporal: the yardstick, not a part of Sojourn."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow


@dataclass
class Cart:
    """What the hand-written workflow is given."""

    customer: str
    day_seconds: float


@activity.defn
async def send(content: str) -> str:
    """Send nothing, as fast as possible."""
    return content


@workflow.defn
class PlainAbandonedCart:
    """Email, a day for the open, text, a day, push; a purchase ends it."""

    def __init__(self) -> None:
        self._opened = False

    @workflow.run
    async def run(self, cart: Cart) -> str:
        day = timedelta(seconds=cart.day_seconds)
        await self._send("initial-email-reminder")
        try:
            await workflow.wait_condition(lambda: self._opened, timeout=day)
        except TimeoutError:
            await self._send("second-text-reminder")
            await asyncio.sleep(day.total_seconds())
            await self._send("final-push-notification")
        return "completed"

    @workflow.signal
    def opened(self) -> None:
        """Note that the email was opened."""
        self._opened = True

    async def _send(self, content: str) -> None:
        await workflow.execute_activity(send, content, start_to_close_timeout=timedelta(seconds=30))
