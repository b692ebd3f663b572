"""How far the clocks of a zone are ahead of UTC, and for how long: zoneinfo tells the first and never the second."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Steady(NamedTuple):
    """For so long clocks go on without a change: they are *ahead* of UTC by so many seconds.

    *until*: the second since 1970 that is the first one after it. Another time that is steady by as much may follow.
    """

    until: int
    ahead: int


def steady(zone: ZoneInfo, second: int) -> Steady:
    """How the clocks of *zone* go at a *second* since 1970, and until when."""
    block = second // _BLOCK
    starts, ahead = _changes(zone, block)
    place = bisect_right(starts, second)
    return Steady(starts[place] if place < len(starts) else (block + 1) * _BLOCK, ahead[place - 1])


_DAY = 86_400
_BLOCK = 366 * _DAY
# Clocks overflow where UTC does not: beyond these they are taken to go on as before.
_FIRST = (datetime.min.replace(tzinfo=UTC) - EPOCH) // SECOND + 2 * _DAY
_LAST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // SECOND - 2 * _DAY


@lru_cache(maxsize=2048)
def _changes(zone: ZoneInfo, block: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """From which seconds on clocks are how far ahead, within a block of days."""
    begins = block * _BLOCK
    starts, ahead = [begins], [_ahead(zone, begins)]
    for change in _in_days(zone, begins):
        starts.append(change)
        ahead.append(_ahead(zone, change))
    return tuple(starts), tuple(ahead)


def _in_days(zone: ZoneInfo, begins: int) -> Iterator[int]:
    """The changes in a block, of which no two are within a day: in all the table there is a week between any two."""
    days = range(begins, begins + _BLOCK + 1, _DAY)
    before = _ahead(zone, begins)
    for day in days[1:]:
        if (after := _ahead(zone, day)) != before:
            seconds = range(day - _DAY + 1, day + 1)
            change = seconds[bisect_left(seconds, True, key=lambda second: _ahead(zone, second) != before)]
            before = after
            if change < begins + _BLOCK:
                yield change


def _ahead(zone: ZoneInfo, second: int) -> int:
    offset = (EPOCH + timedelta(seconds=min(max(second, _FIRST), _LAST))).astimezone(zone).utcoffset()
    return (offset or timedelta()) // SECOND
