"""Measure, and print what came out: ``python -m bench [ingest|journeys] [--count N]``."""

from __future__ import annotations

import asyncio
import os
import sys
from argparse import ArgumentParser

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench import ingest, journeys

MEASURES = {"ingest": (ingest.measure, 4000), "journeys": (journeys.measure, 300)}


async def main() -> None:
    """Measure what was asked for, or everything."""
    parser = ArgumentParser(prog="bench", description="Speeds, and ratios to a yardstick in the same run.")
    parser.add_argument("what", nargs="*", help=f"of: {', '.join(MEASURES)}")
    parser.add_argument("--count", type=int, help="how many to measure with")
    asked = parser.parse_args()
    if wrong := set(asked.what) - set(MEASURES):
        parser.error(f"there is no measurement {', '.join(sorted(wrong))}; there is {', '.join(MEASURES)}")
    table = Table("what", "measured")
    for name in asked.what or MEASURES:
        measure, usual = MEASURES[name]
        with Progress(console=Console(stderr=True), transient=True) as progress:
            results = await measure(asked.count or usual, progress)
        for what, value in results.items():
            table.add_row(what, f"{value:,.2f}")
    Console().print(table)


if __name__ == "__main__":
    asyncio.run(main())
    sys.stdout.flush()
    os._exit(0)  # temporalio may abort while the interpreter ends (sdk-python #300)
