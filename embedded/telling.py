"""What is told of an example that is played: who, when on their own clock, what and why; and whether it is right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from rich.text import Text

from embedded.cast import Part
from embedded.receiver import Receiver
from embedded.story import Stage, line
from journeys.definition import Journey, call_id
from journeys.language.zones import Zone
from journeys.steps import Message, every_step
from journeys.walk.diary import Entry
from journeys.walk.script import Happening
from journeys.walk.timeline import PreviewRun
from store.events import Receipt
from store.runs import RunView
from terminal.pictures import happening
from terminal.show import COLOURS, columns, happened, promise, said

WIDTH = 8
CLOSE = timedelta(minutes=1)
"""The server's clock goes on while we work: so far may an instant be from where a preview has it."""


@dataclass(frozen=True)
class Line:
    """One thing that happened to somebody (aware UTC)."""

    at: datetime
    part: Part
    what: Text

    @property
    def minute(self) -> datetime:
        """The minute in which it happened: the clocks of the doors and of the server are seconds apart."""
        return to_the_minute(self.at)


def beginning(parts: Sequence[Part]) -> Iterator[Text]:
    """Who there is, and what they will do."""
    yield Text.assemble(
        "\n",
        ("Days pass in an instant: ", "bold"),
        "Temporal skips the time in which nobody has anything to do. Messages are kept, not sent.\n",
        "Every time is that on the clock of the customer.\n",
    )
    for part in parts:
        yield Text.assemble((f"  {part.name:<{WIDTH}}", "bold"), part.title, (f"  {part.zone.name}", "dim"))


class Teller:
    """Remembers what was told, and tells what is new."""

    def __init__(self, journey: Journey, stage: Stage, receiver: Receiver) -> None:
        self._steps = {step.id: step for step in every_step(journey.steps)}
        self._stage = stage
        self._receiver = receiver
        self._told: dict[str, int] = {}
        self._over: set[str] = set()
        self._heard: list[Line] = []
        self._before: Line | None = None

    def heard(self, part: Part, line: Happening, at: datetime, receipt: Receipt | None) -> None:
        """Somebody did something, and this is what it did."""
        self._heard.append(Line(at, part, Text(happening(line), "bold")))
        for made in receipt.decisions if receipt else ():
            if made.did != "resumed":  # the step that it answers tells what came of it
                why = "" if made.did == "started" else made.why
                self._heard.append(Line(at, part, Text.assemble("  ", happened(made.did, why))))
            if made.ends and receipt:
                self._heard.append(Line(at, part, Text(f"    {promise(receipt)}", "dim")))

    def news(self, views: Sequence[tuple[Part, RunView]]) -> list[Line]:
        """What is new, in the order in which it happened."""
        new, self._heard = self._heard, []
        for part, view in views:
            for entry in view.diary[self._told.get(view.id, 0) :]:
                new += [Line(entry.at, part, Text.assemble("  ", what)) for what in self._entry(part, view, entry)]
            self._told[view.id] = len(view.diary)
            if view.ended and view.ended_at and view.id not in self._over:
                self._over.add(view.id)
                if view.ended != "exited":  # an exit is told by its receipt
                    new.append(Line(view.ended_at, part, Text.assemble("  ", happened(view.ended, view.why))))
        order = {part.id: number for number, (part, _) in enumerate(views)}
        return sorted(new, key=lambda each: (each.minute, order[each.part.id]))

    def lines(self, told: Sequence[Line]) -> Iterator[Text]:
        """What happened, line by line, with a blank one where a day has passed."""
        for each in told:
            before, self._before = self._before, each
            if before is None or each.minute.date() != before.minute.date():
                yield Text()
            when, who = f"  {local(each.at, each.part.zone)}  ", f"{each.part.name:<{WIDTH}}"
            if before and (before.part, before.minute) == (each.part, each.minute):
                when, who = " " * len(when), " " * len(who)
            yield Text.assemble((when, "dim"), (who, "bold"), each.what)

    def _entry(self, part: Part, view: RunView, entry: Entry) -> Iterator[Text]:
        step = self._steps[entry.step]
        match entry.did:
            case "passed" if isinstance(step, Message):
                yield self._sent(part, view, step, entry)
            case "passed" if entry.arm:
                yield Text.assemble(f"◇ {step.id}: {entry.arm}", (f"  {entry.why}", "dim"))
            case "passed" if step.has_outcome:
                call = self._receiver.calls.get(call_id(view.id, step.id), {"data": {}})
                told = f"  {said(call['data'])}" if call["data"] else ""
                yield Text.assemble(f"→ {step.words}{told}", (f"  {entry.why}", "dim"))
            case "left" if (
                entry != view.diary[-1]
            ):  # what came of the series around it; an end of the run is told as such
                yield Text.assemble(f"◁ {step.id} is left", (f"  {entry.why}", "dim"))
            case "entered" if isinstance(step, Message) and entry.why:  # what holds it
                yield Text(entry.why, "dim")
            case "entered" if step.moment is not None and entry.why:  # the moment that was found, and in whose zone
                yield Text(f"waits {entry.why}", "dim")
            case "entered" if step.longest and not isinstance(step, Message):
                yield Text(step.words, "dim")
            case _:
                return

    def _sent(self, part: Part, view: RunView, step: Message, entry: Entry) -> Text:
        there = [message for message in self._stage.to(part.id) if (message.run, message.step) == (view.id, step.id)]
        return line(there[0]) if there else Text(f"✗ {step.kind}  {entry.why}", "red")


