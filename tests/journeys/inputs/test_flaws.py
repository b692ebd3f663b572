"""Flaws of an input in plain words: where, what was found, what was expected. No sentence of pydantic's is shown."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from types import FrameType
from typing import Annotated, Any, get_args

import pytest
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, core_schema

from journeys.catalogue import Content, Customer, Event, Trigger
from journeys.definition import Journey
from journeys.inputs.flaws import flaws_of
from journeys.inputs.places import path_of
from journeys.models import Model
from journeys.problems import Invalid
from journeys.reading import read_journey, validated

OURS = {"value_error", "missing", "extra_forbidden", "timezone_aware"}
CONTEXT: dict[str, Any] = {
    **dict.fromkeys(("gt", "ge", "lt", "le", "multiple_of"), 5.0),
    **dict.fromkeys(("min_length", "max_length", "actual_length", "max_digits", "decimal_places", "whole_digits"), 5),
    **dict.fromkeys(("tz_expected", "tz_actual", "expected_version"), 5),
    **dict.fromkeys(("field_type", "pattern", "expected", "expected_tags", "discriminator", "tag", "class"), "zzz"),
    **dict.fromkeys(("class_name", "method_name", "attribute", "error", "encoding", "encoding_error"), "zzz"),
    **dict.fromkeys(("expected_schemes", "tz", "expected_tokens"), "zzz"),
}
# What these hold tells what to do: the words for them are the limits themselves.
TOLD_BY_ITS_LIMITS = {"enum", "literal_error", "union_tag_invalid"}


@pytest.mark.parametrize("kind", sorted({*get_args(core_schema.ErrorType)} - OURS))
def test_every_error_that_pydantic_knows_has_words_of_our_own(kind: str) -> None:
    error = ErrorDetails(type=kind, loc=("field",), msg="Input should be other", input=[1], ctx=CONTEXT)

    (flaw,) = flaws_of([error])

    assert flaw.path == "field"
    assert flaw.message.startswith("found a list; expected ")
    assert "Input should" not in str(flaw)
    assert "{" not in flaw.message
    assert (
        kind in (TOLD_BY_ITS_LIMITS | {"assertion_error", "ellipsis_error"})
        or "zzz" not in flaw.message
        or "url" in kind
    )


def said(model: type[BaseModel], data: object) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        validated(model, data, "thing")
    return {flaw.path: f"{flaw.message} {flaw.hint}".strip() for flaw in caught.value.flaws}


EVENT = {"id": "1", "trigger": "cart", "customer": "ada", "attributes": {}}


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        pytest.param(
            {"attributes": {"items": [{"title": "Red shoes"}]}},
            "attributes.items",
            "found a list; expected text, a number, true, false or null; lists and objects are not taken.",
            id="a-list",
        ),
        pytest.param({"attributes": {"target": {"a": 1}}}, "attributes.target", "found an object;", id="object"),
        pytest.param({"attributes": []}, "attributes", "found a list with nothing in it;", id="a-list-of-attributes"),
        pytest.param({"attributes": None}, "attributes", "found nothing; expected an object.", id="no-attributes"),
        pytest.param({"customer": "auth0|5f7c"}, "customer", 'cannot have "|" in it: use letters', id="auth0"),
        pytest.param({"customer": "auth0|5f7c"}, "customer", 'such as "auth0:5f7c".', id="auth0-mended"),
        pytest.param({"customer": "a b"}, "customer", 'cannot have " " in it', id="a-space"),
        pytest.param({"customer": "ß"}, "customer", 'cannot have "ß" in it', id="a-letter"),
        pytest.param({"customer": ""}, "customer", "text of at most 128 letters", id="empty-id"),
        pytest.param({"customer": "a" * 129}, "customer", "text of at most 128 letters", id="long-id"),
        pytest.param({"customer": 42}, "customer", "found 42; expected text of at most 128", id="a-number-as-id"),
        pytest.param(
            {"occurred_at": "2026-11-24 09:00:00"},
            "occurred_at",
            '"2026-11-24 09:00:00" has no offset, so it is not one moment. Add Z or an offset such as +02:00.',
            id="no-offset",
        ),
        pytest.param({"occurred_at": "2026-11-24"}, "occurred_at", "has no offset", id="a-date"),
        pytest.param({"occurred_at": "yesterday"}, "occurred_at", "expected a time with", id="a-word-as-time"),
        pytest.param({"occurred_at": "2026-13-45T00:00:00Z"}, "occurred_at", "expected a time with", id="no-day"),
        pytest.param({"occurred_at": [1]}, "occurred_at", "found a list; expected a time", id="a-list-as-time"),
        pytest.param({"id": 5}, "id", "found 5; expected text. Put it in quotes", id="a-number-as-text"),
        pytest.param({"id": ""}, "id", 'found ""; expected text of at least 1 characters.', id="empty"),
        pytest.param({"id": "x" * 300}, "id", "expected text of at most 200 characters", id="too-long"),
        pytest.param({"trigger": None}, "trigger", "found nothing; expected a name", id="null"),
        pytest.param({"trigger": "Cart"}, "trigger", "lower-case letters", id="capitals"),
        pytest.param({"userId": "ada"}, "userId", 'no such field. Did you mean "customer"?', id="userId"),
        pytest.param({"properties": {}}, "properties", 'Did you mean "attributes"?', id="properties"),
        pytest.param({"timestamp": "x"}, "timestamp", 'Did you mean "occurred_at"?', id="timestamp"),
    ],
)  # fmt: skip
def test_one_flaw_tells_of_an_event_what_is_wrong(change: dict[str, object], path: str, words: str) -> None:
    flaws = said(Event, {**EVENT, **change})

    assert list(flaws) == [path]
    assert words in flaws[path]


def test_what_is_no_event_at_all_is_told() -> None:
    assert said(Event, "x") == {"": 'found "x"; expected an object such as {id: …, trigger: …}.'}
    assert said(Event, None) == {"": "found nothing; expected an object such as {id: …, trigger: …}."}


def test_names_of_attributes_are_told_where_they_are() -> None:
    flaws = said(Trigger, {"trigger": "t", "attributes": {"cartId": "text", "items": "list", "due": "datetime?"}})

    assert list(flaws) == ["attributes.cartId", "attributes.items", "attributes.due"]
    assert flaws["attributes.cartId"].startswith('"cartId" cannot name an attribute: use small letters')
    assert flaws["attributes.due"].endswith('Did you mean "time?"?')


@pytest.mark.parametrize(
    ("found", "meant"),
    [("string", "text"), ("str", "text"), ("int", "number"), ("float", "number"), ("bool", "boolean"),
     ("day", "date"), ("datetime?", "time?"), ("Text", "text"), ("nubmer", "number")],
)  # fmt: skip
def test_types_of_other_languages_have_their_word_here(found: str, meant: str) -> None:
    flaws = said(Trigger, {"trigger": "t", "attributes": {"a": found}})

    assert flaws["attributes.a"].endswith(f'Did you mean "{meant}"?')


def test_a_union_tells_of_the_member_that_was_meant() -> None:
    start = {"trigger": "t", "repeat": {"after": "1 month"}}
    steps = [{"id": "pause", "wait": "1 day"}]

    flaws = said(Journey, {"journey": "j", "start": start, "goal": {"trigger": "t", "target": [50]}, "steps": steps})

    assert list(flaws) == ["start.repeat.after", "goal.target"]
    assert "a month has no fixed length" in flaws["start.repeat.after"]
    assert flaws["goal.target"].startswith("found a list; expected a share of the people who entered")


def test_a_union_without_words_of_its_own_has_one_flaw_at_its_place() -> None:
    class Box(Model):
        size: int | bool
        names: dict[str, list[int] | None] = Field(default_factory=dict)

    flaws = said(Box, {"size": "x", "names": {"a": ["b"]}})

    assert list(flaws) == ["size", "names.a[0]"]


def test_an_input_is_not_repeated_where_pydantic_speaks_for_itself() -> None:
    with pytest.raises(ValidationError) as caught:
        Customer.model_validate({"customer": "ada", "attributes": {"email": ["ada@example.com"]}})

    assert "ada@example.com" not in str(caught.value)


def test_what_lists_and_objects_hold_is_not_repeated() -> None:
    flaws = said(Customer, {"customer": "ada", "attributes": {"emails": ["ada@example.com"]}})

    assert "ada@example.com" not in str(flaws)


def test_a_message_of_ours_is_a_sentence() -> None:
    flaws = said(Content, {"content": "c", "email": {"subject": "s", "text": "t"}, "push": {"title": "t", "body": "b"}})

    assert flaws == {"": "a content is one of email, text, push; found email and push."}


def test_types_without_a_model_have_words_too() -> None:
    positive = Annotated[int, Field(ge=1)]

    with pytest.raises(ValidationError) as caught:
        TypeAdapter(positive).validate_python(0)

    assert str(flaws_of(caught.value.errors(), positive)[0]) == "found 0; expected at least 1."


WHOLE: Any = {
    "journey": "j",
    "title": "J",
    "start": {
        "trigger": "cart",
        "where": "event.total > 1.0",
        "key": "event.cart_id",
        "repeat": {"after": "7 days"},
        "overlap": "ignore",
        "from": "2026-01-01T00:00:00Z",
    },
    "goal": {"trigger": "cart", "target": "50%", "within": "3 days"},
    "exit": [{"trigger": "cart", "where": "true"}],
    "steps": [
        {"id": "a", "email": "hello", "to": "customer.email", "expires": "1 day"},
        {"id": "b", "if": {"message": "a", "is": "clicked", "within": "1 day"}, "then": [{"id": "w", "wait": "1 day"}]},
        {"id": "c", "if": {"trigger": "cart", "within": "1 day"}, "then": [], "else": [{"id": "e", "end": "done"}]},
    ],
}
WRONG: tuple[object, ...] = (
    *(None, True, 0, -1, 1.5, 1e308, 10**30, 10**5000, "", "x", "a" * 70_000, [], [None], [[]], {}, {"a": None}, [{}]),
    *("NaN", "9" * 400 + " days", "-1 day", "99999999999 days", "9999-12-31T23:59:59-14:00", {"repeat": 1}, {"": ""}),
)


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*way, key)
        if isinstance(inner, dict | list):
            yield from places(inner, (*way, key))


@pytest.mark.parametrize("way", [pytest.param(way, id=path_of(way)) for way in places(WHOLE)])
def test_whatever_stands_anywhere_is_read_or_told(way: tuple[Any, ...]) -> None:
    for wrong in WRONG:
        whole = deepcopy(WHOLE)
        inner = whole
        for key in way[:-1]:
            inner = inner[key]
        inner[way[-1]] = wrong

        with suppress(Invalid):
            validated(Journey, whole, "journey")
            continue
        for path, words in said(Journey, whole).items():
            assert path_of(way[:1]) in path or not path
            assert not re.search(r"Input should|Value error|valid \w+$|\[key\]|<class|Annotated", words)
            assert len(words) < 600


def test_each_of_many_unknown_fields_is_compared_with_few_names() -> None:
    pause = {"id": "pause", "wait": "1 day"}
    compared = 0

    def count(frame: FrameType, event: str, _: object) -> None:
        nonlocal compared
        compared += event == "call" and frame.f_code.co_name == "get_close_matches"

    sys.setprofile(count)
    try:
        with pytest.raises(Invalid) as refused:
            read_journey({"journey": "j", "start": "cart", "steps": [pause], **{f"k{n}": n for n in range(200)}})
    finally:
        sys.setprofile(None)

    assert len(refused.value.flaws) == 200
    assert compared <= 3 * 200
