"""What the hand-written workflows are given, and the one activity that sends."""

from __future__ import annotations

import time
from dataclasses import dataclass

from temporalio import activity


@dataclass
class Cart:
    """Whose cart it is, and how long a day lasts."""

    customer: str
    day_seconds: float


@dataclass
class Appointment:
    """Whom to remind, and when (seconds since 1970)."""

    customer: str
    at: float


@dataclass
class Message:
    """One message to one customer."""

    customer: str
    content: str


calls: list[float] = []
"""When each message was sent, in seconds since 1970."""


@activity.defn
async def send(message: Message) -> str:
    """Send nothing, as fast as possible, and note when."""
    calls.append(time.time())
    return f"{message.customer}/{message.content}"
