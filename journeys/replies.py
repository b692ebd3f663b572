"""Replies to a text, compared as people mean them: whole, whatever their case, blanks and punctuation."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable


def is_one_of(reply: str, expected: Iterable[str]) -> bool:
    """Whether *reply* says one of what is *expected*: "Ja!" and " JA " are ja, and "ja, bitte" is not.

    One without a letter or a digit is compared by its symbols, so that a thumb down is no thumb up.
    """
    said = folded(reply)
    return said != "" and said in {folded(each) for each in expected}


def folded(reply: str) -> str:
    """What is left of a reply when case, blanks, punctuation and the width of letters do not count."""
    text = unicodedata.normalize("NFKC", reply).casefold()
    words = _without(text, "C", "P", "S", "Z")
    return words if any(map(str.isalnum, words)) else _without(text, *_UNSAID)


_UNSAID = ("C", "Z", "M", "Sk")
"""What makes no other symbol: blanks, what chooses a picture of it, and the colour of a hand."""


def _without(text: str, *categories: str) -> str:
    return "".join(letter for letter in text if not unicodedata.category(letter).startswith(categories))
