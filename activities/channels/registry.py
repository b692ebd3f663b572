"""The channels there are, by the name that settings use, and what reads their providers' webhooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from activities.channels import Channel, sendgrid, twilio
from activities.channels.console import Console
from activities.channels.firebase import Firebase
from activities.channels.reports import Reader
from activities.channels.sendgrid import SendGrid
from activities.channels.twilio import Twilio
from journeys.definition import Kind
from journeys.problems import Invalid

# Each imports its SDK when it is made, and not before.
CHANNELS: dict[str, Callable[..., Channel]] = {
    "console": Console,
    "sendgrid": SendGrid,
    "twilio": Twilio,
    "firebase": Firebase,
}
READERS: dict[str, Callable[..., Any]] = {
    "sendgrid": sendgrid.read_reports,
    "twilio": twilio.read_reports,
}


def build_channels(
    chosen: Mapping[Kind, str], options: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[Kind, Channel]:
    """The channel of each kind of message, by name. Kinds with the same name share one channel.

    *options* are what each is made with. Raises Invalid where that will not do, or where the SDK is not installed.
    """
    built = {name: _build(name, (options or {}).get(name, {})) for name in sorted(set(chosen.values()))}
    return {kind: built[name] for kind, name in chosen.items()}


def build_readers(keys: Mapping[str, str]) -> dict[str, Reader]:
    """What reads the webhooks of each provider, verified with its key."""
    return {name: partial(READERS[name], key=key) for name, key in keys.items()}


async def close_channels(channels: Mapping[Kind, Channel]) -> None:
    """Let go of what channels hold."""
    for channel in {id(channel): channel for channel in channels.values()}.values():
        await channel.close()


def _build(name: str, options: Mapping[str, Any]) -> Channel:
    try:
        return CHANNELS[name](**options)
    except ImportError as error:
        message = f'The channel "{name}" needs an SDK that is not installed ({error}).'
        raise Invalid(f'{message} Install it: pip install "sojourn[providers]"') from None
    except (ValueError, OSError) as error:
        message = f'The channel "{name}" cannot be set up: {error}'
        raise Invalid(f"{message}. Its settings, SOJOURN_{name.upper()}_…, are in docs/providers.md.") from None
