"""Somebody at a terminal, who types."""

from __future__ import annotations

import io
import sys

import pytest


class Terminal(io.StringIO):
    """What is typed, as far as it is a terminal."""

    def isatty(self) -> bool:
        return True


def types(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """Somebody sits at a terminal, and types these lines."""
    monkeypatch.setattr(sys, "stdin", Terminal("".join(f"{line}\n" for line in lines)))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
