"""A file, which takes every kind of message: for staging, and for tests of what surrounds Sojourn."""

from __future__ import annotations

from typing import get_args

from activities.channels.file.channel import File
from activities.channels.file.settings import FileSettings
from activities.channels.provider import Provider
from journeys.interactions import Kind

__all__ = ["PROVIDER", "File"]


def _channel(settings: FileSettings, _webhook: str) -> File:
    return File(settings.path)


PROVIDER = Provider(kinds=frozenset(get_args(Kind)), channel=_channel, settings=FileSettings)
