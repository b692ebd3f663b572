"""Attributes of customers over HTTP."""

from __future__ import annotations

import pytest

from tests.api.door import Door, problem

ATTRIBUTES = "/v1/customer-attributes"


async def test_an_attribute_is_declared_seen_changed_and_forgotten(door: Door) -> None:
    declared = await door.http.put(f"{ATTRIBUTES}/born", json={"type": "time"})
    changed = await door.http.put(f"{ATTRIBUTES}/born", json={"attribute": "born", "type": "date"})
    listed = {each["attribute"]: each for each in (await door.get(ATTRIBUTES))["attributes"]}
    forgotten = await door.http.delete(f"{ATTRIBUTES}/born")

    assert (declared.status_code, changed.status_code, forgotten.status_code) == (201, 200, 200)
    assert listed["born"] == changed.json() == forgotten.json()
    assert (listed["born"]["type"], listed["born"]["fixed_by"]) == ("date", "declaration")
    assert listed["email"]["fixed_by"] == "built in"
    problem(await door.http.get(f"{ATTRIBUTES}/born"), 404, "unknown")
    problem(await door.http.delete(f"{ATTRIBUTES}/born"), 404, "unknown")


async def test_the_type_of_what_is_gone_can_be_changed(door: Door) -> None:
    await door.put("/v1/customers/u1", {"attributes": {"utm_content": 21546}})
    refused = problem(await door.http.put(f"{ATTRIBUTES}/utm_content", json={"type": "text"}), 409, "conflict")
    await door.put("/v1/customers/u1", {"attributes": {}})
    mistyped = await door.http.put("/v1/customers/u2", json={"attributes": {"utm_content": "spring-sale"}})

    changed = await door.put(f"{ATTRIBUTES}/utm_content", {"type": "text"})

    assert refused["errors"][0]["message"] == "1 customer holds a value that is not text, such as u1."
    assert problem(mistyped, 422, "invalid")["errors"][0]["hint"] == (
        "utm_content is a number, by its first value, since 24 November 2026. "
        "PUT /v1/customer-attributes/utm_content changes that."
    )
    assert (changed["type"], changed["held"]) == ("text", False)
    await door.put("/v1/customers/u2", {"attributes": {"utm_content": "spring-sale"}})


@pytest.mark.parametrize(
    ("name", "body", "path", "message"),
    [
        ("born", {}, "type", "is missing."),
        ("born", {"type": "date?"}, "type", 'found "date?"; expected text, number, boolean, time or date.'),
        ("born", {"type": "string"}, "type", 'found "string"; expected text, number, boolean, time or date.'),
        ("born", {"attribute": "bron", "type": "date"}, "attribute", 'found "bron", but it is kept as "born".'),
        ("born", {"type": "date", "keep": True}, "keep", "there is no such field."),
        ("Born", {"type": "date"}, "name", '"Born" cannot name an attribute'),
        ("in", {"type": "date"}, "name", '"in" is no attribute name'),
    ],
)
async def test_what_is_wrong_is_told(door: Door, name: str, body: dict[str, object], path: str, message: str) -> None:
    errors = problem(await door.http.put(f"{ATTRIBUTES}/{name}", json=body), 422, "invalid")["errors"]

    assert [error["path"] for error in errors] == [path]
    assert errors[0]["message"].startswith(message)
