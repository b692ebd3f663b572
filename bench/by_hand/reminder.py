"""One message at an appointed time, by hand."""

import asyncio
from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from bench.by_hand.messages import Appointment, Message, send


@workflow.defn
class Reminder:
    """Sleep until then, and send."""

    @workflow.run
    async def run(self, appointment: Appointment) -> str:
        await asyncio.sleep(appointment.at - workflow.now().timestamp())
        message = Message(appointment.customer, "reminder")
        await workflow.execute_activity(send, message, start_to_close_timeout=timedelta(seconds=30))
        return "completed"
