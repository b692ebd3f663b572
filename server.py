"""The API's process: takes events and definitions in, and relays what the store has decided to Temporal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime

import structlog
from fastapi import FastAPI

from activities.channels import Channel
from activities.channels.registry import build_readers
from api.app import create_app
from api.dependencies import Dependencies
from api.serve import serve
from journeys.interactions import Kind
from journeys.problems import Invalid, Unavailable
from settings import HOW_TO_MAKE_ONE, Settings, check_secrets
from store.store import Store, opened
from terminal.lifetimes import beside, cancelled_by_signals
from terminal.logs import log_to
from worker import begin_policy, open_channels
from workflows.client import connect
from workflows.relay import Relay

log = structlog.get_logger()


async def run_api(settings: Settings) -> int:
    """Serve the API alone, against any database and any Temporal, until SIGTERM or Ctrl-C. Returns the exit code.

    Raises Invalid without a key or with one that can be guessed, and Conflict where the port is taken.
    """
    key_of(settings)
    check_secrets(settings, "key", "secret")
    log_to(None, settings.log_level)
    async with opened(settings.database) as store:
        # Events are taken while Temporal is down: what it is to be told waits in the outbox.
        with suppress(Unavailable):  # of which the health check tells; a worker does the same
            await begin_policy(store, settings, _now())
        relay = Relay(store, await connect(lazy=True), settings.task_queue, _now)
        with cancelled_by_signals():
            try:
                async with open_channels(settings) as channels, beside(relay.run()):
                    app = build_app(settings, store, relay, channels)
                    await serve(app, settings.host, settings.port, ready=lambda url: log.info("listening", url=url))
            except asyncio.CancelledError:
                log.info("ended")
    return 0


def build_app(
    settings: Settings,
    store: Store,
    relay: Relay,
    channels: Mapping[Kind, Channel],
    *,
    now: Callable[[], datetime] | None = None,
) -> FastAPI:
    """The API over a store. *relay* is nudged when there is news for Temporal; *channels* take test messages.

    *now* instead of the wall's clock (aware UTC).
    """
    return create_app(
        Dependencies(
            store=store,
            relay_nudge=relay.nudge,
            key=key_of(settings),
            now=now or _now,
            day=settings.day,
            channels=frozenset(channels),
            drain_for=settings.drain,
            public_url=settings.public_url,
            send=channels,
            webhooks=build_readers(settings.webhook_keys),
            secret=settings.secret.get_secret_value() if settings.secret else "",
            local_endpoints=bool(settings.local_endpoints),
        )
    )


def key_of(settings: Settings) -> str:
    """The key that guards the API. Raises Invalid where there is none."""
    if settings.key is None:
        raise Invalid(f"SOJOURN_KEY is not set, and guards the API. {HOW_TO_MAKE_ONE}")
    return settings.key.get_secret_value()


def _now() -> datetime:
    return datetime.now(UTC)
