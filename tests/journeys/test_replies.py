"""Which replies are the same answer."""

from __future__ import annotations

import pytest

from journeys.replies import is_one_of


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("JA!", "ja"),
        (" yes. ", "Yes"),
        ("\uff39es", "yes"),
        ("Yes 👍", "yes"),
        ("STRASSE", "Straße"),
        ("\u00e9", "e\u0301"),
        ("👍", "👍"),
        (" 👍🏽 ", "👍"),
        ("❤\ufe0f", "❤"),
        ("?", "?"),
    ],
)
def test_the_same_answer(reply: str, expected: str) -> None:
    assert is_one_of(reply, ["no", expected])


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("yes, but later", "yes"),
        ("👎", "👍"),
        ("", "👍"),
        ("?!", "👍"),
        ("👍", "yes"),
        ("", "\u200b"),
        ("...", "?"),
    ],
)
def test_another_answer(reply: str, expected: str) -> None:
    assert not is_one_of(reply, [expected])
