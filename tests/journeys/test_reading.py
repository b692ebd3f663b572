"""Reading: every flaw at once, each with its path, what was found, what was expected and what to do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.definition import Journey
from journeys.notation.bounds import MOST_CHARACTERS
from journeys.problems import Invalid
from journeys.reading import read_content, read_journey, read_trigger

WAIT: dict[str, object] = {"id": "pause", "wait": "1 day"}
HALF = "Ada \ud83d"
"""With half a surrogate pair, as JavaScript makes it where it cuts a text."""


def nested(levels: int) -> list[dict[str, object]]:
    steps: list[dict[str, object]] = [WAIT]
    for number in range(levels - 1):
        steps = [{"id": f"if-{number}", "if": {"trigger": "bought", "within": "1 day"}, "else": steps}]
    return steps


def _inside(children: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    names = st.sampled_from(["id", "if", "trigger", "message", "wait", "where", "\ud83d"]) | st.text() | st.integers()
    return st.lists(children) | st.dictionaries(names, children)


def flaws_of(source: Any, read: Any = read_journey, **options: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        read(source, **options)
    return {flaw.path: f"{flaw.message} {flaw.hint}".strip() for flaw in caught.value.flaws}


def journey(**changes: object) -> dict[str, object]:
    return {"journey": "welcome", "start": {"trigger": "signed-up"}, "steps": [WAIT], **changes}


def test_all_flaws_come_at_once() -> None:
    flaws = flaws_of(
        {
            "journey": "Abandoned Cart",
            "start": {"trigger": "abandoned-cart", "wher": "true"},
            "steps": [
                {"id": "pause", "wait": "1 month"},
                {"id": "ask", "if": {"message": "x", "is": "open"}},
            ],
        }
    )

    assert set(flaws) == {"journey", "start.wher", "steps[0].wait", "steps[1].if.is", "steps[1].if.within"}
    assert flaws["start.wher"] == 'there is no such field. Did you mean "where"?'
    assert "a month has no fixed length" in flaws["steps[0].wait"]
    assert flaws["steps[1].if.within"] == "is missing. Expected a duration such as 1 day."


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        pytest.param({"steps": []}, "steps", "at least one", id="no-steps"),
        pytest.param(
            {"steps": [{"id": "x", "fly": "y"}]},
            "steps[0]",
            "email, text, push, wait, if, await",
            id="no-such-step",
        ),
        pytest.param(
            {"steps": [{"id": "x", "end": " "}]}, "steps[0].end", "a reason in words", id="an-end-without-a-reason"
        ),
        pytest.param(
            {"steps": [{"id": "x", "end": "a\7b"}]}, "steps[0].end", "control characters", id="an-end-with-a-bell"
        ),
        pytest.param({"steps": ["pause"]}, "steps[0]", '"pause"', id="a-step-that-is-text"),
        pytest.param({"steps": [{"id": "x", "wait": 5}]}, "steps[0].wait", "unit", id="a-bare-number"),
        pytest.param(
            {"steps": [{**WAIT, "whait": 1}]},
            "steps[0].whait",
            'Did you mean "wait"?',
            id="a-misspelled-field",
        ),
        pytest.param(
            {"steps": [{"id": "a", "if": {"trigger": "t", "within": "1 day"}, "else": [{"id": "b", "wait": "x"}]}]},
            "steps[0].else[0].wait",
            "not a duration",
            id="deep-in-an-arm",
        ),
        pytest.param(
            {"start": {"trigger": "signed-up", "repeat": "sometimes"}},
            "start.repeat",
            "expected never, immediately, or {after: 7 days}",
            id="repeat",
        ),
        pytest.param(
            {"start": {"trigger": "signed-up", "from": "2026-11-23T00:00:00"}},
            "start.from",
            "no offset",
            id="naive-time",
        ),
        pytest.param({"goal": {"trigger": "bought", "target": "half"}}, "goal.target", "such as 50%", id="target"),
        pytest.param({"goal": {"trigger": "bought", "target": "101%"}}, "goal.target", "such as 50%", id="over-all"),
        pytest.param({"exits": []}, "exits", 'Did you mean "exit"?', id="a-misspelled-section"),
    ],
)
def test_a_flaw_says_where_and_what_was_expected(change: dict[str, object], path: str, words: str) -> None:
    flaws = flaws_of(journey(**change))

    assert list(flaws) == [path]
    assert words in flaws[path]


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        pytest.param({"title": HALF}, "title", "U+D83D cannot be stored", id="half-a-pair"),
        pytest.param({"title": "a\0b"}, "title", "U+0000 cannot be stored", id="a-nul"),
        pytest.param({"start": {"trigger": "t", "where": "event.a == 'a\0b'"}}, "start.where", "U+0000", id="where"),
        pytest.param({"start": {"trigger": "t", "where": "true" + " " * 2000}}, "start.where", "2,000", id="long"),
        pytest.param({"exit": [{"trigger": "t", "where": "1" * 2001}]}, "exit[0].where", "2,000", id="long-exit"),
        pytest.param({"steps": [{"id": "x", "end": HALF}]}, "steps[0].end", "U+D83D", id="end"),
        pytest.param({HALF: 1}, "Ada \\ud83d", "U+D83D", id="a-name"),
        pytest.param({1: 2}, "", "1 is no name", id="a-number-as-name"),
        pytest.param({"steps": [{("a",): 1}]}, "steps[0]", "is no name", id="a-list-as-name"),
        pytest.param({"steps": [{"id": "x", "if": "opened"}]}, "steps[0].if", "is: opened, within", id="if-a-word"),
        pytest.param({"steps": [{"id": "x", "if": None}]}, "steps[0].if", "found nothing; expected", id="if-nothing"),
        pytest.param({"steps": [{"id": "x", "if": [1]}]}, "steps[0].if", "write await: {within", id="if-a-list"),
        pytest.param({"goal": {"trigger": "t", "target": 10**18}}, "goal.target", "18 digits", id="a-large-number"),
        pytest.param({"goal": {"trigger": "t", "target": 10**5000}}, "goal.target", "18 digits", id="5000-digits"),
        pytest.param({"goal": {"trigger": "t", "target": float("inf")}}, "goal.target", "finite", id="infinity"),
        pytest.param({"title": float("nan")}, "title", "finite", id="no-number"),
        pytest.param({"goal": {"trigger": "t", "within": "365001 days"}}, "goal.within", "365000 days", id="within"),
        pytest.param({"steps": [{"id": "x", "wait": "999999999 days"}]}, "steps[0].wait", "365000 days", id="wait"),
        pytest.param(
            {"steps": [{"id": "x", "push": "p", "to": "customer.a", "expires": "400000 days"}]},
            "steps[0].expires",
            "too long: the longest duration is 365000 days",
            id="expires",
        ),
        pytest.param(
            {"start": {"trigger": "t", "repeat": {"after": "400000 days"}}},
            "start.repeat.after",
            "365000 days",
            id="after",
        ),
        pytest.param(
            {"start": {"trigger": "t", "until": "9999-12-31T23:59:59-14:00"}}, "start.until", "1 and 9999", id="until"
        ),
        pytest.param(
            {"start": {"trigger": "t", "from": "0001-01-01T00:00:00+14:00"}}, "start.from", "1 and 9999", id="from"
        ),
        pytest.param({"steps": nested(51)}, "steps", "nested 51 deep, at most 50 go", id="51-deep"),
        pytest.param({"steps": nested(150)}, "steps" + "[0].else" * 54 + "[0]", "110 levels", id="150-deep"),
        pytest.param(
            {"steps": [{"id": f"w{number}", "wait": "1 day"} for number in range(2001)]},
            "steps",
            "there are 2001 steps, at most 2000 go",
            id="2001-steps",
        ),
    ],
)
def test_what_cannot_be_stored_walked_or_shown_is_refused_with_its_path(
    change: dict[object, object], path: str, words: str
) -> None:
    flaws = flaws_of({**journey(), **change})

    assert list(flaws) == [path]
    assert words.replace(",", "") in flaws[path].replace(",", "")


def test_what_an_earlier_release_stored_is_read_as_it_is() -> None:
    stored = journey(steps=nested(60), goal={"trigger": "bought", "within": "999999999 days"})

    read = Journey.model_validate(stored)

    assert read.goal
    assert read.goal.within.days == 999_999_999


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.characters(), _inside))
def test_any_data_is_a_journey_or_has_flaws_that_can_be_shown(data: object) -> None:
    for change in ({"title": data}, {"steps": data}, {"start": data}, {"goal": data}, {"exit": [data]}):
        try:
            read_journey(journey(**change))
        except Invalid as refused:
            for flaw in refused.flaws:
                flaw.model_dump_json()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("journey: [", "line 1", id="broken-yaml"),
        pytest.param('{"journey": ', "line 1: a value is missing here", id="broken-json"),
        pytest.param("journey: a\njourney: b", 'line 2: "journey" is given twice', id="a-key-twice"),
        pytest.param("a: &x [1]\nb: *x", "`&` at the beginning of a value", id="aliases"),
        pytest.param("- a", "it is a list", id="a-list"),
        pytest.param("", "it is empty", id="nothing"),
        pytest.param("{journey: a, steps: [}", "line 1: this `}`", id="braces-of-yaml"),
        pytest.param("{}".encode("utf-16"), "written in UTF-16. Save it as UTF-8", id="utf-16"),
        pytest.param(b"journey: a\ntitle: \xff", "line 2: it is not written in UTF-8", id="latin-1"),
        pytest.param("#" * (MOST_CHARACTERS + 1), "at most 1048576 are read", id="too-long"),
        pytest.param("[" * 5000, "nested too deeply", id="too-deep"),
    ],
)
def test_text_that_cannot_be_read_says_where(text: str | bytes, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_journey(text)

    assert words in str(caught.value)


def test_a_mark_of_byte_order_is_no_part_of_the_text() -> None:
    assert read_trigger(b"\xef\xbb\xbftrigger: bought\n").trigger == "bought"
    assert read_trigger(b'\xef\xbb\xbf{"trigger": "bought"}').trigger == "bought"


def test_braces_of_yaml_need_no_quotes() -> None:
    assert read_trigger("{trigger: bought, keep: false}").trigger == "bought"


def test_the_name_is_filled_in_from_the_place_it_came_from() -> None:
    nameless = {key: value for key, value in journey().items() if key != "journey"}

    assert read_journey(nameless, name="welcome").journey == "welcome"


def test_two_names_are_refused() -> None:
    assert list(flaws_of(journey(), name="goodbye")) == ["journey"]


def test_a_trigger_tells_its_attribute_types() -> None:
    flaws = flaws_of({"trigger": "bought", "attributes": {"total": "money", "Total": "number"}}, read_trigger)

    assert any("attributes" in path for path in flaws)
    assert read_trigger("trigger: bought\nattributes:\n  coupon: text?\n").attributes["coupon"] == "text?"


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        pytest.param({}, "found none", id="no-channel"),
        pytest.param({"text": {"body": "a"}, "push": {"title": "a", "body": "b"}}, "text and push", id="two-channels"),
        pytest.param({"email": {"subject": "a"}}, "found neither", id="an-email-without-a-body"),
        pytest.param({"email": {"subjekt": "a", "text": "b"}}, 'Did you mean "subject"?', id="a-misspelled-part"),
    ],
)
def test_a_content_is_for_one_channel(parts: dict[str, object], words: str) -> None:
    flaws = flaws_of({"content": "hello", **parts}, read_content)

    assert words in " ".join(flaws.values())
