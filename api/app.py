"""The app: every router, the door before them, and the one task that commits events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from activities.reports import Taken
from api import (
    channels,
    consents,
    contents,
    customers,
    docs,
    events,
    health,
    journeys,
    previews,
    problems,
    runs,
    samples,
    triggers,
    unsubscribe,
    webhooks,
)
from api.door import Door
from api.ingest import Ingest
from api.parts import Parts
from journeys.problems import Invalid

ROUTERS = [
    module.router
    for module in (
        events,
        triggers,
        contents,
        samples,
        customers,
        consents,
        journeys,
        previews,
        runs,
        channels,
        webhooks,
        unsubscribe,
        health,
        docs,
    )
]


def create_app(parts: Parts) -> FastAPI:
    """The API over *parts*. Events are taken while its lifespan lasts; at its end all that wait are committed."""
    if not parts.key:
        raise Invalid("The API needs a key, and there is none. Set SOJOURN_KEY to a long random text.")
    app = docs.documented(_lifespan)
    app.state.parts = parts
    app.state.ingest = Ingest(parts.store, parts.relay_nudge, parts.now, day=parts.day, drain_for=parts.drain_for)
    app.state.taken = {provider: Taken() for provider in sorted(parts.webhooks)}
    app.add_middleware(Door)
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)
    docs.complete(app, ROUTERS)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    ingest: Ingest = app.state.ingest
    committing = asyncio.create_task(ingest.run())
    try:
        yield
    finally:
        ingest.close()
        await committing
