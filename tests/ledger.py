"""A provider for tests that keeps its own books."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from activities.channels import Accepted, Outgoing, Sent


class Ledger:
    """What it was asked to send, and what it took: the truth about what was sent.

    *answers* are what it does, send by send; after them it accepts everything.
    """

    def __init__(self, *answers: Sent | Exception | Callable[[], Awaitable[Sent]]) -> None:
        self.asked: list[Outgoing] = []
        self.took: list[Outgoing] = []
        self._answers = list(answers)

    async def send(self, message: Outgoing) -> Sent:
        self.asked.append(message)
        answer = self._answers.pop(0) if self._answers else Accepted()
        if isinstance(answer, Exception):
            raise answer
        sent = await answer() if callable(answer) else answer
        if isinstance(sent, Accepted):
            self.took.append(message)
        return sent

    @property
    def steps(self) -> list[str]:
        """The steps whose messages it took."""
        return [message.step for message in self.took]
