"""What a source asks of the calendar: in no zone, in one that nobody knows, or for what no calendar has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from journeys.language.cel_tree import Call, Constant, Node, calls, comparisons
from journeys.language.cel_zones import is_offset
from journeys.language.zones import zone_names
from journeys.nearest import nearest
from journeys.problems import Flaw


class _Part(NamedTuple):
    """A part of a time: from *least* to *most*, and what people take it for where it counts from 0."""

    least: int
    most: int
    counts: str = ""


_PARTS: Mapping[str, _Part] = {
    "getFullYear": _Part(1, 9999),
    "getMonth": _Part(0, 11, "January is 0, December is 11"),
    "getDate": _Part(1, 31),
    "getDayOfMonth": _Part(0, 30, "the first of the month is 0; getDate counts from 1"),
    "getDayOfWeek": _Part(0, 6, "Sunday is 0, Saturday is 6"),
    "getDayOfYear": _Part(0, 365, "the first of January is 0"),
    "getHours": _Part(0, 23),
    "getMinutes": _Part(0, 59),
    "getSeconds": _Part(0, 59),
    "getMilliseconds": _Part(0, 999),
}
_IN_EVERY_ZONE = frozenset({"getSeconds", "getMilliseconds"})


def flaws_of_zones(root: Node) -> list[Flaw]:
    """A flaw for each zone that is written out and that nobody knows."""
    asked = (call.arguments[1] for call in calls(root) if call.overload.endswith("_tz"))
    zones = dict.fromkeys(zone.text for zone in asked if isinstance(zone, Constant) and zone.text is not None)
    return [_unknown_zone(zone) for zone in zones if not is_offset(zone) and zone not in zone_names()]


def warnings_of_calendar(root: Node) -> list[Flaw]:
    """What may be asked, and hardly means what its author thinks."""
    return list(dict.fromkeys([*_without_a_zone(root), *_never(root)]))


def _unknown_zone(zone: str) -> Flaw:
    near = _cities().get(zone.strip().replace(" ", "_").lower()) or nearest(zone, zone_names())
    hint = f'Did you mean "{near}"?' if near else 'Write a zone such as "Europe/Oslo", or UTC.'
    return Flaw(path="", message=f'there is no time zone "{zone if len(zone) <= 60 else f"{zone[:59]}…"}".', hint=hint)


@lru_cache(maxsize=1)
def _cities() -> Mapping[str, str]:
    """``oslo`` is ``Europe/Oslo``."""
    return {zone.rpartition("/")[2].lower(): zone for zone in sorted(zone_names()) if "/" in zone}


def _without_a_zone(root: Node) -> Iterator[Flaw]:
    for call in calls(root):
        if _is_of_a_time(call) and len(call.arguments) == 1 and call.function not in _IN_EVERY_ZONE:
            counts = _PARTS[call.function].counts
            message = f"{call.function}() means UTC" + (f", and counts from 0: {counts}." if counts else ".")
            yield Flaw(path="", message=message, hint=f'Name the zone: {call.function}("Europe/Oslo").')


def _never(root: Node) -> Iterator[Flaw]:
    for asked, constant in comparisons(root):
        if not isinstance(asked, Call) or not _is_of_a_time(asked) or constant.number is None:
            continue
        part = _PARTS[asked.function]
        if not part.least <= constant.number <= part.most:
            message = f"{asked.function} is never {constant.number:g}: it goes from {part.least} to {part.most}."
            yield Flaw(path="", message=message, hint=f"{_sentence(part.counts)}." if part.counts else "")


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _is_of_a_time(call: Call) -> bool:
    """Not of a duration, whose hours are no hours of a day."""
    return call.function in _PARTS and call.overload.startswith("timestamp_")
