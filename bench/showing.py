"""How figures are shown: the median of the rounds, with the least and the most."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median

from rich.table import Table

from bench.sides import BY_HAND

Rows = Sequence[tuple[str, str, Sequence[float]]]


def middle(values: Sequence[float], digits: int = 2) -> str:
    """``1.25 (1.21 – 1.30)``"""
    if not values:
        return "–"
    if len(values) == 1:
        return f"{values[0]:,.{digits}f}"
    return f"{median(values):,.{digits}f} ({min(values):,.{digits}f} – {max(values):,.{digits}f})"


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """One for each round, as a round differs less from the one beside it than from the others."""
    return [one / other for one, other in zip(ours, theirs, strict=True)]


class Sheet:
    """A table with a column for each side."""

    def __init__(self, title: str, sides: Sequence[str]) -> None:
        self._sides = sides
        self.table = Table("", *sides, title=title, title_justify="left")
        for column in self.table.columns[1:]:
            column.justify = "right"

    def compare(self, what: str, of: Callable[[str], Sequence[float]], *, digits: int = 1) -> None:
        """A row of figures, and below it their ratios to the hand-written side's."""
        figures: Mapping[str, Sequence[float]] = {side: of(side) for side in self._sides}
        self.row(what, [middle(figures[side], digits) for side in self._sides])
        by_hand = figures[BY_HAND]
        ours = [middle(ratios(figures[side], by_hand)) for side in self._sides if side != BY_HAND]
        self.row(f"  ÷ {BY_HAND}", ["1", *ours])

    def row(self, what: str, cells: Sequence[str]) -> None:
        """A row as it is."""
        self.table.add_row(what, *cells)
