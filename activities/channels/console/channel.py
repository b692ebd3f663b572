"""The console: messages are printed, as a person would want to see them."""

from __future__ import annotations

import asyncio
import sys
from typing import TextIO

from activities.channels import Accepted, Down, Finding, Handed, NeverTells, Outgoing, ProviderAnswer
from activities.channels.letters import encodable, harmless


class Console:
    """Prints each message in one write, so that messages sent at the same moment do not mix."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out

    async def send(self, message: Outgoing) -> ProviderAnswer:
        try:
            await asyncio.to_thread(self._print, picture(message))  # a full pipe must not hold up the worker
        except (OSError, ValueError) as error:  # the other end of the pipe is gone, the disk is full, it is closed
            return Down(f"the console takes nothing: {getattr(error, 'strerror', None) or 'it is closed'}")
        return Accepted(provider_id=f"console-{message.send_id}")

    async def find(self, handed: Handed) -> Finding:
        """A terminal tells nobody what is on it."""
        del handed
        return NeverTells()

    async def close(self) -> None:
        """Nothing to let go of."""

    def _print(self, text: str) -> None:
        out = self._out or sys.stdout
        out.write(encodable(text, out))
        out.flush()


def picture(message: Outgoing) -> str:
    """A message as a block of lines, the first of which holds all that is needed to find and count it."""
    head = [f"{message.kind.capitalize()} to {message.to}", message.step, message.run]
    head += [f"{message.at:%d %b %H:%M:%S}", message.send_id]
    lines = [line for part in message.parts for line in _lines(part, message)]
    return "\n".join([f"┌─ {harmless(' · '.join(head))}", *(f"│ {line}" for line in lines), "└─"]) + "\n"


def _lines(part: str, message: Outgoing) -> list[str]:
    text = harmless(message.parts[part].replace("\r\n", "\n"))
    if part == "html" and "text" in message.parts:
        return [f"html: {len(text)} characters"]  # the text says the same, and is made to be read
    return [f"{part}:", *text.split("\n")] if "\n" in text else [f"{part}: {text}"]
