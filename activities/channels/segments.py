"""How long a text is: how many segments it is billed as, and in which alphabet."""

from __future__ import annotations

from typing import NamedTuple


class Segments(NamedTuple):
    """How many texts a body is billed as, and in which alphabet."""

    number: int
    alphabet: str


GSM_7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_7_ESCAPED = frozenset("^{}\\[~]|€\f")


def segments(body: str) -> Segments:
    """Count the segments of a body. One character outside GSM-7 makes all of it UCS-2. Source: GSM 03.38, 03.40."""
    if all(letter in GSM_7 or letter in GSM_7_ESCAPED for letter in body):
        return Segments(_fill([2 if letter in GSM_7_ESCAPED else 1 for letter in body], 160, 153), "GSM-7")
    return Segments(_fill([utf16_units(letter) for letter in body], 70, 67), "UCS-2")


def utf16_units(text: str) -> int:
    """The length of a text as phones count it in UCS-2: two for most emoji."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _fill(sizes: list[int], alone: int, of_many: int) -> int:
    if sum(sizes) <= alone:
        return 1
    count, room = 1, of_many
    for size in sizes:  # no character is split between two segments
        if size > room:
            count, room = count + 1, of_many
        room -= size
    return count
