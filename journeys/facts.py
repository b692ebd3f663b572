"""What is known where an event comes, and what is decided about it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from journeys.catalogue import Event
from journeys.chains import Chain, Maker
from journeys.interactions import Kind
from journeys.models import Frozen
from journeys.versions import Version
from journeys.walk.diary import Ended
from journeys.walk.pace import DAY
from journeys.walk.position import Arrival


class Decision(Frozen):
    """What one journey made of one event, and why. *answers* are the ``if`` steps that a resume answers.

    ``restarted``: the run ends, as its customer enters anew.
    ``refused``: it would have started a run, and journeys would have started one another in a circle. ``waiting``: it
    starts one as soon as the journey is resumed, if nothing speaks against it then: a further decision tells.
    """

    journey: str
    version: int
    did: Literal["started", "resumed", "exited", "restarted", "goal met", "ignored", "refused", "waiting"]
    why: str
    run: str | None = None
    answers: tuple[str, ...] = ()

    @property
    def ends(self) -> bool:
        """Whether it ends its run."""
        return self.did in ("exited", "restarted")


@dataclass(frozen=True)
class RunFacts:
    """What has to be known of a run to decide what an event does to it. Times are aware UTC.

    It stands at *step* since *step_at*, by default at the first one since it was entered. *heard*: the answers to its
    questions that were accepted, in that order. *inside*: the series around the step, with when they were entered.
    *chain*: the journeys that led here. *measured_until*: so long a goal counts however the run ends, as in a test.
    """

    id: str
    version: Version
    key: str | None
    entered_at: datetime
    day: timedelta = DAY
    ended: Ended | None = None
    ended_at: datetime | None = None
    goal_met: bool = False
    measured_until: datetime | None = None
    step: str | None = None
    step_at: datetime | None = None
    heard: tuple[Arrival, ...] = ()
    inside: Mapping[str, datetime] = field(default_factory=dict)
    chain: Chain = ()

    def decision(
        self,
        did: Literal["resumed", "exited", "restarted", "goal met", "ignored"],
        why: str,
        answers: tuple[str, ...] = (),
    ) -> Decision:
        """What an event made of it."""
        version = self.version
        return Decision(journey=version.name, version=version.number, run=self.id, did=did, why=why, answers=answers)

    @property
    def active(self) -> bool:
        return self.ended_at is None

    @property
    def stands_at(self) -> str:
        return self.step or self.version.journey.steps[0].id

    @property
    def stands_since(self) -> datetime:
        return self.step_at or self.entered_at


@dataclass(frozen=True)
class SendFacts:
    """The send that an interaction is about, the kind of its message, and since when its outcome is known, if it is."""

    id: str
    run: str
    step: str
    kind: Kind
    at: datetime | None = None


ExitName = tuple[str, int, str, str]
"""A version's name and number, and an event's source and id."""


@dataclass(frozen=True)
class Facts:
    """All that decides what an event does. Gathered by the store in one transaction, or by the preview."""

    customer: Mapping[str, object]
    runs: Sequence[RunFacts] = ()
    starts: Sequence[Version] = ()
    last_entries: Mapping[tuple[str, str | None], datetime] = field(default_factory=dict)
    known: Sequence[Event] = ()  # earlier received events of this customer that could be exits
    leaving: dict[ExitName, bool] = field(default_factory=dict)  # whether these are exits, as far as it was asked
    send: SendFacts | None = None
    day: timedelta = DAY
    received_at: datetime | None = None  # None: as it occurs
    listening: Sequence[Version] = ()  # live versions whose runs the event's trigger does something to
    made_by: Maker | None = None  # the run that made the event, if one did
    paused: Collection[str] = frozenset()  # journeys whose starts wait
    resumed_at: datetime | None = None  # of a start that has waited: when it may enter
