"""How long a day lasts in a run: a day, or a few seconds for a demonstration."""

from __future__ import annotations

from datetime import datetime, timedelta

from journeys.models import LAST

DAY = timedelta(days=1)


def at_pace(duration: timedelta, day: timedelta) -> timedelta:
    """How long *duration* really lasts in a run in which a day lasts *day*."""
    return duration if day == DAY else duration * (day / DAY)


def later(at: datetime, by: timedelta) -> datetime:
    """*by* after *at* (aware UTC), but never after the last moment that there is."""
    return at + min(by, LAST - at)
