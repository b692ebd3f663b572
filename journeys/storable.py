"""What can be stored, and read again by everybody: text that is text, numbers that fit, nothing nested without end."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import islice

from journeys.problems import Flaw

MOST_LEVELS = 110
"""Of lists and mappings within each other. JSON is read to 200 of them on the way to a run."""
MOST_DIGITS = 18
"""Of a whole number: what 64 bits hold, here and at everybody who reads it."""
MOST_FLAWS = 100


def unstorable(text: str) -> str:
    """What is wrong with a text that cannot be stored; nothing where it can be."""
    # PostgreSQL takes neither in a text or in JSON, and half a surrogate pair is no character at all.
    bad = next((char for char in text if char == "\0" or "\ud800" <= char <= "\udfff"), None)
    return f"the character U+{ord(bad):04X} cannot be stored in text: leave it out." if bad else ""


def unstorable_number(number: float) -> str:
    """What is wrong with a number that not everybody could read again; nothing where they can."""
    if not isinstance(number, int):
        return "" if math.isfinite(number) else f"{number} was found, a finite number was expected."
    if abs(number) < 10**MOST_DIGITS:
        return ""
    return f"this number has more than {MOST_DIGITS} digits: write it as text, in quotes."


def flaws_of_data(data: object) -> list[Flaw]:
    """What of *data*, as YAML or JSON gave it, cannot be stored, each flaw with its path. The first MOST_FLAWS."""
    return list(islice(_flaws(data, "", 1), MOST_FLAWS))


def _flaws(value: object, path: str, level: int) -> Iterator[Flaw]:
    match value:
        case bool() | None:
            return
        case str():
            message = unstorable(value)
        case int() | float():
            message = unstorable_number(value)
        case Mapping() | list() if level > MOST_LEVELS:
            message = f"this is nested too deeply: at most {MOST_LEVELS} levels are read."
        case Mapping():
            yield from _flaws_of_mapping(value, path, level)
            return
        case list():
            for index, item in enumerate(value):
                yield from _flaws(item, f"{path}[{index}]", level + 1)
            return
        case _:
            return
    if message:
        yield Flaw(path=path, message=message)


def _flaws_of_mapping(found: Mapping[object, object], path: str, level: int) -> Iterator[Flaw]:
    for name, value in found.items():
        here = f"{path}.{name}" if path else f"{name}"
        if not isinstance(name, str):
            yield Flaw(path=path, message=f"{name!r} is no name.", hint="Write names as text, in quotes if need be.")
        elif message := unstorable(name):
            yield Flaw(path=here, message=message)
        else:
            yield from _flaws(value, here, level + 1)
