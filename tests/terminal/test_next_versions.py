"""The journeys that a script publishes, and the folder they lie in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from journeys.problems import Invalid
from terminal.folder import Script, read_folder, together, validate
from terminal.rehearsal import choose, customer_for, journey_in, play
from tests.programs import ROOT

SCRIPT = """
script: published
customer: ada
events:
  - {trigger: abandoned-cart, attributes: {cart_id: c1, total: 60}}
  - {at: 30 hours, publish: ../journeys/next.yaml, people: move, map: {pause: rest}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The example, with a script that publishes another version, which lies beside the first one."""
    there = Path(shutil.copytree(ROOT / "examples" / "abandoned-cart", tmp_path / "example"))
    written = (there / "journeys" / "abandoned-cart.yaml").read_text()
    (there / "journeys" / "next.yaml").write_text(
        written.replace("{id: pause, wait: 1 day}", "{id: rest, wait: 9 hours}")
    )
    (there / "scripts" / "published.yaml").write_text(SCRIPT)
    return there


def test_a_preview_goes_from_the_journey_to_the_one_that_its_script_publishes(folder: Path) -> None:
    file = folder / "journeys" / "abandoned-cart.yaml"
    read = together([file])
    script = choose(Script, "published", read)

    played = play(journey_in(file, read), read, script, customer_for(script, None, read))

    [run] = played.runs
    assert (run.version, [(move.version, move.stays) for move in played.moves]) == (2, [(2, "")])
    assert [(send.step, (send.at - played.started_at).total_seconds() / 3600) for send in run.sends] == [
        ("initial-reminder", 0),
        ("second-reminder", 24),
        ("final-reminder", 33),
    ]


def test_the_journey_of_a_folder_is_the_one_that_no_script_publishes(folder: Path) -> None:
    found = read_folder([folder])

    assert [file.path.name for file in found.of("journey")] == ["abandoned-cart.yaml"]
    assert validate(found) == []


def test_whichever_is_named_itself_is_the_journey(folder: Path) -> None:
    found = together([folder / "journeys" / "next.yaml"])

    assert [file.path.name for file in found.of("journey")] == ["next.yaml"]


def test_two_of_which_no_script_publishes_one_are_one_too_many(folder: Path) -> None:
    (folder / "scripts" / "published.yaml").unlink()

    with pytest.raises(Invalid, match=r'"abandoned-cart" is also in .*abandoned-cart.yaml. Keep one.'):
        read_folder([folder])


def test_a_script_may_publish_the_journey_in_a_folder_of_its_own(folder: Path) -> None:
    (folder / "next").mkdir()
    (folder / "journeys" / "next.yaml").rename(folder / "next" / "abandoned-cart.yaml")
    (folder / "scripts" / "published.yaml").write_text(SCRIPT.replace("journeys/next", "next/abandoned-cart"))

    assert [file.path.parent.name for file in read_folder([folder]).of("journey")] == ["journeys"]


def test_a_script_publishes_no_script(folder: Path) -> None:
    (folder / "scripts" / "published.yaml").write_text(SCRIPT.replace("../journeys/next.yaml", "published.yaml"))

    with pytest.raises(Invalid, match="it holds no journey: expected journey: …; found script, customer, events"):
        read_folder([folder / "scripts"])
