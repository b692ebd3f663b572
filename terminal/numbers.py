"""Numbers with what they count, and how a number has changed since somebody was asked."""

from __future__ import annotations


def counted(number: int, one: str, several: str = "") -> str:
    """``1 run``, ``2 runs``. *several*: where it is another word than with an s."""
    return f"{number} {one if number == 1 else several or f'{one}s'}"


def otherwise(number: int, asked: int) -> str:
    """That it was another *number* that somebody was *asked* about; nothing where it was the same."""
    return "" if number == asked else f" ({asked} when you were asked)"
