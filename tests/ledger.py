"""A provider for tests that keeps its own books."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from activities.channels import Accepted, Finding, Found, Handed, NotFound, Outgoing, ProviderAnswer
from activities.channels.calls import NoAnswer


class Silent(NoAnswer):
    """What a channel raises where nobody knows. *took*: whether it has the message all the same."""

    def __init__(self, *, took: bool) -> None:
        super().__init__("the connection broke")
        self.took = took


class Ledger:
    """What it was asked to send, and what it took: the truth about what was sent.

    *answers* are what it does, send by send; after them it accepts everything.
    *findings* are what it answers when it is asked; after them the truth.
    """

    def __init__(
        self,
        *answers: ProviderAnswer | Exception | Callable[[], Awaitable[ProviderAnswer]],
        findings: Sequence[Finding] = (),
    ) -> None:
        self.asked: list[Outgoing] = []
        self.took: list[Outgoing] = []
        self.asked_for: list[Handed] = []
        self.closed = False
        self._answers = list(answers)
        self._findings = list(findings)

    async def send(self, message: Outgoing) -> ProviderAnswer:
        self.asked.append(message)
        answer = self._answers.pop(0) if self._answers else Accepted()
        if isinstance(answer, Silent) and answer.took:
            self.took.append(message)
        if isinstance(answer, Exception):
            raise answer
        sent = await answer() if callable(answer) else answer
        if isinstance(sent, Accepted):
            self.took.append(message)
        return sent

    async def find(self, handed: Handed) -> Finding:
        self.asked_for.append(handed)
        if self._findings:
            return self._findings.pop(0)
        took = any(message.send_id == handed.send_id for message in self.took)
        return Found(f"found-{handed.send_id}") if took else NotFound()

    async def close(self) -> None:
        self.closed = True

    @property
    def steps(self) -> list[str]:
        """The steps whose messages it took."""
        return [message.step for message in self.took]
