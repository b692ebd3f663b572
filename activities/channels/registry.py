"""The providers there are, one for each folder beside this, and the channels and readers that are made of them."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import Any

from activities import channels as folder
from activities.channels import Channel
from activities.channels.provider import WEBHOOKS, Provider, ProviderSettings
from activities.channels.reports import Reader
from journeys.interactions import Kind
from journeys.problems import Invalid


def _found() -> dict[str, Provider[Any]]:
    names = sorted(module.name for module in pkgutil.iter_modules(folder.__path__) if module.ispkg)
    return {name: import_module(f"{folder.__name__}.{name}").PROVIDER for name in names}


PROVIDERS: Mapping[str, Provider[Any]] = _found()
"""By the names that settings use. No SDK is imported with them: each is when its channel is made."""


def senders(kind: Kind) -> list[str]:
    """The names of the providers that send that kind of message."""
    return [name for name, provider in PROVIDERS.items() if kind in provider.kinds]


def build_channels(
    chosen: Mapping[Kind, str], settings: Mapping[str, ProviderSettings] | None = None, public_url: str = ""
) -> dict[Kind, Channel]:
    """The channel of each kind of message, by its provider's name. Kinds with the same name share one channel.

    *settings* are what each is made with, and *public_url* is the API's address as the outside sees it.
    Raises Invalid where that will not do, or where the SDK is not installed.
    """
    names = sorted(set(chosen.values()))
    built = {name: _build(name, (settings or {}).get(name), public_url) for name in names}
    return {kind: built[name] for kind, name in chosen.items()}


def build_readers(keys: Mapping[str, str]) -> dict[str, Reader]:
    """What reads the webhooks of each provider, verified with its key."""
    webhooks = {name: PROVIDERS[name].webhook for name in keys}
    return {name: partial(webhook.read, key=keys[name]) for name, webhook in webhooks.items() if webhook}


async def close_channels(channels: Mapping[Kind, Channel]) -> None:
    """Let go of what channels hold."""
    for channel in {id(channel): channel for channel in channels.values()}.values():
        await channel.close()


def _build(name: str, settings: ProviderSettings | None, public_url: str) -> Channel:
    provider = PROVIDERS[name]
    try:
        return provider.channel(settings or provider.settings(), f"{public_url.rstrip('/')}{WEBHOOKS}/{name}")
    except ImportError as error:
        message = f'The channel "{name}" needs an SDK that is not installed ({error}).'
        raise Invalid(f'{message} Install it: pip install "sojourn[providers]"') from None
    except (ValueError, OSError) as error:
        message = f'The channel "{name}" cannot be set up: {error}'
        raise Invalid(f"{message}. Its settings, SOJOURN_{name.upper()}_…, are in docs/providers.md.") from None
