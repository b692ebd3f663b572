"""What the API says of requests that are wrong: one flaw for each mistake, in plain words, and no library's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from httpx import Response

from tests.api.door import Door, event, problem


def said(answer: Response) -> dict[str, str]:
    flaws: list[dict[str, Any]] = problem(answer, 422, "invalid")["errors"]
    return {flaw["path"]: f"{flaw['message']} {flaw['hint']}".strip() for flaw in flaws}


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        pytest.param({"attributes": {"items": [{"title": "Shoes"}]}}, "attributes.items", "found a list;", id="a-list"),
        pytest.param({"customer": "auth0|5f7c"}, "customer", 'such as "auth0:5f7c"', id="auth0"),
        pytest.param({"occurred_at": "2026-11-24 09:00:00"}, "occurred_at", "Add Z or an offset", id="no-offset"),
    ],
)
async def test_an_event_is_told_once_and_where(live: Door, change: dict[str, Any], path: str, words: str) -> None:
    one = said(await live.http.post("/v1/events", json=event("e1") | change))
    many = said(await live.http.post("/v1/events", json=[event("e1"), event("e2") | change]))

    assert list(one) == [path]
    assert list(many) == [f"[1].{path}"]
    assert words in one[path]
    assert one[path] == many[f"[1].{path}"]


async def test_an_event_that_is_no_json_is_told_with_its_line(live: Door) -> None:
    answer = await live.http.post("/v1/events", content='{"id": "e1",\n "trigger": cart}')

    (flaw,) = problem(answer, 422, "invalid")["errors"]
    assert flaw["message"] == "line 2: a value is missing here."
    assert flaw["excerpt"].splitlines() == ['2 |  "trigger": cart}', "                ^"]


async def test_an_attribute_of_a_customer_has_no_words_of_a_library(live: Door) -> None:
    flaws = said(await live.http.put("/v1/customers/ada", json={"attributes": {"firstName": "Ada"}}))

    assert list(flaws) == ["attributes.firstName"]
    assert flaws["attributes.firstName"].startswith('"firstName" cannot name an attribute: use small letters')


@pytest.mark.parametrize(
    ("path", "name", "words"),
    [
        ("/v1/runs?limit=0", "limit", "expected at least 1."),
        ("/v1/runs?limit=many", "limit", "expected a whole number."),
        ("/v1/runs?active=perhaps", "active", "expected true or false."),
        ("/v1/runs?journey=My%20Cart", "journey", "expected a name of lower-case letters"),
        ("/v1/customers/auth0%7C5f7c", "id", 'such as "auth0:5f7c".'),
        ("/v1/journeys/My%20Cart", "name", "expected a name of lower-case letters"),
    ],
)
async def test_a_part_of_the_address_is_told_by_its_name(door: Door, path: str, name: str, words: str) -> None:
    flaws = said(await door.http.get(path))

    assert list(flaws) == [name]
    assert words in flaws[name]


async def test_a_mark_of_byte_order_before_an_event_is_skipped(live: Door) -> None:
    answer = await live.http.post("/v1/events", content=b"\xef\xbb\xbf" + json.dumps(event("e1")).encode())

    assert answer.status_code == 202
