"""A command that changes much: at a terminal it first says what it will do, and somebody says whether it shall."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Generic, NamedTuple, TypeVar

import typer
from pydantic import BaseModel
from rich.text import Text

from terminal import exits, show
from terminal.asking import answer, ask
from terminal.client import Api, Connection

Answer = TypeVar("Answer", bound=BaseModel)

NOTHING_DONE = "Nothing was done."


class How(NamedTuple):
    """How a command is carried out: only said, without being asked, told as JSON.

    *unasked*: whether it is done without ``--yes`` where nobody can be asked.
    """

    dry_run: bool = False
    yes: bool = False
    as_json: bool = False
    unasked: bool = True


class Words(NamedTuple, Generic[Answer]):
    """What a command says: all that it does, or would do, by an answer that is dry or not.

    *question*: made of what a dry run answers; None where there is nothing to ask, as nothing would be done.
    *done*: what was done, to whoever has read all of it before: only in what it is otherwise than they were told.
    It is made of what was done, and of what the dry run had answered.
    """

    all: Callable[[Answer], Iterable[Text]]
    question: Callable[[Answer], str | None]
    done: Callable[[Answer, Answer], Iterable[Text]]


def carry_out(
    connection: Connection, do: Callable[[Api, bool], Awaitable[Answer]], words: Words[Answer], how: How
) -> None:
    """*do* it, dry or not, and tell the answer in *words*. Where nobody says yes to the question, nothing is done."""
    carry_out_here(lambda dry: ask(connection, lambda api: do(api, dry)), words, how)


def carry_out_here(do: Callable[[bool], Answer], words: Words[Answer], how: How) -> None:
    """carry_out(), for what is done without the API."""
    if how.dry_run or how.yes or (how.unasked and not is_at_a_terminal()):
        told = do(how.dry_run)
        answer(told, words.all(told), as_json=how.as_json)
        return
    would = do(True)
    asked = words.question(would)
    if asked is not None and not confirmed(words.all(would), asked, yes=False, unasked=how.unasked):
        show.tell(NOTHING_DONE, error=True)
        raise typer.Exit(exits.REFUSED)
    told = do(False)
    answer(told, words.all(told) if asked is None else words.done(told, would), as_json=how.as_json)


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
