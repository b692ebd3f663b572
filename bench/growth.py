"""Whether a journey costs more where many runs are under way already: what waits should cost nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from statistics import median

from rich.progress import Progress
from rich.table import Table

from bench.asked import Asked
from bench.showing import middle, ratios
from bench.sides import BY_HAND, Side, slowly
from bench.track import Round, Track, track
from bench.waiting import until_waiting

FACTORS = (1, 10, 100)
NEW = 300
"""How many journeys a round has."""

WAITING = 11
"""Events in the history of a run that has sent its first message, and waits a day for an answer."""


async def measure(asked: Asked, progress: Progress) -> Table:
    """With *count* runs under way, ten and a hundred times as many: what new journeys cost, in the same rounds.

    The hand-written side has none under way: measured against it, the machine's own changes drop out.
    """
    table = Table("", "under way", "worker CPU, ms a journey", f"÷ {BY_HAND}", "÷ that with the fewest")
    table.title = f"Growth: {asked.rounds} rounds of {NEW}; median (least – most)"
    for name in asked.databases:
        fewest = 0.0
        for under_way, rounds in (await _levels(name, asked, progress)).items():
            ours = _worker_cpu(rounds[name])
            beside = ratios(ours, _worker_cpu(rounds[BY_HAND]))
            fewest = fewest or median(beside)
            growth = f"{median(beside) / fewest:.2f}"
            table.add_row(name, f"{under_way:,}", middle(ours, 1), middle(beside), growth)
    return table


async def _levels(name: str, asked: Asked, progress: Progress) -> dict[int, Mapping[str, Sequence[Round]]]:
    """By how many are under way: the rounds of each side."""
    new = NEW * (len(FACTORS) * asked.rounds + 1)
    task = progress.add_task(name, total=2 * new + 2 * FACTORS[-1] * asked.count)
    on: Callable[[], None] = lambda: progress.advance(task)  # noqa: E731
    levels = {}
    parked = new  # the customers after those who walk
    async with AsyncExitStack() as parts:
        course = await parts.enter_async_context(track([name], new + FACTORS[-1] * asked.count))
        sojourn = course.sides[1]
        waits = await parts.enter_async_context(slowly(sojourn))
        for side in course.sides:
            await course.round(side, NEW, on)
        for factor in FACTORS:
            more = range(parked, new + factor * asked.count)
            progress.update(task, description=f"{name}: {factor * asked.count:,} under way")
            await _park(course, waits, more, on)
            parked = more.stop
            levels[factor * asked.count] = await _rounds(course, asked.rounds, on)
    return levels


async def _park(course: Track, waits: Side, numbers: range, on: Callable[[], None]) -> None:
    ids = await waits.begin(numbers, on)
    await until_waiting(waits, course.client, ids, WAITING, on)


async def _rounds(course: Track, rounds: int, on: Callable[[], None]) -> Mapping[str, Sequence[Round]]:
    found: dict[str, list[Round]] = {side.name: [] for side in course.sides}
    for _ in range(rounds):
        for side in course.sides:
            found[side.name].append(await course.round(side, NEW, on))
    return found


def _worker_cpu(rounds: Sequence[Round]) -> list[float]:
    return [1000 * each.cost.worker / each.journeys for each in rounds]
