"""Shares of people as they are written, to a tenth of a percent: ``45%``, ``33.3%``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from journeys.models import Expected
from journeys.problems import Flaw

EVERYBODY = Decimal(100)
FINEST = Decimal("0.1")


def parse_share(text: str) -> Decimal:
    """Read a share in percent. Raises ValueError, saying what was found and what to write."""
    written = text.strip()
    if not (found := _SHARE.fullmatch(written)):
        raise ValueError(_why_not(written))
    percent = Decimal(found[1])
    if percent == 0:
        raise ValueError(f'"{written}" is nobody: leave the arm out, or give it {FINEST}% or more')
    if percent > EVERYBODY:
        raise ValueError(f'"{written}" is more than everybody: {_LIKE}')
    if percent % FINEST:
        nearest = max(FINEST, percent.quantize(FINEST))
        raise ValueError(f'"{written}" is finer than {FINEST}%: write {say_share(nearest)}')
    return percent.quantize(FINEST)


def say_share(percent: Decimal) -> str:
    """The one way to write a share: ``45%``. ``parse_share`` reads it back."""
    return f"{percent:f}".removesuffix(".0") + "%"


def flaw_of_shares(path: str, shares: Sequence[Decimal]) -> Flaw | None:
    """What is wrong with the shares of all arms that are written at *path*, if anything."""
    total = sum(shares, Decimal(0))
    if total == EVERYBODY:
        return None
    hint = f"{say_share(abs(EVERYBODY - total))} {'are missing' if total < EVERYBODY else 'are too many'}."
    if _divided_evenly(shares, total):
        hint = f"{hint} One arm takes what is left over: {say_share(max(shares) + EVERYBODY - total)}."
    return Flaw(path=path, message=f"the shares add up to {say_share(total)}, not to 100%.", hint=hint)


def _divided_evenly(shares: Sequence[Decimal], total: Decimal) -> bool:
    """Whether everybody was divided by the number of arms, and what was left over forgotten: 33.3%, three times."""
    return len(set(shares)) == 1 and abs(EVERYBODY - total) < len(shares) * FINEST


def _read(value: object) -> Decimal:
    match value:
        case str():
            return parse_share(value)
        case Decimal():
            return parse_share(f"{value:f}%")
        case int() | float() if not isinstance(value, bool) and 0 < value <= EVERYBODY:
            raise ValueError(_without_a_sign(str(value)))
        case _:
            raise ValueError(f"this is not a share: {_LIKE}")


def _why_not(text: str) -> str:
    if len(text) > _LONGEST_TEXT:
        return f'"{text[:20]}…" is {len(text)} characters long: {_LIKE}'
    if _NUMBER.fullmatch(text):
        return _without_a_sign(text)
    if comma := _COMMA.fullmatch(text):
        return f'"{text}" has a comma: write {comma[1]}.{comma[2]}%'
    if word := _WORD.fullmatch(text):
        return f'"{text}" has a word for the sign: write {word[1]}%'
    if text.startswith("-"):
        return f'"{text}" is less than nobody: {_LIKE}'
    return f'"{text}" is not a share: {_LIKE}'


def _without_a_sign(number: str) -> str:
    """What to write instead of a number: 0.45 is meant as 45%, and so is 45."""
    meant = Decimal(number)
    meant = meant * 100 if meant < 1 else meant
    if not 0 < meant <= EVERYBODY or meant % FINEST:
        return f"{number} has no percent sign: {_LIKE}"
    return f"{number} has no percent sign: write {say_share(meant.quantize(FINEST))}"


_LIKE = "write the share of people that take the arm, such as 45% or 33.3%"
_LONGEST_TEXT = 20
_SHARE = re.compile(r"([0-9]{1,5}(?:\.[0-9]{1,10})?)\s*%")
_NUMBER = re.compile(r"[0-9]{1,5}(?:\.[0-9]{1,10})?")
_COMMA = re.compile(r"([0-9]{1,3}),([0-9]+)\s*%?")
_WORD = re.compile(r"([0-9]{1,3}(?:\.[0-9])?)\s*(?:percent|per cent|pct|prozent)", re.IGNORECASE)

Share = Annotated[
    Decimal,
    BeforeValidator(_read),
    PlainSerializer(say_share, return_type=str),
    WithJsonSchema(
        {"type": "string", "title": "Share", "pattern": r"^\s*\d+(\.\d+)?\s*%\s*$", "examples": ["45%", "33.3%"]}
    ),
    Expected("a share of people such as 45%"),
]
"""A pydantic field that reads text (never a bare number) and keeps percent, exactly; it writes ``say_share``'s text."""
