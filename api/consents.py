"""Consents: what customers have said about being messaged, and where and when they said it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from api.bodies import Body, aside, gives, ref, takes
from api.dependencies import Deps
from api.keys import CallerDep, needs
from api.names import CustomerName
from api.problems import STANDARD, TooLarge, WrongType, declare
from journeys.catalogue import CustomerId
from journeys.clearance.consent import Consent
from journeys.models import Model
from journeys.problems import Unknown
from journeys.reading import read
from store.consents import ConsentView, get_consents, put_consents
from store.customers import get_customer

router = APIRouter(prefix="/v1/customers", tags=["customers"], responses=STANDARD)

CONSENTS = {
    "A checkout": {
        "customer": "ada",
        "consents": [
            {"channel": "email", "choice": "in"},
            {"channel": "text", "purpose": "transactional", "choice": "in"},
            {"channel": "email", "topic": "new-arrivals", "choice": "out"},
        ],
        "source": "checkout",
    }
}
CONSENT_VIEW = {
    "customer": "ada",
    "said": [{"channel": "email", "purpose": "commercial", "topic": None, "choice": "out"}],
    "log": [
        {
            "channel": "email",
            "purpose": "commercial",
            "topic": None,
            "choice": "in",
            "source": "checkout",
            "at": "2026-11-20T10:00:00Z",
            "detail": "",
        },
        {
            "channel": "email",
            "purpose": "commercial",
            "topic": None,
            "choice": "out",
            "source": "unsubscribe-link",
            "at": "2026-11-24T18:30:00Z",
            "detail": "",
        },
    ],
}
ANSWER = gives(CONSENT_VIEW)


class Consents(Model):
    """What a customer says, and where: a form, a checkout, a call. *source* is kept in the log with it."""

    customer: CustomerId
    consents: tuple[Consent, ...] = Field(max_length=100)
    source: Annotated[str, StringConstraints(min_length=1, max_length=60)] = "api"


class ConsentAnswer(ConsentView):
    """What holds now, and everything that was ever said, the latest last."""

    customer: str


@router.put(
    "/{id}/consents",
    dependencies=[needs("customers:write")],
    name="put_consents",
    response_model=ConsentAnswer,
    responses=declare(TooLarge, WrongType) | {200: ANSWER},
    openapi_extra=takes(ref(Consents), CONSENTS, yaml_too=True),
)
async def put_consents_of(id: CustomerName, body: Body, deps: Deps, caller: CallerDep) -> ConsentAnswer:
    """Write down what a customer says now. What is not named stays as it was said before.

    From the answer on, no message is claimed against it. The customer need not be known yet, and `customer` may be
    left out of the body: it is in the address.
    A key without `customers:read` is answered what it has told now, and nothing that was said before.
    """
    told, now = await aside(read, Consents, body, "customer", id), deps.now()
    await put_consents(deps.store, id, told.consents, source := caller.source_of(told), now)
    answer = await _answer(deps, id)
    if caller.may("customers:read"):
        return answer
    log = tuple(line for line in answer.log if (line.at, line.source) == (now, source))
    said = tuple(consent for consent in answer.said if consent in told.consents)
    return answer.model_copy(update={"said": said, "log": log})


@router.get(
    "/{id}/consents",
    dependencies=[needs("customers:read")],
    name="get_consents",
    response_model=ConsentAnswer,
    responses=declare(Unknown) | {200: ANSWER},
)
async def get_consents_of(id: CustomerName, deps: Deps) -> ConsentAnswer:
    """What a customer has said, with the log of when and where. What is not listed was never said: it is `unset`."""
    answer = await _answer(deps, id)
    if not answer.log:
        await get_customer(deps.store, id)  # silent, or not there at all
    return answer


async def _answer(deps: Deps, id: str) -> ConsentAnswer:
    return ConsentAnswer(customer=id, **dict(await get_consents(deps.store, id)))
