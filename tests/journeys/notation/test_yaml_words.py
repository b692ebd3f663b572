"""Text that is no YAML: each mistake is told at the line that it is in, with a mark, in plain words."""

from __future__ import annotations

import re
from contextlib import suppress
from textwrap import dedent
from time import process_time

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from journeys.notation.unreadable import Unreadable
from journeys.notation.yaml_text import read_yaml
from tests.samples import ABANDONED_CART


def shown(text: str) -> str:
    with pytest.raises(Unreadable) as caught:
        read_yaml(text)
    flaw = caught.value.flaw
    return f"{flaw.message} {flaw.hint}\n{flaw.excerpt}"


def test_the_line_is_shown_with_a_mark_below_the_place() -> None:
    assert shown("start:\n  where: event.cart_id == 'a: b'\n") == dedent("""\
        line 2: a colon with a space after it begins a new field. Put the value in quotes: "event.cart_id == 'a: b'"
        2 |   where: event.cart_id == 'a: b'
                                        ^""")


def test_of_a_long_line_the_part_around_the_mark_is_shown() -> None:
    excerpt = shown(f"where: {'x' * 5_000} a: b\n").splitlines()[1:]

    assert all(len(line) < 120 for line in excerpt)
    assert excerpt[0][excerpt[1].index("^")] == ":"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        pytest.param("- id: mail\n email: hello\n", 2, "indented by 1 space, line 1 by 2", id="indented-too-little"),
        pytest.param("- id: mail\n   email: hello\n", 2, "indented by 3 spaces, line 1 by 2", id="indented-too-much"),
        pytest.param("a:\n  b: 1\n c: 2\n", 3, "indented by 1 space, line 2 by 2", id="between-two-levels"),
        pytest.param("a:\n  - b: 1\n   - c: 2\n", 3, "indented by 3 spaces, line 2 by 2", id="dashes-apart"),
        pytest.param("a:\n  # a word\n  - b: 1\n\n   - c: 2\n", 5, "line 3 by 2", id="dashes-apart-with-a-remark"),
        pytest.param("a:\n  b:\n    - c\n   d: 1\n", 4, "indented by 3 spaces, line 2 by 2", id="after-a-list"),
        pytest.param("a: 1\n  b: 2\n", 2, "indented by 2 spaces, line 1 by 0", id="below-a-value"),
        pytest.param("a:\n\tb: 1\n", 2, "begins with a tab. YAML is indented with spaces", id="tab"),
        pytest.param("a:\n  b: 1\n\tc: 2\n", 3, "begins with a tab", id="tab-below-spaces"),
        pytest.param("text: |\n\thello\n", 2, "begins with a tab", id="tab-in-a-block"),
        pytest.param("a: b: c\n", 1, 'Put the value in quotes: "b: c"', id="two-colons"),
        pytest.param("a: Sale: 50% off\n", 1, 'in quotes: "Sale: 50% off"', id="colon-in-a-title"),
        pytest.param("a: {b: c: d}\n", 1, "is missing before this. Put texts in quotes", id="two-colons-in-braces"),
        pytest.param("s: {{ a.b }}, hi\n", 1, 'Put the value in quotes: "{{ a.b }}, hi"', id="liquid"),
        pytest.param("s: {{ a.b }}\n", 1, 'Put the value in quotes: "{{ a.b }}"', id="liquid-alone"),
        pytest.param("s: {{ a | default: 'x' }}\n", 1, """: "{{ a | default: 'x' }}\"""", id="liquid-with-quotes"),
        pytest.param('s: {{ a | default: "x" }}\n', 1, """: '{{ a | default: "x" }}'""", id="liquid-in-double"),
        pytest.param("s: {% if a %}b{% endif %}\n", 1, 'Put the value in quotes: "{% if', id="liquid-tag"),
        pytest.param("- {id: a, to: {{ x }}}\n", 1, "`{` begins an object", id="liquid-in-braces"),
        pytest.param("s: %off\n", 1, "`%` cannot begin a value", id="percent"),
        pytest.param("%off: 1\n", 1, "`%` cannot begin a line", id="percent-first"),
        pytest.param("s: @ada\n", 1, '`@` cannot begin a value in YAML. Put the value in quotes: "@ada"', id="at"),
        pytest.param("s: `x`\n", 1, "a backtick cannot begin", id="backtick"),
        pytest.param("s: *bold*\n", 1, "`*` at the beginning", id="star"),
        pytest.param("s: &co\n", 1, "`&` at the beginning", id="ampersand"),
        pytest.param("s: !now\n", 1, "`!` at the beginning", id="exclamation-mark"),
        pytest.param("s: > 5\n", 1, 'is alone in its line. Put the value in quotes: "> 5"', id="more-than"),
        pytest.param("s: >5\n", 1, "`>` begins a text of several lines", id="more-than-without-a-space"),
        pytest.param("s: | hello\n  you\n", 1, "`|` begins a text of several lines", id="bar"),
        pytest.param("s: , x\n", 1, "`,` cannot begin a value", id="comma"),
        pytest.param("s: }\n", 1, "this `}` closes nothing", id="closing-brace"),
        pytest.param('s: "hello\nt: 1\n', 1, 'the " that opens here is not closed', id="double-quote"),
        pytest.param("s: 'hello\nt: 1\n", 1, "the ' that opens here is not closed", id="single-quote"),
        pytest.param('s: "Hi\nt: "x"\n', 1, 'the " that opens here is not closed', id="closed-by-a-later-one"),
        pytest.param("s: 'it's'\n", 1, """ends before this. Write "it's\"""", id="apostrophe"),
        pytest.param('s: "he said "hi" to"\n', 1, """Write 'he said "hi" to'""", id="quotes-in-quotes"),
        pytest.param('s: "Ada" and I\n', 1, """Write '"Ada" and I'""", id="more-after-quotes"),
        pytest.param('s: "C:\\path"\n', 1, "begins a special character in double quotes", id="backslash"),
        pytest.param("s: [1, 2\nt: 1\n", 1, "the [ that opens here is not closed", id="bracket"),
        pytest.param("s: {a: 1\nt: 1\n", 1, "the { that opens here is not closed", id="brace"),
        pytest.param("s: {a: 1", 1, "the { that opens here is not closed", id="brace-at-the-end"),
        pytest.param("s: [", 1, "the [ that opens here is not closed", id="bracket-at-the-end"),
        pytest.param("s: {a:1}\n", 1, "after the colon goes a space. Write a: 1", id="no-space-in-braces"),
        pytest.param("journey:x\nstart: y\n", 1, "after the colon goes a space. Write journey: x", id="no-space"),
        pytest.param("journey: x\nstart:y\nsteps: []\n", 2, "Write start: y", id="no-space-later"),
        pytest.param("journey:x\n", 1, "Write journey: x", id="no-space-alone"),
        pytest.param("s:\n  -id: a\n   wait: b\n", 2, "after the dash goes a space. Write - id: a", id="no-space-dash"),
        pytest.param("s: - a\n", 1, "a list does not begin in the line of its field", id="list-in-line"),
        pytest.param("a: 1\n- b\n", 2, "a list begins here, among the fields of an object", id="list-among-fields"),
        pytest.param("- a\nb: 1\n", 2, "stands in a list and has no dash", id="field-among-dashes"),
        pytest.param("journey\nstart: 1\n", 1, "this line names no field", id="name-alone"),
        pytest.param("start: 1\njourney\n", 2, "this line names no field", id="name-alone-later"),
        pytest.param("a: 1\nwhere = event.total > 5\n", 2, "this line names no field", id="equals-sign"),
        pytest.param("where = 5\n", 1, "this line names no field", id="equals-sign-alone"),
        pytest.param("text: |\nhello\n", 2, "this text is not indented", id="block-not-indented"),
        pytest.param("a: 1\n...\nb: 2\n", 3, "something follows the end", id="after-the-end"),
        pytest.param("a: 1\r\nb:\r\n   c: 1\r\n  d: 2\r\n", 4, "indented by 2 spaces, line 3 by 3", id="windows"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_its_line(text: str, line: int, words: str) -> None:
    said = shown(text)

    assert said.startswith(f"line {line}: ")
    assert words in said


LIBRARY = re.compile("block|mapping|scalar|token|node|sequence|flow|indicator|anchor|directive|expected <|codec|nicode")


@given(st.integers(0, len(ABANDONED_CART)), st.integers(0, 3), st.text("\t\n :-{}[]\"'&*!|>%@`#,?ab0\\", max_size=3))
@example(0, 0, "? ")
@example(ABANDONED_CART.index(": customer.push_token"), 2, ":")
def test_whatever_is_mistyped_is_told_in_plain_words(place: int, dropped: int, typed: str) -> None:
    text = ABANDONED_CART[:place] + typed + ABANDONED_CART[place + dropped :]

    with suppress(Unreadable):
        read_yaml(text)
        return
    said = shown(text)

    assert re.match(r"line \d+: .*\n\d+ \| .*\n *\^$", said)
    assert not LIBRARY.search(without_quotes(said.splitlines()[0], text))


def without_quotes(said: str, text: str) -> str:
    """What is said, without the words of the text itself, such as push_token."""
    own = set(re.findall(r"\w+", text))
    return re.sub(r"\w+", lambda word: "" if word[0] in own else word[0], said)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a:\n" + "    b: 1\n" * 20_000 + "  c: 1\n", id="misplaced"),
        pytest.param("??\n" * 20_000, id="without-a-field"),
        pytest.param("a: [\n" + "b c,\n" * 20_000, id="not-closed"),
        pytest.param(f"a{' ' * 100_000}b\nc: d\n", id="many-spaces"),
    ],
)
def test_what_is_wrong_with_a_long_text_is_told_at_once(text: str) -> None:
    began = process_time()

    with pytest.raises(Unreadable):
        read_yaml(text)

    assert process_time() - began < 3
