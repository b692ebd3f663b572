"""The abandoned cart by hand: three activities, two timers, a signal. Imported anew by the sandbox, so nothing else."""

import asyncio
from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from bench.by_hand.messages import Cart, Message, send


@workflow.defn
class AbandonedCart:
    """Email, a day for the open, text, a day, push. A purchase cancels it."""

    def __init__(self) -> None:
        self._opened = False

    @workflow.run
    async def run(self, cart: Cart) -> str:
        day = timedelta(seconds=cart.day_seconds)
        await self._send(cart, "initial-email-reminder")
        try:
            await workflow.wait_condition(lambda: self._opened, timeout=day)
        except TimeoutError:
            await self._send(cart, "second-text-reminder")
            await asyncio.sleep(day.total_seconds())
            await self._send(cart, "final-push-notification")
        return "completed"

    @workflow.signal
    def opened(self) -> None:
        """Note that the email was opened."""
        self._opened = True

    async def _send(self, cart: Cart, content: str) -> None:
        message = Message(cart.customer, content)
        await workflow.execute_activity(send, message, start_to_close_timeout=timedelta(seconds=30))
