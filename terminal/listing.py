"""Journeys as a list, and one with its versions: in which state they are, and how many people are where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from journeys.language.clock import say_instant
from journeys.models import Frozen
from store.counts import Counts, JourneyView
from store.showing import Unreadable
from terminal.pausing import waits
from terminal.publishing import still_to_move
from terminal.show import columns
from terminal.waiting import still_to_go

ENDS = ("completed", "exited", "stopped", "cancelled", "aborted")
STATES = {
    "live": "green",
    "completing": "green",
    "paused": "bold yellow",
    "held": "bold red",
    "stopped": "red",
}


class Journeys(Frozen):
    """The list of journeys, as the API answers it."""

    journeys: tuple[JourneyView, ...]
    unreadable: tuple[Unreadable, ...] = ()


def journeys(views: Sequence[JourneyView], unreadable: Sequence[Unreadable] = ()) -> Iterator[Text]:
    """All of them by name."""
    if not views:
        yield Text("No journeys. Archived ones: sojourn journeys --archived")
    else:
        yield from columns([("Journey", "State", "Version", "Inside", "Ended"), *map(_row, views)])
    for each in unreadable:
        yield Text(f"{each.name}: {each.detail}", "red")


def journey(view: JourneyView) -> Iterator[Text]:
    """One journey: its state and since when, its versions, and its goal."""
    yield Text.assemble((view.name, "bold"), f"  {view.title}  ", _state(view))
    for said, at in (
        ("nobody enters since", view.closed_at),
        ("stopped at", view.stopped_at),
        ("archived at", view.archived_at),
    ):
        if at is not None:
            yield Text(f"  {said} {say_instant(at)}")
    yield from _waits(view)
    if view.versions:
        heading = ("Version", "State", "Published", "Inside", "Ended")
        yield Text()
        yield from columns(
            [
                heading,
                *(
                    [f"v{each.number}", each.state, say_instant(each.published_at), *_counts(each.counts)]
                    for each in view.versions
                ),
            ]
        )
    for each in view.versions:
        if each.move and each.move.to_move:
            yield Text(f"{still_to_move(each.move)} to v{each.number}, {each.move.moved} were so far.", "yellow")
    if view.to_go:
        yield Text(f"{still_to_go(view.to_go)}: workers go on with them.", "yellow")
    if view.counts.pruned:
        yield Text(f"Kept no more: {view.counts.pruned} of those that ended, which are in no list", "dim")
    if view.edited:
        yield Text(f"The draft is not what newcomers walk. To publish it: sojourn publish {view.name}", "dim")
    if view.goal:
        yield Text(f"Goal: met by {view.goal.met} of {view.goal.entered} people")


def _waits(view: JourneyView) -> Iterator[Text]:
    """What keeps messages back, the brake or a pause, and who is parked; and what lets them go."""
    if view.held:
        yield Text(
            f"  held since {say_instant(view.held.since)}: {view.held.why}. Messages that wait: {view.held.waiting}"
        )
        yield Text(f"  Once all is well: sojourn release {view.name}", "green")
    if view.paused:
        yield Text(f"  paused since {say_instant(view.paused.since)}; {waits(view.paused)}.")
        yield Text(f"  To let it go on: sojourn resume {view.name}", "green")
    if view.parked:
        yield Text(f"  parked, until they are repaired: {view.parked}.")
        yield Text(f"  To see why: sojourn repair {view.name} --dry-run", "green")


def _row(view: JourneyView) -> Sequence[str | Text]:
    version = f"v{view.live_version}" if view.live_version else ""
    return (view.name, _state(view), version, *_counts(view.counts))


def _state(view: JourneyView) -> Text:
    archived = ", archived" if view.archived_at else ""
    return Text(f"{view.state}{archived}", STATES.get(view.state, ""))


def _counts(counts: Counts) -> tuple[str, str]:
    """How many are inside, and how the others ended."""
    ended = {end: getattr(counts, end) for end in ENDS}
    return str(counts.active), ", ".join(f"{number} {end}" for end, number in ended.items() if number)
