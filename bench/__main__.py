"""Measure, and print what came out: ``python -m bench [WHAT …] [--count N] [--rounds N] [--database NAME]``."""

from __future__ import annotations

import asyncio
import sys
import traceback
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench import growth, indexes, ingest, journeys, keep, statements, timers
from bench.asked import Asked
from bench.entry import leave
from bench.setting import DATABASES
from terminal.lifetimes import cancelled_by_signals, one_error


class Measure(NamedTuple):
    """A measurement, and how many it usually takes."""

    measure: Callable[[Asked, Progress], Awaitable[Table]]
    usual: int


MEASURES = {
    "statements": Measure(statements.measure, 1),
    "ingest": Measure(ingest.measure, 2000),
    "keep": Measure(keep.measure, 1000),
    "indexes": Measure(indexes.measure, 400),
    "journeys": Measure(journeys.measure, 300),
    "timers": Measure(timers.measure, 10_000),
    "growth": Measure(growth.measure, 100),
}
WIDE = 140


async def main() -> int:
    """Measure what was asked for, or everything. Returns the exit code."""
    asked = _read()
    errors = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        with cancelled_by_signals():
            for name in asked.what or MEASURES:
                measure, usual = MEASURES[name]
                wanted = Asked(asked.count or usual, asked.rounds, tuple(asked.database or DATABASES), asked.profile)
                with Progress(*columns, console=errors, transient=True) as progress, one_error():
                    table = await measure(wanted, progress)
                Console(width=None if sys.stdout.isatty() else WIDE).print(table)
    except asyncio.CancelledError:
        errors.print("ended")
        return 130
    except RuntimeError as error:
        errors.print(str(error), markup=False)
        return 1
    return 0


def _read() -> Namespace:
    parser = ArgumentParser(prog="bench", description="What Sojourn costs, as a ratio to a yardstick in the same run.")
    parser.add_argument("what", nargs="*", help=f"of: {', '.join(MEASURES)}")
    parser.add_argument("--count", type=_positive, help="how many to measure with")
    parser.add_argument("--rounds", type=_positive, default=5, help="how often; the median is shown")
    parser.add_argument("--database", action="append", choices=DATABASES, help="this one only")
    parser.add_argument("--profile", type=Path, metavar="FILE", help="sample the first worker: .svg, .json or .txt")
    asked = parser.parse_args()
    if wrong := set(asked.what) - set(MEASURES):
        parser.error(f"there is no measurement {', '.join(sorted(wrong))}; there is {', '.join(MEASURES)}")
    return asked


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f'expected a whole number of at least 1; found "{text}"')
    return int(text)


if __name__ == "__main__":
    code = 1
    try:
        code = asyncio.run(main())
    except Exception:  # noqa: BLE001 - it is told, and we leave as we must
        traceback.print_exc()
    leave(code)
