"""The console: messages are printed, as a person would want to see them."""

from __future__ import annotations

import asyncio
import sys
from typing import TextIO

from activities.channels import Accepted, Finding, Handed, NeverTells, Outgoing, ProviderAnswer


class Console:
    """Prints each message in one write, so that messages sent at the same moment do not mix."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out

    async def send(self, message: Outgoing) -> ProviderAnswer:
        await asyncio.to_thread(self._print, picture(message))  # a full pipe must not hold up the worker
        return Accepted(provider_id=f"console-{message.send_id}")

    async def find(self, handed: Handed) -> Finding:
        """A terminal tells nobody what is on it."""
        del handed
        return NeverTells()

    async def close(self) -> None:
        """Nothing to let go of."""

    def _print(self, text: str) -> None:
        out = self._out or sys.stdout
        out.write(text)
        out.flush()


def picture(message: Outgoing) -> str:
    """A message as a block of lines, the first of which holds all that is needed to find and count it."""
    head = [f"{message.kind.capitalize()} to {message.to}", message.step, message.run]
    head += [f"{message.at:%d %b %H:%M:%S}", message.send_id]
    lines = [line for part in message.parts for line in _lines(part, message)]
    return "\n".join([f"┌─ {_plain(' · '.join(head))}", *(f"│ {line}" for line in lines), "└─"]) + "\n"


def _lines(part: str, message: Outgoing) -> list[str]:
    text = _plain(message.parts[part])
    if part == "html" and "text" in message.parts:
        return [f"html: {len(text)} characters"]  # the text says the same, and is made to be read
    return [f"{part}:", *text.split("\n")] if "\n" in text else [f"{part}: {text}"]


def _plain(text: str) -> str:
    """Without what would move the cursor or clear the screen."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "�" for letter in text)
