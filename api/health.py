"""Whether the process is up, and whether it can do its work. Both are open to everybody and tell no secrets."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Literal

from fastapi import APIRouter
from pydantic import Field

from activities.reports import Taken
from api.bodies import gives
from api.dependencies import AllTaken, Deps, IngestDep
from api.keys import OPEN
from api.problems import declare
from journeys.interactions import Kind
from journeys.models import Frozen
from journeys.problems import Unavailable
from store.channels import ChannelState, channels
from store.endpoints import closed_endpoints
from store.outbox import backlog
from store.store import ping

PATIENCE = 2.0
LATE = timedelta(seconds=30)

router = APIRouter(tags=["health"], dependencies=[OPEN])

READY = {
    "status": "ok",
    "outbox": 0,
    "oldest_seconds": 0.0,
    "refused": 0,
    "waiting_events": 0,
    "channels": {"email": "ok"},
    "closed_endpoints": 0,
    "webhooks": {"sendgrid": {"new": 120, "repeated": 3, "unreadable": 0, "forged": 0}},
}


class Health(Frozen):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Readiness(Frozen):
    """``degraded``: events are accepted, but Temporal hears of them late or not at all, or a channel is down, or an
    endpoint is closed.

    *outbox* counts what Temporal has not heard, *refused* what it does not take; why, the log tells. *channels* are
    those that were used, and *webhooks* what providers have told this process; why a channel is down is told to
    whoever has the key, at ``/v1/channels``, and which endpoints are closed, at ``/v1/endpoints``.
    """

    status: Literal["ok", "degraded"]
    outbox: int
    oldest_seconds: float
    refused: int
    waiting_events: int
    channels: dict[Kind, ChannelState] = Field(default_factory=dict)
    closed_endpoints: int = 0
    webhooks: dict[str, Taken] = Field(default_factory=dict)


@router.get("/healthz", response_model=Health, responses={200: gives({"status": "ok"})})
async def healthz() -> Health:
    """Whether the process is up. Asks nothing else."""
    return Health()


@router.get(
    "/readyz",
    response_model=Readiness,
    responses=declare(Unavailable) | {200: gives(READY)},
)
async def readyz(deps: Deps, ingest: IngestDep, taken: AllTaken) -> Readiness:
    """Whether events can be accepted: 503 when the database does not answer.

    Temporal being away makes it `degraded`, not unready: what it has to hear waits in the outbox. So does a channel
    whose provider takes nothing from us: its messages wait.
    """
    try:
        async with asyncio.timeout(PATIENCE):
            await ping(deps.store)
            told = await backlog(deps.store)
            states = {kind: channel.state for kind, channel in (await channels(deps.store)).items()}
            closed = await closed_endpoints(deps.store)
    except (Unavailable, TimeoutError):
        raise Unavailable("The database does not answer.") from None
    age = max(deps.now() - told.oldest, timedelta(0)) if told.oldest else timedelta(0)
    return Readiness(
        status="degraded" if age > LATE or told.refused or closed or "down" in states.values() else "ok",
        outbox=told.waiting,
        oldest_seconds=round(age.total_seconds(), 3),
        refused=told.refused,
        waiting_events=ingest.waiting,
        channels=states,
        closed_endpoints=closed,
        webhooks=taken,
    )
