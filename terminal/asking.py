"""Questions that commands ask the API, and their answers in words or as JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

from pydantic_core import to_json
from rich.text import Text

from journeys.problems import Invalid
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
        show.tell(Text(to_json(data, indent=2).decode()))
    else:
        show.tell(words)


async def apply_and_tell(api: Api, folder: Folder, *, publish: bool, as_json: bool = False) -> None:
    """Send a folder, and tell each change when it is made."""
    changes = []
    async for made in apply_folder(api, folder, publish=publish):
        changes.append(made)
        if not as_json:
            show.tell(show.change(made.kind, made.name, made.became))
    if as_json:
        answer(changes, (), as_json=True)


def pairs(given: Sequence[str]) -> dict[str, str]:
    """``["cart_id=c1"]`` as a mapping. Raises Invalid."""
    wrong = [text for text in given if "=" not in text]
    if wrong:
        raise Invalid(f"Attributes are written as key=value, such as cart_id=c1; found {', '.join(wrong)}.")
    return dict(text.split("=", 1) for text in given)
