"""Parts of a time in a zone, such as ``now.getHours("Europe/Oslo")``, by the table that all local times go by.

CEL's own functions would take the machine's table, and any file that a value names as a path.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone, tzinfo

from cel_expr_python import cel

from journeys.language.zones import known_zone

_PARTS: Mapping[str, Callable[[datetime], int]] = {
    "timestamp_to_year_with_tz": lambda at: at.year,
    "timestamp_to_month_with_tz": lambda at: at.month - 1,
    "timestamp_to_day_of_month_1_based_with_tz": lambda at: at.day,
    "timestamp_to_day_of_month_with_tz": lambda at: at.day - 1,
    "timestamp_to_day_of_week_with_tz": lambda at: at.isoweekday() % 7,
    "timestamp_to_day_of_year_with_tz": lambda at: at.timetuple().tm_yday - 1,
    "timestamp_to_hours_with_tz": lambda at: at.hour,
    "timestamp_to_minutes_with_tz": lambda at: at.minute,
    "timestamp_to_seconds_tz": lambda at: at.second,
    "timestamp_to_milliseconds_with_tz": lambda at: at.microsecond // 1000,
}
_OFFSET = re.compile(r"([+-]?)(0\d|1[0-4]):([0-5]\d)")


def is_offset(zone: str) -> bool:
    """Whether a zone is written as an offset, such as ``+02:00``."""
    return _OFFSET.fullmatch(zone) is not None


def _zone(name: str) -> tzinfo:
    if zone := known_zone(name):
        return zone
    if not (found := _OFFSET.fullmatch(name)):
        raise ValueError("invalid timezone")
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-offset if found[1] == "-" else offset)


def _zoned(part: Callable[[datetime], int]) -> Callable[[datetime, str], int]:
    return lambda at, zone: part(at.astimezone(_zone(zone)))


def _ours(overload: str) -> str:
    return f"zoned_{overload}"


ZONED_BY_CEL: Mapping[str, str] = {overload: _ours(overload) for overload in _PARTS}
"""CEL's own functions, with those that stand in their place."""

ZONED = [
    cel.FunctionDecl(
        _ours(overload),
        [
            cel.Overload(
                id=_ours(overload),
                return_type=cel.Type.INT,
                parameters=[cel.Type.TIMESTAMP, cel.Type.STRING],
                is_member=True,
                impl=_zoned(part),
            )
        ],
    )
    for overload, part in _PARTS.items()
]
