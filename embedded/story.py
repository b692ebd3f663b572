"""The demonstration's story: who does what, what must come of it, and whether it did."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rich.text import Text

from activities.channels import Accepted, Channel, Finding, Handed, Outgoing, ProviderAnswer
from journeys.interactions import Kind
from journeys.walk.pace import DAY
from store.journeys import GoalCount
from terminal.show import COLOURS, columns, happened, journey_time, quoted, tell


@dataclass(frozen=True)
class Act:
    """What somebody does, so much later than a message was sent to them."""

    after: str
    later: timedelta
    trigger: str
    words: str


@dataclass(frozen=True)
class Outcome:
    """What becomes of one customer: each message with the day on which it goes out, and how the run ends."""

    sent: tuple[tuple[Kind, int], ...]
    ended: str | None
    goal: bool

    def __str__(self) -> str:
        sent = [f"{kind} on day {day}" for kind, day in self.sent] or ["nothing sent"]
        return f"{', '.join(sent)}, {self.ended or 'still under way'}, goal {'met' if self.goal else 'not met'}"


@dataclass(frozen=True)
class Person:
    """A customer of the story, with what must become of them."""

    customer: str
    name: str
    cart: str
    total: float
    act: Act | None
    must: Outcome


HALF_A_DAY = timedelta(hours=12)
PEOPLE = (
    Person(
        *("ada", "Ada", "c-1001", 128.45),
        Act("initial-reminder", timedelta(hours=3), "email-opened", "opens the email"),
        Outcome((("email", 0),), "completed", goal=False),
    ),
    Person(
        *("bo", "Bo", "c-1002", 42),
        Act("initial-reminder", HALF_A_DAY, "purchase-completed", "buys"),
        Outcome((("email", 0),), "exited", goal=True),
    ),
    Person(
        *("cy", "Cy", "c-1003", 77.25),
        None,
        Outcome((("email", 0), ("text", 1), ("push", 2)), "completed", goal=False),
    ),
    Person(
        *("di", "Di", "c-1004", 19.95),
        Act("second-reminder", HALF_A_DAY, "purchase-completed", "buys"),
        Outcome((("email", 0), ("text", 1)), "exited", goal=True),
    ),
)
BY_CUSTOMER = {person.customer: person for person in PEOPLE}
TARGET = "50%"


@dataclass(frozen=True)
class Found:
    """What was found of one customer: *sent* by the channel, which knows best, *recorded* and the rest by the API.

    Times are how far into the journey it was.
    """

    sent: tuple[tuple[Kind, timedelta], ...] = ()
    recorded: tuple[Kind, ...] = ()
    runs: int = 0
    ended: str | None = None
    ended_at: timedelta | None = None
    why: str = ""
    goal: bool = False

    @property
    def outcome(self) -> Outcome:
        return Outcome(tuple((kind, at.days) for kind, at in self.sent), self.ended, self.goal)


def differences(found: Mapping[str, Found], goal: GoalCount | None) -> list[str]:
    """In what a story differs from the one that must be told. Empty: it is right."""
    wrong = [line for person in PEOPLE for line in _wrong(person, found.get(person.customer, Found()))]
    met = sum(person.must.goal for person in PEOPLE)
    expected = f"goal {met} of {len(PEOPLE)}, target {TARGET}, reached"
    if goal is None or (goal.met, goal.entered, goal.target, goal.reached) != (met, len(PEOPLE), TARGET, True):
        wrong.append(f"expected {expected}; found {_counted(goal)}")
    return wrong


class Teller:
    """Tells what happens to whom, each with the time of the journey in full hours: days are short here."""

    def __init__(self, day: timedelta) -> None:
        self.day = day
        self.entered: dict[str, datetime] = {}
        self._latest = 0

    def elapsed(self, customer: str, at: datetime) -> timedelta:
        """How far into the journey of *customer* it is at *at*, in days as they are outside of the demonstration."""
        return (at - self.entered[customer]) / (self.day / DAY)

    def say(self, customer: str, at: datetime, what: Text) -> None:
        elapsed = self.elapsed(customer, at)
        if elapsed.days > self._latest:
            self._latest = elapsed.days
            tell("")
        tell(Text.assemble((f"  {full_hours(elapsed):<13}", "dim"), (f"{BY_CUSTOMER[customer].name:<5}", "bold"), what))


class Stage:
    """The channels of the demonstration: they keep every message that went out.

    *providers*: channels that really send; without them, keeping a message is all.
    """

    def __init__(self, providers: Mapping[Kind, Channel] | None = None) -> None:
        self.messages: list[Outgoing] = []
        self._came = asyncio.Condition()
        self.channels: dict[Kind, Channel] = {
            kind: Keeping(self, (providers or {}).get(kind)) for kind in ("email", "text", "push")
        }

    async def keep(self, message: Outgoing) -> None:
        """A message went out."""
        async with self._came:
            self.messages.append(message)
            self._came.notify_all()

    async def until_sent(self, customer: str, step: str) -> Outgoing:
        """Wait for a message, and return it."""
        async with self._came:
            while not (there := [sent for sent in self.to(customer) if sent.step == step]):
                await self._came.wait()
        return there[0]

    def to(self, customer: str) -> list[Outgoing]:
        """All messages to one customer."""
        return [message for message in self.messages if message.run.split("/")[1] == customer]


class Keeping:
    """A channel that tells the stage of each message that it sent."""

    def __init__(self, stage: Stage, provider: Channel | None) -> None:
        self._stage = stage
        self._provider = provider

    async def send(self, message: Outgoing) -> ProviderAnswer:
        sent = await self._provider.send(message) if self._provider else Accepted(f"demo-{message.send_id}")
        if isinstance(sent, Accepted):
            await self._stage.keep(message)
        return sent

    async def find(self, handed: Handed) -> Finding:
        return await self._provider.find(handed) if self._provider else None

    async def close(self) -> None:
        """The providers are closed by whoever opened them."""


def line(message: Outgoing) -> Text:
    """A message in one line: what the customer sees of it first."""
    kind = (f"→ {message.kind:<6}", COLOURS[message.kind])
    return Text.assemble(kind, quoted(message.parts), (f"  {message.to}", "dim"))


def full_hours(elapsed: timedelta) -> str:
    """A journey's time in full hours: ``day 1 12:00``."""
    return journey_time(timedelta(hours=elapsed // timedelta(hours=1)))


def table(found: Mapping[str, Found]) -> Iterator[Text]:
    """Who was sent what when, and how it ended."""
    rows: list[tuple[str | Text, ...]] = [("Customer", "What was sent, and when", "How the run ended", "Goal")]
    for person in PEOPLE:
        told = found[person.customer]
        sent = Text(", ").join(Text(f"{kind} {full_hours(at)}", COLOURS[kind]) for kind, at in told.sent)
        rows.append((person.name, sent, _ending(told), Text("★ met" if told.goal else "", "yellow")))
    return columns(rows)


def verdict(wrong: Sequence[str], goal: GoalCount | None) -> Iterator[Text]:
    """The goal, and whether the story is right."""
    yield Text(f"Goal: {_counted(goal)}.\n")
    if not wrong:
        yield Text("✓ Exactly what must be, and nothing else.", "bold green")
        return
    yield Text("✗ This is not the story that must be told:", "bold red")
    for line in wrong:
        yield Text(f"  {line}", "red")


def _wrong(person: Person, found: Found) -> Iterator[str]:
    if found.outcome != person.must:
        yield f"{person.name}: expected {person.must}; found {found.outcome}"
    if found.runs != 1:
        yield f"{person.name}: expected 1 run; found {found.runs}"
    sent = tuple(kind for kind, _ in found.sent)
    if found.recorded != sent:
        yield f"{person.name}: the channel sent {_and(sent)}, but the API tells of {_and(found.recorded)}"


def _counted(goal: GoalCount | None) -> str:
    if goal is None:
        return "no goal was counted"
    reached = "reached" if goal.reached else "not reached"
    share = f" ({goal.met / goal.entered:.0%})" if goal.entered else ""
    return f"{goal.met} of {goal.entered} bought{share}; the target of {goal.target} is {reached}"


def _ending(found: Found) -> Text:
    if found.ended is None or found.ended_at is None:
        return Text("still under way", "red")
    return Text.assemble(happened(found.ended, full_hours(found.ended_at)), (f"  {found.why}", "dim"))


def _and(kinds: Sequence[Kind]) -> str:
    return ", ".join(kinds) or "nothing"
