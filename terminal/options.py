"""What several commands take alike: where the API is, a journey, a time, whether to print JSON and to do it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from terminal.values import moment

if TYPE_CHECKING:
    from terminal.client import Connection

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]

Named = Annotated[str, typer.Argument(metavar="NAME", help="The journey.")]

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what it would do.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask at a terminal whether it shall be done.")]


def time(text: str) -> datetime:
    """A time as it is typed, in UTC."""
    try:
        return moment(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def one_of(*values: str) -> Callable[[str], str]:
    """Reads an option that takes one of these *values*, and names them where it is none."""

    def read(text: str) -> str:
        if text not in values:
            raise typer.BadParameter(f'"{text}" is neither {" nor ".join(values)}.')
        return text

    return read


def _catch_up(text: str) -> str:
    """What becomes of what waits, as it is typed."""
    from journeys.language.durations import parse  # noqa: PLC0415 - `sojourn --help` reads defaults alone

    if text not in ("now", "skip"):
        try:
            parse(text)
        except ValueError:
            raise typer.BadParameter(f'"{text}" is none of now, skip or a duration such as "30 minutes".') from None
    return text


CatchUp = Annotated[
    str,
    typer.Option(
        parser=_catch_up,
        metavar="now|skip|DURATION",
        help='What becomes of what waits or came due: "now", "skip", or how long it takes, such as "30 minutes".',
    ),
]
People = Annotated[
    str,
    typer.Option(
        parser=one_of("stay", "move", "drain"),
        metavar="stay|move|drain",
        help="Whether people inside finish their version, or go on in it.",
    ),
]


def connection(context: typer.Context) -> Connection:
    """Where the API is, as cli.py finds it."""
    found: Connection = context.obj()
    return found
