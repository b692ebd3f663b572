"""What ``sojourn release`` says of a journey that the brake holds: since when, why, and how much waits."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from journeys.language.clock import say_instant
from journeys.language.durations import say
from store.held_journeys import LetGo
from terminal.confirming import Words
from terminal.numbers import counted, otherwise
from terminal.waiting import left_over


def released(told: LetGo) -> Iterator[Text]:
    """What letting a journey go does, or would do."""
    if told.held is None:
        yield Text.assemble((told.journey, "bold"), " is not held: there is nothing to let go.")
        yield from left_over(told.journey, told.to_go)
        return
    since = f"held since {say_instant(told.held.since)}: {told.held.why}."
    messages = counted(told.held.waiting, "message")
    how = f"out within {say(told.spread)}, one after the other,"
    if told.dry_run:
        yield Text.assemble((told.journey, "bold"), f" is {since}")
        yield Text(f"Let go, what waits would go {how}")
    else:
        yield Text.assemble((told.journey, "bold"), f" is let go. It was {since}")
        yield Text(f"What waited goes {how}")
    yield Text(f"as far as nothing else is against it. That is {messages}.")
    yield from _paused_too(told)
    yield from left_over(told.journey, told.to_go)


def was_released(told: LetGo, would: LetGo) -> Iterator[Text]:
    """What letting a journey go did, to whoever was told before what it would do."""
    if told.held is None or would.held is None:
        yield from released(told)
        return
    waited = f"{counted(told.held.waiting, 'message')} waited{otherwise(told.held.waiting, would.held.waiting)}"
    yield Text.assemble((told.journey, "bold"), f" is let go; {waited}.")
    yield from _paused_too(told) if told.paused != would.paused else ()
    yield from left_over(told.journey, told.to_go)


def _paused_too(told: LetGo) -> Iterator[Text]:
    if told.paused:
        yield Text(f"It is paused too: nothing goes out before sojourn resume {told.journey}.", "yellow")


RELEASE = Words(released, lambda would: f"Let {would.journey} go?" if would.held else None, was_released)
