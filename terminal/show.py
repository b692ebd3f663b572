"""What the commands say in a terminal: answers of the API, changes and errors, in words."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from textwrap import indent, wrap
from typing import NoReturn
from urllib.parse import quote

from pydantic_core import to_json
from rich.console import Console
from rich.text import Text

from activities.channels.letters import harmless
from journeys.facts import Decision
from journeys.language.clock import say_instant
from journeys.language.durations import say
from journeys.problems import Flaw, SojournError
from journeys.walk.diary import Entry
from journeys.walk.pace import DAY
from store.events import Receipt
from store.open_problems import OpenProblem
from store.runs import Run, RunPage, RunView, SendView
from terminal import streams
from terminal.exits import NobodyReads
from terminal.folder import File

COLOURS = {
    "email": "cyan",
    "text": "magenta",
    "push": "blue",
    "started": "green",
    "completed": "green",
    "goal met": "bold yellow",
    "exited": "yellow",
    "restarted": "yellow",
    "stopped": "red",
    "cancelled": "red",
    "aborted": "red",
    "ignored": "dim",
    "refused": "bold red",
    "waiting": "yellow",
}
MARKS = {
    "started": "●",
    "completed": "✓",
    "goal met": "★",
    "exited": "■",
    "restarted": "■",
    "stopped": "■",
    "ignored": "·",
    "refused": "✗",
    "waiting": "‖",
    "resumed": "↻",
}
AS_IT_SAYS = ("done", "exit", "stop", "operator")
"""What ended a run, where how it ended says so already: completed, exited, stopped, cancelled."""

LONGEST_LINE = 60
AGAIN = "not sent yet, and tried again by itself within a minute or when the provider says"
PARKED = "not sent yet, and tried again once somebody repairs it"
UNDECIDED = "no live journey listens to it. Is the one that should published?"
UNDECIDED_THEN = "it does nothing a second time. What it did then is kept no more, or no journey listened to it"


def tell(lines: str | Text | Iterable[Text], *, error: bool = False) -> None:
    """Print lines, each at once, so that what happens is seen when it happens. Long ones are left to the terminal.

    What others have written, such as a customer or a provider, cannot play tricks with the terminal.
    """
    console = _Terminal(stderr=error, highlight=False, soft_wrap=True)
    for line in [lines] if isinstance(lines, str | Text) else lines:
        console.print(_harmless(line), markup=False)
        console.file.flush()


def data(answer: object) -> None:
    """Print JSON for a script: with every letter as it is, or escaped where the other end has no code for it."""
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    try:
        sys.stdout.write(to_json(answer, indent=2, ensure_ascii=encoding != "utf8").decode() + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        streams.let_go()
        raise NobodyReads from None


def problem(error: SojournError) -> Iterator[Text]:
    """An error with all its flaws: where, what was found, what was expected, what to do."""
    yield Text.assemble(("error: ", "bold red"), str(error).partition("\n  ")[0])
    for flaw in error.flaws:
        yield Text.assemble("  ", _found(flaw))
        if flaw.excerpt:
            yield Text(indent(flaw.excerpt, "    "))


def warnings(found: Iterable[Flaw]) -> Iterator[Text]:
    """What keeps nothing from going live, and its author should know."""
    for flaw in found:
        yield Text.assemble(("warning: ", "yellow"), _found(flaw))


def _found(flaw: Flaw) -> Text:
    where = (f"{flaw.path}: ", "bold") if flaw.path else ""
    return Text.assemble(where, flaw.message, (f" {flaw.hint}" if flaw.hint else "", "green"))


def journey_time(elapsed: timedelta) -> str:
    """How far into a journey: ``day 1 12:00`` is one day and twelve hours after its entry, ``day -1 12:00`` before."""
    whole = round(elapsed.total_seconds() / 60)
    sign, minutes = "-" * (whole < 0), abs(whole)
    return f"day {sign}{minutes // 1440} {minutes // 60 % 24:02}:{minutes % 60:02}"


def run_time(at: datetime, run: Run) -> str:
    """How far into its journey a run is at *at*, counted in its own days."""
    return journey_time((at - run.entered_at) / (run.day / DAY))


def happened(what: str, detail: str = "") -> Text:
    """One thing that happened, with its mark and in its colour."""
    return Text.assemble((f"{MARKS.get(what, '→')} {what}", COLOURS.get(what, "")), f"  {detail}" if detail else "")


def quoted(parts: Mapping[str, str]) -> str:
    """The line of a message that people see first."""
    first = parts.get("subject") or parts.get("title") or parts.get("body") or ""
    line = " ".join(first.split())
    return f"“{line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + '…'}”" if line else ""


def said(attributes: Mapping[str, object]) -> str:
    """Attributes for people: ``cart_id c-1001, total 128.45``."""
    return ", ".join(f"{name} {value}" for name, value in attributes.items())


def checked(files: Sequence[File]) -> Iterator[Text]:
    """What was validated, and found right."""
    for file in files:
        yield Text.assemble(("✓ ", "green"), f"{file.kind:<9} {file.name:<28} ", (str(file.path), "dim"))


def change(kind: str, name: str, became: str) -> Text:
    """What applying did to one definition."""
    return Text.assemble(f"  {kind:<9} {name:<28} ", (became, "dim" if became == "unchanged" else "green"))


def secret(endpoint: str, secret: str) -> Iterator[Text]:
    """The secret of a new endpoint."""
    yield Text.assemble(f'  The secret of "{endpoint}", told this once, to verify its calls with: ', (secret, "bold"))


def problems(found: Sequence[OpenProblem]) -> Iterator[Text]:
    """What needs somebody now, each with since when, why, and what helps."""
    if not found:
        yield Text("Nothing needs anybody.")
    for problem in found:
        unit = "in all" if problem.kind == "runs missing" else "waiting"
        waits = "" if problem.count is None else f", {problem.count} {unit}"
        yield Text.assemble(
            (f"{problem.kind}: {problem.name}", "bold red"), f"  since {say_instant(problem.since)}{waits}"
        )
        yield Text(f"  {problem.why}")
        yield Text(f"  {problem.help}", "green")


def receipt(told: Receipt) -> Iterator[Text]:
    """What an event did, and why it did not do more."""
    yield Text.assemble("Event ", (told.event, "bold"), " is accepted.", " It was known already." * told.duplicate)
    for made in told.decisions:
        yield Text.assemble("  ", decision(made))
    if not told.decisions:
        yield Text.assemble("  ", happened("ignored", UNDECIDED_THEN if told.duplicate else UNDECIDED))
    if told.already_sent:
        yield Text(f"  already sent, and may still arrive: {', '.join(told.already_sent)}")
    if any(made.ends for made in told.decisions):
        yield Text(f"  {promise(told)}")


def promise(told: Receipt) -> str:
    """What the receipt of an exit promises."""
    if told.in_flight:
        return f"in flight {told.in_flight}: so many messages were on their way to a provider, nothing else is sent"
    return "in flight 0: from now on nothing is sent"


def decision(made: Decision) -> Text:
    """What one journey made of an event."""
    where = made.run or made.journey
    why = "" if made.did == "started" else f": {made.why}"
    return happened(made.did, f"{where}{why}")


def columns(rows: Sequence[Sequence[str | Text]]) -> Iterator[Text]:
    """Rows as aligned columns; the first one is their heading."""
    cells = [[cell if isinstance(cell, Text) else Text(cell) for cell in row] for row in rows]
    widths = [max(cell.cell_len for cell in column) for column in zip(*cells, strict=True)]
    for number, row in enumerate(cells):
        line = Text("   ").join(
            Text.assemble(cell, " " * (width - cell.cell_len)) for cell, width in zip(row, widths, strict=True)
        )
        line.rstrip()
        if number == 0:
            line.stylize("bold")
        yield line


def terminal_width() -> int | None:
    """How many letters a line of the terminal has; None where the output is none, and lines are as long as they are."""
    console = _Terminal()
    return console.width if console.is_terminal else None


def runs(page: RunPage, now: datetime, width: int | None = None) -> Iterator[Text]:
    """Runs, the newest first: who walks which journey, and where they stand: beneath, where *width* is too small."""
    if not page.runs:
        yield Text("No runs.")
        return
    rows = [("Run", "Customer", "Entered", "Stands", "Goal"), *(_row(run, now) for run in page.runs)]
    lines = [*columns(rows)]
    if width is None or max(line.cell_len for line in lines) <= width:
        yield from lines
    else:
        yield from _beneath(rows, width)
    if page.next:
        yield Text(f"There are more. --limit {2 * len(page.runs)} shows more of them.", "dim")


def run(view: RunView, runs_page: str, now: datetime) -> Iterator[Text]:
    """One run: its diary, its sends, calls and actions, and the events that touched it."""
    yield Text.assemble((view.id, "bold"), f"  {view.journey} v{view.version}, customer {view.customer}")
    yield Text(f"  {_stands(view)}{_pace(view)}")
    when = partial(_when, run=view, now=now)
    yield Text.assemble("\n", ("Diary", "bold"))
    for entry in view.diary:
        if entry.did != "returned":  # to the series around it, which is passed next
            yield Text(f"  {when(entry.at)}  {_entry(entry)}")
    yield Text.assemble("\n", ("Sends", "bold"))
    for send in view.sends:
        yield from _send(send, view, when)
    yield from _acted(view, when)
    yield Text.assemble("\n", ("Why", "bold"))
    for touched in view.decisions:
        made = happened(touched.decision.did, touched.decision.why)
        yield Text.assemble(f"  {when(touched.occurred_at)}  {touched.trigger} ({touched.event})  ", made)
    if runs_page:
        yield Text(f"\nTemporal: {runs_page}/{quote(view.id, safe='')}")


_When = Callable[[datetime], str]
"""How a time is told: how far into the journey, and by the clock."""


class _Terminal(Console):
    """Ends the command where nobody reads what it prints."""

    def on_broken_pipe(self) -> NoReturn:
        streams.let_go()
        raise NobodyReads


def _harmless(line: str | Text) -> Text:
    text = line.copy() if isinstance(line, Text) else Text(line)
    text.plain = harmless(text.plain)  # of the same length, so that colours stay where they are
    return text


def _row(run: Run, now: datetime) -> tuple[str, ...]:
    goal = "★ met" if run.goal_met_at else ""
    return run.id, run.customer, _to_the_second(run.entered_at, run, now), _stands(run), goal


def _beneath(rows: Sequence[tuple[str, ...]], width: int) -> Iterator[Text]:
    """The same rows, with where each run stands in lines of its own, broken between words."""
    for number, (line, (*_, stands, goal)) in enumerate(zip(columns([row[:3] for row in rows]), rows, strict=True)):
        yield line
        if number:
            yield from (Text(f"  {part}") for part in wrap(f"{stands}  {goal}", max(width - 2, 20)))


def _stands(run: Run) -> str:
    if run.ended and run.ended_at:
        by = "" if run.ended_by in AS_IT_SAYS else f" ({run.ended_by})"
        why = f": {run.why}" if run.why else ""  # erased with its customer
        return f"{run.ended}{by} on {run_time(run.ended_at, run)}{why}"
    if run.step is None or run.step_at is None:
        return "entered"
    held = f", {run.held.words}" if run.held else ""
    return f"at {run.step} since {run_time(run.step_at, run)}{held}"


def _pace(run: Run) -> str:
    return "" if run.day == DAY else f"  (a day lasts {say(run.day)})"


def _when(at: datetime, run: Run, now: datetime) -> str:
    return f"{run_time(at, run):<12}  {_to_the_second(at, run, now)}"


def _to_the_second(at: datetime, run: Run, now: datetime) -> str:
    """With the year, where a run was entered in another one: on all its lines, so that they stand in line."""
    return f"{at:%d %b %H:%M:%S}" if run.entered_at.year == now.year == at.year else f"{at:%d %b %Y %H:%M:%S}"


def _entry(entry: Entry) -> str:
    arm = f" {entry.arm}" if entry.arm else ""
    return f"{entry.did:<8} {entry.step}{arm}{f'  {entry.why}' if entry.why else ''}"


def _acted(view: RunView, when: _When) -> Iterator[Text]:
    if view.calls:
        yield Text.assemble("\n", ("Calls", "bold"))
    for call in view.calls:
        tries = "1 try" if call.tries == 1 else f"{call.tries} tries"
        due = f", the next at {say_instant(call.next_at)}" if call.next_at else ""
        reason = f": {call.reason}" if call.reason else ""
        at = when(call.at or call.tried_at or call.first_at)
        yield Text.assemble(f"  {at}  ", ("⚑ calls", "bold"), f" {call.endpoint}  {call.state}, {tries}{due}{reason}")
    if view.actions:
        yield Text.assemble("\n", ("Actions", "bold"))
    for action in view.actions:
        reason = f": {action.reason}" if action.reason else ""
        yield Text(f"  {when(action.at)}  ⚑ {action.does}  {action.outcome}{reason}")


def _send(send: SendView, run: Run, when: _When) -> Iterator[Text]:
    at = when(send.at) if send.at else " " * len(when(run.entered_at))
    to = f" to {send.recipient}" if send.recipient else ""
    is_parked = run.held is not None and run.held.by == "park"
    state = {"released": PARKED if is_parked else AGAIN}.get(send.state, send.state)
    reason = f": {send.reason}" if send.reason else ""
    kind = (f"→ {send.kind:<5}", COLOURS[send.kind])
    yield Text.assemble(f"  {at}  ", kind, f" {send.content}{to}  {state}{reason}", (f"  {send.id}", "dim"))
    for seen in send.interactions:
        yield Text(f"  {when(seen.at)}    {seen.interaction}{' by a program' * seen.machine}")
