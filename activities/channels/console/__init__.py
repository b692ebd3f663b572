"""The console, which needs nothing and takes every kind of message."""

from __future__ import annotations

from typing import get_args

from activities.channels.console.channel import Console
from activities.channels.provider import Provider, ProviderSettings
from journeys.interactions import Kind

__all__ = ["PROVIDER", "Console"]


def _channel(_settings: ProviderSettings, _webhook: str) -> Console:
    return Console()


PROVIDER = Provider(kinds=frozenset(get_args(Kind)), channel=_channel, settings=ProviderSettings)
