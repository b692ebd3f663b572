"""What commands say of journeys that end, and of runs that are ended: what they would do, and what they did."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from store.cancelling import CancelledRun, CancelledRuns
from store.completing import Archived, Completed
from store.inside import Affected
from store.stopping import Stopped
from terminal.confirming import Words
from terminal.numbers import counted, otherwise
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
        yield Text.assemble((which(told), "bold"), f" is stopped: {doors}. {_ended(told)}: {_runs(told.runs)}.")
    yield from _by_version(told) if told.version is None else ()
    yield from on_their_way(told.in_flight)
    yield from _waiting(told)
    yield from left_over(told.journey, told.to_go)


def was_stopped(told: Stopped, would: Stopped) -> Iterator[Text]:
    """What a stop did, to whoever was told before what it would do."""
    if not told.changed and not told.runs:
        yield from stopped(told)
        return
    ended = f"{_runs(told.runs)}{otherwise(told.runs, would.runs)}"
    yield Text.assemble((which(told), "bold"), f" is stopped. {_ended(told)}: {ended}.")
    yield from _that_is_otherwise(told, would)
    yield from left_over(told.journey, told.to_go)


def _ended(told: Stopped) -> str:
    return "To be ended" if told.to_go else "Ended"


STOP = Words(stopped, lambda would: f"Stop {which(would)}?" if would.changed or would.runs else None, was_stopped)


def completed(told: Completed) -> Iterator[Text]:
    """What completing a journey does, or would do."""
    inside = f"{_runs(told.runs)} under way" if told.runs else "nobody is inside"
    if not told.changed:
        yield Text.assemble((told.journey, "bold"), f" lets nobody in already: {inside}.")
    else:
        lets = "would let" if told.dry_run else "lets"
        yield Text.assemble((told.journey, "bold"), f" {lets} nobody in any more: {inside}.")
        if told.runs:
            yield Text("Whoever is inside finishes.")
    yield from _by_version(told)
    yield from _parked(told)
    yield from _waiting(told)


def _parked(told: Completed) -> Iterator[Text]:
    if told.parked:
        is_parked = (
            "1 of them is parked, and finishes" if told.parked == 1 else f"{told.parked} of them are parked, and finish"
        )
        yield Text(f"{is_parked} once repaired: sojourn repair {told.journey}", "yellow")


def was_completed(told: Completed, would: Completed) -> Iterator[Text]:
    """What completing a journey did, to whoever was told before what it would do."""
    if not told.changed:
        yield from completed(told)
        return
    inside = f"{_runs(told.runs)} under way" if told.runs else "nobody is inside"
    under_way = f"{inside}{otherwise(told.runs, would.runs)}"
    yield Text.assemble((told.journey, "bold"), f" lets nobody in any more: {under_way}.")
    yield from _parked(told) if told.parked != would.parked else ()
    yield from _that_is_otherwise(told, would)


COMPLETE = Words(
    completed, lambda would: f"Let nobody enter {would.journey} any more?" if would.changed else None, was_completed
)


def archived(told: Archived) -> Iterator[Text]:
    """What archiving a journey does, or would do."""
    where = "in no list of journeys" if told.archived else "in the list of journeys"
    how = "already " if not told.changed else "now "
    if told.dry_run and told.changed:
        yield Text.assemble((told.journey, "bold"), f" would be {where}. Nothing of it is lost.")
    else:
        yield Text.assemble((told.journey, "bold"), f" is {how}{where}. Nothing of it is lost.")


def was_archived(told: Archived, _: Archived) -> Iterator[Text]:
    """What archiving a journey did, to whoever was told before what it would do."""
    if not told.changed:
        yield from archived(told)
    else:
        yield Text.assemble((told.journey, "bold"), " is archived." if told.archived else " is listed again.")


def _asks_to_archive(would: Archived) -> str | None:
    return f"{'Archive' if would.archived else 'Take back'} {would.journey}?" if would.changed else None


ARCHIVE = Words(archived, _asks_to_archive, was_archived)


def cancelled_run(told: CancelledRun) -> Iterator[Text]:
    """What cancelling a run does, or would do."""
    if not told.changed:
        yield Text.assemble((told.run, "bold"), f" is over already: {told.ended}.")
    elif told.dry_run:
        yield Text.assemble((told.run, "bold"), " would end where it stands.")
    else:
        yield Text.assemble((told.run, "bold"), " is cancelled: nothing of it is sent any more.")
    yield from on_their_way(told.in_flight)


def was_cancelled(told: CancelledRun, would: CancelledRun) -> Iterator[Text]:
    """What cancelling a run did, to whoever was told before what it would do."""
    if not told.changed:
        yield from cancelled_run(told)
        return
    yield Text.assemble((told.run, "bold"), " is cancelled.")
    if told.in_flight != would.in_flight:
        yield from on_their_way(told.in_flight)


CANCEL_RUN = Words(cancelled_run, lambda would: f"Cancel {would.run}?" if would.changed else None, was_cancelled)


def cancelled_runs(told: CancelledRuns) -> Iterator[Text]:
    """What cancelling all runs of a customer does, or would do."""
    if told.runs:
        ended = "Would end where they stand" if told.dry_run else "Cancelled"
        yield Text.assemble(f"{ended}: {_runs(told.runs)} of customer ", (told.customer, "bold"), ".")
        for each in told.inside:
            yield Text(f"  {each.journey}: {_runs(each.runs)}")
    elif not told.waiting:
        yield Text.assemble("Customer ", (told.customer, "bold"), " is in no journey that could be cancelled.")
    yield from _dropped(told.waiting, "a journey", dry_run=told.dry_run)
    yield from on_their_way(told.in_flight)


def were_cancelled(told: CancelledRuns, would: CancelledRuns) -> Iterator[Text]:
    """What cancelling all runs of a customer did, to whoever was told before what it would do."""
    if not told.runs and not told.waiting:
        yield from cancelled_runs(told)
        return
    runs = f"{_runs(told.runs)}{otherwise(told.runs, would.runs)}"
    starts = f"{counted(told.waiting, 'start')} that waited{otherwise(told.waiting, would.waiting)}"
    some = [runs] if told.runs or would.runs else []
    some += [starts] if told.waiting or would.waiting else []
    yield Text(f"Cancelled: {' and '.join(some)} of {told.customer}.")
    if told.in_flight != would.in_flight:
        yield from on_their_way(told.in_flight)


def _asks_to_cancel(would: CancelledRuns) -> str | None:
    some = [_runs(would.runs)] if would.runs else []
    some += [counted(would.waiting, "waiting start")] if would.waiting else []
    return f"Cancel {' and '.join(some)} of customer {would.customer}?" if some else None


CANCEL_ALL = Words(cancelled_runs, _asks_to_cancel, were_cancelled)


def _that_is_otherwise(told: Stopped | Completed, would: Affected) -> Iterator[Text]:
    """What is on its way, and who waited to enter, where it is not what was told before."""
    if told.in_flight != would.in_flight:
        yield from on_their_way(told.in_flight)
    if told.waiting != would.waiting:
        yield from _waiting(told)


def _by_version(told: Affected) -> Iterator[Text]:
    for each in told.inside:
        yield Text(f"  version {each.version}: {_runs(each.runs)}")


def on_their_way(in_flight: int) -> Iterator[Text]:
    """What cannot be called back any more."""
    if in_flight:
        are = "1 message is" if in_flight == 1 else f"{in_flight} messages are"
        yield Text(f"{are} on the way to a provider, and may still arrive.")


def _waiting(told: Stopped | Completed) -> Iterator[Text]:
    yield from _dropped(told.waiting, "it", dry_run=told.dry_run)


def _dropped(waiting: int, what: str, *, dry_run: bool) -> Iterator[Text]:
    if waiting:
        dropped = "would be dropped" if dry_run else "dropped"
        yield Text(f"{counted(waiting, 'start')} waited for {what} to be resumed: {dropped}.")


def _runs(number: int) -> str:
    return counted(number, "run")
