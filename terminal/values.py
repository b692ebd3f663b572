"""What is typed on a command line, as values: times, and attributes of the types that their trigger declares."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime

# As JSON writes numbers, so that a command and the API cannot disagree: no 1_000, no inf, no digits of other scripts.
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def moment(text: str) -> datetime:
    """One moment, aware UTC: at the offset that is written, or in UTC where none is. Raises ValueError."""
    try:
        at = datetime.fromisoformat(text.strip().upper())
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            f'"{text}" is no time. Write it as 2026-11-24T09:00:00+01:00; without an offset it is in UTC.'
        ) from None


def pairs(given: Sequence[str], each: str = "attribute", form: str = "key=value, such as cart_id=c1") -> dict[str, str]:
    """``["cart_id=c1"]`` as a mapping. *each*: what is named there, and *form*: how it is written. Raises Invalid."""
    from journeys.problems import Invalid  # noqa: PLC0415 - `sojourn --help` reads times, and needs no more of this

    wrong = [text for text in given if not text.partition("=")[0] or "=" not in text]
    if wrong:
        raise Invalid(f"{each.capitalize()}s are written as {form}; found {', '.join(wrong)}.")
    named = [text.partition("=")[0] for text in given]
    if twice := sorted({name for name in named if named.count(name) > 1}):
        raise Invalid(f"Each {each} is given once; found {', '.join(twice)} more often.")
    return dict(text.split("=", 1) for text in given)


def typed(declared: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str | bool | int | float]:
    """Texts as the types that are declared. What does not fit stays as it is: the API says what is wrong with it."""
    return {name: _typed(declared.get(name, "text"), text) for name, text in given.items()}


def _typed(declared: str, text: str) -> str | bool | int | float:
    match declared.removesuffix("?"):
        case "boolean" if text in ("true", "false"):
            return text == "true"
        case "number":
            return _number(text)
        case _:
            return text


def _number(text: str) -> str | int | float:
    """Exactly the number that is written: an id of 18 digits keeps them all."""
    written = _NUMBER.fullmatch(text)
    if written is None:
        return text
    if written[2] is None and written[3] is None:
        with suppress(ValueError):  # of more digits than Python reads
            return int(text)
        return text
    number = float(text)
    return number if math.isfinite(number) else text
