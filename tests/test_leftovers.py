"""What tests leave running is ended, also after a kill -9 of theirs."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import leftovers
from tests.programs import PATIENCE, ROOT, environment

TESTS = """
import subprocess, sys
from tests import leftovers

leftovers.watch()
left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"], start_new_session=True)
print(left.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
@pytest.mark.parametrize("killed", [True, False], ids=["killed", "ended in order"])
def test_what_is_left_running_is_ended(killed: bool) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", TESTS], cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as tests:
        assert tests.stdout
        left = int(tests.stdout.readline())
        assert left in leftovers.running(_mark(left).partition("=")[2])

        if killed:
            tests.kill()

    until = time.monotonic() + PATIENCE
    while _runs(left) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _runs(left)


def _mark(process: int) -> str:
    """What it carries in its environment, which there is nothing of while a process is just being started."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        for value in Path(f"/proc/{process}/environ").read_text("utf-8").split("\0"):
            if value.startswith(leftovers.MARK):
                return value
        time.sleep(0.01)
    raise AssertionError(f"{process} carries no mark")


def _runs(process: int) -> bool:
    try:
        return "zombie" not in Path(f"/proc/{process}/status").read_text("utf-8")
    except FileNotFoundError:
        return False
