"""The schemas for editors: what a folder takes they take, what reading refuses they refuse, and they explain it all."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from api.steps_examples import JOURNEYS
from journeys.definition import Journey
from journeys.problems import Invalid, Unknown
from journeys.reading import parse, read, write
from journeys.steps import STEP_TYPES
from terminal.folder import MODELS, NAMED, POLICY, SUFFIXES
from terminal.schema import ANY, KINDS, schema_of, write_schemas
from tests.programs import SOJOURN, environment
from tests.random_journeys import journeys
from tests.test_mistakes import TABLE, files_with

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path for path in (ROOT / "examples").rglob("*") if path.suffix in SUFFIXES)

Json = dict[str, Any]


@cache
def validator(kind: str) -> Any:
    return jsonschema_rs.Draft202012Validator(schema_of(kind))


def kind_of(data: Json) -> str:
    return next((kind for kind in reversed(NAMED) if kind in data), ANY)


def journey(*steps: Json, **more: Any) -> Json:
    return {"journey": "j", "start": "cart", "steps": list(steps), **more}


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_a_schema(kind: str) -> None:
    schema = schema_of(kind)

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert jsonschema_rs.meta.is_valid(schema)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_example_fits(path: Path) -> None:
    data = parse(path.read_bytes(), "definition")

    if path.stem == POLICY:
        validator(POLICY).validate(data)
    else:
        validator(kind_of(data)).validate(data)
        validator(ANY).validate(data)


@pytest.mark.parametrize("path", TABLE["folder"])
def test_what_has_no_mistake_fits(path: str) -> None:
    data = parse(TABLE["folder"][path], "definition")

    validator(kind_of(data)).validate(data)


@pytest.mark.parametrize("mistake", [pytest.param(each, id=each["what"]) for each in TABLE["policies"]])
def test_a_policy_that_can_be_read_fits(mistake: Json) -> None:
    if (data := written_policy(mistake)) and can_be_read(data, POLICY):
        validator(POLICY).validate(data)


def test_it_refuses_most_policies_that_cannot_be_read() -> None:
    unreadable = [data for data in map(written_policy, TABLE["policies"]) if data and not can_be_read(data, POLICY)]

    missed = [data for data in unreadable if validator(POLICY).is_valid(data)]

    assert len(unreadable) > 10
    assert len(missed) < len(unreadable) / 3, missed


@settings(max_examples=200, deadline=None)
@given(journey=journeys())
def test_every_journey_fits_as_it_is_written(journey: Journey) -> None:
    validator("journey").validate(parse(write(journey), "journey"))


WRITTEN: list[Any] = [
    *("1 day", "1 DAY", "10 secs", "P1D", "09:00", "2026-12-01T09:00Z", "50%", "50 %", "yes", "never", "on", ""),
    *("customer.email", "event.at", {"after": "1 day"}, {"at": "event.at"}, {"until": "09:00"}, [], ["a"], {}, 5, 1.5),
    *(True, {"id": "w", "wait": "1 day"}),
]
FIELDS = sorted({name for part in schema_of("journey")["$defs"].values() for name in part.get("properties", {})})


def places(part: Any) -> Iterator[tuple[Any, Any]]:
    """Every object and list of a definition, with each name or number of what is in it."""
    for key, value in part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ():
        yield part, key
        yield from places(value)


@st.composite
def mistyped(draw: st.DrawFn) -> Json:
    """A journey of the examples in which something is left out, is something else, or is added."""
    data = copy.deepcopy(draw(st.sampled_from(list(JOURNEYS.values()))))
    part, key = draw(st.sampled_from(list(places(data))))
    match draw(st.sampled_from(["left out", "something else", "added"])):
        case "left out":
            del part[key]
        case "added" if isinstance(part, dict):
            part[draw(st.sampled_from(FIELDS))] = draw(st.sampled_from(WRITTEN))
        case _:
            part[key] = draw(st.sampled_from(WRITTEN))
    return data


@settings(max_examples=1_000, deadline=None)
@given(data=mistyped())
def test_whatever_can_be_read_fits_however_it_is_written(data: Json) -> None:
    readable = can_be_read(data)
    event("readable" if readable else "not")

    assert validator("journey").is_valid(data) or not readable


def mistaken() -> Iterator[tuple[str, Json]]:
    """The files of the table of mistakes that are YAML, whether or not they can be read as what they are."""
    for mistake in TABLE["mistakes"]:
        files = files_with(mistake["changes"])
        for path in sorted({change["file"] for change in mistake["changes"]}):
            with suppress(Invalid):
                yield f"{mistake['what']}: {path}", parse(files[path], "definition")


def written_policy(mistake: Json) -> Json:
    """A policy of the table of mistakes; empty where it is no YAML."""
    with suppress(Invalid):
        return parse(mistake["written"], POLICY)
    return {}


def can_be_read(data: Json, kind: str = "") -> bool:
    kind = kind or kind_of(data)
    try:
        if kind != ANY:
            read(MODELS[kind], data, kind)
    except Invalid:
        return False
    return kind != ANY


def test_it_takes_whatever_can_be_read() -> None:
    readable = [(what, data) for what, data in mistaken() if can_be_read(data)]

    assert len(readable) > 20
    for kind in (kind_of, lambda _: ANY):
        assert [what for what, data in readable if not validator(kind(data)).is_valid(data)] == []


def test_it_refuses_nearly_all_that_cannot_be_read() -> None:
    unreadable = [(what, data) for what, data in mistaken() if not can_be_read(data)]

    missed = [what for what, data in unreadable if validator(kind_of(data)).is_valid(data)]

    assert len(unreadable) > 50
    assert len(missed) < len(unreadable) / 8, missed


@pytest.mark.parametrize(
    "step",
    [
        pytest.param({"id": "w", "wait": "1 day"}, id="a wait"),
        pytest.param({"id": "w", "wait": "1 Day, 2 Hours and 30 min"}, id="a duration in words"),
        pytest.param({"id": "w", "wait": "p1dt12h"}, id="a duration of ISO 8601"),
        pytest.param({"id": "i", "if": {"trigger": "t", "within": "1 day"}}, id="no arms"),
        pytest.param({"id": "m", "email": "c", "to": ["customer.email", "event.email"]}, id="several addresses"),
        pytest.param({"id": "m", "email": "c", "to": "customer.email", "expires": {"at": "event.at"}}, id="at a date"),
        pytest.param({"id": "r", "raise": "t", "with": {"total": 1.5, "new": True, "at": "now"}}, id="expressions"),
    ],
)
def test_a_step_fits(step: Json) -> None:
    validator("journey").validate(journey(step))


@pytest.mark.parametrize(
    "step",
    [
        pytest.param({"id": "w"}, id="no step"),
        pytest.param({"wait": "1 day"}, id="no id"),
        pytest.param({"id": "W", "wait": "1 day"}, id="a capital"),
        pytest.param({"id": "w", "wait": 1}, id="no unit"),
        pytest.param({"id": "w", "wait": "1 month"}, id="a month"),
        pytest.param({"id": "w", "wait": "1 day", "email": "c", "to": "customer.email"}, id="two things at once"),
        pytest.param({"id": "w", "wait": "1 day", "comment": "x"}, id="an unknown field"),
        pytest.param({"id": "m", "email": "c", "to": "customer.email", "by": "run"}, id="a field of another step"),
        pytest.param({"id": "m", "email": "c"}, id="no address"),
        pytest.param({"id": "m", "email": "c", "to": "customer.email", "in_doubt": "send"}, id="no such choice"),
        pytest.param({"id": "i", "if_": {"trigger": "t", "within": "1 day"}}, id="a name of the code"),
        pytest.param({"id": "i", "if": {"trigger": "t"}}, id="no limit"),
        pytest.param({"id": "i", "if": {"message": "m", "is": "opened", "trigger": "t", "within": "1 day"}}, id="both"),
        pytest.param({"id": "i", "if": {"trigger": "t", "within": "1 day"}, "then": [{"id": "x"}]}, id="within an arm"),
        pytest.param({"id": "a", "await": {"within": "1 day", "arms": []}}, id="no arms"),
        pytest.param({"id": "s", "split": [{"arm": "a", "share": 50}]}, id="no percent"),
        pytest.param({"id": "s", "split": [{"arm": "a", "first": 0}]}, id="nobody"),
        pytest.param({"id": "s", "set": {"Name": "now"}}, id="no name of an attribute"),
        pytest.param(
            {
                "id": "t",
                "test": {
                    "winner": {"by": "goal", "after": "1 day", "people": 2000},
                    "arms": [{"arm": "a", "share": "50%"}, {"arm": "b", "share": "50%"}],
                    "default": "a",
                },
            },
            id="two ends",
        ),
    ],
)
def test_a_step_does_not_fit(step: Json) -> None:
    assert not validator("journey").is_valid(journey(step))


def test_a_content_is_for_one_channel() -> None:
    text, push = {"body": "Hi"}, {"title": "Hi", "body": "there"}

    assert validator("content").is_valid({"content": "c", "text": text})
    assert not validator("content").is_valid({"content": "c", "text": text, "push": push})
    assert not validator("content").is_valid({"content": "c"})
    assert not validator("content").is_valid({"content": "c", "email": {"subject": "Hi"}})


@pytest.mark.parametrize(
    ("at", "fits"),
    [
        ("2026-12-01T09:00:00+01:00", True),
        ("2026-12-01T09:00Z", True),
        ("2026-12-01 09:00:00.5z", True),
        ("2026-12-01T09:00:00", False),
        ("2026-12-01", False),
    ],
)
def test_an_instant_has_an_offset(at: str, fits: bool) -> None:
    data = journey({"id": "w", "wait": "1 day"}, start={"trigger": "cart", "from": at})

    assert validator("journey").is_valid(data) == fits
    if fits:
        assert read(Journey, data, "journey").start.from_ is not None


@pytest.mark.parametrize("type_", STEP_TYPES)
def test_every_step_has_an_example_that_fits(type_: str) -> None:
    snippets = schema_of("journey")["$defs"][STEP_TYPES[type_].__name__]["defaultSnippets"]

    assert snippets
    assert all(validator("journey").is_valid(journey(snippet["body"])) for snippet in snippets)
    assert len({snippet["label"] for snippet in snippets}) == len(snippets)


def objects() -> Iterator[Any]:
    for name, part in (schema_of(ANY)["$defs"] | schema_of(POLICY)["$defs"]).items():
        if "properties" in part:
            yield pytest.param(part, id=name)


@pytest.mark.parametrize("part", list(objects()))
def test_every_field_is_described_and_no_other_is_taken(part: Json) -> None:
    silent = [name for name, field in part["properties"].items() if not field.get("description")]

    assert part["description"]
    assert silent == [], "a docstring tells of a field: *within*: how long it is waited for."
    assert part["additionalProperties"] is False


def test_every_duration_has_its_form() -> None:
    def durations(part: Any) -> Iterator[Json]:
        if isinstance(part, dict) and part.get("title") == "Duration":
            yield part
        for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            yield from durations(each)

    found = list(durations(schema_of(ANY)))

    assert len(found) > 10
    assert all("pattern" in part and "patternErrorMessage" in part for part in found)


def test_it_names_fields_as_people_write_them() -> None:
    names = {name for part in objects() for name in part.values[0]["properties"]}

    assert {"if", "else", "raise", "with", "set", "await", "is", "from"} <= names
    assert [name for name in names if name.endswith("_")] == []


def test_there_is_one_for_each_kind(tmp_path: Path) -> None:
    written = list(write_schemas(tmp_path / "of" / "sojourn"))

    assert [path.name for path in written] == [f"{kind}.schema.json" for kind in (*MODELS, "definition")]
    assert json.loads(written[0].read_text()) == schema_of("trigger")
    with pytest.raises(Unknown, match='no kind of file "jurney"'):
        schema_of("jurney")


def test_it_is_the_same_every_time(tmp_path: Path) -> None:
    """Whatever order a process gives to what has none."""

    def written(seed: str) -> list[str]:
        folder = tmp_path / seed
        arguments = [*SOJOURN, "schema", "--to", str(folder)]
        subprocess.run(arguments, env=environment(PYTHONHASHSEED=seed), check=True, capture_output=True)
        return [path.read_text() for path in sorted(folder.iterdir())]

    assert written("1") == written("2")
