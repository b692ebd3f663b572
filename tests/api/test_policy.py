"""The house's policy by HTTP: put whole, told with who and when, and kept with all that it was before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from journeys.clearance.policy import Policy
from store.policy import begin_with
from tests.api.door import NOW, Door, problem

POLICY = """
time_zone: Europe/Oslo
quiet:   # when people sleep
  - {channels: [text, push], from: "21:00", to: "08:00"}
  - {channels: [text], where: customer.country == "FR", from: "20:00", to: "10:00"}
caps:
  - {channels: [email], at_most: 3, per: 7 days}
"""
WRITTEN = {
    "time_zone": "Europe/Oslo",
    "quiet": [
        {"channels": ["text", "push"], "from": "21:00", "to": "08:00"},
        {"channels": ["text"], "where": 'customer.country == "FR"', "from": "20:00", "to": "10:00"},
    ],
    "caps": [{"channels": ["email"], "at_most": 3, "per": "7 days"}],
}


@pytest.fixture
async def french(door: Door) -> Door:
    """The API that knows of the countries of customers."""
    await door.put("/v1/customer-attributes/country", {"type": "text"})
    return door


async def put(door: Door, policy: str = POLICY, **asked: str) -> tuple[int, dict[str, Any]]:
    headers = {"Content-Type": "application/yaml"}
    answer = await door.http.put("/v1/policy", content=policy, headers=headers, params=asked)
    return answer.status_code, answer.json()


async def test_what_is_put_is_told_with_who_and_when(french: Door) -> None:
    status, answer = await put(french)

    told = {"number": 1, "policy": WRITTEN, "changed_at": "2026-11-24T09:00:00Z", "changed_by": "root"}
    assert (status, answer) == (201, told | {"new": True, "dry_run": False, "warnings": []})
    assert await french.get("/v1/policy") == told


async def test_it_is_by_the_name_of_the_key_that_put_it(door: Door) -> None:
    made = await door.post("/v1/keys", {"key": "back-office", "scopes": ["publish", "definitions:read"]})
    door.http.headers["Authorization"] = f"Bearer {made['secret']}"

    await put(door, "time_zone: Europe/Oslo")

    assert (await door.get("/v1/policy"))["changed_by"] == "back-office"


async def test_the_same_again_changes_nothing(french: Door) -> None:
    await put(french)
    french.clock.now += timedelta(hours=1)

    answer = await french.http.put("/v1/policy", json=WRITTEN)

    assert (answer.status_code, answer.json()["number"], answer.json()["new"]) == (200, 1, False)
    assert answer.json()["changed_at"] == "2026-11-24T09:00:00Z"


async def test_as_yaml_it_can_be_put_again(french: Door) -> None:
    await put(french)

    answer = await french.http.get("/v1/policy", headers={"Accept": "application/yaml"})

    assert answer.headers["content-type"] == "application/yaml"
    assert answer.text.startswith("time_zone: Europe/Oslo\n")
    assert (await put(french, answer.text))[0] == 200


async def test_what_is_not_said_is_not_kept_from_before(french: Door) -> None:
    await put(french)

    await put(french, "time_zone: Europe/Paris")

    assert (await french.get("/v1/policy"))["policy"] == {"time_zone": "Europe/Paris"}


async def test_what_is_kept_for_less_long_is_told(door: Door) -> None:
    await put(door, "keep: {runs: forever, events: 500 days, audit: 900 days}")

    _, less = await put(door, "keep: {audit: 800 days}")
    _, again = await put(door, "keep: {audit: 800 days}")
    _, more = await put(door, "keep: {audit: forever}")

    assert [(each["path"], each["message"].partition(":")[0]) for each in less["warnings"]] == [
        ("keep.runs", "400 days instead of forever"),
        ("keep.events", "400 days instead of 500 days"),
        ("keep.audit", "800 days instead of 900 days"),
    ]
    assert less["warnings"][0]["hint"].endswith("To keep it, say keep: {runs: forever}.")
    assert again["warnings"] == more["warnings"] == []


async def test_a_dry_run_says_what_it_would_do_and_changes_nothing(door: Door) -> None:
    await put(door, "keep: {runs: forever}")
    was, audited = await door.get("/v1/policy"), await door.get("/v1/audit")

    same = await put(door, "keep: {runs: forever}", dry_run="true")
    status, would = await put(door, "keep: {runs: 500 days}", dry_run="true")
    refused, _ = await put(door, "keep: {runs: 1 hour}", dry_run="true")

    assert (same[0], same[1]["number"], same[1]["new"], same[1]["warnings"]) == (200, 1, False, [])
    assert (status, refused) == (200, 422)
    assert (would["number"], would["new"], would["dry_run"]) == (2, True, True)
    assert (await door.get("/v1/policy"), await door.get("/v1/audit")) == (was, audited)
    did = await put(door, "keep: {runs: 500 days}", dry_run="false")
    assert did == (201, would | {"dry_run": False})
    assert [each["path"] for each in would["warnings"]] == ["keep.runs"]


async def test_what_was_before_comes_page_by_page(door: Door) -> None:
    await begin_with(door.store, Policy(), NOW)
    for zone in ("Europe/Oslo", "Europe/Paris"):
        await put(door, f"time_zone: {zone}")

    first = await door.get("/v1/policy/versions", limit=2)
    rest = await door.get("/v1/policy/versions", before=first["next"])

    assert [one["policy"].get("time_zone") for one in first["versions"]] == ["Europe/Paris", "Europe/Oslo"]
    assert [(one["number"], one["changed_by"]) for one in rest["versions"]] == [(1, "settings")]
    assert rest["next"] is None


async def test_all_that_is_wrong_is_told_at_once(french: Door) -> None:
    await put(french)

    answer = await french.http.put("/v1/policy", json={"caps": [{"at_most": 0}], "quite": []})

    flaws = problem(answer, 422, "invalid")["errors"]
    assert [flaw["path"] for flaw in flaws] == ["caps[0].at_most", "caps[0].per", "quite"]
    assert 'Did you mean "quiet"?' in flaws[2]["hint"]
    assert (await french.get("/v1/policy"))["number"] == 1


async def test_a_zone_that_is_none_is_refused(door: Door) -> None:
    answer = await door.http.put("/v1/policy", json={"time_zone": "Europe/Osl"})

    [flaw] = problem(answer, 422, "invalid")["errors"]
    assert (flaw["path"], flaw["hint"]) == ("time_zone", 'Did you mean "Europe/Oslo"?')


async def test_before_there_is_one_there_is_none(door: Door) -> None:
    assert "no policy yet" in problem(await door.http.get("/v1/policy"), 404, "unknown")["detail"]
    assert await door.get("/v1/policy/versions") == {"versions": [], "next": None}


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "before=0", "before=9999999999", "before=x"])
async def test_pages_that_are_none_are_refused(door: Door, query: str) -> None:
    assert (await door.http.get(f"/v1/policy/versions?{query}")).status_code == 422
