"""Customers: the people that events are about, by your own ids."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Response

from api.bodies import Body, aside, gives, ref, takes
from api.dependencies import Deps
from api.keys import require_key
from api.names import CustomerName
from api.problems import STANDARD, TooLarge, WrongType, declare
from journeys.catalogue import Customer
from journeys.problems import Unknown
from journeys.reading import read
from store import customers
from store.customers import CustomerView

router = APIRouter(prefix="/v1/customers", tags=["customers"], dependencies=[Depends(require_key)], responses=STANDARD)

CUSTOMER = {
    "customer": "ada",
    "attributes": {
        "email": "ada@example.com",
        "phone": "+15550100",
        "push_token": "token-ada",
        "first_name": "Ada",
    },
}
CUSTOMER_VIEW = {
    "id": "ada",
    "attributes": CUSTOMER["attributes"],
    "created_at": "2026-11-23T08:00:00Z",
    "changed_at": "2026-11-23T08:00:00Z",
}
ANSWER = gives(CUSTOMER_VIEW)


@router.put(
    "/{id}",
    response_model=CustomerView,
    responses=declare(TooLarge, WrongType) | {200: ANSWER, 201: ANSWER | {"model": CustomerView}},
    openapi_extra=takes(ref(Customer), {"Ada": CUSTOMER}, yaml_too=True),
)
async def put_customer(id: CustomerName, body: Body, deps: Deps, response: Response) -> CustomerView:
    """Make these attributes all that the customer has; what is not named is gone.

    The first value of an attribute of your own fixes its type for all customers. `customer` may be left out of the
    body: it is in the address.
    """
    customer = await aside(read, Customer, body, "customer", id)
    if await customers.put_customer(deps.store, id, customer.attributes, deps.now()):
        response.status_code = 201
    return await customers.get_customer(deps.store, id)


@router.get("/{id}", response_model=CustomerView, responses=declare(Unknown) | {200: ANSWER})
async def get_customer(id: CustomerName, deps: Deps) -> CustomerView:
    """A customer with all attributes."""
    return await customers.get_customer(deps.store, id)
