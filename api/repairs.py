"""Repair: what runs that are parked are told, once what had failed is mended."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field, StrictBool

from api.audit import ChangeDep
from api.bodies import Body, aside, gives, ref, takes
from api.dependencies import Deps
from api.keys import needs
from api.names import JourneyName
from api.problems import STANDARD, TooLarge, WrongType, declare
from journeys.models import Expected, Model, Name, Time
from journeys.problems import Unknown
from journeys.reading import read
from store.lifecycle_parked import Wanted
from store.repairs import Repaired, repair

router = APIRouter(prefix="/v1/journeys", tags=["journeys"], responses=STANDARD)


class Repair(Model):
    """Which runs that are parked are repaired: all of the journey, unless said.

    *step*: those at this step.
    *reason*: those whose reason has this in it, in small or capital letters.
    *since*: those that were parked then or later.
    *instead*: `go on`, where they are to pass the step as failed instead of trying again.
    *dry_run*: only say what it would do.
    """

    step: Name | None = None
    reason: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    since: Time | None = None
    instead: Annotated[Literal["go on"], Expected("go on, or nothing where they are to try again")] | None = None
    dry_run: StrictBool = False

    @property
    def wanted(self) -> Wanted:
        return Wanted(step=self.step, reason=self.reason, since=self.since)


REPAIRED = {
    "journey": "abandoned-cart",
    "count": 37,
    "parked": [
        {
            "step": "initial-reminder",
            "why": "the content cannot be filled in: line 1: divided_by: can't divide by 0.",
            "count": 37,
            "since": "2026-11-24T07:12:40Z",
        }
    ],
    "instead": None,
    "spread": "15 minutes",
    "to_go": 0,
    "dry_run": False,
}

_TAKEN = takes(
    ref(Repair),
    {
        "All that are parked at a step": {"step": "initial-reminder"},
        "What it would do": {"step": "initial-reminder", "dry_run": True},
        "Go on without it": {"reason": "cannot be filled in", "instead": "go on"},
    },
    yaml_too=True,
)


@router.post(
    "/{name}/repair",
    dependencies=[needs("publish")],
    response_model=Repaired,
    responses=declare(Unknown, TooLarge, WrongType) | {200: gives(REPAIRED)},
    openapi_extra={"requestBody": _TAKEN["requestBody"] | {"required": False}},
)
async def repair_runs(name: JourneyName, body: Body, deps: Deps, change: ChangeDep) -> Repaired:
    """Tell exactly those runs that are parked to try again what had failed, with everything checked anew.

    Messages go out one after the other, over the policy's `spread`; webhooks have all of their `within` again. With
    `instead: go on` they pass the step as failed. Where none is parked, nothing changes. Of very many, `to_go` are
    still to be told when this is answered, and workers go on with them. With `dry_run` nothing is done, and the answer
    says what would be.
    """
    asked = await aside(read, Repair, body, "repair") if body else Repair()
    answer = await repair(deps.store, name, asked.wanted, change, instead=asked.instead, dry_run=asked.dry_run)
    deps.relay_nudge()
    return answer
