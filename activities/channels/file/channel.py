"""Messages of every kind as lines of a file. What it answers is in README.md, beside this."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from pathlib import Path

from activities.channels import Accepted, Down, Finding, Found, Handed, NotFound, NotNow, Outgoing, ProviderAnswer


class File:
    """The channel. Each message is a line of JSON at the end of the file at *path*, which only its owner may read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        os.close(self._open())  # a path that will not do is told before anything is sent

    async def send(self, message: Outgoing) -> ProviderAnswer:
        return await asyncio.to_thread(self._append, message)

    async def find(self, handed: Handed) -> Finding:
        return await asyncio.to_thread(self._look, handed.send_id)

    async def close(self) -> None:
        """Nothing to let go of."""

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def _append(self, message: Outgoing) -> ProviderAnswer:
        try:
            file = self._open()
        except OSError as error:
            return Down(f"the file {self._path} cannot be opened: {error.strerror}")
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            return _write(file, _line(message)) or Accepted(_id(message.send_id))
        finally:
            os.close(file)

    def _look(self, send_id: str) -> Finding:
        try:
            with self._path.open(encoding="utf-8") as lines:
                there = any(send_id in line and json.loads(line)["send_id"] == send_id for line in lines)
        except (OSError, ValueError):
            return None
        return Found(_id(send_id)) if there else NotFound()


def _line(message: Outgoing) -> bytes:
    line = {
        "at": message.at.isoformat(),
        "kind": message.kind,
        "to": message.to,
        "parts": message.parts,
        "run": message.run,
        "step": message.step,
        "send_id": message.send_id,
    }
    return f"{json.dumps(line, ensure_ascii=False)}\n".encode()


def _write(file: int, line: bytes) -> NotNow | None:
    """All of the line or nothing. Nobody else writes meanwhile."""
    before = os.fstat(file).st_size
    try:
        while line:
            line = line[os.write(file, line) :]
    except OSError as error:  # the disk is full, say
        os.ftruncate(file, before)
        return NotNow(f"the file takes no more: {error.strerror}")
    return None


def _id(send_id: str) -> str:
    return f"file-{send_id}"
