"""A command that changes much: at a terminal it first says what it will do, and somebody says whether it shall."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import NamedTuple, TypeVar

import typer
from pydantic import BaseModel
from rich.text import Text

from terminal import exits, show
from terminal.asking import answer, ask
from terminal.client import Api, Connection

Answer = TypeVar("Answer", bound=BaseModel)

NOTHING_DONE = "Nothing was done."


class How(NamedTuple):
    """How a command is carried out: only said, without being asked, told as JSON."""

    dry_run: bool = False
    yes: bool = False
    as_json: bool = False


def carry_out(
    connection: Connection,
    do: Callable[[Api, bool], Awaitable[Answer]],
    words: Callable[[Answer], Iterable[Text]],
    question: Callable[[Answer], str | None],
    how: How,
    *,
    unasked: bool = True,
) -> None:
    """*do* it, dry or not, and tell the answer in *words*. Where nobody says yes to the question, nothing is done.

    The question is made of what a dry run answers; None where there is nothing to ask, as nothing would be done.
    *unasked*: whether it is done without ``--yes`` where nobody can be asked.
    """
    carry_out_here(lambda dry: ask(connection, lambda api: do(api, dry)), words, question, how, unasked=unasked)


def carry_out_here(
    do: Callable[[bool], Answer],
    words: Callable[[Answer], Iterable[Text]],
    question: Callable[[Answer], str | None],
    how: How,
    *,
    unasked: bool = True,
) -> None:
    """carry_out(), for what is done without the API."""
    if not how.dry_run and not how.yes and (is_at_a_terminal() or not unasked):
        would = do(True)
        asked = question(would)
        if asked is not None and not confirmed(words(would), asked, yes=False, unasked=unasked):
            show.tell(NOTHING_DONE, error=True)
            raise typer.Exit(exits.REFUSED)
    told = do(how.dry_run)
    answer(told, words(told), as_json=how.as_json)


def confirmed(said: Iterable[Text], question: str, *, yes: bool, unasked: bool = True) -> bool:
    """Whether to go on: *yes* says so, or somebody does who has read what is *said*, or nobody can be asked.

    *unasked*: what the last of these comes to.
    """
    if yes:
        return True
    if not is_at_a_terminal():
        if not unasked:
            show.tell(f"{question} Nobody is here to be asked: say --yes.", error=True)
        return unasked
    # On standard error, so that standard output has the answer alone.
    show.tell(said, error=True)
    return _says_yes(question)


def is_at_a_terminal() -> bool:
    """Whether somebody reads, and can answer."""
    with suppress(ValueError):  # one that was closed
        return sys.stdin.isatty() and sys.stdout.isatty()
    return False


def _says_yes(question: str) -> bool:
    while True:
        sys.stderr.write(f"{question} [y/N] ")
        sys.stderr.flush()
        try:
            said = sys.stdin.readline()
        except KeyboardInterrupt:
            show.tell(f"\n{NOTHING_DONE}", error=True)
            raise
        if not said:
            sys.stderr.write("\n")  # Ctrl-D leaves the line open
        if (word := said.strip().lower()) in {"y", "yes", "n", "no", ""}:
            return word.startswith("y")
