"""Bars on standard error that tell how far something is, for whoever watches."""

from __future__ import annotations

from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class Bars:
    """One for each thing that is done; none where nobody watches."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=console, disable=not console.is_terminal)
        self._tasks = dict[str, TaskID]()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._tasks:
            self._progress.stop()

    def tell(self, what: str, done: int, of: int) -> None:
        """So many *of* so many are done of *what*; *of* is 0 where that is not known."""
        self._progress.start()  # with the first: one that stops without any leaves an empty line
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(what, total=of or None)
        self._progress.update(self._tasks[what], completed=done)
