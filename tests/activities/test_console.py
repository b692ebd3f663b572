"""The console shows messages as a person would want to see them, one whole block at a time."""

from __future__ import annotations

import asyncio
import errno
import io
import os
from datetime import UTC, datetime
from typing import get_args

import pytest

from activities.channels import Accepted, Down, Handed, NeverTells, Outgoing
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


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("12\u00a0€, 1\u202f000 km", id="spaces that keep words together"),
        pytest.param("👩\u200d👩\u200d👧 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", id="emoji"),
        pytest.param("🫩 🪾", id="emoji that are younger than this Python"),
        pytest.param("می\u200cروم שלום\u200f!", id="letters that are joined or kept apart, and their marks"),
        pytest.param("Zoë, Zoe\u0308, hyphen\u00adated, ﷽, 日本語", id="accents, soft hyphens, wide letters"),
    ],
)
async def test_what_only_looks_unusual_is_shown_as_it_is(text: str) -> None:
    out = io.StringIO()

    await Console(out).send(message(text=text))

    assert out.getvalue().splitlines()[1] == f"│ text: {text}"


@pytest.mark.parametrize(
    "trick", ["\x1b", "\x07", "\r", "\x08", "\x9b", "\x7f", "\u2028", "\u202e", "\u2066", "\ud800"]
)
async def test_what_moves_the_cursor_or_turns_the_direction_is_not(trick: str) -> None:
    out = io.StringIO()

    await Console(out).send(message(text=f"a{trick}b"))

    assert out.getvalue().splitlines()[1] == "│ text: a�b"


@pytest.mark.parametrize(("encoding", "shown"), [("ascii", "Zo? ? 12"), ("latin-1", "Zoë ? 12"), ("utf-8", "Zoë € 12")])
async def test_a_terminal_without_the_letters_shows_the_rest(encoding: str, shown: str) -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding=encoding)

    sent = await Console(out).send(message(text="Zoë € 12"))

    assert isinstance(sent, Accepted)
    assert f" text: {shown}\n" in raw.getvalue().decode(encoding)


class Broken(io.StringIO):
    """A pipe that nobody reads, or a disk that is full."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def flush(self) -> None:
        raise OSError(self.number, os.strerror(self.number))


async def test_a_message_that_could_not_be_printed_surely_did_not_go_out() -> None:
    closed = io.StringIO()
    closed.close()

    sent = [await Console(out).send(message()) for out in (Broken(errno.EPIPE), Broken(errno.ENOSPC), closed)]

    assert sent == [
        Down("the console takes nothing: Broken pipe"),
        Down("the console takes nothing: No space left on device"),
        Down("the console takes nothing: it is closed"),
    ]


def test_kinds_with_the_same_channel_share_it() -> None:
    channels = build_channels(dict.fromkeys(get_args(Kind), "console"))

    assert len(set(channels.values())) == 1
    assert "console" in PROVIDERS


async def test_nobody_can_ask_a_terminal_what_is_on_it() -> None:
    handed = Handed("send-1", "ada@example.com", datetime(2026, 11, 24, tzinfo=UTC))

    assert await Console().find(handed) == NeverTells()
