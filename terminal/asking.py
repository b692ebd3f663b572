"""Questions that commands ask the API, and their answers in words or as JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from rich.text import Text

from terminal import show
from terminal.client import Api, Connection, apply_folder
from terminal.folder import Folder

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


async def apply_and_tell(api: Api, folder: Folder, *, publish: bool, as_json: bool = False) -> None:
    """Send a folder, and tell each change when it is made."""
    changes = []
    async for made in apply_folder(api, folder, publish=publish):
        changes.append(made)
        if not as_json:
            show.tell(show.change(made.kind, made.name, made.became))
            show.tell(show.secret(made.name, made.secret) if made.secret else ())
            show.tell(show.warnings(made.warnings), error=True)
    if as_json:
        answer(changes, (), as_json=True)
