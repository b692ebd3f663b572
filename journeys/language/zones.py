"""Time zones by the names of the IANA, from the table that the package tzdata brings: the same on every machine."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple
from zoneinfo import ZoneInfo

import tzdata

from journeys.nearest import nearest
from journeys.problems import Flaw

TABLE: str = tzdata.IANA_VERSION
"""Which edition of the IANA's table is used, such as ``2026f``."""


class Zone(NamedTuple):
    """The zone in which something is computed. *why*: who says so, in words that tell no value of a customer's."""

    name: str
    zone: ZoneInfo
    why: str


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Every name that the table knows. Names are as they are written there: ``europe/oslo`` is none."""
    listed = files(tzdata).joinpath("zones").read_text("utf-8").split()
    return frozenset(listed) - {"Factory"}  # stands for a clock that nobody has set


def known_zone(name: object) -> ZoneInfo | None:
    """The zone of that name, or None where the table knows none."""
    return _read(name) if isinstance(name, str) and name in zone_names() else None


def zone_of(candidates: Sequence[tuple[str, object]]) -> Zone:
    """The first zone that is known among *candidates*, each with who says so; UTC where none is.

    ``[("customer.time_zone", "Europe/Osl"), ("the journey", "Europe/Oslo")]`` gives Europe/Oslo, since
    "customer.time_zone names no zone that is known, so Europe/Oslo of the journey". Who says nothing is passed
    without a word.
    """
    unknown: list[str] = []
    for source, name in candidates:
        if isinstance(name, str) and (zone := known_zone(name)):
            return Zone(name, zone, _why(unknown, f"{name} of {source}"))
        if name is not None and name != "":
            unknown.append(source)
    return Zone("UTC", _read("UTC"), _why(unknown, "UTC"))


def check_zone(name: str) -> Flaw | None:
    """What is wrong with *name* as the zone of a definition; None where nothing is."""
    if name in zone_names():
        return None
    shown = name if len(name) <= 60 else f"{name[:59]}…"
    return Flaw(path="", message=f'there is no time zone "{shown}".', hint=_hint(name))


@lru_cache(maxsize=1024)
def _read(name: str) -> ZoneInfo:
    # From the package, and not by ZoneInfo(name), which takes the machine's own table where there is one.
    with files(tzdata).joinpath("zoneinfo", *name.split("/")).open("rb") as table:
        return ZoneInfo.from_file(table, key=name)


def _why(unknown: Sequence[str], found: str) -> str:
    if not unknown:
        return found
    names = "names" if len(unknown) == 1 else "name"
    return f"{' and '.join(unknown)} {names} no zone that is known, so {found}"


_OFFSET = re.compile(r"(UTC|GMT|Z)?\s*[-+−±]?\s*[0-9]{1,2}(:?[0-9]{2})?", re.IGNORECASE)
_ABBREVIATION = re.compile(r"[A-Z]{3,4}")


def _hint(name: str) -> str:
    asked = name.strip().replace(" ", "_").lower()
    if same := _by_lower_case().get(asked):
        return f'Did you mean "{same}"?'
    if _OFFSET.fullmatch(name.strip()) or _ABBREVIATION.fullmatch(name.strip()):
        return "Name a place, such as Europe/Oslo: an offset or an abbreviation knows nothing of summer time."
    of_windows = asked.endswith("_time")
    if not of_windows and (near := nearest(asked, _by_lower_case())):
        return f'Did you mean "{_by_lower_case()[near]}"?'
    return "Name a place as the IANA does, such as Europe/Oslo or America/New_York."


@lru_cache(maxsize=1)
def _by_lower_case() -> dict[str, str]:
    """Each zone by what people may call it: its name, and its place alone, in small letters."""
    names = sorted(zone_names())
    places = {name.rpartition("/")[2].lower(): name for name in names if "/" in name and "Etc/" not in name}
    return places | {name.lower(): name for name in names}
