"""How much each key may ask of this process: a bucket that fills steadily, and what answers tell of it.

The headers are those of draft-ietf-httpapi-ratelimit-headers-11 of May 2026, the newest: structured fields, in
``RateLimit-Policy`` q units in w seconds, in ``RateLimit`` r units left and t seconds until there is more.
Source: https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-11
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from math import ceil, floor
from time import monotonic
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from journeys.problems import TooMany

if TYPE_CHECKING:
    from api.keys import Caller

HAIR = 1e-9
"""So little may be missing: who waited exactly as long as they were told to is not refused for a rounded sum."""

HEADERS = {
    "RateLimit-Policy": (
        "How much the key may ask for: q in w seconds. Not sent where it has no limit.",
        "string",
        '"events";q=100;w=1',
    ),
    "RateLimit": ("How much of that is left: r, and in t seconds there is more.", "string", '"events";r=50;t=1'),
}
"""What every answer to a key with a limit tells: what that means, its type, and an example."""

AFTER = {"Retry-After": ("In so many seconds the same request may be sent again.", "integer", 1)}
"""What an answer tells that may be another one soon."""


@dataclass
class Bucket:
    """What one key has left: as much as it may ask in a second, and one request at least.

    Whoever may ask for one may ask for a whole list, which leaves it below zero: what follows waits longer. Lists that
    waited for more than one would wait for ever where others of the same key come meanwhile. *now* is of a clock that
    only goes forward.
    """

    per_second: float
    level: float
    at: float

    @classmethod
    def full(cls, per_second: float, now: float) -> Bucket:
        return cls(per_second, max(1.0, per_second), now)

    @property
    def size(self) -> float:
        return max(1.0, self.per_second)

    def take(self, cost: int, now: float, *, before: int = 0) -> float:
        """Take *cost*, beside what the same request took *before*. Returns 0, or how many seconds it is to wait."""
        self.level = min(self.size, self.level + (now - self.at) * self.per_second)
        self.at = now
        if 1 - before > self.level + HAIR:
            return (1 - self.level) / self.per_second
        self.level -= cost
        return 0.0

    def headers(self, wait: float) -> dict[str, str]:
        """What an answer tells, where its request is to *wait* so many seconds, or is not."""
        quota = floor(self.size)
        left = max(0, floor(self.level + HAIR))
        # Retry-After is not to name an earlier time (section 6).
        more = _seconds(wait or (self.size - self.level) / self.per_second)
        policy = f'"events";q={quota};w={_seconds(quota / self.per_second)}'
        return {"RateLimit-Policy": policy, "RateLimit": f'"events";r={left};t={more}'}


class Limits:
    """The buckets of all keys that have a limit, by name. Each process has its own."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}

    def take(self, request: Request, caller: Caller, cost: int = 1, *, before: int = 0) -> None:
        """Count what a request costs, beside what it did *before*, and have its answer tell what is left.

        Raises TooMany.
        """
        if caller.per_second is None or not cost:
            return
        now = self._clock()
        bucket = self._buckets.get(caller.name)
        if bucket is None or bucket.per_second != caller.per_second:
            bucket = self._buckets[caller.name] = Bucket.full(caller.per_second, now)
        wait = bucket.take(cost, now, before=before)
        request.state.limits = bucket.headers(wait)
        if wait:
            raise TooMany(_refused(caller, before + cost), after=timedelta(seconds=_seconds(wait)))


async def limits_of(request: Request) -> Limits:
    """The buckets of this process."""
    limits: Limits = request.app.state.limits
    return limits


LimitsDep = Annotated[Limits, Depends(limits_of)]


def _seconds(duration: float) -> int:
    return max(1, ceil(duration - HAIR))


def _refused(caller: Caller, cost: int) -> str:
    what = "1 request or event" if cost == 1 else f"{cost} events"
    return (
        f'The key "{caller.name}" may ask for {caller.per_second:g} a second, and {what} more is too much just now. '
        "Nothing was done; send the same request again after Retry-After."
    )
