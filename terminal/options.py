"""What several commands take alike: a time, whether to print JSON, and whether to do what they say."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from terminal.values import moment

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what it would do.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask at a terminal whether it shall be done.")]


def time(text: str) -> datetime:
    """A time as it is typed, in UTC."""
    try:
        return moment(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
