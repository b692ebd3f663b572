"""YAML: what stays text, what is refused, and that what was written is read back."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from journeys.notation.bounds import MOST_LEVELS, MOST_VALUES
from journeys.notation.unreadable import Unreadable
from journeys.notation.yaml_text import read_yaml, write_yaml

TEXTS = """
    NO No no YES yes on off y n 01234 007 00 +15550100 +5 -07 0x1F 0o17 0b1 1_000 1,000 12:30 12:30:45 190:20:30
    2026-01-01 2026-01-01T00:00:00Z .inf -.inf .nan .NaN 1e 1.2.3 = http://x/y 1.000,50 None nil undefined
""".split()  # noqa: SIM905 - as a list it takes a line for each


@pytest.mark.parametrize("text", TEXTS)
def test_text_is_what_it_looks_like(text: str) -> None:
    assert read_yaml(f"value: {text}\n") == {"value": text}
    assert read_yaml(f"- {text}\n") == [text]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True), ("True", True), ("TRUE", True), ("false", False), ("False", False), ("FALSE", False),
        ("null", None), ("~", None), ("", None),
        ("0", 0), ("-5", -5), ("12345678901234567890", 12345678901234567890), ("1.50", 1.5), (".5", 0.5), ("5.", 5.0),
        ("1e3", 1000.0), ("-1.5E-3", -0.0015),
        ('"01"', "01"), ("'true'", "true"), ('"null"', "null"), ('"Null"', "Null"),
    ],
)  # fmt: skip
def test_what_is_no_text(text: str, value: object) -> None:
    assert read_yaml(f"value: {text}\n") == {"value": value}
    assert type(read_yaml(f"value: {text}\n")["value"]) is type(value)  # type: ignore[index]


def test_names_of_fields_are_texts() -> None:
    read = read_yaml("1: a\ntrue: b\nnull: c\n2026-01-01: d\nNO: e\n")

    assert read == {"1": "a", "true": "b", "null": "c", "2026-01-01": "d", "NO": "e"}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        pytest.param("a: 1\nb: 2\na: 3\n", 3, '"a" is given twice, in line 1 and here', id="a-field-twice"),
        pytest.param("a: {b: 1, 'b': 2}\n", 1, '"b" is given twice', id="a-field-twice-in-a-line"),
        pytest.param("a: Null\n", 1, 'Write null for nothing, "Null" for a text', id="Null"),
        pytest.param("a:\n  - NULL\n", 2, 'Write null for nothing, "NULL" for a text', id="NULL"),
        pytest.param("a: &x [1]\n", 1, "`&` at the beginning of a value", id="anchor"),
        pytest.param("a: *x\n", 1, "`*` at the beginning of a value", id="alias"),
        pytest.param("&a a: *a\n", 1, "`&`", id="an-anchor-in-itself"),
        pytest.param("<<: {a: 1}\n", 1, "`<<` copies another object's fields", id="merge"),
        pytest.param("a: !!int ''\n", 1, "`!` at the beginning of a value", id="tag"),
        pytest.param("a: !!python/object/apply:os.system ['id']\n", 1, "`!`", id="python-tag"),
        pytest.param("? [a]\n: 1\n", 1, "the name of a field is a text", id="list-as-name"),
        pytest.param("? {a: b}\n: 1\n", 1, "the name of a field is a text", id="object-as-name"),
        pytest.param("? \n: 1\n", 1, "a field has no name", id="no-name"),
        pytest.param("a: 1\n---\nb: 1\n", 2, "second document", id="two-documents"),
        pytest.param("a: " + "9" * 5000, 1, "a number of 5000 characters is too large", id="5000-digits"),
        pytest.param("a: 1e999", 1, "the number 1e999 is too large", id="1e999"),
        pytest.param("a: \0", 1, "U+0000 cannot be in a text", id="nul"),
        pytest.param("a: \ud800", 1, "U+D800 cannot be in a text", id="half-a-character"),
        pytest.param('a: "\\ud800"', 1, "begins a special character", id="half-a-character-escaped"),
        pytest.param("[" * 500_000, 1, "nested too deeply", id="deep-brackets"),
        pytest.param("- " * 900, 1, "nested too deeply", id="deep-dashes"),
        pytest.param("".join(" " * i + "a:\n" for i in range(MOST_LEVELS + 2)), MOST_LEVELS + 1, "deeply", id="deep"),
        pytest.param("[" + "1," * MOST_VALUES + "]", 1, f"at most {MOST_VALUES} values", id="many-values"),
    ],
)
def test_what_is_not_read_is_said_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_yaml(text)

    flaw = caught.value.flaw
    assert flaw.message.startswith(f"line {line}: ")
    assert words in str(flaw)
    assert flaw.excerpt.startswith(f"{line} | ")
    assert flaw.excerpt.endswith("^")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text() | st.sampled_from([*TEXTS, "1e3", "-1E5", "null", "~", ""]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc1:-# ", min_size=1), inner, max_size=4),
    max_leaves=10,
)  # fmt: skip


@given(VALUES)
@example("\x85")
@example("a\u2028b")
@example("1e3")
def test_what_is_written_is_read_back(value: object) -> None:
    assert read_yaml(write_yaml({"value": value})) == {"value": value}
