"""The audit log: who asks for a change, as routes take it, and what was changed by whom, as it is shown."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.bodies import gives
from api.dependencies import Deps
from api.keys import CallerDep, needs
from api.names import Moment, Stored
from api.problems import STANDARD
from store import audit
from store.audit import AuditPage, Change

router = APIRouter(prefix="/v1/audit", tags=["audit"], responses=STANDARD)

ENTRIES = {
    "entries": [
        {
            "id": 18,
            "at": "2026-11-24T09:05:00Z",
            "by": "grace",
            "did": "journey published",
            "what": "journey/abandoned-cart",
            "detail": {"version": 2, "hash": "9c1185a5c5e9fc54612808977ee8f548b2258d31"},
        },
        {
            "id": 17,
            "at": "2026-11-24T09:00:00Z",
            "by": "grace",
            "did": "content put",
            "what": "content/initial-email-reminder",
            "detail": {"changed": ["email", "title"]},
        },
    ],
    "next": 17,
}


async def change_of(deps: Deps, caller: CallerDep) -> Change:
    """The change that a request asks for: by whom, and when."""
    return Change(caller.name, deps.now())


ChangeDep = Annotated[Change, Depends(change_of)]


@router.get("", dependencies=[needs("admin")], response_model=AuditPage, responses={200: gives(ENTRIES)})
async def list_audit(
    deps: Deps,
    what: Annotated[
        Stored | None,
        Query(description="Only changes of this, or of all of a kind: `journey`.", examples=["journey/abandoned-cart"]),
    ] = None,
    by: Annotated[Stored | None, Query(description="Only by the key of this name.", examples=["grace"])] = None,
    since: Annotated[Moment | None, Query(description="Only from then on.", examples=["2026-11-24T09:00:00Z"])] = None,
    limit: Annotated[int, Query(description="At most so many.", ge=1, le=200)] = 50,
    before: Annotated[int | None, Query(description="The `next` of the page before.", ge=1, le=2**63 - 1)] = None,
) -> AuditPage:
    """Who changed what and when, the latest first, page by page: triggers, contents, journeys, and what else is set.

    Events, customers and consents are not in it: what is said of them is kept with them.
    """
    return await audit.list_audit(deps.store, what=what, by=by, since=since, limit=limit, before=before)
