"""Whether the process is up, and whether it can do its work. Both are open to everybody and tell no secrets."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from api.bodies import gives
from api.parts import TheIngest, TheParts
from api.problems import declare
from journeys.problems import Unavailable
from store.outbox import backlog
from store.store import ping

PATIENCE = 2.0
LATE = timedelta(seconds=30)

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """The process answers."""

    model_config = ConfigDict(frozen=True)

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """``degraded``: events are accepted, but Temporal hears of them late. *outbox* counts what it has not heard."""

    model_config = ConfigDict(frozen=True)

    status: Literal["ok", "degraded"]
    outbox: int
    oldest_seconds: float
    waiting_events: int


@router.get("/healthz", response_model=Health, responses={200: gives({"status": "ok"})})
async def healthz() -> Health:
    """Whether the process is up. Asks nothing else."""
    return Health()


@router.get(
    "/readyz",
    response_model=Readiness,
    responses=declare(Unavailable)
    | {200: gives({"status": "ok", "outbox": 0, "oldest_seconds": 0.0, "waiting_events": 0})},
)
async def readyz(parts: TheParts, ingest: TheIngest) -> Readiness:
    """Whether events can be accepted: 503 when the database does not answer.

    Temporal being away makes it `degraded`, not unready: what it has to hear waits in the outbox.
    """
    try:
        async with asyncio.timeout(PATIENCE):
            await ping(parts.store)
            told = await backlog(parts.store)
    except (Unavailable, TimeoutError):
        raise Unavailable("The database does not answer.") from None
    age = max(parts.now() - told.oldest, timedelta(0)) if told.oldest else timedelta(0)
    return Readiness(
        status="degraded" if age > LATE else "ok",
        outbox=told.waiting,
        oldest_seconds=round(age.total_seconds(), 3),
        waiting_events=ingest.waiting,
    )
