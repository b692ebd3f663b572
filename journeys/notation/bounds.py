"""The bounds of what is read, and numbers as YAML and JSON write them: one rule for both."""

from __future__ import annotations

import math
import re

MOST_CHARACTERS = 1_048_576
MOST_VALUES = 100_000
MOST_LEVELS = 250
"""More than a journey of the deepest kind takes, and fewer than make any reader stumble."""

MOST_DIGITS = 300

# JSON's numbers, and .5 and 5. of YAML. What has a plus or a zero before it is a phone number or a postal code.
NUMBER = re.compile(r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$")
_WHOLE = re.compile(r"-?[0-9]+")


def number(text: str) -> int | float:
    """The number that *text* writes. Raises ValueError, in words, where it is too large to be one."""
    if len(text) > MOST_DIGITS:
        raise ValueError(f"a number of {len(text)} characters is too large.")
    if _WHOLE.fullmatch(text):
        return int(text)
    if not math.isfinite(value := float(text)):
        raise ValueError(f"the number {text} is too large.")
    return value
