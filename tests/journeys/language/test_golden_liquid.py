"""Liquid as others have it: the cases of golden-liquid, as python-liquid 1.13.0 brought them (licence beside them).

What is another way here is listed with its reason, and stays that way: a case that passes must leave the list.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from journeys.language.liquid_bounds import BoundedContext, BoundedEnvironment

CASES: list[Mapping[str, Any]] = [
    json.loads(line) for line in Path(__file__).with_name("golden_liquid.jsonl").read_text().splitlines()
]

NO_OTHERS = "a content includes no other"
NO_CLOCK = "the wall clock is not read; the time of the send is a text: {{ 'now' | date: '%Y' }}"
OTHERWISE: Mapping[tuple[str, str], str] = {
    ("echo", "render the special built in variable 'now'"): NO_CLOCK,
    ("echo", "render the special built in variable 'today'"): NO_CLOCK,
    ("output_statement", "render the special built in variable 'now'"): NO_CLOCK,
    ("output_statement", "render the special built in variable 'today'"): NO_CLOCK,
    ("output_statement", "chained bracketed identifier index no dot"): "a dot is expected, as in Liquid's strict mode",
    ("special", "first of an object"): "an attribute that is missing is missing, also where it is called first",
}


def reason(case: Mapping[str, Any]) -> str:
    """Why a case is another way here; empty where it is not."""
    return NO_OTHERS if case["group"] in ("include", "render") else OTHERWISE.get((case["group"], case["name"]), "")


def rendered(case: Mapping[str, Any]) -> str | None:
    """What becomes of a case's template; None where it is an error."""
    buffer = StringIO()
    try:
        template = BoundedEnvironment(html=False).from_string(case["template"])
        context = BoundedContext(template, case.get("values", {}), case["template"], None)
        template.render_with_context(context, buffer)
    except Exception:  # noqa: BLE001 - whatever it is, it is an error
        return None
    return buffer.getvalue()


@pytest.mark.parametrize("group", sorted({case["group"] for case in CASES}))
def test_liquid_is_what_others_have(group: str) -> None:
    cases = [case for case in CASES if case["group"] == group and not reason(case)]

    wrong = [
        (case["name"], case["template"], case.get("expected"), found)
        for case in cases
        if (found := rendered(case)) != case.get("expected")
    ]

    assert wrong == []


@pytest.mark.parametrize(("group", "name"), sorted(OTHERWISE))
def test_what_is_another_way_is_so_still(group: str, name: str) -> None:
    [case] = [case for case in CASES if (case["group"], case["name"]) == (group, name)]

    assert rendered(case) != case.get("expected")
