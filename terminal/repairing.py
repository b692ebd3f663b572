"""What ``sojourn repair`` says of runs that are parked: which try again, or go on without what has failed."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from journeys.language.clock import say_instant
from journeys.language.durations import say
from store.repairs import Repaired
from terminal.confirming import Words
from terminal.numbers import counted, otherwise
from terminal.waiting import left_over


def repaired(told: Repaired) -> Iterator[Text]:
    """What a repair does, or would do."""
    if not told.count:
        yield Text.assemble("No run of ", (told.journey, "bold"), " is parked that this is about: nothing to repair.")
        yield Text("What is parked where, and why: sojourn problems")
        yield from left_over(told.journey, told.to_go)
        return
    does = "would be" if told.dry_run else "is" if told.count == 1 else "are"
    how = "let go on without it" if told.instead else "tried again"
    yield Text.assemble((told.journey, "bold"), f": {counted(told.count, 'run')} {does} {how}.")
    for parked in told.parked:
        yield Text(
            f"  {counted(parked.count, 'run')} at {parked.step}, since {say_instant(parked.since)}: {parked.why}"
        )
    if not told.instead:
        yield Text(f"Messages go out within {say(told.spread)}, one after the other,")
        yield Text("as far as nothing is against it.")
    yield from left_over(told.journey, told.to_go)


def was_repaired(told: Repaired, would: Repaired) -> Iterator[Text]:
    """What a repair did, to whoever was told before what it would do."""
    if not told.count:
        yield from repaired(told)
        return
    does = "let go on without it" if told.instead else "tried again"
    runs = f"{counted(told.count, 'run')}{otherwise(told.count, would.count)}"
    yield Text.assemble((told.journey, "bold"), f": {runs} {'is' if told.count == 1 else 'are'} {does}.")
    yield from left_over(told.journey, told.to_go)


def _question(would: Repaired) -> str | None:
    if not would.count:
        return None
    runs = counted(would.count, "run")
    return f"Let {runs} go on without it?" if would.instead else f"Try {runs} again?"


REPAIR = Words(repaired, _question, was_repaired)
