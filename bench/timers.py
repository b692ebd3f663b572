"""Very many timers that are due at one instant: how late the messages go that wait for it, and whether any is early."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from rich.progress import Progress
from rich.table import Table
from temporalio.client import Client

from bench.asked import Asked
from bench.setting import now, stocked, temporal
from bench.sides import BY_HAND, REAL_DAY, Due, Side, by_hand, sojourn
from bench.waiting import until_waiting
from journeys.definition import Journey
from journeys.reading import read_journey

AHEAD, AHEAD_RATE = 15, 25
"""The first is started so many seconds ahead, and a second more for so many of them: all are to wait by then."""

WAITING = 5
"""Events in the history of a workflow that waits on its first timer, at least."""


async def measure(asked: Asked, progress: Progress) -> Table:
    """Have *count* messages due at the same instant, on one side after the other."""
    table = Table("", "p50, s", "p99, s", "÷ hand-written", "last, s", "early", title=f"{asked.count:,} timers at once")
    by_hand_p99 = 0.0
    for name in (BY_HAND, *asked.databases):
        late = await _lateness(name, asked.count, progress)
        p99 = _percentile(late, 99)
        by_hand_p99 = by_hand_p99 or p99
        figures = [f"{_percentile(late, 50):,.2f}", f"{p99:,.2f}", f"{p99 / by_hand_p99:.2f}", f"{late[-1]:,.2f}"]
        table.add_row(name, *figures, str(sum(each < 0 for each in late)))
    return table


async def _lateness(name: str, count: int, progress: Progress) -> list[float]:
    """By how many seconds each message was late, in order. Each side has a Temporal server of its own."""
    ahead = timedelta(seconds=AHEAD + count // AHEAD_RATE)
    async with temporal() as (server, client):
        async with _side(name, server.address, ahead, count) as side:
            since = now()
            due = Due(since, since + ahead)
            await _all_at_once(side, client, range(count), due, progress)
        called: list[float] = json.loads(side.worker.last_words)
    if len(called) != count:
        raise RuntimeError(f"{name}: {len(called)} messages were sent, not {count}")
    return sorted(each - due.at.timestamp() for each in called)


@asynccontextmanager
async def _side(name: str, address: str, ahead: timedelta, count: int) -> AsyncIterator[Side]:
    async with AsyncExitStack() as parts:
        if name == BY_HAND:
            yield await parts.enter_async_context(by_hand(address))
            return
        database = await parts.enter_async_context(stocked(name, count, _reminder(ahead)))
        yield await parts.enter_async_context(sojourn(address, database, REAL_DAY))


async def _all_at_once(side: Side, client: Client, numbers: Sequence[int], due: Due, progress: Progress) -> None:
    started = progress.add_task(f"{side.name}: started", total=len(numbers))
    waiting = progress.add_task(f"{side.name}: waiting", total=len(numbers))
    ended = progress.add_task(f"{side.name}: ended", total=len(numbers))
    try:
        async with asyncio.timeout((due.at - now()).total_seconds()):
            ids = await side.begin(numbers, lambda: progress.advance(started), due)
            await until_waiting(side, client, ids, WAITING, lambda: progress.advance(waiting))
    except TimeoutError:
        raise RuntimeError(f"{side.name}: not all {len(numbers)} waited before they were due. Try fewer.") from None
    await side.end(client, ids, lambda: progress.advance(ended), (due.at - now()).total_seconds())


def _reminder(ahead: timedelta) -> Journey:
    """A wait that is counted from the event, and a message."""
    return read_journey(
        {
            "journey": "reminder",
            "start": {"trigger": "abandoned-cart", "key": "event.cart_id", "repeat": "immediately"},
            "steps": [
                {"id": "pause", "wait": f"{int(ahead.total_seconds())} seconds"},
                {"id": "reminder", "push": "final-push-notification", "to": "customer.push_token"},
            ],
        }
    )


def _percentile(values: Sequence[float], percent: int) -> float:
    return values[min(len(values) - 1, len(values) * percent // 100)]
