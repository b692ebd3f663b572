"""The step that lets time pass: so long, or until a moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import ValidationInfo, field_validator

from journeys.language.durations import say
from journeys.language.moments import DurationOrUntil, Until, UntilDate, UntilInstant, UntilTimeOfDay, say_until
from journeys.steps.step import Arm, Step
from journeys.steps.uses import DateUse, DurationUse, InstantUse, Use

if TYPE_CHECKING:
    from journeys.steps import AnyStep

IN_TIME, LATE = "then", "late"

LONGEST_TO_A_TIME = timedelta(days=8)
"""Until the next such time of day: that of one day a week, and a change of the clock."""

LONGEST_TO_A_DATE = timedelta(days=365)
"""A date may be any. Where somebody has to reckon with one that is not known, it is a year ahead."""


class Wait(Step):
    """Let time pass: so long from entering the step on, or until a moment.

    A moment may have passed when the step is entered; without arms, a run that is late just goes on.

    *wait*: how long, or until when.
    *then*: the steps of a run that is in time.
    *late*: the steps of a run that enters when the moment has passed.
    """

    wait: DurationOrUntil
    then: tuple[AnyStep, ...] = ()
    late: tuple[AnyStep, ...] = ()

    @field_validator("then", "late")
    @classmethod
    def _only_where_one_can_be_late(cls, steps: tuple[AnyStep, ...], info: ValidationInfo) -> tuple[AnyStep, ...]:
        wait = info.data.get("wait")
        if steps and isinstance(wait, timedelta | UntilTimeOfDay):
            until = f"of {say(wait)}" if isinstance(wait, timedelta) else say_until(wait)
            raise ValueError(
                f"goes with a date or an instant, which may have passed; a wait {until} is never late. "
                "Write what comes next as steps after this one."
            )
        return steps

    @property
    def words(self) -> str:
        return f"waits {say(self.wait) if isinstance(self.wait, timedelta) else say_until(self.wait)}"

    @property
    def parts(self) -> Mapping[str, str]:
        return {"waits": self.words.removeprefix("waits ")}

    @property
    def moment(self) -> Until | None:
        return None if isinstance(self.wait, timedelta) else self.wait

    @property
    def arms(self) -> tuple[Arm, ...]:
        if not (self.then or self.late):
            return ()
        return Arm(IN_TIME, self.then, "then"), Arm(LATE, self.late, "late")

    @property
    def uses(self) -> Iterable[Use]:
        match self.wait:
            case timedelta() as duration:
                yield DurationUse("wait", duration)
            case UntilTimeOfDay():
                pass
            case UntilInstant(until=at):
                yield InstantUse("wait.until", at)
            case UntilDate(until=attribute, before=before, after=after, yearly=yearly):
                yield DateUse("wait.until", attribute, yearly)
                shifts = {"wait.before": before, "wait.after": after}
                yield from (DurationUse(path, by) for path, by in shifts.items() if by is not None)

    @property
    def longest(self) -> timedelta:
        match self.wait:
            case timedelta() as duration:
                return duration
            case UntilTimeOfDay():
                return LONGEST_TO_A_TIME
            case UntilDate(after=timedelta() as after):
                return LONGEST_TO_A_DATE + after
            case _:
                return LONGEST_TO_A_DATE

    @property
    def shortest(self) -> timedelta:
        return self.wait if isinstance(self.wait, timedelta) else timedelta(0)
