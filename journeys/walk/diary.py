"""What a run has done so far: the steps it entered and passed, with times, arms and reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime

from journeys.language.clock import clock
from journeys.models import Frozen

Outcome = Literal["accepted", "blocked", "failed", "unknown"]


Ended = Literal["completed", "exited", "stopped", "cancelled", "aborted"]
"""How a run can end: all steps done, an exit, its journey stopped, an operator's cancel, or an end that only Temporal
knew of, such as a termination.
"""


class Delivery(Frozen):
    """What became of a message step, and when (aware UTC).

    ``accepted``: the provider has it. ``blocked``: we decided not to send. ``failed``: the provider refused it
    for good. ``unknown``: it was handed over and no answer came; it may have gone out. *in_doubt*: it is still to be
    found out; without it, nobody can tell.
    """

    outcome: Outcome
    at: AwareDatetime
    reason: str = ""
    in_doubt: bool = False


EndedBy = Literal["done", "exit", "stop", "restart", "operator", "terminated", "erased", "missing"]
"""What a run's end came from. ``restart``: the customer entered anew. ``terminated``: Temporal ended it without a word
of ours. ``missing``: Temporal did not know it any more, and somebody gave it up.
"""

ENDED: Mapping[EndedBy, Ended] = {
    "done": "completed",
    "exit": "exited",
    "restart": "exited",
    "stop": "stopped",
    "operator": "cancelled",
    "erased": "cancelled",
    "terminated": "aborted",
    "missing": "aborted",
}
"""How a run has ended, by what its end came from."""

HeldBy = Literal["", "quiet time", "cap", "brake", "release", "pause", "park"]
"""What holds a message. ``brake``: its journey is held. ``pause``: its journey is paused. ``park``: it failed, and
waits for somebody to repair it. ``release``: it was let go, and goes out with others in turn.
Nothing: something outside, such as an endpoint that takes nothing now.
"""


class Held(Frozen):
    """A message that may not go out yet: *until* when (aware UTC), and why. Then everything is looked at again.

    *until* is None where nobody knows: until its journey is let go or resumed, or it is repaired.
    """

    until: AwareDatetime | None
    why: str
    by: HeldBy = ""

    def words(self, said_at: datetime) -> str:
        """For people: ``held until 25 Nov 08:00: quiet time …``."""
        return say_held(self.until, self.why, self.by, said_at)


def say_held(until: datetime | None, why: str, by: HeldBy, said_at: datetime) -> str:
    """Until when something is held and why, for people."""
    stands = "parked" if by == "park" else "held"
    if by == "pause" and until is None:
        return f"{stands} until {say_until(until, by, said_at)}"
    return f"{stands} until {say_until(until, by, said_at)}: {why}"


def say_until(until: datetime | None, by: HeldBy, said_at: datetime) -> str:
    """Until when something is held, for people."""
    return _WITHOUT_END.get(by, "its journey is let go") if until is None else clock(until, said_at)


_WITHOUT_END: Mapping[HeldBy, str] = {"pause": "its journey is resumed", "park": "it is repaired"}


class Choice(Frozen):
    """The arm that a step chose by what is known, and why, in words without anybody's values."""

    arm: str
    why: str


class Moved(Frozen):
    """The run walks another *version* already: the word of it is on its way, and nothing that its walk of the old one
    still does counts.
    """

    version: int


class Over(Frozen):
    """The run has *ended* already: its cancel is on its way, and nothing that its walk still does counts."""

    ended: Ended


Did = Literal["entered", "returned", "passed", "left", "moved"]


class Entry(Frozen):
    """One line of a diary. *n* counts from 0 within the run and never repeats.

    ``returned``: the steps that were walked within this one are done. ``left`` closes a step that the run did not
    finish, because it ended there or something else came of the step around it. ``moved``: it walks another version
    from there on; the next line enters the step at which it stands in that, since when it stood where it stood.
    """

    n: int
    at: AwareDatetime
    step: str
    did: Did
    arm: str | None = None
    why: str = ""

    @property
    def stands(self) -> bool:
        """Whether the run stands at the step after this line."""
        return self.did in ("entered", "returned")


class Diary:
    """The lines of one run from the *first* on, which the store has, and how many more of them it has."""

    def __init__(self, first: Entry) -> None:
        self.entries = [first]
        self._written = 1

    @property
    def lines(self) -> int:
        """How many lines the run has in all: the *n* of the next one."""
        return self.entries[-1].n + 1

    @property
    def at_step(self) -> str | None:
        """The step that was entered last and not passed yet."""
        last = self.entries[-1]
        return last.step if last.stands else None

    @property
    def written(self) -> Entry:
        """The last line that the store has. It enters a step: lines are written up to there."""
        return self.entries[self._written - 1]

    @property
    def unwritten(self) -> tuple[Entry, ...]:
        """The lines that would be lost if nobody wrote them."""
        return tuple(self.entries[self._written :])

    def enter(self, step: str, at: datetime) -> None:
        """Note that *step* was entered. Nothing to note when the start, or the last send's record, already did."""
        if self.at_step != step:
            self._add(step, at, "entered")

    def explain(self, why: str) -> None:
        """Say of the step where the run stands why it is as it is, such as until when it waits there."""
        self.entries[-1] = self.entries[-1].model_copy(update={"why": why})

    def passed(self, step: str, at: datetime, why: str, arm: str | None = None) -> None:
        """Note that *step* is done."""
        self._add(step, at, "passed", why, arm)

    def leave(self, why: str, at: datetime) -> None:
        """Note that the step where the run stands is not finished, if it stands at one."""
        if self.at_step is not None:
            self._add(self.at_step, at, "left", why)

    def already(self, entries: Iterable[Entry]) -> None:
        """Take over lines that the store has written with the record of a send."""
        self.entries.extend(entries)
        self.wrote_all()

    def wrote_all(self) -> None:
        """The store has every line now."""
        self._written = len(self.entries)

    def _add(
        self,
        step: str,
        at: datetime,
        did: Did,
        why: str = "",
        arm: str | None = None,
    ) -> None:
        self.entries.append(Entry(n=self.lines, at=at, step=step, did=did, why=why, arm=arm))


def at_start(step: str, at: datetime) -> Entry:
    """The first line: the run is entered. Whoever starts a run writes it, so that nobody is nowhere."""
    return Entry(n=0, at=at, step=step, did="entered")
