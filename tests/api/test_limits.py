"""Whatever is sent to any door, the answer says what is wrong with it: none fails, and none spoils what is there."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, update

from store import schema
from tests import samples
from tests.api.door import Door, problem
from tests.transactions import execute

Way = tuple[str | int, ...]

JOURNEY: dict[str, Any] = {
    "title": "t",
    "start": {
        "trigger": "abandoned-cart",
        "where": "event.total > 1",
        "key": "event.cart_id",
        "repeat": {"after": "1 day"},
        "from": "2026-01-01T00:00:00Z",
        "until": "2027-01-01T00:00:00Z",
    },
    "goal": {"trigger": "purchase-completed", "where": "event.total > 1", "target": "50%", "within": "1 day"},
    "exit": [{"trigger": "purchase-completed", "where": "true"}],
    "steps": [
        {"id": "m", "email": "initial-email-reminder", "to": "customer.email", "expires": "1 day"},
        {
            "id": "i",
            "if": {"message": "m", "is": "clicked", "within": "1 day", "link": "https://x"},
            "then": [{"id": "w", "wait": "1 day"}],
            "else": [{"id": "v", "if": {"trigger": "store-visit", "where": "event.city == 'x'", "within": "1 day"}}],
        },
        {"id": "e", "end": "over"},
    ],
}
LINE = {"at": "1 hour", "trigger": "abandoned-cart", "attributes": {"cart_id": "c", "total": 3}, "id": "a"}
DOORS: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/v1/events"): {
        "id": "x",
        "trigger": "abandoned-cart",
        "customer": "ada",
        "source": "shop",
        "occurred_at": "2026-11-24T08:00:00Z",
        "attributes": {"cart_id": "c1", "total": 60},
    },
    ("PUT", "/v1/triggers/tried"): {"title": "t", "attributes": {"a": "text", "b": "number?"}, "keep": True},
    ("PUT", "/v1/contents/tried"): {"title": "t", "topic": "news", "email": {"subject": "s", "text": "t"}},
    ("PUT", "/v1/customers/tried"): {"attributes": {"email": "a@example.com", "points": 1}},
    ("PATCH", "/v1/customers/tried"): {"attributes": {"email": "a@example.com", "points": None}},
    ("PUT", "/v1/customer-attributes/tried"): {"type": "date"},
    ("PUT", "/v1/customers/tried/consents"): {"source": "s", "consents": [{"channel": "email", "choice": "in"}]},
    ("PUT", "/v1/journeys/tried"): JOURNEY,
    ("POST", "/v1/journeys/tried/preview"): {
        "definition": JOURNEY,
        "customer": {"email": "a@example.com"},
        "script": [LINE, {"at": "2 hours", "message": "m", "is": "clicked", "run": 1}],
        "started_at": "2026-01-01T00:00:00Z",
        "paths": True,
    },
}
READ = [
    "/v1/triggers",
    "/v1/contents",
    "/v1/journeys",
    "/v1/triggers/tried",
    "/v1/contents/tried",
    "/v1/customers/tried",
    "/v1/customers/tried/consents",
    "/v1/customer-attributes",
    "/v1/journeys/tried",
    "/v1/journeys/tried/paths",
]
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(None, True, 0, -1, 1.5, 10**18, 10**400, -(10**400), float("nan"), float("inf"), [], {}, [1], {"a": 1}),
        *(
            "",
            "\0",
            "a\0b",
            "\ud800",
            "a\udfff",
            "\ufffe",
            "\U0001d49c",
            "A" * 70_000,
            "..",
            "%00",
            "\n",
            "null",
            "__proto__",
        ),
        *("{{", "{% for %}", "1 day", "365000 days", "365001 days", "999999999 days", "9" * 400 + " days", "٣ days"),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
        *(
            "event.total",
            "true",
            "event.cart_id.matches('(a+)+$')",
            "event.total > 1e400",
            "event.total > " + "9" * 400,
        ),
        *("event.cart_id == 'a\0b'", "event.cart_id == '\ud83d'", "(" * 500, "event.cart_id == '" + "\\'" * 25_000),
        [[[[]]]],
        [{"id": "x", "if": None}],
        [{"id": "x", "if": "opened"}],
    ]
)
NAMES = st.sampled_from(["", "\0", "\ud800", "A" * 300, "é", "in", "a.b"])


def places(value: Any, way: Way = ()) -> Iterator[Way]:
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*way, key)
        if isinstance(inner, dict | list):
            yield from places(inner, (*way, key))


def changed(whole: Any, way: Way, value: object, *, name: str | None = None) -> Any:
    whole = inner = copy.deepcopy(whole)
    for key in way[:-1]:
        inner = inner[key]
    if name is None or not isinstance(inner, dict):
        inner[way[-1]] = value
    else:
        inner[name] = inner.pop(way[-1])
    return whole


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, Any]:
    """A good request with something odd in one place, as value or as name."""
    (method, path), good = draw(st.sampled_from(list(DOORS.items())))
    way = draw(st.sampled_from(list(places(good))))
    name = draw(st.none() | st.none() | st.none() | NAMES)
    return method, path, changed(good, way, draw(ODD), name=name)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(requests())
async def test_any_body_is_taken_or_told_what_is_wrong(live: Door, asked: tuple[str, str, Any]) -> None:
    method, path, body = asked
    answer = await live.http.request(method, path, content=json.dumps(body))

    assert answer.status_code in (200, 201, 202, 404, 409, 413, 422), answer.text
    if answer.is_success and method == "PUT":
        for followed in ("ready", "publish"):
            await _not_failed(live, "POST", f"{path}/{followed}")
        for view in READ:
            await _not_failed(live, "GET", view)
            await _not_failed(live, "GET", view, headers={"Accept": "application/yaml"})


async def _not_failed(live: Door, method: str, path: str, **how: Any) -> None:
    answer = await live.http.request(method, path, **how)

    assert answer.status_code < 500, f"{method} {path}: {answer.text}"


@pytest.mark.parametrize("odd", ["%00", "a%00b", "%ff", "%ed%a0%80", "a" * 5000])
@pytest.mark.parametrize(
    "path",
    [
        *("/v1/events/{}", "/v1/runs/{}", "/v1/sends/{}", "/v1/journeys/{}", "/v1/customers/{}", "/problems/{}"),
        *("/v1/events/x?source={}", "/v1/runs?before={}", "/v1/runs?customer={}", "/v1/runs?journey={}", "/u/{}"),
    ],
)
async def test_any_address_is_there_or_told_what_is_wrong(door: Door, path: str, odd: str) -> None:
    answer = await door.http.get(path.format(odd))

    assert answer.status_code in (404, 422), answer.text


async def test_what_cannot_be_stored_is_refused_alike_on_both_databases(door: Door) -> None:
    answer = await door.http.get("/v1/runs/a%00b")

    [flaw] = problem(answer, 422, "invalid")["errors"]
    assert flaw["path"] == "id"
    assert "U+0000 cannot be stored" in flaw["message"]


def _nested(levels: int) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = [{"id": "w", "wait": "1 day"}]
    for number in range(levels):
        steps = [{"id": f"n{number}", "if": {"trigger": "abandoned-cart", "within": "1 day"}, "then": steps}]
    return steps


def _is_spoilt(row: dict[str, Any]) -> bool:
    return "spoilt" in (row.get("name"), row.get("trigger", {}).get("trigger"), row.get("content", {}).get("content"))


@pytest.mark.parametrize(
    ("table", "column", "stored"),
    [
        pytest.param(schema.triggers, "definition", {"trigger": "spoilt", "title": "\ud800"}, id="trigger"),
        pytest.param(
            schema.contents, "draft", {"content": "spoilt", "text": {"body": "a \ud83d"}}, id="content-half-a-pair"
        ),
        pytest.param(schema.contents, "draft", {"content": "spoilt"}, id="content-of-no-kind"),
        pytest.param(
            schema.journeys,
            "definition",
            {"journey": "spoilt", "start": {"trigger": "t"}, "steps": _nested(400)},
            id="journey-400-deep",
        ),
        pytest.param(schema.journeys, "definition", {"journey": "spoilt"}, id="journey-without-steps"),
    ],
)
async def test_a_spoilt_row_is_named_and_spoils_no_list(
    live: Door, table: Table, column: str, stored: dict[str, Any]
) -> None:
    rows = f"/v1/{table.name}"
    good = {"triggers": {}, "contents": {"text": {"body": "x"}}, "journeys": JOURNEY}[table.name]
    await live.put(f"{rows}/spoilt", good)
    whole = await live.get(rows)
    await execute(live.store, update(table).where(table.c.name == "spoilt").values({column: stored}))

    listed = await live.get(rows)
    alone = await live.http.get(f"{rows}/spoilt")
    await live.http.put("/v1/journeys/abandoned-cart", content=samples.ABANDONED_CART.replace("1 day", "2 days"))
    other = await live.http.post("/v1/journeys/abandoned-cart/publish")
    await live.put(f"{rows}/spoilt", good)

    assert listed[table.name] == [row for row in whole[table.name] if not _is_spoilt(row)]
    assert [row["name"] for row in listed["unreadable"]] == ["spoilt"]
    assert "Put it again." in problem(alone, 409, "conflict")["detail"]
    assert other.status_code == 200
    assert (await live.get(rows))["unreadable"] == []


async def test_the_paths_of_a_draft_with_a_typo_say_so(live: Door) -> None:
    draft = samples.ABANDONED_CART.replace("message: initial-reminder", "message: intial-reminder")
    await live.http.put("/v1/journeys/abandoned-cart", content=draft)

    answer = await live.http.get("/v1/journeys/abandoned-cart/paths")

    [flaw] = problem(answer, 422, "invalid")["errors"]
    assert flaw["path"] == "steps[1].if.message"
    assert flaw["hint"] == 'Did you mean "initial-reminder"?'


@pytest.mark.parametrize(
    ("change", "path"),
    [
        pytest.param({"started_at": "9999-12-31T23:00:00Z"}, "started_at", id="the-end-of-time"),
        pytest.param({"started_at": "7000-01-01T00:00:00Z"}, "started_at", id="late"),
        pytest.param({"script": [{**LINE, "at": "999999999 days"}]}, "script[0].at", id="a-line-in-the-far-future"),
        pytest.param({"script": [{**LINE, "occurred_at": "400000 days"}]}, "script[0].occurred_at", id="occurred"),
        pytest.param({"script": [{**LINE, "id": "x" * 201}]}, "script[0].id", id="a-long-id"),
        pytest.param({"customer": {"first_name": "Ada \ud83d"}}, "customer.first_name", id="half-a-pair"),
    ],
)
async def test_a_preview_beyond_the_calendar_is_refused_with_its_path(
    live: Door, change: dict[str, Any], path: str
) -> None:
    answer = await live.http.post("/v1/journeys/abandoned-cart/preview", content=json.dumps(change))

    assert [flaw["path"] for flaw in problem(answer, 422, "invalid")["errors"]] == [path]


async def test_a_preview_may_last_to_the_bounds(live: Door) -> None:
    steps = [{"id": "w", "wait": "365000 days"}]
    asked = {
        "definition": {**JOURNEY, "start": {"trigger": "abandoned-cart"}, "steps": steps},
        "script": [{**LINE, "at": "365000 days"}],
        "started_at": "6999-12-31T00:00:00Z",
        "paths": True,
    }

    played = await live.post("/v1/journeys/tried/preview", asked)

    assert played["runs"][0]["ended_at"].startswith("8998")
