"""Standard input, output and error, so that whatever is at their other end can take what is printed."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from io import TextIOWrapper


def prepare() -> None:
    """What a terminal has no letters for is shown as ``?``; what is closed is as good as ``/dev/null``."""
    for number in (0, 1, 2):
        _occupy(number)
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def let_go() -> None:
    """Write nothing more: nobody reads it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with suppress(OSError, ValueError):  # not every stream is a file
        os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _occupy(number: int) -> None:
    """A descriptor that is closed would be given to the next file that is opened, and printed into."""
    try:
        os.fstat(number)
    except OSError:
        os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one


def _nowhere() -> TextIOWrapper:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - as long as the process
