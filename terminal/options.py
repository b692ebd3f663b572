"""What several commands take alike: where the API is, a journey, a time, whether to print JSON and to do it."""

from __future__ import annotations

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


def connection(context: typer.Context) -> Connection:
    """Where the API is, as cli.py finds it."""
    found: Connection = context.obj()
    return found
