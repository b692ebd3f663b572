"""An operator's cancel: of one run, or of all that a customer is in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import StrictBool, StringConstraints

from api.audit import ChangeDep
from api.bodies import Body, aside, gives, ref, takes
from api.dependencies import Deps
from api.keys import needs
from api.names import CustomerName, RunId
from api.problems import STANDARD, TooLarge, WrongType, declare
from journeys.models import Model, Name
from journeys.problems import Unknown
from journeys.reading import read
from store.cancelling import CancelledRun, CancelledRuns, cancel_run, cancel_runs

router = APIRouter(prefix="/v1", tags=["runs"], responses=STANDARD)

CANCELLED_RUN = {
    "run": "abandoned-cart/ada/k3v9x2mq",
    "journey": "abandoned-cart",
    "version": 1,
    "ended": "cancelled",
    "in_flight": 0,
    "changed": True,
    "dry_run": False,
}
CANCELLED_RUNS = {
    "customer": "ada",
    "inside": [{"journey": "abandoned-cart", "runs": 1}, {"journey": "welcome", "runs": 1}],
    "runs": 2,
    "in_flight": 0,
    "waiting": 0,
    "dry_run": False,
}
WHY = {"reason": "entered by a test of the till"}

Reason = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]


class Cancel(Model):
    """*reason*: why, kept with the run and in the audit log, and told to Temporal: so it names no customer.

    *dry_run*: only say what the cancel would do.
    """

    reason: Reason
    dry_run: StrictBool = False


class CancelAll(Cancel):
    """*reason*: why, as of one run. *journey*: only what the customer is in there.

    *dry_run*: only say what the cancel would do.
    """

    journey: Name | None = None


@router.post(
    "/runs/{id:path}/cancel",
    dependencies=[needs("runs:write")],
    response_model=CancelledRun,
    responses=declare(Unknown, TooLarge, WrongType) | {200: gives(CANCELLED_RUN)},
    openapi_extra=takes(ref(Cancel), {"A mistake": WHY, "What it would do": WHY | {"dry_run": True}}, yaml_too=True),
)
async def cancel(id: RunId, body: Body, deps: Deps, change: ChangeDep) -> CancelledRun:
    """End one run where it stands. From then on nothing of it is sent; `in_flight` messages may be on their way.

    The reason is kept, and told to Temporal: name no customer in it. A run that is over stays as it is: `changed` is
    false, and `ended` says how. With `dry_run` nothing is done, and the answer says what would be.
    """
    asked = await aside(read, Cancel, body, "cancel")
    cancelled = await cancel_run(deps.store, id, asked.reason, change, dry_run=asked.dry_run)
    deps.relay_nudge()
    return cancelled


@router.post(
    "/customers/{id}/cancel",
    dependencies=[needs("runs:write")],
    response_model=CancelledRuns,
    responses=declare(Unknown, TooLarge, WrongType) | {200: gives(CANCELLED_RUNS)},
    openapi_extra=takes(
        ref(CancelAll),
        {"All that she is in": WHY, "In one journey": WHY | {"journey": "welcome"}},
        yaml_too=True,
    ),
)
async def cancel_of_customer(id: CustomerName, body: Body, deps: Deps, change: ChangeDep) -> CancelledRuns:
    """End all runs of a customer where they stand, or those in one journey. What comes later may start others.

    Starts that wait for a journey to be resumed do not happen: `waiting` says how many. `in_flight` messages to the
    customer may be on their way, of runs that were over too. The reason is kept, and told to Temporal: name no customer
    in it. With `dry_run` nothing is done, and the answer says what would be.
    """
    asked = await aside(read, CancelAll, body, "cancel")
    cancelled = await cancel_runs(deps.store, id, asked.reason, change, journey=asked.journey, dry_run=asked.dry_run)
    deps.relay_nudge()
    return cancelled