def table(views: Sequence[tuple[Part, RunView]]) -> Iterator[Text]:
    """Who was sent what when, and how it ended."""
    rows: list[tuple[str | Text, ...]] = [("Customer", "What was sent", "How the run ended", "Goal")]
    for part, view in views:
        words = [Text(send.kind, COLOURS[send.kind]) for send in view.sends if send.state == "accepted"]
        rows.append(
            (part.name, Text(", ").join(words), _ending(part, view), Text("★ met" * bool(view.goal_met_at), "yellow"))
        )
    return columns(rows)


def differences(parts: Sequence[Part], views: Sequence[tuple[Part, RunView]]) -> list[str]:
    """In what the runs differ from those that the previews have foreseen. Empty: in nothing."""
    wrong: list[str] = []
    for part in parts:
        runs = [view for owner, view in views if owner is part]
        if len(runs) != len(part.foreseen):
            wrong.append(f"{part.name}: expected {len(part.foreseen)} runs; found {len(runs)}")
        pairs = zip(part.foreseen, runs, strict=False)
        wrong += [f"{part.name}: {found}" for expected, run in pairs for found in _wrong(expected, run, part)]
    return wrong


def verdict(parts: Sequence[Part], wrong: Sequence[str]) -> Iterator[Text]:
    """Whether it is what the previews say."""
    if not wrong:
        yield Text("✓ To the minute what `sojourn preview` says of these scripts, and nothing else.", "bold green")
        if any(_holds(run) and part.spread for part in parts for run in part.foreseen):
            yield Text("  What was held went out within the policy's spread, each message at a time of its own.", "dim")
        return
    yield Text("✗ This is not what the previews say:", "bold red")
    for each in wrong:
        yield Text(f"  {each}", "red")


def local(at: datetime, zone: Zone) -> str:
    """A time on somebody's own clock: ``Mon  5 Jan 09:00``."""
    there = to_the_minute(at).astimezone(zone.zone)
    return f"{there:%a} {there.day:>2} {there:%b %H:%M}"


def _wrong(expected: PreviewRun, run: RunView, part: Part) -> Iterator[str]:
    zone, close = part.zone, CLOSE + part.spread * _holds(expected)
    foreseen = [(send.step, send.at, send.outcome) for send in expected.sends]
    found = [(send.step, send.at or run.entered_at, send.state) for send in run.sends]
    if len(foreseen) != len(found) or not all(map(partial(_alike, close), foreseen, found)):
        yield f"expected {_sends(foreseen, zone)}; found {_sends(found, zone)}"
    ends = [(each.ended or "under way", each.ended_at or each.entered_at, each.why) for each in (expected, run)]
    if not _alike(close, *ends):
        (should, at, _), (did, then, _) = ends
        yield f"expected {should} {local(at, zone)}; found {did} {local(then, zone)}"
    if bool(expected.goal_met_at) != bool(run.goal_met_at):
        yield f"expected the goal {'met' if expected.goal_met_at else 'not met'}, which it is not"


def _alike(close: timedelta, one: tuple[str, datetime, str], other: tuple[str, datetime, str]) -> bool:
    return (one[0], one[2]) == (other[0], other[2]) and abs(one[1] - other[1]) < close


def _holds(run: PreviewRun) -> int:
    """How often something was held in a run, each time to be let go at a time that is drawn."""
    return sum(entry.did == "entered" and entry.why.startswith("held ") for entry in run.diary)


def _sends(sends: Sequence[tuple[str, datetime, str]], zone: Zone) -> str:
    return ", ".join(f"{step} {outcome} {local(at, zone)}" for step, at, outcome in sends) or "nothing sent"


def _ending(part: Part, view: RunView) -> Text:
    if view.ended is None or view.ended_at is None:
        return Text("still under way", "red")
    return Text.assemble(happened(view.ended, local(view.ended_at, part.zone)), (f"  {view.why}", "dim"))


def to_the_minute(at: datetime) -> datetime:
    """The nearest full minute."""
    return (at + timedelta(seconds=30)).replace(second=0, microsecond=0)
