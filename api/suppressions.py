"""Suppressions: addresses that are not written to any more, why, and how they are written to again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field, StringConstraints

from api.audit import ChangeDep
from api.bodies import Body, aside, gives, ref, takes
from api.dependencies import Deps
from api.keys import CallerDep, needs
from api.names import SuppressionId
from api.problems import STANDARD, TooLarge, WrongType, declare
from journeys.interactions import Kind
from journeys.models import Model
from journeys.problems import Conflict, Unknown
from journeys.reading import read
from store import suppressions
from store.suppressions import BY_US, AddressView, Lifting, LiftingPage, SuppressionPage

router = APIRouter(prefix="/v1/suppressions", tags=["suppressions"], responses=STANDARD)

WHOSE = {
    "channel": "email",
    "reason": "bounced, as sendgrid reports",
    "recipient": "ada@example.com",
    "customer": "ada",
}
SUPPRESSION = {"id": 17, **WHOSE, "at": "2026-11-24T09:05:00Z", "hint": BY_US}
LIFT = {"why": "The mailbox was made.", "source": "grace"}
LIFTING = {
    "id": 3,
    **WHOSE,
    "suppressed_at": "2026-11-24T09:05:00Z",
    **LIFT,
    "at": "2026-11-26T14:00:00Z",
}

Limit = Annotated[int, Query(description="At most so many.", ge=1, le=200)]
Before = Annotated[int | None, Query(description="The `next` of the page before.", ge=1, le=2**63 - 1)]


class AddressQuestion(Model):
    """An address in any spelling, on the channel that it is for."""

    channel: Kind
    address: str = Field(min_length=1, max_length=4096)


class Lift(Model):
    """Why an address is to be written to again, and who says so (*source*). Both are kept."""

    why: Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
    source: Annotated[str, StringConstraints(min_length=1, max_length=60)] = "api"


@router.get(
    "",
    dependencies=[needs("customers:read")],
    response_model=SuppressionPage,
    responses={200: gives({"suppressions": [SUPPRESSION], "next": None})},
)
async def list_suppressions(
    deps: Deps,
    channel: Annotated[Kind | None, Query(description="Only those of this channel.", examples=["email"])] = None,
    limit: Limit = 50,
    before: Before = None,
) -> SuppressionPage:
    """Addresses that are not written to any more, the latest first, page by page: why, and what can be done.

    Of an address only its hash is kept. `recipient` and `customer` are those of the latest send there.
    """
    return await suppressions.list_suppressions(deps.store, channel=channel, limit=limit, before=before)


@router.post(
    "/find",
    dependencies=[needs("customers:read")],
    response_model=AddressView,
    responses=declare(TooLarge, WrongType) | {200: gives({"suppressions": [SUPPRESSION], "lifted": [LIFTING]})},
    openapi_extra=takes(
        ref(AddressQuestion), {"An address": {"channel": "email", "address": "ada@example.com"}}, yaml_too=True
    ),
)
async def find_suppressions(body: Body, deps: Deps) -> AddressView:
    """Ask about one address. It is in the body, since URLs end up in logs. Nothing is changed."""
    asked = await aside(read, AddressQuestion, body, "question")
    return await suppressions.get_address(deps.store, asked.channel, asked.address)


@router.get(
    "/lifted",
    dependencies=[needs("customers:read")],
    response_model=LiftingPage,
    responses={200: gives({"lifted": [LIFTING], "next": None})},
)
async def list_lifted(deps: Deps, limit: Limit = 50, before: Before = None) -> LiftingPage:
    """What was lifted, when, why and by whom, the latest first, page by page."""
    return await suppressions.list_liftings(deps.store, limit=limit, before=before)


@router.post(
    "/{id}/lift",
    dependencies=[needs("customers:write")],
    response_model=Lifting,
    responses=declare(Unknown, Conflict, TooLarge, WrongType) | {200: gives(LIFTING)},
    openapi_extra=takes(ref(Lift), {"A mailbox that was made": LIFT}, yaml_too=True),
)
async def lift(id: SuppressionId, body: Body, deps: Deps, change: ChangeDep, caller: CallerDep) -> Lifting:
    """Write to an address again, as far as this reason goes. Why, and who wanted it, is kept.

    What the customer said stays as it is: an opt-out, and STOP, which nobody lifts but START from that number.
    A key without `customers:read` is not answered whose address it is.
    """
    asked = await aside(read, Lift, body, "lift")
    lifting = await suppressions.lift(deps.store, id, asked.why, caller.source_of(asked), change)
    whose = {} if caller.may("customers:read") else {"recipient": None, "customer": None}
    return lifting.model_copy(update=whose)
