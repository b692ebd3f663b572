"""JSON: read within the bounds that hold for YAML, and explained as YAML is."""

from __future__ import annotations

import pytest

from journeys.notation.bounds import MOST_LEVELS, MOST_VALUES
from journeys.notation.json_text import read_json
from journeys.notation.unreadable import Unreadable


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param('{"a": }', "line 1: a value is missing here", id="no-value"),
        pytest.param(
            '{"a": 1\n "b": 2}', "line 2: a comma, or the end of the list or object, is missing", id="no-comma"
        ),
        pytest.param('{"a" 1}', "line 1: a colon is missing", id="no-colon"),
        pytest.param('{"a": 1,}', "line 1: a", id="a-comma-too-many"),
        pytest.param("{'a': 1}", "line 1: a field's name is missing here. Write it in quotes", id="single-quotes"),
        pytest.param('{"a": 1} x', "line 1: something follows the end", id="more"),
        pytest.param('{"a": "b}', 'line 1: the " that opens here is not closed', id="open-quote"),
        pytest.param('{"a": "b\n"}', "line 1: a line break or a tab cannot stand in a text", id="line-break"),
        pytest.param('{"a": "\\d"}', "line 1: \\ begins a special character", id="escape"),
        pytest.param('{"a": True}', "line 1: True is no value of JSON. Write true.", id="a-word"),
        pytest.param('{"a": NaN}', "NaN is not a number that can be kept", id="nan"),
        pytest.param('{"a": -Infinity}', "-Infinity is not a number", id="infinity"),
        pytest.param('{"a": 1e999}', "the number 1e999 is too large", id="1e999"),
        pytest.param('{"a": ' + "9" * 5000 + "}", "a number of 5000 characters is too large", id="5000-digits"),
        pytest.param('{"a": {"b": 1, "b": 2}}', '"b" is given twice', id="a-field-twice"),
        pytest.param("[" * MOST_LEVELS + "[1]" + "]" * MOST_LEVELS, "nested too deeply", id="deep"),
        pytest.param('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deeply", id="very-deep"),
        pytest.param("[" + "1," * MOST_VALUES + "1]", f"at most {MOST_VALUES} values", id="many-values"),
    ],
)
def test_what_is_not_read_is_told_in_plain_words(text: str, words: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_json(text)

    assert words in str(caught.value)
    assert "Expecting" not in str(caught.value)


def test_both_halves_of_a_character_are_one() -> None:
    assert read_json('{"a": "\\ud83d\\ude00"}') == {"a": "😀"}
