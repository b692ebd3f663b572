"""What several commands take alike: a time, and whether to print JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from terminal.values import moment

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def time(text: str) -> datetime:
    """A time as it is typed, in UTC."""
    try:
        return moment(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
