"""Endpoints: addresses of your systems that journeys call. Registered, signed for, closed when they want no more."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import Field

from activities.endpoints.sealing import Seal
from activities.endpoints.signing import new_secret
from api.audit import ChangeDep
from api.bodies import AsWritten, Body, Yaml, aside, gives, in_yaml, ref, takes
from api.dependencies import Dependencies, Deps
from api.keys import needs
from api.names import EndpointName
from api.problems import STANDARD, TooLarge, WrongType, declare
from journeys.endpoints import Endpoint
from journeys.models import Frozen
from journeys.problems import Conflict, Flaw, Invalid, TooMany, Unknown
from journeys.reading import read_endpoint
from store import endpoints
from store.endpoints import EndpointView
from store.showing import Unreadable

router = APIRouter(prefix="/v1/endpoints", tags=["endpoints"], responses=STANDARD)

CRM = {"endpoint": "crm", "title": "Our CRM", "url": "https://crm.example.com/hooks/sojourn"}
CRM_VIEW = {
    "endpoint": CRM,
    "state": "open",
    "reason": "",
    "since": "2026-11-23T08:00:00Z",
    "secrets": [{"created_at": "2026-11-23T08:00:00Z", "until": None}],
    "journeys": ["win-back"],
    "created_at": "2026-11-23T08:00:00Z",
    "changed_at": "2026-11-23T08:00:00Z",
}
ONCE = {"secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDEzdhr5bbn/s="}  # the standard's own, of nobody
NEW = CRM_VIEW | {"journeys": []} | ONCE
ROTATED = (
    CRM_VIEW
    | {
        "secrets": [
            {"created_at": "2026-11-24T09:00:00Z", "until": None},
            {"created_at": "2026-11-23T08:00:00Z", "until": "2026-11-25T09:00:00Z"},
        ],
        "changed_at": "2026-11-24T09:00:00Z",
    }
    | ONCE
)


class EndpointAnswer(EndpointView):
    """An endpoint, as it was written, and its state. *secrets*: since when each signs, and until when; never itself."""

    endpoint: AsWritten[Endpoint]


class EndpointSecret(EndpointAnswer):
    """The same, with its *secret* where one was made just now. It is told this once: keep it."""

    secret: str | None = Field(None, description="What receivers verify signatures with. Told once, when it is made.")


class Endpoints(Frozen):
    """All endpoints, by name. *unreadable*: what an earlier release let in and cannot be shown; to be put again."""

    endpoints: tuple[EndpointAnswer, ...]
    unreadable: tuple[Unreadable, ...] = ()


class Deleted(Frozen):
    """What was deleted, by its name."""

    deleted: str


@router.put(
    "/{name}",
    dependencies=[needs("definitions:write")],
    response_model=EndpointSecret,
    responses=declare(Conflict, TooLarge, WrongType)
    | {200: gives(CRM_VIEW | {"secret": None}), 201: gives(NEW) | {"model": EndpointSecret}},
    openapi_extra=takes(ref(Endpoint), {"A CRM": CRM}, yaml_too=True),
)
async def put_endpoint(
    name: EndpointName, body: Body, deps: Deps, change: ChangeDep, response: Response
) -> EndpointSecret:
    """Register an address that journeys call, or change it. A new one is answered with its secret, this once.

    What is posted there is signed by Standard Webhooks. The address is one of the internet, with https; one on this
    machine only where `SOJOURN_LOCAL_ENDPOINTS` allows it. A new address opens an endpoint that was closed.
    """
    endpoint = await aside(read_endpoint, body, name=name)
    _refuse_local(endpoint, deps)
    secret = new_secret()
    made = await endpoints.put_endpoint(deps.store, endpoint, _seal(deps).seal(secret), change)
    response.status_code = 201 if made else 200
    return await _with_secret(deps, name, secret if made else None)


@router.get(
    "/{name}",
    dependencies=[needs("definitions:read")],
    response_model=EndpointAnswer,
    responses=declare(Unknown, Conflict) | {200: gives(CRM_VIEW, yaml=Endpoint)},
)
async def get_endpoint(name: EndpointName, deps: Deps, yaml: Yaml) -> EndpointAnswer | Response:
    """An endpoint: open, or closed with the reason and since when. Its secrets are never told again.

    With `Accept: application/yaml` the definition alone, to be put again.
    """
    view = await endpoints.get_endpoint(deps.store, name, deps.now())
    return await in_yaml(view.endpoint) if yaml else EndpointAnswer(**dict(view))


@router.get(
    "",
    dependencies=[needs("definitions:read")],
    response_model=Endpoints,
    responses={200: gives({"endpoints": [CRM_VIEW]})},
)
async def list_endpoints(deps: Deps) -> Endpoints:
    """All endpoints, by name."""
    views, unreadable = await endpoints.list_endpoints(deps.store, deps.now())
    return Endpoints(endpoints=tuple(EndpointAnswer(**dict(view)) for view in views), unreadable=unreadable)


@router.post(
    "/{name}/rotate",
    dependencies=[needs("definitions:write")],
    response_model=EndpointSecret,
    responses=declare(Unknown, Conflict, TooMany) | {200: gives(ROTATED)},
)
async def rotate_endpoint(name: EndpointName, deps: Deps, change: ChangeDep) -> EndpointSecret:
    """Sign with a new secret, which is answered this once. For 24 hours the former one signs as well.

    Every request carries both signatures meanwhile, so that receivers change over when it suits them.
    """
    secret = new_secret()
    await endpoints.rotate_endpoint(deps.store, name, _seal(deps).seal(secret), change)
    return await _with_secret(deps, name, secret)


@router.post(
    "/{name}/open",
    dependencies=[needs("definitions:write")],
    response_model=EndpointAnswer,
    responses=declare(Unknown, Conflict) | {200: gives(CRM_VIEW)},
)
async def open_endpoint(name: EndpointName, deps: Deps, change: ChangeDep) -> EndpointAnswer:
    """Post to an endpoint again that was closed since it answered 410. What was not posted meanwhile stays so."""
    await endpoints.open_endpoint(deps.store, name, change)
    return EndpointAnswer(**dict(await endpoints.get_endpoint(deps.store, name, deps.now())))


@router.delete(
    "/{name}",
    dependencies=[needs("definitions:write")],
    response_model=Deleted,
    responses=declare(Unknown, Conflict) | {200: gives({"deleted": "crm"})},
)
async def delete_endpoint(name: EndpointName, deps: Deps, change: ChangeDep) -> Deleted:
    """Forget an endpoint and its secrets. Refused while a journey in use calls it."""
    await endpoints.delete_endpoint(deps.store, name, change)
    return Deleted(deleted=name)


async def _with_secret(deps: Dependencies, name: str, secret: str | None) -> EndpointSecret:
    return EndpointSecret(**dict(await endpoints.get_endpoint(deps.store, name, deps.now())), secret=secret)


def _seal(deps: Dependencies) -> Seal:
    return Seal(deps.secret)


def _refuse_local(endpoint: Endpoint, deps: Dependencies) -> None:
    if endpoint.is_local and not deps.local_endpoints:
        flaw = Flaw(
            path="url",
            message="it is on this machine, which is not called.",
            hint="Give an address on the internet, or set SOJOURN_LOCAL_ENDPOINTS=true where you try things out.",
        )
        raise Invalid("This endpoint cannot be called.", [flaw])
