"""Text on a terminal: as it was written, but for what would play tricks with it."""

from __future__ import annotations

import re
from typing import TextIO

# What moves the cursor or clears the screen (C0 and C1), what ends a line for some terminals only, half a surrogate
# pair, and what turns the direction of all that follows. What joins letters or keeps words together is left alone:
# emoji of families, Persian and prices are made of it.
_TRICKS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def harmless(text: str) -> str:
    """The text with a � for each character that would do something else than be seen. Of the same length."""
    return _TRICKS.sub("�", text)


def encodable(text: str, out: TextIO) -> str:
    """The text with a ``?`` for each letter that *out* has no code for."""
    encoding = getattr(out, "encoding", None)
    return text.encode(encoding, "replace").decode(encoding) if encoding else text
