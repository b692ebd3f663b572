"""Sends: one message to one customer, and what became of it."""

from __future__ import annotations

from fastapi import APIRouter

from api.bodies import gives
from api.dependencies import Deps
from api.events_examples import RUN_ID
from api.keys import needs
from api.names import SendId
from api.problems import STANDARD, declare
from api.runs_examples import SEND
from journeys.problems import Unknown
from store import sends
from store.sends import Send

router = APIRouter(prefix="/v1/sends", tags=["sends"], responses=STANDARD)


@router.get(
    "/{id}",
    dependencies=[needs("runs:read")],
    response_model=Send,
    responses=declare(Unknown) | {200: gives({**SEND, "run": RUN_ID, "customer": "ada"})},
)
async def get_send(id: SendId, deps: Deps) -> Send:
    """One send, by the `send_id` that went out with it: whose it is, of which run, and what became of it."""
    return await sends.get_send(deps.store, id)
