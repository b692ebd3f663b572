"""The page about the house and the recipes name files and functions that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "docs" / "architecture.md", *sorted((ROOT / "docs" / "recipes").glob("*.md"))]
ROOMS = "api|activities|bench|docs|embedded|journeys|locks|store|terminal|tests|workflows"


def named(page: Path) -> set[str]:
    """The files and folders that a page names; ``<provider>`` stands for any, and so does the made-up ``acme``."""
    return {
        re.sub(r"<[a-z]+>|acme", "*", name) for name in re.findall(rf"`((?:{ROOMS})/[\w./<>*-]*)`", page.read_text())
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_names_is_there(page: Path) -> None:
    missing = {name for name in named(page) if not list(ROOT.glob(name.rstrip("/")))}

    assert missing == set()


def test_the_page_names_every_room() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    rooms = {folder.parent.name for folder in ROOT.glob("*/__init__.py")}

    assert rooms
    assert {room for room in rooms if f"{room}/" not in text} == set()


def test_every_recipe_is_on_the_page() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()

    assert {page.name for page in PAGES[1:] if f"(recipes/{page.name})" not in text} == set()
