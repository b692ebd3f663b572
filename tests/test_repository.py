"""The repository itself: what a clone must not hold, and what its files promise each other."""

import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from functools import cache
from pathlib import Path, PurePosixPath

import pytest

from tests.programs import environment

ROOT = Path(__file__).parent.parent

# In two halves, so that this file does not name them either.
REGISTRIES = [
    ("pypi", "org"),
    ("pythonhosted", "org"),
    ("npmjs", "org"),
    ("npmjs", "com"),
    ("deb.debian", "org"),
    ("proxy.golang", "org"),
]
MACHINE_PATH = re.compile(r"(?<![\w.}/-])/(?:work|root|Users|home/(?!ui-server/)[\w{<])[\w/.-]*")


@cache
def files() -> dict[str, str]:
    """Every text file that is tracked, or would be by `git add --all`, by its path."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    found = {}
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and b"\0" not in (content := path.read_bytes()):
            found[name] = content.decode("utf-8")
    return found


def pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)", files()[f"locks/{lock}.txt"], re.MULTILINE))


def test_there_are_files_to_look_at() -> None:
    assert {"pyproject.toml", "Makefile", "docker-compose.yml"} <= files().keys()


@pytest.mark.parametrize("registry", REGISTRIES, ids=".".join)
def test_no_file_names_a_package_registry(registry: tuple[str, str]) -> None:
    host = ".".join(registry)

    assert [name for name, text in files().items() if host in text] == []


def test_no_file_names_a_path_of_one_machine() -> None:
    found = {name: MACHINE_PATH.findall(text) for name, text in files().items()}
    found.pop("tests/test_repository.py")

    assert {name: paths for name, paths in found.items() if paths} == {}


def test_no_package_under_tests_shadows_a_room() -> None:
    assert [name for name in files() if re.fullmatch(r"tests/(.*/)?__init__\.py", name)] == []


def test_the_changelog_has_a_place_for_the_next_line() -> None:
    assert "\n## [Unreleased]\n" in files()["CHANGELOG.md"]


def test_the_image_gets_all_that_the_package_is_made_of() -> None:
    made_of = tomllib.loads(files()["pyproject.toml"])["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]

    let_in = [line[1:].rstrip("/") for line in files()[".dockerignore"].splitlines() if line.startswith("!")]

    assert [name for name in made_of if not any(fnmatch(name, pattern) for pattern in let_in)] == []


def test_the_image_starts_with_what_it_gets(tmp_path: Path) -> None:
    """As COPY and pip see it: what .dockerignore lets through, and of that what the wheel holds."""
    made_of = tomllib.loads(files()["pyproject.toml"])["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    for name, text in files().items():
        if let_through(name) and any(name == part or name.startswith(f"{part}/") for part in made_of):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
    code = (
        "import sys, cli, server, worker, embedded.demo, store.migrate\n"
        "assert store.migrate.FOLDER.is_dir() and embedded.demo.EXAMPLE.is_dir()\n"
        f"ours = {[part.removesuffix('.py') for part in made_of]}\n"
        "print(*sorted(str(m.__file__) for n, m in sys.modules.items() if n.split('.')[0] in ours and m.__file__),"
        " sep='\\n', flush=True)\n"
        "import os; os._exit(0)"
    )

    started = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(tmp_path)),
        capture_output=True,
        text=True,
        check=False,
    )

    assert started.returncode == 0, started.stderr
    assert len(started.stdout.splitlines()) > 50
    assert [file for file in started.stdout.splitlines() if not file.startswith(str(tmp_path))] == []


def let_through(name: str) -> bool:
    """Whether .dockerignore lets a file into the context: rules are anchored there, and the last that fits decides."""
    kept, way = True, PurePosixPath(name)
    for line in files()[".dockerignore"].splitlines():
        rule = PurePosixPath(line.lstrip("!").strip("/")) if line.strip() and not line.startswith("#") else None
        if rule and any(len(part.parts) == len(rule.parts) and part.match(str(rule)) for part in (way, *way.parents)):
            kept = line.startswith("!")
    return kept


def test_the_index_of_decisions_is_complete() -> None:
    index = files()["docs/decisions/README.md"]
    decisions = {name.removeprefix("docs/decisions/") for name in files() if name.startswith("docs/decisions/0")}

    assert set(re.findall(r"\((\d{4}[\w-]*\.md)\)", index)) == decisions


@pytest.mark.parametrize("lock", ["production", "embedded", "dev"])
def test_a_lock_pins_by_hash_and_names_no_address(lock: str) -> None:
    text = files()[f"locks/{lock}.txt"]

    assert pins(lock)
    assert len(re.findall(r"^\S+==.* \\\n +--hash=sha256:", text, re.MULTILINE)) == len(pins(lock))
    assert "://" not in text
    assert not re.search(r"^--", text, re.MULTILINE)


def test_the_smaller_locks_are_parts_of_the_larger() -> None:
    assert pins("production").items() <= pins("embedded").items() <= pins("dev").items()


def test_every_make_target_says_what_it_does() -> None:
    makefile = files()["Makefile"]
    targets = set(re.findall(r"^\.PHONY: (\w+)$", makefile, re.MULTILINE))

    described = set(re.findall(r"^(\w+):.* ## \w", makefile, re.MULTILINE))

    assert targets == described
    assert {
        *("demo", "dev", "test", "quick", "chaos", "coverage"),
        *("lint", "format", "lock", "bench", "clean", "histories"),
    } <= targets
