"""What an accepted event costs the API: a plain load generator against it, each in a process of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from typing import NamedTuple

from rich.progress import Progress
from rich.table import Table

from bench.asked import Asked
from bench.processes import Process, cpu_of, process
from bench.requests import NOTHING, connected, event, post
from bench.setting import stocked
from bench.showing import middle, ratios

CONNECTIONS = 64
LISTED = 100
OTHERS = 10**7
DAY = "86400"

Request = Callable[[int], bytes]


class _Cost(NamedTuple):
    """Requests answered in a second of the wall's time, and CPU of the API's process for each, in ms."""

    rate: float
    cpu: float


async def measure(asked: Asked, progress: Progress) -> Table:
    """In each round send *count* requests that do nothing, as many events one by one, and as many in lists of 100."""
    table = Table("", "a second", "API CPU, ms", "÷ nothing", title=f"Events: {asked.rounds} rounds of {asked.count}")
    for name in asked.databases:
        costs = await _rounds(name, asked, progress)
        nothing = [cost.cpu for cost in costs["nothing"]]
        for what, each in costs.items():
            rate, cpu = [cost.rate for cost in each], [cost.cpu for cost in each]
            table.add_row(f"{name}: {what}", middle(rate, 0), middle(cpu), middle(ratios(cpu, nothing)))
    return table


async def _rounds(name: str, asked: Asked, progress: Progress) -> dict[str, list[_Cost]]:
    lists = max(1, asked.count // LISTED)
    parts: dict[str, tuple[Request, int, int]] = {
        "nothing": (lambda _: NOTHING, asked.count, 1),
        "events, one by one": (lambda number: post(event(f"one-{number}", number)), asked.count, 1),
        "events, in lists of 100": (_list, lists, LISTED),
    }
    task = progress.add_task(name, total=(asked.rounds + 1) * (2 * asked.count + lists))
    costs: dict[str, list[_Cost]] = {what: [] for what in parts}
    async with AsyncExitStack() as open_parts:
        database = await open_parts.enter_async_context(stocked(name, 0))
        api = await open_parts.enter_async_context(process("the API", "bench.serving", database.url, DAY))
        for number in range(asked.rounds + 1):
            for what, (request, count, size) in parts.items():
                numbers = range(number * count, (number + 1) * count)
                cost = await _cost(api, request, numbers, lambda: progress.advance(task))
                if number:  # the first round warms up
                    costs[what].append(_Cost(cost.rate * size, cost.cpu / size))
    return costs


async def _cost(api: Process, request: Request, numbers: range, answered: Callable[[], None]) -> _Cost:
    """Send them over connections that each send the next one when they have an answer."""
    left = iter(numbers)
    began, before = time.perf_counter(), cpu_of(api.pid)
    await asyncio.gather(*(_connection(api.greeting, request, left, answered) for _ in range(CONNECTIONS)))
    return _Cost(
        len(numbers) / (time.perf_counter() - began),
        1000 * (cpu_of(api.pid) - before) / len(numbers),
    )


async def _connection(url: str, request: Request, left: Iterator[int], answered: Callable[[], None]) -> None:
    async with connected(url) as connection:
        for number in left:  # shared by all connections
            await connection.ask(request(number))
            answered()


def _list(number: int) -> bytes:
    # Of customers that no single event was of: one that meets a run under way costs more.
    first = OTHERS + number * LISTED
    return post([event(f"list-{number}-{index}", first + index) for index in range(LISTED)])
