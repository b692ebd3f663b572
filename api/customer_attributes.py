"""Attributes of customers: what each holds, what fixed that, and who relies on it."""

from __future__ import annotations

from fastapi import APIRouter, Response

from api.audit import ChangeDep
from api.bodies import Body, aside, gives, ref, takes
from api.dependencies import Deps
from api.keys import needs
from api.names import AttributeInPath
from api.problems import STANDARD, TooLarge, WrongType, declare
from journeys.catalogue import CustomerAttribute
from journeys.models import Frozen
from journeys.problems import Conflict, Unknown
from journeys.reading import read
from store import customer_attributes
from store.customer_attributes import AttributeView

router = APIRouter(prefix="/v1/customer-attributes", tags=["customers"], responses=STANDARD)

BORN = {"attribute": "born", "type": "date"}
BORN_VIEW = {
    **BORN,
    "fixed_by": "declaration",
    "since": "2026-11-24T09:00:00Z",
    "held": True,
    "journeys": ["birthday"],
}
UNUSED_VIEW = {
    "attribute": "utm_content",
    "type": "number",
    "fixed_by": "first value",
    "since": "2026-11-24T09:00:00Z",
    "held": False,
    "journeys": [],
}
ANSWER = gives(BORN_VIEW)


class Attributes(Frozen):
    """All attributes that customers may have, by name."""

    attributes: tuple[AttributeView, ...]


@router.get(
    "",
    dependencies=[needs("definitions:read")],
    response_model=Attributes,
    responses={200: gives({"attributes": [BORN_VIEW, UNUSED_VIEW]})},
)
async def list_customer_attributes(deps: Deps) -> Attributes:
    """All attributes that customers may have: their types, what fixed them, and which journeys in use name them."""
    return Attributes(attributes=tuple(await customer_attributes.list_attributes(deps.store)))


@router.get(
    "/{name}",
    dependencies=[needs("definitions:read")],
    response_model=AttributeView,
    responses=declare(Unknown) | {200: ANSWER},
)
async def get_customer_attribute(name: AttributeInPath, deps: Deps) -> AttributeView:
    """One attribute of customers."""
    return await customer_attributes.get_attribute(deps.store, name)


@router.put(
    "/{name}",
    dependencies=[needs("definitions:write")],
    response_model=AttributeView,
    responses=declare(Conflict, TooLarge, WrongType) | {200: ANSWER, 201: ANSWER | {"model": AttributeView}},
    openapi_extra=takes(ref(CustomerAttribute), {"A birthday": BORN}, yaml_too=True),
)
async def put_customer_attribute(
    name: AttributeInPath, body: Body, deps: Deps, change: ChangeDep, response: Response
) -> AttributeView:
    """Declare an attribute of customers before anybody has it, or change its type.

    It is refused where a journey in use could not go on with it, or where customers hold values of another type; the
    answer lists every reason.
    """
    attribute = await aside(read, CustomerAttribute, body, "attribute", name)
    if await customer_attributes.put_attribute(deps.store, attribute, change):
        response.status_code = 201
    return await customer_attributes.get_attribute(deps.store, name)


@router.delete(
    "/{name}",
    dependencies=[needs("definitions:write")],
    response_model=AttributeView,
    responses=declare(Unknown, Conflict) | {200: gives(UNUSED_VIEW)},
)
async def delete_customer_attribute(name: AttributeInPath, deps: Deps, change: ChangeDep) -> AttributeView:
    """Forget an attribute that no customer has and no journey in use names; its next value fixes its type anew.

    The answer is the attribute as it was.
    """
    return await customer_attributes.delete_attribute(deps.store, name, change)
