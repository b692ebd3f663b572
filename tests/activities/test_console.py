"""The console shows messages as a person would want to see them, one whole block at a time."""

from __future__ import annotations

import asyncio
import io
from datetime import UTC, datetime
from typing import get_args

from activities.channels import Accepted, Handed, NeverTells, Outgoing
from activities.channels.console import Console
from activities.channels.registry import PROVIDERS, build_channels
from journeys.interactions import Kind


def message(number: int = 1, **parts: str) -> Outgoing:
    return Outgoing(
        send_id=f"send-{number}",
        run="abandoned-cart/ada/k3v9x2mq",
        step="initial-reminder",
        kind="email",
        to="ada@example.com",
        parts=parts or {"subject": "Your cart is waiting, Ada", "text": "You left 60 in it.\nCome back."},
        at=datetime(2026, 11, 24, 9, 0, tzinfo=UTC),
    )


async def test_a_message_is_a_block() -> None:
    out = io.StringIO()

    sent = await Console(out).send(message())

    assert isinstance(sent, Accepted)
    assert out.getvalue() == (
        "┌─ Email to ada@example.com · initial-reminder · abandoned-cart/ada/k3v9x2mq · 24 Nov 09:00:00 · send-1\n"
        "│ subject: Your cart is waiting, Ada\n"
        "│ text:\n"
        "│ You left 60 in it.\n"
        "│ Come back.\n"
        "└─\n"
    )


async def test_messages_at_the_same_moment_do_not_mix() -> None:
    class OneWrite(io.StringIO):
        writes = 0

        def write(self, text: str) -> int:
            self.writes += 1
            return super().write(text)

    out = OneWrite()
    console = Console(out)

    await asyncio.gather(*(console.send(message(number)) for number in range(50)))

    assert out.writes == 50
    assert all(out.getvalue().count(f"· send-{number}\n") == 1 for number in range(50))


async def test_text_cannot_play_tricks_with_a_terminal() -> None:
    out = io.StringIO()

    await Console(out).send(message(subject="\x1b[2Jcleared\x07", text="a\ttab"))

    assert "\x1b" not in out.getvalue()
    assert "\x07" not in out.getvalue()
    assert "│ subject: �[2Jcleared�\n" in out.getvalue()
    assert "a\ttab" in out.getvalue()


def test_kinds_with_the_same_channel_share_it() -> None:
    channels = build_channels(dict.fromkeys(get_args(Kind), "console"))

    assert len(set(channels.values())) == 1
    assert "console" in PROVIDERS


async def test_nobody_can_ask_a_terminal_what_is_on_it() -> None:
    handed = Handed("send-1", "ada@example.com", datetime(2026, 11, 24, tzinfo=UTC))

    assert await Console().find(handed) == NeverTells()
