"""What commands say of journeys that end, and of runs that are ended: what they would do, and what they did."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from store.cancelling import CancelledRun, CancelledRuns
from store.completing import Archived, Completed
from store.inside import Affected
from store.stopping import Stopped
from terminal.waiting import left_over


def which(told: Stopped) -> str:
    """What is stopped: ``welcome``, or ``version 2 of welcome``."""
    return told.journey if told.version is None else f"version {told.version} of {told.journey}"


def stopped(told: Stopped) -> Iterator[Text]:
    """What stopping a journey does, or would do."""
    if not told.changed and not told.runs:
        yield Text.assemble((which(told), "bold"), " is over already: there is nobody inside to stop.")
        yield from left_over(told.journey, told.to_go)
        return
    doors = "nobody enters it any more" if told.version is None else "people of other versions go on"
    if told.dry_run:
        yield Text.assemble((which(told), "bold"), f" would be stopped: {doors}. To be ended: {_runs(told.runs)}.")
    else:
        ended = "To be ended" if told.to_go else "Ended"
        yield Text.assemble((which(told), "bold"), f" is stopped: {doors}. {ended}: {_runs(told.runs)}.")
    yield from _by_version(told)
    yield from on_their_way(told.in_flight)
    yield from _waiting(told)
    yield from left_over(told.journey, told.to_go)


def completed(told: Completed) -> Iterator[Text]:
    """What completing a journey does, or would do."""
    inside = f"{_runs(told.runs)} under way" if told.runs else "nobody is inside"
    if not told.changed:
        yield Text.assemble((told.journey, "bold"), f" lets nobody in already: {inside}.")
    elif told.dry_run:
        yield Text.assemble(
            (told.journey, "bold"), f" would let nobody in any more; whoever is inside finishes: {inside}."
        )
    else:
        yield Text.assemble((told.journey, "bold"), f" lets nobody in any more; whoever is inside finishes: {inside}.")
    yield from _by_version(told)
    if told.parked:
        parked = "1 of them is" if told.parked == 1 else f"{told.parked} of them are"
        yield Text(f"{parked} parked, and finishes once repaired: sojourn repair {told.journey}", "yellow")
    yield from _waiting(told)


def archived(told: Archived) -> Iterator[Text]:
    """What archiving a journey does, or would do."""
    where = "in no list of journeys" if told.archived else "in the list of journeys"
    how = "already " if not told.changed else "now "
    if told.dry_run and told.changed:
        yield Text.assemble((told.journey, "bold"), f" would be {where}. Nothing of it is lost.")
    else:
        yield Text.assemble((told.journey, "bold"), f" is {how}{where}. Nothing of it is lost.")


def cancelled_run(told: CancelledRun) -> Iterator[Text]:
    """What cancelling a run does, or would do."""
    if not told.changed:
        yield Text.assemble((told.run, "bold"), f" is over already: {told.ended}.")
    elif told.dry_run:
        yield Text.assemble((told.run, "bold"), " would end where it stands.")
    else:
        yield Text.assemble((told.run, "bold"), " is cancelled: nothing of it is sent any more.")
    yield from on_their_way(told.in_flight)


def cancelled_runs(told: CancelledRuns) -> Iterator[Text]:
    """What cancelling all runs of a customer does, or would do."""
    if told.runs:
        ended = "Would end where they stand" if told.dry_run else "Cancelled"
        yield Text.assemble(f"{ended}: {_runs(told.runs)} of customer ", (told.customer, "bold"), ".")
        for each in told.inside:
            yield Text(f"  {each.journey}: {_runs(each.runs)}")
    elif not told.waiting:
        yield Text.assemble("Customer ", (told.customer, "bold"), " is in no journey that could be cancelled.")
    if told.waiting:
        dropped = "would be dropped" if told.dry_run else "dropped"
        yield Text(f"{_starts(told.waiting)} waited for a journey to be resumed: {dropped}.")
    yield from on_their_way(told.in_flight)


def _by_version(told: Affected) -> Iterator[Text]:
    for each in told.inside:
        yield Text(f"  version {each.version}: {_runs(each.runs)}")


def on_their_way(in_flight: int) -> Iterator[Text]:
    """What cannot be called back any more."""
    if in_flight:
        are = "1 message is" if in_flight == 1 else f"{in_flight} messages are"
        yield Text(f"{are} on the way to a provider, and may still arrive.")


def _waiting(told: Affected) -> Iterator[Text]:
    if told.waiting:
        yield Text(f"{_starts(told.waiting)} waited for it to be resumed: dropped.")


def _runs(number: int) -> str:
    return "1 run" if number == 1 else f"{number} runs"


def _starts(number: int) -> str:
    return "1 start" if number == 1 else f"{number} starts"
