"""Very many rows or decisions at once, so that whoever else is to be answered is answered in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import Connection, Executable
from sqlalchemy.util import await_only

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

MANY = 100

# Its own: whoever decides holds locks, and must not stand in line behind previews and whatever else takes long.
_beside = ThreadPoolExecutor(2, thread_name_prefix="deciding")


def beside(
    connection: Connection,
    many: int,
    work: Callable[Arguments, Result],
    *arguments: Arguments.args,
    **named: Arguments.kwargs,
) -> Result:
    """What *work* returns. Where it is about *many* things, it holds up nobody, and must not touch the database."""
    if many > MANY and connection.dialect.is_async:  # else the transaction has a thread already
        return await_only(asyncio.get_running_loop().run_in_executor(_beside, partial(work, *arguments, **named)))
    return work(*arguments, **named)


def write_each(connection: Connection, statement: Executable, rows: Sequence[dict[str, Any]]) -> None:
    """Execute *statement* for each of *rows*, which may be none."""
    for first in range(0, len(rows), MANY):
        connection.execute(statement, rows[first : first + MANY])
