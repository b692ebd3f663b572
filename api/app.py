"""The app: every router, the middleware around them, and the tasks that commit events and note which keys are used."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from activities.reports import Taken
from api import (
    audit,
    cancels,
    channels,
    consents,
    content_previews,
    contents,
    customer_attributes,
    customers,
    docs,
    endpoints,
    events,
    health,
    journey_ends,
    journeys,
    named_keys,
    open_problems,
    policy,
    previews,
    problems,
    repairs,
    runs,
    sends,
    suppressions,
    triggers,
    unsubscribe,
    webhooks,
)
from api.browsers import BrowserMiddleware
from api.dependencies import Dependencies
from api.ingest import Ingest
from api.keyring import Keyring
from api.keys import Refusals
from api.limits import Limits
from api.middleware import CatchMiddleware, SecurityMiddleware
from journeys.problems import Invalid

ROUTERS = [
    module.router
    for module in (
        events,
        triggers,
        contents,
        content_previews,
        customers,
        customer_attributes,
        consents,
        journeys,
        journey_ends,
        repairs,
        previews,
        policy,
        runs,
        cancels,
        open_problems,
        sends,
        suppressions,
        channels,
        endpoints,
        named_keys,
        audit,
        webhooks,
        unsubscribe,
        health,
        docs,
    )
]


def create_app(deps: Dependencies) -> FastAPI:
    """The API over *deps*. Events are taken while its lifespan lasts; at its end all that wait are committed."""
    if not deps.key:
        raise Invalid("The API needs a key, and there is none. Set SOJOURN_KEY to a long random text.")
    app = docs.documented(_lifespan)
    app.state.dependencies = deps
    app.state.ingest = Ingest(deps.store, deps.relay_nudge, deps.now, day=deps.day, drain_for=deps.drain_for)
    app.state.keyring = Keyring(deps.store, deps.key, deps.now)
    app.state.refusals = Refusals()
    app.state.limits = Limits()
    app.state.taken = {provider: Taken() for provider in sorted(deps.webhooks)}
    app.add_middleware(CatchMiddleware)  # inside, so that pages can read what it answers
    app.add_middleware(BrowserMiddleware, keyring=app.state.keyring)
    app.add_middleware(SecurityMiddleware)
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)
    docs.complete(app, ROUTERS)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    ingest: Ingest = app.state.ingest
    keyring: Keyring = app.state.keyring
    working = [asyncio.create_task(each.run()) for each in (ingest, keyring)]
    try:
        yield
    finally:
        ingest.close()
        keyring.close()
        await asyncio.gather(*working)
