"""The step that lets time pass."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from journeys.language.durations import Duration, say
from journeys.steps.step import Step
from journeys.steps.uses import DurationUse, Use


class Wait(Step):
    """Let a fixed time pass, counted from entering the step."""

    wait: Duration

    @property
    def words(self) -> str:
        return f"waits {say(self.wait)}"

    @property
    def uses(self) -> Iterable[Use]:
        yield DurationUse("wait", self.wait)

    @property
    def longest(self) -> timedelta:
        return self.wait

    @property
    def shortest(self) -> timedelta:
        return self.wait
