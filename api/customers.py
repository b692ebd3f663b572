"""Customers: the people that events are about, by your own ids."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.audit import ChangeDep
from api.bodies import Body, aside, gives, ref, takes
from api.dependencies import Deps, IngestDep
from api.ingest import Ingest
from api.keys import Caller, CallerDep, needs
from api.names import CustomerName
from api.problems import STANDARD, TooLarge, WrongType, declare
from journeys.catalogue import Customer
from journeys.problems import Unknown
from journeys.reading import read
from store import customers
from store.customers import CustomerChange, CustomerView
from store.erasing import Erasure, erase
from store.events import Receipt

router = APIRouter(prefix="/v1/customers", tags=["customers"], responses=STANDARD)

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
PLAN = {"customer": "ada", "attributes": {"plan": "pro", "push_token": None}}
CHANGED = {
    **CUSTOMER_VIEW,
    "receipt": {
        "event": "5f1d3c0b9a7e4286",
        "source": "customers",
        "duplicate": False,
        "decisions": [
            {
                "journey": "trial-ending",
                "version": 1,
                "did": "exited",
                "why": 'exit: customer.plan == "pro"',
                "run": "trial-ending/ada/k3v9x2mq",
                "answers": [],
            }
        ],
        "in_flight": 0,
        "already_sent": [],
    },
}
ANSWER = gives(CHANGED)
ERASED = {
    "customer": "ada",
    "rows": {"consents": 2, "customers": 1, "diary": 6, "events": 4, "people": 1, "runs": 1, "sends": 2},
    "ended": 1,
    "in_flight": 0,
    "erased_before": None,
    "dry_run": False,
}
DryRun = Annotated[bool, Query(description="Only say what would be erased.")]


class ChangedCustomer(CustomerView):
    """A customer after a change. *receipt*: what it did, as an event is answered; null where nothing changed."""

    receipt: Receipt | None


WRITES = declare(TooLarge, WrongType) | {200: ANSWER, 201: ANSWER | {"model": ChangedCustomer}}


@router.put(
    "/{id}",
    dependencies=[needs("customers:write")],
    response_model=ChangedCustomer,
    responses=WRITES,
    openapi_extra=takes(ref(Customer), {"Ada": CUSTOMER}, yaml_too=True),
)
async def put_customer(
    id: CustomerName, body: Body, deps: Deps, ingest: IngestDep, caller: CallerDep, response: Response
) -> CustomerView:
    """Make these attributes all that the customer has; what is not named is gone.

    The first value of an attribute of your own fixes its type for all customers. `customer` may be left out of the
    body: it is in the address.
    A change is an event, `customer-created` or `customer-changed`, and `receipt` says what it did. To put what is there
    already changes nothing, and does nothing.
    """
    customer = await aside(read, Customer, body, "customer", id)
    change = await customers.put_customer(deps.store, id, customer.attributes, deps.now(), day=deps.day)
    return await _answer(change, ingest, response, _readable(change.customer, customer, caller))


@router.patch(
    "/{id}",
    dependencies=[needs("customers:write")],
    response_model=ChangedCustomer,
    responses=WRITES,
    openapi_extra=takes(ref(Customer), {"Ada goes pro, and has no device any more": PLAN}, yaml_too=True),
)
async def patch_customer(
    id: CustomerName, body: Body, deps: Deps, ingest: IngestDep, caller: CallerDep, response: Response
) -> CustomerView:
    """Change these attributes and leave all others; null takes one away. A customer who is not there is made.

    So services that each know a part of a customer do not undo each other. All else is as for `PUT`.
    A key without `customers:read` is answered the `attributes` that it named, and no others.
    """
    customer = await aside(read, Customer, body, "customer", id)
    change = await customers.patch_customer(deps.store, id, customer.attributes, deps.now(), day=deps.day)
    return await _answer(change, ingest, response, _readable(change.customer, customer, caller))


@router.get(
    "/{id}",
    dependencies=[needs("customers:read")],
    response_model=CustomerView,
    responses=declare(Unknown) | {200: gives(CUSTOMER_VIEW)},
)
async def get_customer(id: CustomerName, deps: Deps) -> CustomerView:
    """A customer with all attributes."""
    return await customers.get_customer(deps.store, id)


@router.delete(
    "/{id}",
    dependencies=[needs("customers:erase")],
    response_model=Erasure,
    responses=declare(Unknown) | {200: gives(ERASED)},
)
async def erase_customer(id: CustomerName, deps: Deps, change: ChangeDep, *, dry_run: DryRun = False) -> Erasure:
    """Erase a customer for good: all that is personal goes, and their runs end. Again, it changes nothing.

    Counts stay, what was said of their addresses stays as hashes, and so does a proof of their consents that only
    whoever has the id finds. `dry_run` is in the address, as many programs send no body with a DELETE.
    The answer comes once what was being sent is over, or after five seconds.
    """
    erasure = await erase(deps.store, id, change, dry_run=dry_run)
    deps.relay_nudge()
    return erasure


def _readable(view: CustomerView, given: Customer, caller: Caller) -> CustomerView:
    """A customer, for a key that reads customers; for another, what it has given itself."""
    if caller.may("customers:read"):
        return view
    own = {name: value for name, value in view.attributes.items() if name in given.attributes}
    return view.model_copy(update={"attributes": own})


async def _answer(
    change: CustomerChange, ingest: Ingest, response: Response, readable: CustomerView
) -> ChangedCustomer:
    """What became of a change, once the sends of runs that it ended are over."""
    if change.created:
        response.status_code = 201
    receipt = await ingest.committed(change.receipt) if change.receipt else None
    return ChangedCustomer(**dict(readable), receipt=receipt)
