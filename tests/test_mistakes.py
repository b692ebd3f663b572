"""Mistakes of people who write their first journey, each answered so that they can go on: see mistakes.yaml."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from journeys.catalogue import CUSTOMER
from journeys.checks.policy import check_policy
from journeys.clearance.policy import Policy
from journeys.problems import Flaw, Invalid
from journeys.reading import parse, read
from terminal.folder import read_folder, validate

TABLE: Any = parse((Path(__file__).parent / "mistakes.yaml").read_bytes(), "table")
LIBRARY = re.compile(r"Input should|Value error|expected <|\[key\]|mapping|scalar|\btoken\b|tuple|dictionary|Traceback")


def flaws_of(folder: Path) -> tuple[Flaw, ...]:
    try:
        return tuple(validate(read_folder([folder])))
    except Invalid as error:
        return error.flaws


def files_with(changes: list[dict[str, str]]) -> dict[str, str]:
    """The files of the folder, in which a mistake is made."""
    files: dict[str, str] = dict(TABLE["folder"])
    for change in changes:
        was, file = change.get("was", ""), change["file"]
        assert was in files.setdefault(file, "")
        files[file] = files[file].replace(was, change["written"], 1)
    return files


def written(folder: Path, changes: list[dict[str, str]]) -> None:
    for path, text in files_with(changes).items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)


def test_without_a_mistake_nothing_is_said(tmp_path: Path) -> None:
    written(tmp_path, [])

    assert flaws_of(tmp_path) == ()


@pytest.mark.parametrize("mistake", [pytest.param(each, id=each["what"]) for each in TABLE["mistakes"]])
def test_a_mistake_is_answered_so_that_one_can_go_on(mistake: dict[str, Any], tmp_path: Path) -> None:
    written(tmp_path, mistake["changes"])

    said = [str(flaw).partition("\n")[0].removeprefix(f"{tmp_path}/") for flaw in flaws_of(tmp_path)]

    assert said == mistake["said"]
    assert not LIBRARY.search("\n".join(said))


def said_of_policy(text: str) -> list[str]:
    """The flaws of a policy, or else its warnings."""
    try:
        policy = read(Policy, text, "policy")
    except Invalid as error:
        return [str(flaw) for flaw in error.flaws]
    found = check_policy(policy, {**CUSTOMER, "country": "text?"}, datetime(2026, 11, 28, tzinfo=UTC))
    return [str(flaw) for flaw in found.flaws or found.warnings]


@pytest.mark.parametrize("mistake", [pytest.param(each, id=each["what"]) for each in TABLE["policies"]])
def test_a_mistake_in_a_policy_is_answered_so_that_one_can_go_on(mistake: dict[str, Any]) -> None:
    said = said_of_policy(mistake["written"])

    assert said == mistake["said"]
    assert not LIBRARY.search("\n".join(said))
