"""Which scope each route needs, that none is open by mistake, and what a key hears that lacks one."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi import APIRouter, params
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from starlette.routing import BaseRoute, Route

from api.app import create_app
from api.keys import OPEN, anybody, needs
from store.scopes import OPENS, SCOPES
from store.store import Store
from tests.api.door import Clock, Door, deps_for, problem

# Nothing here is read from the database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

FOR_READERS = {"/openapi.json", "/static-offline-docs"}
"""The description of the API and what shows it: made by FastAPI, and open."""

NEEDED = {
    "POST /v1/events": "events:write",
    "GET /v1/events/{id}": "runs:read",
    "PUT /v1/triggers/{name}": "definitions:write",
    "GET /v1/triggers/{name}": "definitions:read",
    "GET /v1/triggers": "definitions:read",
    "POST /v1/triggers/{name}/ready": "definitions:write",
    "POST /v1/triggers/{name}/stop": "definitions:write",
    "PUT /v1/contents/{name}": "definitions:write",
    "GET /v1/contents/{name}": "definitions:read",
    "GET /v1/contents": "definitions:read",
    "POST /v1/contents/{name}/ready": "definitions:write",
    "POST /v1/contents/{name}/stop": "definitions:write",
    "POST /v1/contents/{name}/preview": "definitions:read",
    "POST /v1/contents/{name}/test-send": "definitions:write",
    "PUT /v1/customers/{id}": "customers:write",
    "PATCH /v1/customers/{id}": "customers:write",
    "GET /v1/customers/{id}": "customers:read",
    "DELETE /v1/customers/{id}": "customers:erase",
    "GET /v1/customers/{id}/consents": "customers:read",
    "PUT /v1/customers/{id}/consents": "customers:write",
    "GET /v1/customer-attributes": "definitions:read",
    "GET /v1/customer-attributes/{name}": "definitions:read",
    "PUT /v1/customer-attributes/{name}": "definitions:write",
    "DELETE /v1/customer-attributes/{name}": "definitions:write",
    "PUT /v1/journeys/{name}": "definitions:write",
    "GET /v1/journeys/{name}": "definitions:read",
    "GET /v1/journeys": "definitions:read",
    "POST /v1/journeys/{name}/publish": "publish",
    "POST /v1/journeys/{name}/stop": "publish",
    "POST /v1/journeys/{name}/complete": "publish",
    "POST /v1/journeys/{name}/archive": "publish",
    "POST /v1/journeys/{name}/release": "publish",
    "POST /v1/journeys/{name}/pause": "publish",
    "POST /v1/journeys/{name}/resume": "publish",
    "POST /v1/journeys/{name}/repair": "publish",
    "POST /v1/journeys/{name}/preview": "definitions:read",
    "GET /v1/journeys/{name}/paths": "definitions:read",
    "GET /v1/journeys/{name}/tests": "analytics:read",
    "PUT /v1/policy": "publish",
    "GET /v1/policy": "definitions:read",
    "GET /v1/policy/versions": "definitions:read",
    "GET /v1/problems": "runs:read",
    "GET /v1/runs": "runs:read",
    "GET /v1/runs/{id}": "runs:read",
    "POST /v1/runs/{id}/cancel": "runs:write",
    "POST /v1/customers/{id}/cancel": "runs:write",
    "GET /v1/sends/{id}": "runs:read",
    "GET /v1/suppressions": "customers:read",
    "GET /v1/suppressions/lifted": "customers:read",
    "POST /v1/suppressions/find": "customers:read",
    "POST /v1/suppressions/{id}/lift": "customers:write",
    "GET /v1/channels": "runs:read",
    "PUT /v1/endpoints/{name}": "definitions:write",
    "GET /v1/endpoints/{name}": "definitions:read",
    "GET /v1/endpoints": "definitions:read",
    "POST /v1/endpoints/{name}/rotate": "definitions:write",
    "POST /v1/endpoints/{name}/open": "definitions:write",
    "DELETE /v1/endpoints/{name}": "definitions:write",
    "GET /v1/audit": "admin",
    "POST /v1/keys": "admin",
    "GET /v1/keys": "admin",
    "GET /v1/keys/{name}": "admin",
    "PUT /v1/keys/{name}": "admin",
    "POST /v1/keys/{name}/rotate": "admin",
    "DELETE /v1/keys/{name}": "admin",
    "DELETE /v1/keys/{name}/secrets/{id}": "admin",
}


def undeclared(routes: list[BaseRoute]) -> Iterator[str]:
    """The routes that declare neither which scope they need nor that they are open, or both."""
    for route in iter_route_contexts(routes):
        if isinstance(route.original_route, APIRoute):
            if len(list(declared(route))) != 1:
                yield f"{route.methods} {route.path}"
        elif route.path not in FOR_READERS:
            yield f"{route.path}"


def declared(route: RouteContext) -> Iterator[params.Depends]:
    for each in route.dependencies or ():
        if each == OPEN or (isinstance(each, params.Security) and each.dependency == needs("admin").dependency):
            yield each


def test_every_route_declares_its_scope_or_that_it_is_open(store: Store) -> None:
    routes = create_app(deps_for(store, Clock())).routes

    assert list(undeclared(routes)) == []
    assert len([route for route in iter_route_contexts(routes) if str(route.path).startswith("/v1/")]) == len(NEEDED)


def test_a_route_that_declares_nothing_is_found(store: Store) -> None:
    app = create_app(deps_for(store, Clock()))
    forgotten, twice = APIRouter(prefix="/v1/forgotten"), APIRouter(prefix="/v1/twice", dependencies=[OPEN])
    forgotten.add_api_route("", anybody, methods=["GET"])
    twice.add_api_route("", anybody, methods=["GET"], dependencies=[needs("admin")])
    for router in (forgotten, twice):
        app.include_router(router)
    app.router.routes.append(Route("/files", anybody))

    assert list(undeclared(app.routes)) == ["{'GET'} /v1/forgotten", "{'GET'} /v1/twice", "/files"]


def test_every_scope_is_needed_somewhere_and_has_a_meaning(store: Store) -> None:
    assert OPENS.keys() == set(SCOPES)
    assert set(NEEDED.values()) == set(SCOPES)


async def test_the_description_says_which_scope_each_route_needs(door: Door) -> None:
    described = await door.get("/openapi.json")
    operations = {
        f"{method.upper()} {path}": operation
        for path, item in described["paths"].items()
        for method, operation in item.items()
        if path.startswith("/v1/")
    }

    assert {name: operation["security"] for name, operation in operations.items()} == {
        name: [{"key": [scope]}] for name, scope in NEEDED.items()
    }
    for name, operation in operations.items():
        assert operation["description"].endswith(f"\n\nNeeds a key with the scope `{NEEDED[name]}`.")


async def test_a_key_opens_what_its_scope_says_and_nothing_else(door: Door) -> None:
    for scope in SCOPES:
        secret = (await door.post("/v1/keys", {"key": scope.replace(":", "-"), "scopes": [scope]}))["secret"]
        for route, needed in NEEDED.items():
            method, path = route.split(" ")

            answer = await door.http.request(
                method,
                re.sub(r"\{\w+\}", "x", path),
                content=b"{" * 1000,
                headers={"Authorization": f"Bearer {secret}"},
            )

            if scope == needed:
                assert answer.status_code not in (401, 403), route
            else:
                said = problem(answer, 403, "forbidden")["detail"]
                assert said == (
                    f'This needs the scope {needed}, which the key "{scope.replace(":", "-")}" has not got: '
                    f"it has {scope}. Send another key, or make one that has it with: sojourn key create."
                ), route
