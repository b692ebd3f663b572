"""What ``sojourn check-upgrade`` does: ask Temporal for runs under way, and say which could not go on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from rich.console import Console
from rich.progress import Progress
from rich.text import Text
from temporalio.service import RPCError

from journeys.problems import Unavailable
from terminal.temporal import Place, connected
from workflows import upgrade
from workflows.upgrade import Upgrade

NAMED = 10
"""So many runs are named of each reason."""


async def check(task_queue: str, sample: int, where: Place) -> Upgrade:
    """Replay a sample of the runs under way, and show how far it is.

    Raises Unavailable where Temporal does not answer.
    """
    client = await connected(where)
    try:
        # On standard error, so that standard output has the answer alone.
        with Progress(console=Console(stderr=True), transient=True) as progress:
            bar = progress.add_task("Replaying", total=None)
            return await upgrade.check_upgrade(
                client,
                task_queue,
                sample=sample,
                chosen=lambda count: progress.update(bar, total=count),
                done=lambda: progress.advance(bar),
            )
    except RPCError as error:
        raise Unavailable(f"Temporal does not answer: {error.message.rstrip('.')}.") from None


def told(found: Upgrade, task_queue: str) -> Iterator[Text]:
    """What became of the sample."""
    if not found.running:
        yield Text(f'No run is under way on the task queue "{task_queue}", so nothing was checked.', "yellow")
        yield Text("If there should be some: are TEMPORAL_NAMESPACE and SOJOURN_TASK_QUEUE those of the workers?")
        return
    gone = f" {found.gone} ended meanwhile." if found.gone else ""
    yield Text(f"Runs under way: {found.running}. Replayed: {found.replayed}.{gone}")
    if not found.broken:
        yield Text("All of these go on under this release.", "green")
        return
    yield Text(f"Could not go on under this release, so do not roll it out: {len(found.broken)}.", "bold red")
    by_reason = defaultdict[str, list[str]](list)
    for each in found.broken:
        by_reason[each.why].append(each.run)
    for why, runs in by_reason.items():
        yield Text(f"  {why}: {len(runs)}")
        yield from (Text(f"    {run}") for run in runs[:NAMED])
        if len(runs) > NAMED:
            yield Text(f"    and {len(runs) - NAMED} more, which --json names too")
