"""The file holds each message whole, once, in a line of its own."""

from __future__ import annotations

import asyncio
import json
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import pytest

from activities.channels import Accepted, Channel, Down, Found, NotFound, NotNow
from activities.channels.file import File
from activities.channels.registry import build_channels
from journeys.interactions import Kind
from journeys.problems import Invalid
from settings import read_settings
from tests.fakes.messages import handed, outgoing


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "messages.jsonl"


@pytest.fixture
def file(path: Path) -> File:
    return File(path)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-2])


def remove(path: Path) -> None:
    path.unlink()


def replace_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("kind", get_args(Kind))
async def test_a_message_is_a_line(file: File, path: Path, kind: Kind) -> None:
    message = outgoing(kind)

    answer = await file.send(message)

    assert answer == Accepted(f"file-{message.send_id}")
    assert lines(path) == [
        {
            "at": message.at.isoformat(),
            "kind": kind,
            "to": message.to,
            "parts": message.parts,
            "run": message.run,
            "step": message.step,
            "send_id": message.send_id,
        }
    ]


async def test_lines_of_several_workers_do_not_mix(path: Path) -> None:
    workers: list[Channel] = [File(path) for _ in range(4)]
    messages = [outgoing("email", text=f"{number} – “line\nbreak” " * 2000) for number in range(40)]

    await asyncio.gather(*(workers[number % 4].send(message) for number, message in enumerate(messages)))

    written = {line["send_id"]: line["parts"] for line in lines(path)}
    assert written == {message.send_id: message.parts for message in messages}
    assert len(lines(path)) == 40


async def test_what_is_there_is_found_and_nothing_else(file: File) -> None:
    message, other = outgoing("text"), outgoing("text")
    quoting = outgoing("text", body=f"about {other.send_id}")
    await file.send(message)
    await file.send(quoting)

    assert await file.find(handed(message)) == Found(f"file-{message.send_id}")
    assert await file.find(handed(other)) == NotFound()


@pytest.mark.parametrize("spoil", [halve, remove])
async def test_a_file_that_cannot_be_read_cannot_tell(file: File, path: Path, spoil: Callable[[Path], None]) -> None:
    message = outgoing("text")
    await file.send(message)
    spoil(path)

    assert await file.find(handed(message)) is None


def test_what_holds_addresses_is_for_its_owner_alone(file: File, path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a_file_that_cannot_be_opened_stops_the_channel(file: File, path: Path) -> None:
    replace_by_a_folder(path)

    answer = await file.send(outgoing("email"))

    assert answer == Down(f"the file {path} cannot be opened: Is a directory")


@contextmanager
def full_after(size: int) -> Iterator[None]:
    """No file of this process may grow beyond *size* bytes, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_full_disk_takes_no_half_of_a_message(file: File, path: Path) -> None:
    await file.send(outgoing("email"))
    before = lines(path)
    message = outgoing("email", text="x" * 5000)

    with full_after(2000):
        answer = await file.send(message)

    assert answer == NotNow("the file takes no more: File too large")
    assert lines(path) == before
    assert isinstance(await file.send(message), Accepted)
    assert len(lines(path)) == 2


async def test_settings_name_the_file(path: Path) -> None:
    settings = read_settings(email="file", text="file", push="none", file_path=path)

    channels = build_channels(settings.channels, settings.providers)
    await channels["email"].send(outgoing("email"))
    await channels["text"].send(outgoing("text"))

    assert [line["kind"] for line in lines(path)] == ["email", "text"]


def test_a_file_whose_folder_is_not_there_is_told_at_the_start(tmp_path: Path) -> None:
    settings = read_settings(email="file", file_path=tmp_path / "nowhere" / "messages.jsonl")

    with pytest.raises(Invalid, match=r'"file" cannot be set up: .*No such file'):
        build_channels(settings.channels, settings.providers)
