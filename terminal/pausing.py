"""What commands say of a journey that is paused or resumed: since when, and how much waits."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from journeys.language.clock import say_instant
from journeys.language.durations import say
from store.counts import JourneyPause
from store.pausing import Paused, Resumed
from terminal.confirming import Words
from terminal.ending import on_their_way
from terminal.numbers import counted, otherwise
from terminal.waiting import left_over


def paused(told: Paused) -> Iterator[Text]:
    """What pausing a journey does, or would do."""
    name = (told.journey, "bold")
    if not told.changed:
        yield Text.assemble(name, f" is paused already, since {say_instant(told.paused.since)}; {waits(told.paused)}.")
    else:
        does = "would be paused" if told.dry_run else "is paused"
        yield Text.assemble(name, f" {does}: nobody enters, and nothing goes out.")
        yield Text(f"{_inside(told.active)}.")
        if told.active:
            yield Text("Whoever is inside goes on up to the next message or action, and waits there.")
        yield _how_it_goes_on(told) if not told.dry_run else Text("Whoever would enter waits, too.")
    yield from on_their_way(told.in_flight)


def was_paused(told: Paused, would: Paused) -> Iterator[Text]:
    """What pausing a journey did, to whoever was told before what it would do."""
    if not told.changed:
        yield from paused(told)
        return
    inside = f"{_inside(told.active)}{otherwise(told.active, would.active)}"
    yield Text.assemble((told.journey, "bold"), f" is paused. {inside}.")
    if told.in_flight != would.in_flight:
        yield from on_their_way(told.in_flight)
    yield _how_it_goes_on(told)


def _inside(active: int) -> str:
    if not active:
        return "Nobody is inside"
    return "1 person is inside" if active == 1 else f"{active} people are inside"


def _how_it_goes_on(told: Paused) -> Text:
    return Text(f"To let it go on: sojourn resume {told.journey}", "green")


PAUSE = Words(paused, lambda would: f"Pause {would.journey}?" if would.changed else None, was_paused)


def resumed(told: Resumed) -> Iterator[Text]:
    """What resuming a journey does, or would do."""
    name = (told.journey, "bold")
    if told.paused is None:
        yield Text.assemble(name, " is not paused: there is nothing to resume.")
        yield from left_over(told.journey, told.to_go)
        return
    since = say_instant(told.paused.since)
    if told.dry_run:
        yield Text.assemble(name, f" is paused since {since}; {waits(told.paused)}.")
    else:
        yield Text.assemble(name, f" goes on. It was paused since {since}; {waited(told.paused)}.")
    if how_much(told.paused) != NOTHING:
        yield from _catches_up(told)
    yield from _held_too(told)
    yield from left_over(told.journey, told.to_go)


def was_resumed(told: Resumed, would: Resumed) -> Iterator[Text]:
    """What resuming a journey did, to whoever was told before what it would do."""
    if told.paused is None or would.paused is None:
        yield from resumed(told)
        return
    is_as_told = how_much(told.paused) == how_much(would.paused)
    before = "" if is_as_told else f" ({how_much(would.paused)} when you were asked)"
    left = ", which is left out" if told.catch_up == "skip" and how_much(told.paused) != NOTHING else ""
    yield Text.assemble((told.journey, "bold"), f" goes on; {waited(told.paused)}{before}{left}.")
    yield from _held_too(told) if told.held != would.held else ()
    yield from left_over(told.journey, told.to_go)


def _catches_up(told: Resumed) -> Iterator[Text]:
    """What becomes of what waits, or has waited."""
    if told.catch_up == "skip":
        yield Text("Resumed, all that would be left out." if told.dry_run else "All that is left out.")
        return
    would = "Resumed, what waits would go" if told.dry_run else "What waited goes"
    yield Text(f"{would} out within {say(told.spread)}, one after the other,")
    yield Text("as far as nothing else is against it. Starts are decided anew.")


def _held_too(told: Resumed) -> Iterator[Text]:
    if told.held:
        yield Text(f"The brake holds it too: nothing goes out before sojourn release {told.journey}.", "yellow")


RESUME = Words(resumed, lambda would: f"Resume {would.journey}?" if would.paused else None, was_resumed)


NOTHING = "nothing"


def waits(pause: JourneyPause) -> str:
    """How much waits for the resume, as a sentence: ``1 message and 2 starts wait``."""
    number = pause.waiting_messages + pause.waiting_starts
    return f"{how_much(pause)} {'waits' if number <= 1 else 'wait'}"


def waited(pause: JourneyPause) -> str:
    """How much has waited for it."""
    return f"{how_much(pause)} waited"


def how_much(pause: JourneyPause) -> str:
    """The messages and starts that wait, as far as there are any."""
    messages = [counted(pause.waiting_messages, "message")] if pause.waiting_messages else []
    starts = [counted(pause.waiting_starts, "start")] if pause.waiting_starts else []
    return " and ".join([*messages, *starts]) or NOTHING
