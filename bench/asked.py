"""What was asked of a measurement."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Asked:
    """How many to measure with, in how many rounds, and on which databases. *profile*: the file for the samples."""

    count: int
    rounds: int
    databases: tuple[str, ...]
    profile: Path | None = None
