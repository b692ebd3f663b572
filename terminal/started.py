"""How this program was started, so that the commands it prints work when they are pasted."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

NAME = "sojourn"


def command(*arguments: str, **environment: str) -> str:
    """A line for a shell in the same folder: *environment*, then this ``sojourn``, wherever it is, and *arguments*."""
    settings = [f"{name}={shlex.quote(value)}" for name, value in environment.items()]
    return " ".join([*settings, shlex.quote(_ourselves()), *map(shlex.quote, arguments)])


def from_here(path: Path) -> str:
    """*path* as somebody in this folder writes it: relative where it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _ourselves() -> str:
    """The bare name where a shell finds it by that, else its path. Not started by a script of that name: the one
    that is installed beside this Python, if there is one.
    """
    script = Path(sys.argv[0])
    if script.name != NAME:
        script = Path(sys.executable).with_name(NAME)
    found = shutil.which(NAME)
    if not script.exists() or (found and script.samefile(found)):
        return NAME
    return from_here(script.absolute())
