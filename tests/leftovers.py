"""Ends whatever a test run has left running, once that run is over, however it ended: nobody else can after a kill -9.

``python tests/leftovers.py MARK`` waits for the end of its input, which is the end of whoever started it.
Every process inherits MARK in its environment, whoever started it and whatever its parent is by now.
Without /proc, nothing is found and nothing ended.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MARK = "STARTED_BY_TESTS"
ASKED_FOR = 5.0
"""Seconds in which a process may end in order, and give back what a kill would leave, such as shared memory."""


def watch() -> None:
    """Have everything that is started from now on ended with this process."""
    mark = os.environ[MARK] = f"{os.getpid()}-{time.time_ns()}"
    reading, _writing = os.pipe()  # the end to write to is nobody else's, and stays open for as long as this process
    os.posix_spawn(
        sys.executable,
        [sys.executable, "-ISE", __file__, mark],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, reading, 0), *(_nothing(stream) for stream in (1, 2))],
        setsid=True,  # Ctrl-C is for the tests
    )
    os.close(reading)


def _nothing(stream: int) -> tuple[int, int, str, int, int]:
    return os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0


def running(mark: str) -> Iterator[int]:
    """The processes that carry *mark*, without this one."""
    sought = f"{MARK}={mark}".encode()
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if sought in environment.read_bytes().split(b"\0") and environment.parent.name != str(os.getpid()):
                yield int(environment.parent.name)


def end_all(mark: str) -> None:
    """Ask them to end, and end those that do not."""
    for number, patience in ((signal.SIGTERM, ASKED_FOR), (signal.SIGKILL, 1.0)):
        until = time.monotonic() + patience
        for process in running(mark):
            with suppress(OSError):
                os.kill(process, number)
        while time.monotonic() < until and any(running(mark)):
            time.sleep(0.1)


if __name__ == "__main__":
    sys.stdin.read()
    end_all(sys.argv[1])
