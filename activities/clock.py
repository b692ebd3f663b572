"""A run's time during one attempt of an activity."""

from __future__ import annotations

from datetime import datetime, timedelta
from time import monotonic

from temporalio import activity


class RunClock:
    """The run's time during an attempt: what the walk handed in, and what has passed since."""

    def __init__(self, now: datetime) -> None:
        info = activity.info()
        self._began_at = now + (info.started_time - info.scheduled_time)
        self._began = monotonic()

    @property
    def elapsed(self) -> timedelta:
        return timedelta(seconds=monotonic() - self._began)

    def now(self) -> datetime:
        return self._began_at + self.elapsed
