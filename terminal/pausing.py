"""What commands say of a journey that is paused, resumed or let go: since when, and how much waits."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from journeys.language.clock import say_instant
from journeys.language.durations import say
from store.counts import JourneyPause
from store.held_journeys import LetGo
from store.pausing import Paused, Resumed
from terminal.ending import on_their_way
from terminal.waiting import left_over


def paused(told: Paused) -> Iterator[Text]:
    """What pausing a journey does, or would do."""
    name, inside = (told.journey, "bold"), _people(told.active)
    if not told.changed:
        yield Text.assemble(name, f" is paused already, since {say_instant(told.paused.since)}; {waits(told.paused)}.")
    elif told.dry_run:
        yield Text.assemble(name, f" would be paused: nobody enters, and nothing goes out. {inside} inside.")
        yield Text("They go on up to their next message or action, and wait there. Whoever would enter waits too.")
    else:
        yield Text.assemble(name, f" is paused: nobody enters, and nothing goes out. {inside} inside.")
        yield Text(f"They go on up to their next message or action, and wait there: sojourn resume {told.journey}")
    yield from on_their_way(told.in_flight)


def resumed(told: Resumed) -> Iterator[Text]:
    """What resuming a journey does, or would do."""
    name = (told.journey, "bold")
    if told.paused is None:
        yield Text.assemble(name, " is not paused: there is nothing to resume.")
        yield from left_over(told.journey, told.to_go)
        return
    since = (
        f"paused since {say_instant(told.paused.since)}; {waits(told.paused, 'wait' if told.dry_run else 'waited')}."
    )
    yield Text.assemble(name, f" is {since}" if told.dry_run else f" goes on. It was {since}")
    if told.catch_up == "skip":
        yield Text("Resumed, all that would be left out." if told.dry_run else "All that is left out.")
        yield from _held_too(told)
        yield from left_over(told.journey, told.to_go)
        return
    would = "Resumed, what waits would go" if told.dry_run else "What waited goes"
    how = f"out within {say(told.spread)}, one after the other, as far as nothing else is against it."
    yield Text(f"{would} {how} Starts are decided anew.")
    yield from _held_too(told)
    yield from left_over(told.journey, told.to_go)


def released(told: LetGo) -> Iterator[Text]:
    """What letting a journey go does, or would do."""
    if told.held is None:
        yield Text.assemble((told.journey, "bold"), " is not held: there is nothing to let go.")
        yield from left_over(told.journey, told.to_go)
        return
    since = f"held since {say_instant(told.held.since)}: {told.held.why}."
    waited = "1 message" if told.held.waiting == 1 else f"{told.held.waiting} messages"
    how = f"out within {say(told.spread)}, one after the other, as far as nothing else is against it."
    if told.dry_run:
        yield Text.assemble((told.journey, "bold"), f" is {since}")
        yield Text(f"Let go, what waits would go {how} That is {waited}.")
    else:
        yield Text.assemble((told.journey, "bold"), f" is let go. It was {since}")
        yield Text(f"What waited goes {how} That is {waited}.")
    if told.paused:
        yield Text(f"It is paused too: nothing goes out before sojourn resume {told.journey}.", "yellow")
    yield from left_over(told.journey, told.to_go)


def _held_too(told: Resumed) -> Iterator[Text]:
    if told.held:
        yield Text(f"The brake holds it too: nothing goes out before sojourn release {told.journey}.", "yellow")


def waits(pause: JourneyPause, verb: str = "wait") -> str:
    """How much waits for the resume."""
    messages = "1 message" if pause.waiting_messages == 1 else f"{pause.waiting_messages} messages"
    starts = "1 start" if pause.waiting_starts == 1 else f"{pause.waiting_starts} starts"
    return f"{messages} and {starts} {verb}"


def _people(number: int) -> str:
    return "1 person is" if number == 1 else f"{number} people are"
