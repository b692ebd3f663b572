"""The entry points' own direction, which import-linter cannot hold because it knows packages only."""

import ast
from pathlib import Path

import pytest

# From the top down: each may import those after it, and every room. embedded/ is a room, and runs those after it.
ENTRY_POINTS = ("cli", "embedded", "server", "worker", "settings")
MODULES = sorted(Path(__file__).parent.parent.glob("*.py"))


def imported(module: Path) -> set[str]:
    found = set[str]()
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def test_only_entry_points_stand_at_the_top() -> None:
    assert {module.stem for module in MODULES} <= set(ENTRY_POINTS)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_an_entry_point_imports_only_those_below(module: Path) -> None:
    same_or_above = ENTRY_POINTS[: ENTRY_POINTS.index(module.stem) + 1]

    assert imported(module).isdisjoint(same_or_above)
