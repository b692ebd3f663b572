"""What lets messages go that waited: their journey was let go or resumed, or they were repaired or moved: by turns."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from journeys.language.durations import Duration
from journeys.models import Expected, Model
from journeys.walk.diary import HeldBy

SKIPPED = "skipped while paused"
"""Why a message or an action is blocked that came up during a pause, where nothing is caught up with."""


class Over(Model):
    """*over*: so long it takes until all that waited has gone out."""

    over: Duration


CatchUp = Literal["now", "skip"] | Over
"""What becomes of what waits where a journey is resumed.

``now``: it goes out, over the policy's spread. ``over``: over so long. ``skip``: it is left out, and nobody starts who
waits to.
"""


CATCH_UP = Expected("now, skip or how long it takes: {over: 30 minutes}")
"""How it is told where it is written otherwise."""


class Resumption(NamedTuple):
    """When a journey was resumed last with what waited, and over how long it goes out; None: the policy's spread."""

    at: datetime
    over: timedelta | None = None


class Release(NamedTuple):
    """What let a message go: when, and over how long all goes out that waited for it."""

    at: datetime
    over: timedelta
    why: Literal["let go", "resumed", "repaired", "moved"]


def release_of(
    held_by: HeldBy | None,
    since: datetime,
    *,
    let_go_at: datetime | None,
    resumed: Resumption | None,
    spread: timedelta,
    repaired_at: datetime | None = None,
    moved_at: datetime | None = None,
) -> Release | None:
    """What let a message go, whose step was entered *since*, and which something held; the latest, where both did.

    A start that waited is entered at the instant at which its journey is resumed: its first message takes its turn too.
    So does what has come due by a move to another version, and is entered at the instant of that.
    """
    by_brake = held_by in ("brake", "release")
    by_pause = held_by in ("pause", "release") or (resumed is not None and resumed.at == since)
    found: list[Release] = []
    if by_brake and let_go_at is not None:
        found.append(Release(let_go_at, spread, "let go"))
    if by_pause and resumed is not None:
        found.append(Release(resumed.at, spread if resumed.over is None else resumed.over, "resumed"))
    if held_by == "release" and repaired_at is not None:
        found.append(Release(repaired_at, spread, "repaired"))
    if moved_at is not None and moved_at == since:
        found.append(Release(moved_at, spread, "moved"))
    return max(found, key=lambda release: release.at, default=None)
