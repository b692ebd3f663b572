"""The check of commit messages, run as pre-commit runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.programs import ROOT

CHECK = ".ci/commit_message.py"

GOOD = {
    "a subject": "Count a branch's limit from the send",
    "a subject and a text": "Pass on what Temporal says\n\nIt was lost.\nNow it is shown.\n",
    "60 letters": "x".center(60, "C"),
    "what git adds for the editor": "Bring the demo back\n# Please enter the commit message.\n#\tmodified: cli.py\n",
    "the diff of commit --verbose": f"Need no shell\n\n# {'-' * 24} >8 {'-' * 24}\ndiff.\nno.\n",
    "a verb that ends like another form": "Embed the page",
    "a merge": "Merge branch 'main' into habits of ours which have a very long name, with all of it told.",
    "a revert": 'Revert "Adds what nobody asked for, and tells of it in far more than sixty letters."',
    "a fixup": "fixup! Adds.",
}
BAD = {
    "nothing": ("\n# Please enter the commit message.\n", "There is no message."),
    "61 letters": ("C" * 61, "has 61 letters, 60 are allowed"),
    "a dot": ("Count the limit from the send.", "ends with a dot"),
    "a type": ("fix(walk): count from the send", 'begins with "fix(walk):". Begin with the verb.'),
    "a tag": ("[walk] Count from the send", "Begin with the verb."),
    "a small letter": ("count from the send", "Begin with a capital letter."),
    "what it did": ("Added a limit", '"Added" does not tell what to do.'),
    "what it does": ("Adds a limit", '"Adds" does not tell what to do.'),
    "what it is at": ("Adding a limit", '"Adding" does not tell what to do.'),
    "no empty line": ("Count from the send\nnot from the branch", "The second line is not empty."),
}


def check(message: str, folder: Path) -> subprocess.CompletedProcess[str]:
    file = folder / "COMMIT_EDITMSG"
    file.write_text(message, "utf-8")
    return subprocess.run([sys.executable, ROOT / CHECK, file], capture_output=True, check=False, text=True)


@pytest.mark.parametrize("message", GOOD.values(), ids=GOOD)
def test_a_good_message_passes(message: str, tmp_path: Path) -> None:
    checked = check(message, tmp_path)

    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize(("message", "said"), BAD.values(), ids=BAD)
def test_a_bad_message_is_refused_with_what_to_do(message: str, said: str, tmp_path: Path) -> None:
    checked = check(message, tmp_path)

    assert checked.returncode == 1
    assert said in checked.stderr


def test_all_flaws_are_told_at_once(tmp_path: Path) -> None:
    checked = check("adds a limit that counts from the send and from nothing else whatever.\nSo.", tmp_path)

    assert len(checked.stderr.splitlines()) == 4


def test_each_commit_is_checked() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))

    stages = {hook["entry"]: hook.get("stages") for repo in config["repos"] for hook in repo["hooks"]}

    assert stages[f".venv/bin/python {CHECK}"] == ["commit-msg"]
    assert "commit-msg" in config["default_install_hook_types"]
