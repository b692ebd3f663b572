"""What needs somebody now, in one list, with what helps."""

from __future__ import annotations

from fastapi import APIRouter

from api.bodies import gives
from api.dependencies import Deps
from api.journeys_examples import BRAKED
from api.keys import needs
from api.problems import STANDARD
from store.open_problems import OpenProblems, open_problems

router = APIRouter(prefix="/v1/problems", tags=["problems"], responses=STANDARD)

PROBLEMS = {
    "problems": [
        {
            "kind": "journey held",
            "name": "abandoned-cart",
            "since": BRAKED["since"],
            "why": BRAKED["why"],
            "count": BRAKED["waiting"],
            "help": "Find out why, then let it go: sojourn release abandoned-cart. "
            "Or end it: sojourn stop abandoned-cart",
        },
        {
            "kind": "endpoint closed",
            "name": "crm",
            "since": "2026-11-24T10:00:00Z",
            "why": "it answered 410: it is gone for good",
            "count": None,
            "help": "Mend it, then open it: POST /v1/endpoints/crm/open",
        },
    ]
}


@router.get("", dependencies=[needs("runs:read")], response_model=OpenProblems, responses={200: gives(PROBLEMS)})
async def list_open_problems(deps: Deps) -> OpenProblems:
    """What needs somebody now: journeys held, channels down, endpoints closed, what Temporal refuses or has lost.

    Each says since when, why, how many wait for it where that is counted, and what helps.
    """
    return await open_problems(deps.store)
