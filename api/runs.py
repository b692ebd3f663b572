"""Runs: who walks which journey, where everybody stands, and why."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.bodies import gives
from api.dependencies import Deps
from api.keys import needs
from api.names import RunId, Stored
from api.problems import STANDARD, declare
from api.runs_examples import RUN_VIEW, RUNS
from journeys.catalogue import CustomerId
from journeys.models import Name
from journeys.problems import Unknown
from journeys.walk.diary import HeldBy
from store import runs
from store.runs import RunPage, RunView

router = APIRouter(prefix="/v1/runs", tags=["runs"], responses=STANDARD)


@router.get(
    "", dependencies=[needs("runs:read")], response_model=RunPage, responses=declare(Unknown) | {200: gives(RUNS)}
)
async def list_runs(  # noqa: PLR0913, PLR0917 - each is a query
    deps: Deps,
    journey: Annotated[
        Name | None, Query(description="Only runs of this journey.", examples=["abandoned-cart"])
    ] = None,
    customer: Annotated[CustomerId | None, Query(description="Only runs of this customer.", examples=["ada"])] = None,
    active: Annotated[bool | None, Query(description="Only runs that are under way, or only those over.")] = None,
    held: Annotated[
        bool | None, Query(description="Only runs whose message something holds, or only those of which nothing does.")
    ] = None,
    by: Annotated[HeldBy | None, Query(description="Only runs whose message this holds.", examples=["brake"])] = None,
    limit: Annotated[int, Query(description="At most so many.", ge=1, le=200)] = 50,
    before: Annotated[Stored | None, Query(description="The `next` of the page before.")] = None,
) -> RunPage:
    """Runs, the latest first, page by page: ask again with `before` set to `next` until that is null."""
    return await runs.list_runs(
        deps.store,
        journey=journey,
        customer=customer,
        active=active,
        held=held,
        by=by,
        limit=limit,
        before=before,
    )


@router.get(
    "/{id:path}",
    dependencies=[needs("runs:read")],
    response_model=RunView,
    responses=declare(Unknown) | {200: gives(RUN_VIEW)},
)
async def get_run(id: RunId, deps: Deps) -> RunView:
    """One run: its diary, what became of its sends, calls and actions, and why each event that touched it did so."""
    return await runs.get_run(deps.store, id)
