"""The channels there are, by the name that settings use."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from activities.channels import Channel
from activities.channels.console import Console
from journeys.definition import Kind

CHANNELS: dict[str, Callable[[], Channel]] = {
    "console": Console,
}


def build_channels(chosen: Mapping[Kind, str]) -> dict[Kind, Channel]:
    """The channel of each kind of message, by name. Kinds with the same name share one channel."""
    built = {name: CHANNELS[name]() for name in set(chosen.values())}
    return {kind: built[name] for kind, name in chosen.items()}
