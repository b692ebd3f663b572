"""``sojourn`` as real processes: started as a user would, watched by what they print, ended by signals."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "abandoned-cart"
SOJOURN = [sys.executable, "-c", "import cli; cli.main()"]
PATIENCE = 300.0

FREE_PORTS = ("--port", "0", "--temporal-port", "0", "--temporal-ui-port", "0")


def environment(**ours: str) -> dict[str, str]:
    """The environment without what it says of a Sojourn or a Temporal of the developer's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SOJOURN_", "TEMPORAL_"))}
    if kept.pop("PYTHONDONTWRITEBYTECODE", None):  # compiled anew at each of many starts, the code would take longest
        kept["PYTHONPYCACHEPREFIX"] = str(Path(tempfile.gettempdir()) / f"sojourn-tests-{os.getuid()}")
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **ours}


def _heeds_ctrl_c() -> None:
    """What a shell starts in the background ignores Ctrl-C, and so does all that is started from there."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Program:
    """One process, and everything that it has printed so far."""

    def __init__(self, *arguments: str, folder: Path, **ours: str) -> None:
        self._process = subprocess.Popen(
            [*SOJOURN, *arguments],
            cwd=folder,
            env=environment(**ours),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # as from a terminal: its children are told of no signal but by itself
            preexec_fn=_heeds_ctrl_c,  # noqa: PLW1509 - nothing else runs in the child before it is another program
        )
        self.pid = self._process.pid
        self._printed: list[str] = []
        self._news = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def printed(self) -> str:
        return "".join(self._printed)

    def until(self, pattern: str) -> re.Match[str]:
        """Wait until it has printed *pattern*. Raises AssertionError where it ends, or takes too long."""
        with self._news:
            self._news.wait_for(lambda: self._ended or re.search(pattern, self.printed), PATIENCE)
        found = re.search(pattern, self.printed)
        assert found, f"no {pattern!r} in:\n{self.printed}"
        return found

    def signal(self, number: signal.Signals) -> int:
        """Send a signal, and return the exit code."""
        self._process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end, and return the exit code."""
        code = self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def kill(self) -> None:
        """kill -9, if it still runs."""
        self._process.kill()
        self.wait()

    def _read(self) -> None:
        assert self._process.stdout
        with self._process.stdout as output:
            for line in output:
                with self._news:
                    self._printed.append(line)
                    self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()


@contextmanager
def program(*arguments: str, folder: Path, **ours: str) -> Iterator[Program]:
    """``sojourn`` with *arguments*, in *folder*; gone at the end of the block, whatever happened in it."""
    running = Program(*arguments, folder=folder, **ours)
    try:
        yield running
    finally:
        running.kill()


def temporals(data: Path) -> list[int]:
    """The Temporal servers that run with their data in *data*."""
    return [pid for pid, command in _processes() if str(data) in command and "start-dev" in command]


def _processes() -> Iterator[tuple[int, str]]:
    if Path("/proc/self/cmdline").exists():  # a slim container has no ps
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                yield int(file.parent.name), file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return
    listed = subprocess.run(["ps", "-ww", "-eo", "pid=,args="], capture_output=True, check=True, text=True)
    for line in listed.stdout.splitlines():
        pid, _, command = line.strip().partition(" ")
        yield int(pid), command
