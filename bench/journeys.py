"""The abandoned cart, from its event to its end: Sojourn against a hand-written workflow, in alternating rounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rich.progress import Progress
from rich.table import Table

from bench.asked import Asked
from bench.profiling import sampled
from bench.showing import Sheet, middle
from bench.spending import Spent
from bench.track import Round, Track, track


async def measure(asked: Asked, progress: Progress) -> Table:
    """Walk *count* customers through the whole journey in each round, on each side in turn."""
    async with track(asked.databases, asked.count * (asked.rounds + 1)) as course:
        worker = course.sides[1].worker.pid
        async with sampled(asked.profile, worker):
            rounds = await in_rounds(course, asked, progress)
    return _table(rounds, course.idle, asked)


async def in_rounds(course: Track, asked: Asked, progress: Progress) -> Mapping[str, Sequence[Round]]:
    """The rounds of each side, after one that warms up."""
    task = progress.add_task("warming up", total=asked.count * len(course.sides) * (asked.rounds + 1))
    ended: Callable[[], None] = lambda: progress.advance(task)  # noqa: E731
    for side in course.sides:
        await course.round(side, asked.count, ended)
    rounds: dict[str, list[Round]] = {side.name: [] for side in course.sides}
    for number in range(asked.rounds):
        for side in course.sides:
            progress.update(task, description=f"round {number + 1}, {side.name}")
            rounds[side.name].append(await course.round(side, asked.count, ended))
    return rounds


def _table(rounds: Mapping[str, Sequence[Round]], idle: Mapping[str, Spent], asked: Asked) -> Table:
    def cpu(part: str) -> Callable[[str], Sequence[float]]:
        return lambda side: [1000 * float(getattr(each.cost, part)) / each.journeys for each in rounds[side]]

    sheet = Sheet(f"Journeys: {asked.rounds} rounds of {asked.count}; median (least – most)", tuple(rounds))
    sheet.compare("worker CPU, ms a journey", cpu("worker"))
    sheet.compare("Temporal server CPU, ms a journey", cpu("temporal"))
    sheet.compare("starting: CPU, ms a journey", cpu("starter"))
    sheet.compare("journeys a second", lambda side: [each.journeys / each.seconds for each in rounds[side]])
    database = cpu("database")
    costs = [middle(database(side), 1) if any(database(side)) else "–" for side in rounds]
    sheet.row("PostgreSQL server CPU, ms a journey", costs)
    for part in ("worker", "temporal", "starter"):
        spare = [f"{1000 * getattr(idle[side], part) / idle[side].wall:,.1f}" for side in rounds]
        sheet.row(f"idle {part} CPU, ms a second (left out above)", spare)
    return sheet.table
