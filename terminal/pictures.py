"""Journeys as pictures for a terminal: a preview as a timeline, and every way through."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from rich.text import Text

from journeys.clearance.releases import Over
from journeys.definition import Journey
from journeys.facts import Decision
from journeys.language.durations import say
from journeys.starting import WAITED
from journeys.steps import every_step
from journeys.walk.diary import Entry
from journeys.walk.paths import PathChoice, Paths
from journeys.walk.script import Happening
from journeys.walk.timeline import Heard, PreviewHold, PreviewMove, PreviewRun, PreviewSend, Timeline
from terminal.folder import Script
from terminal.show import COLOURS, happened, journey_time, quoted, said


def timeline(played: Timeline, journey: Journey, script: Script, customer: str) -> Iterator[Text]:
    """A preview: who would get what and when, line by line."""
    yield Text.assemble((journey.title or journey.journey, "bold"), (f"  {journey.journey}", "dim"))
    about = f"  customer {customer}; times are in UTC; a preview, nothing is sent"
    yield Text.assemble(script.title or script.script, (about, "dim"))
    yield Text()
    last = None
    for line in sorted(_lines(played, script, journey), key=lambda line: (line.at, line.rank)):
        yield Text.assemble("  ", _when(line.at, played.started_at, line.at == last), "  ", *line.said)
        last = line.at
    yield Text()
    yield _summary(played)


def paths(found: Paths, journey: Journey) -> Iterator[Text]:
    """The ways through a journey, with when each message would go."""
    yield Text.assemble((journey.title or journey.journey, "bold"), (f"  {_ways(found)}", "dim"))
    for number, path in enumerate(found.paths, 1):
        yield Text()
        choices = "; ".join(map(_choice, path.choices))
        yield Text.assemble((f"{number}  ", "bold"), choices or "straight through")
        for message in path.messages:
            kind = (f"→ {message.kind:<6}", COLOURS[message.kind])
            yield Text.assemble(f"   {_between(message.earliest, message.latest)}  ", kind, message.content)
        yield Text.assemble(f"   {_between(path.earliest_end, path.latest_end)}  ", ("✓ completed", "green"))
    if journey.exit:
        exits = " or ".join(dict.fromkeys(leaving.words for leaving in journey.exit))
        yield Text()
        yield Text(f"At any moment, {exits} ends it, and nothing more is sent.")


def _choice(choice: PathChoice) -> str:
    """An arm that a path takes, and when it is taken."""
    return f"{choice.step}: {choice.arm}" + (f" ({choice.why})" if choice.why else "")


A_LOT = 10**15
"""Of more ways than that only the order is told."""


@dataclass(frozen=True)
class _Line:
    at: datetime
    rank: int
    said: tuple[Text | str, ...]


def _lines(played: Timeline, script: Script, journey: Journey) -> Iterator[_Line]:
    moments = {step.id for step in every_step(journey.steps) if step.moment is not None}
    numbers = {run.id: number for number, run in enumerate(played.runs, 1)}
    lines = sorted(script.events, key=lambda line: line.at)
    for line, heard in zip(lines, played.events, strict=True):
        yield _Line(heard.at, 0, (Text(happening(line), "bold"),))
        if line.publish:
            yield from (_Line(move.at, 0, ("  ", told)) for move, told in _moved(played, heard.at, numbers))
        for told in _decisions(heard, numbers) if heard.decisions or not line.governs else ():
            yield _Line(heard.at, 0, ("  ", told))
    for run in played.runs:
        for entry in run.diary:
            for told in (*_entered(entry, run, moments), *_made(entry, run, played, numbers), *_passed(entry, run)):
                yield _Line(entry.at, 1, ("  ", *_whose(run.id, numbers), told))
            for hold in run.holds if entry.did == "entered" else ():
                if hold.step == entry.step:
                    yield _Line(hold.at, 1, ("  ", *_whose(run.id, numbers), _held(hold)))
        if run.ended and run.ended_at and run.ended != "exited":  # an exit is told with its event
            yield _Line(run.ended_at, 2, ("  ", *_whose(run.id, numbers), happened(run.ended, run.why)))


def happening(line: Happening) -> str:
    """What a line of a script says that somebody does."""
    if line.message:
        return f"{line.message} {line.is_}"
    if line.governs:
        return _governed(line)
    named, attributes = ("customer", line.customer) if line.customer is not None else (line.trigger, line.attributes)
    return f"{named}  {said(attributes)}".rstrip()


def _governed(line: Happening) -> str:
    """What somebody does with the journey."""
    if line.release:
        return "the journey is let go"
    if line.pause:
        return "the journey is paused"
    if line.repair:
        return "what has failed is tried again"
    if line.publish:
        inside = "go on in it where they can" if line.people == "move" else "finish theirs"
        return f"another version is published; people inside {inside}"
    match line.resume:
        case Over(over=over):
            return f"the journey is resumed; all that waited goes out within {say(over)}"
        case "skip":
            return "the journey is resumed; all that waited is left out"
        case _:
            return "the journey is resumed"


def _moved(played: Timeline, at: datetime, numbers: Mapping[str, int]) -> Iterator[tuple[PreviewMove, Text]]:
    """What became of whoever was inside where a version was published."""
    for move in played.moves:
        if move.at == at:
            became = f"stays in its version: {move.stays}" if move.stays else f"goes on in version {move.version}"
            yield move, Text.assemble(*_whose(move.run, numbers), (became, "yellow" if move.stays else "green"))


def _decisions(heard: Heard, numbers: Mapping[str, int]) -> Iterator[Text]:
    if not heard.decisions:
        yield happened("ignored", "nothing listens to it now, or it is no news")
    for decision in heard.decisions:
        if decision.did != "resumed":  # the if that it answers tells what came of it
            whose = _whose(decision.run or "", numbers)
            yield Text.assemble(*whose, happened(decision.did, _why(decision)))


def _why(decision: Decision) -> str:
    """Why, where that is not plain."""
    is_plain = decision.did == "started" and not decision.why.startswith(WAITED)
    return "" if is_plain else decision.why


def _held(hold: PreviewHold) -> Text:
    """That a message is held, until when and why."""
    return Text.assemble((f"‖ {hold.step}", "yellow"), f"  {hold.words(hold.at)}")


def _entered(entry: Entry, run: PreviewRun, moments: Collection[str]) -> Iterator[Text]:
    """Until when a run waits and in whose zone, or until when a message may be sent."""
    if entry.did == "entered" and entry.why and entry.why not in {hold.words(hold.at) for hold in run.holds}:
        yield Text(f"waits {entry.why}" if entry.step in moments else entry.why, "dim")


def _made(entry: Entry, run: PreviewRun, played: Timeline, numbers: Mapping[str, int]) -> Iterator[Text]:
    """The event that a run made at a step that it is over with, and what that did."""
    for made in played.made if not entry.stands else ():
        if (made.run, made.step) == (run.id, entry.step):
            yield Text.assemble((f"⚑ {made.step}", "bold"), f"  {made.trigger}")
            yield from (Text.assemble("  ", told) for told in _decisions(made, numbers))
    for call in run.calls if not entry.stands else ():
        if call.step == entry.step:
            yield Text.assemble((f"⚑ {call.step}", "bold"), f"  calls {call.endpoint}  {said(call.data)}".rstrip())


def _passed(entry: Entry, run: PreviewRun) -> Iterator[Text]:
    if entry.did == "left" and entry is not run.diary[-1]:  # of a series; at the end of a run it is told how it ended
        yield Text(f"◁ {entry.step} is left: {entry.why}", "dim")
    if entry.did != "passed":
        return
    if entry.arm:
        yield Text.assemble((f"◇ {entry.step}: {entry.arm}", "bold"), f"  {entry.why}")
    sends = [send for send in run.sends if send.step == entry.step]
    for send in sends:
        yield from _sent(send)
    if not sends and entry.why.startswith("failed: "):  # an action
        yield Text.assemble((f"✗ {entry.step}", "red"), f"  {entry.why}")


def _sent(send: PreviewSend) -> Iterator[Text]:
    if send.outcome != "accepted":
        yield Text.assemble((f"✗ {send.kind}", "red"), f"  {send.content} {send.outcome}: {send.reason}")
        return
    yield Text.assemble((f"→ {send.kind:<5}", COLOURS[send.kind]), f" {send.content} to {send.to}")
    if line := quoted(send.parts):
        yield Text(f"        {line}", "italic")


def _whose(run: str, numbers: Mapping[str, int]) -> Iterator[str]:
    if run in numbers and len(numbers) > 1:
        yield f"run {numbers[run]} "


def _when(at: datetime, started_at: datetime, repeated: bool) -> Text:  # noqa: FBT001 - both are plain at the call
    year = "" if at.year == started_at.year else f" {at.year}"
    told = f"{journey_time(at - started_at):<13}{at:%a} {at.day:>2} {at:%b}{year} {at:%H:%M}"
    return Text(" " * len(told) if repeated else told, "dim")


def _summary(played: Timeline) -> Text:
    sent = [send.kind for run in played.runs for send in run.sends if send.outcome == "accepted"]
    if not played.runs:
        return Text("Nobody enters.")
    ends = ", ".join(f"{_ended(run)}{', goal met' if run.goal_met_at else ''}" for run in played.runs)
    return Text(f"Sent: {', '.join(sent) or 'nothing'}. Ended: {ends}.")


def _ended(run: PreviewRun) -> str:
    return run.ended or ("held" if run.held else "waiting")


def _ways(found: Paths) -> str:
    shown, ways = len(found.paths), int(found.ways)
    if shown == ways:
        return "one way through" if ways == 1 else f"{ways} ways through"
    some = f"{ways:,}" if ways < A_LOT else f"some 10^{len(found.ways) - 1}"
    return f"{some} ways through; here are {shown} of them, with every step on one at least"


def _between(earliest: timedelta, latest: timedelta) -> str:
    early, late = journey_time(earliest), journey_time(latest)
    return f"{early if early == late else f'{early} – {late}':<26}"
