"""Questions that commands ask the API, and their answers in words or as JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from rich.text import Text

from terminal import show
from terminal.client import Api, Connection

Answer = TypeVar("Answer")


def ask(connection: Connection, question: Callable[[Api], Awaitable[Answer]]) -> Answer:
    """What the API answers to one question."""

    async def asked() -> Answer:
        async with Api(connection) as api:
            return await question(api)

    return asyncio.run(asked())


def answer(data: object, words: Iterable[Text], *, as_json: bool) -> None:
    """Print *data* for a script, or *words* for people."""
    if as_json:
        show.data(data)
    else:
        show.tell(words)
