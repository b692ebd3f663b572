"""A provider is one folder: what it declares is all that others know of it."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

from activities.channels.registry import PROVIDERS

ROOT = Path(__file__).parent.parent.parent
CHANNELS = "activities.channels"


def imported(module: Path) -> set[str]:
    found = set[str]()
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def sources() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    paths = [ROOT / name for name in listed.stdout.split() if not name.startswith(("tests/", "bench/"))]
    return [path for path in paths if path.is_file()]


def test_there_are_providers() -> None:
    assert {"console", "sendgrid", "twilio", "firebase"} <= PROVIDERS.keys()


@pytest.mark.parametrize("name", PROVIDERS)
def test_nobody_imports_a_provider(name: str) -> None:
    folder = ROOT / "activities" / "channels" / name
    others = [path for path in sources() if folder not in path.parents]

    assert len(others) > 50
    assert [
        path.name for path in others if any(within(module, f"{CHANNELS}.{name}") for module in imported(path))
    ] == []


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_sends_something_and_is_heard_of_that_only(name: str) -> None:
    provider = PROVIDERS[name]

    assert provider.kinds
    if provider.webhook:
        assert provider.webhook.kind in provider.kinds
        assert "public_url" in provider.needs, "its reports go there"
