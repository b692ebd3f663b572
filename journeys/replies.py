"""Replies to a text, compared as people mean them: whole, whatever their case, blanks and punctuation."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable


def is_one_of(reply: str, expected: Iterable[str]) -> bool:
    """Whether *reply* says one of what is *expected*: "Ja!" and " JA " are ja, and "ja, bitte" is not."""
    return folded(reply) in {folded(each) for each in expected}


def folded(reply: str) -> str:
    """What is left of a reply when case, blanks, punctuation and the width of letters do not count."""
    text = unicodedata.normalize("NFKC", reply).casefold()
    return "".join(letter for letter in text if unicodedata.category(letter)[0] not in "CPSZ")
