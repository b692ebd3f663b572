"""What activities are given, also by the workflow of an earlier release: it may have waited in Temporal for long."""

from __future__ import annotations

from pydantic import AwareDatetime, TypeAdapter
from temporalio import activity

from journeys.interactions import Kind
from journeys.models import Frozen
from journeys.steps import AnyStep
from journeys.walk.diary import Entry
from journeys.walk.position import Position
from journeys.walk.world import Visit

_STEP: TypeAdapter[AnyStep] = TypeAdapter(AnyStep)
_NOT_TOLD = "not-told"


class GivenBy01(Frozen):
    """What 0.1 gave to ``deliver`` and ``reconcile``: a step and its place in the diary, part by part.

    ``reconcile`` was not told *now*, *to* and *entries*, and ``deliver`` not *repeats*.
    """

    run: str
    step: str
    kind: Kind
    following: str | None
    n: int
    now: AwareDatetime | None = None
    entries: tuple[Entry, ...] = ()
    to: str = ""
    expires_at: AwareDatetime | None = None
    repeats: bool = False

    def visit(self, now: AwareDatetime) -> Visit:
        """The same as a visit at *now*. What was not told of it is read from the version that the run walks."""
        in_doubt = "repeat" if self.repeats else "leave"
        step = {"id": self.step, self.kind: _NOT_TOLD, "to": self.to, "in_doubt": in_doubt}
        return Visit(
            run=self.run,
            version=0,
            step=_STEP.validate_python(step),
            position=Position(step=self.step, since=now, lines=self.n),
            now=now,
            unwritten=self.entries,
            following=self.following,
            expires_at=self.expires_at,
        )


def of_today(given: Visit | GivenBy01) -> Visit:
    """The visit that an activity was given, whichever release gave it."""
    match given:
        case Visit():
            return given
        case GivenBy01():
            return given.visit(given.now or activity.info().scheduled_time)
