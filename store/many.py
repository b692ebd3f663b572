"""Very many rows or decisions at once, so that whoever else is to be answered is answered in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import Executable
from sqlalchemy.ext.asyncio import AsyncConnection

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

MANY = 100


async def beside(
    many: int, work: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs
) -> Result:
    """What *work* returns. It is done in a thread where it is about *many* things, and must not touch the database."""
    if many > MANY:
        return await asyncio.to_thread(work, *arguments, **named)
    return work(*arguments, **named)


async def write_each(connection: AsyncConnection, statement: Executable, rows: Sequence[dict[str, Any]]) -> None:
    """Execute *statement* for each of *rows*, which may be none."""
    for first in range(0, len(rows), MANY):
        await connection.execute(statement, rows[first : first + MANY])
