"""What was found in something that is written: what keeps it from going live, and what its author should know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from journeys.problems import Flaw


@dataclass(frozen=True)
class Findings:
    """What was found: *flaws* keep it from going live, *warnings* are for those who wrote it."""

    flaws: tuple[Flaw, ...] = ()
    warnings: tuple[Flaw, ...] = ()

    def __add__(self, other: Findings) -> Findings:
        return Findings(self.flaws + other.flaws, self.warnings + other.warnings)

    def within(self, path: str) -> Findings:
        """The same, seen from further out."""
        return Findings(
            tuple(flaw.within(path) for flaw in self.flaws), tuple(flaw.within(path) for flaw in self.warnings)
        )


def flaw(path: str, message: str, hint: str = "") -> Findings:
    """One flaw and nothing else."""
    return Findings(flaws=(Flaw(path=path, message=message, hint=hint),))


def warning(path: str, message: str, hint: str = "") -> Findings:
    """One warning and nothing else."""
    return Findings(warnings=(Flaw(path=path, message=message, hint=hint),))


def gathered(findings: Iterable[Findings]) -> Findings:
    """All of them in one, in their order."""
    each = list(findings)
    return Findings(
        tuple(flaw for one in each for flaw in one.flaws), tuple(flaw for one in each for flaw in one.warnings)
    )
