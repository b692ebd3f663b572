"""The OpenAPI document, the page that shows it, and a page for each type of problem. Nothing comes from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from html import escape
from importlib.metadata import version
from inspect import getdoc
from itertools import chain
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Path, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema
from starlette.types import Lifespan

from api.bodies import gives
from api.cancels import Cancel, CancelAll
from api.consents import Consents
from api.content_previews import Sample, TestSend
from api.journey_ends import Archive, Completion, Stop
from api.journeys import Pause, Publishing, Release, Resume
from api.keys import OPEN
from api.limits import AFTER, HEADERS
from api.named_keys import Rotation
from api.previews import PreviewBody
from api.problems import BY_SLUG, KINDS, Problem, declare
from api.repairs import Repair
from api.suppressions import AddressQuestion, Lift
from journeys.catalogue import Content, Customer, CustomerAttribute, Event, Trigger
from journeys.clearance.policy import Policy
from journeys.definition import Journey
from journeys.described import Described, with_unions_named
from journeys.endpoints import Endpoint
from journeys.models import Frozen
from journeys.nearest import did_you_mean
from journeys.problems import SojournError, Unknown
from store.keys import Key

STATIC = "/static-offline-docs"
REF = "#/components/schemas/{model}"
# Swagger's page starts itself by a script in the page, and no page of ours does.
CSP = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'"
)

DESCRIPTION = """
Durable customer journeys. All of `/v1` needs a key as `Authorization: Bearer <key>`; each operation says which scope.

1. `PUT` the triggers and contents, and mark them ready.
2. `PUT` the journey, see what it does with `POST …/preview`, and `POST …/publish` it.
3. `PUT` your customers, and `POST /v1/events` as things happen.
4. `GET /v1/runs` says where everybody stands, and `GET /v1/runs/{id}` why.

Definitions may be JSON or YAML, by `Content-Type` and `Accept`. Errors are `application/problem+json` (RFC 9457),
and each lists everything that is wrong at once.
"""
TAGS = [
    {"name": "events", "description": "What happened to customers."},
    {"name": "triggers", "description": "The kinds of things that happen, with their attributes."},
    {"name": "contents", "description": "Emails, texts and push notifications, to be filled in for each customer."},
    {"name": "customers", "description": "The people, by your own ids, and what they want to get."},
    {"name": "journeys", "description": "Definitions: draft, preview, publish, stop."},
    {"name": "policy", "description": "Who may be messaged when, over all journeys."},
    {"name": "runs", "description": "Who walks where, and why."},
    {"name": "sends", "description": "One message to one customer, and what became of it."},
    {"name": "suppressions", "description": "Addresses that are not written to any more, and why."},
    {"name": "channels", "description": "Whether messages can go out."},
    {"name": "endpoints", "description": "Addresses of your systems that journeys call, each call signed."},
    {"name": "keys", "description": "What opens the API, for whom, and how far."},
    {"name": "audit", "description": "Who changed what, and when."},
    {"name": "webhooks", "description": "What providers report. Each is signed by its provider; there is no key."},
    {"name": "unsubscribe", "description": "The link in an email, for its reader and their mail program."},
    {"name": "health", "description": "Is it up, can it work."},
    {"name": "problems", "description": "What needs somebody now, and what the types of errors mean."},
]

IN_THE_ADDRESS: dict[type[BaseModel], str] = {
    Trigger: "trigger",
    Content: "content",
    Endpoint: "endpoint",
    Journey: "journey",
    Customer: "customer",
    CustomerAttribute: "attribute",
    Consents: "customer",
    Key: "key",
}
"""The field of each body that may be left out, since its value is in the address that the body is sent to."""

BY_KEY = "Left out, it is the name of the key, or `api` with `SOJOURN_KEY`."
"""What is said of where something comes from."""

router = APIRouter(tags=["problems"], dependencies=[OPEN])


class ProblemType(Frozen):
    """One kind of error: its status, and what it means."""

    type: str
    title: str
    status: int
    meaning: str


def documented(lifespan: Lifespan[FastAPI]) -> FastAPI:
    """An empty app that describes itself, also where there is no internet."""
    return FastAPIOffline(
        docs_url=None,
        redirect_slashes=False,  # a redirect loses the body and the key of many clients; the 404 says what to do
        redoc_url=None,
        title="Sojourn",
        version=version("sojourn"),
        description=DESCRIPTION,
        openapi_tags=TAGS,
        separate_input_output_schemas=False,
        generate_unique_id_function=lambda route: route.name,
        static_url=STATIC,
        lifespan=lifespan,
    )


def complete(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Have the OpenAPI document completed with the models that routes read by themselves, once somebody asks for it."""
    plain = app.openapi

    @cache  # it takes longer than all else of the app
    def whole() -> dict[str, Any]:
        described = plain()
        _complete(described, routers)
        return described

    app.openapi = whole  # type: ignore[method-assign]  # FastAPI's own way to extend the document


def _complete(described: dict[str, Any], routers: Iterable[APIRouter]) -> None:
    models: list[type[BaseModel]] = [Event, Trigger, Content, Endpoint, Journey, Customer, PreviewBody, Policy]
    models += [CustomerAttribute, Consents, Sample, TestSend, AddressQuestion, Lift, Key, Rotation]
    models += [Release, Pause, Resume, Stop, Completion, Archive, Cancel, CancelAll, Publishing, Repair]
    bodies = _schemas(models)
    for schema in bodies.values():
        _tell_defaults(schema)
    for model, name in IN_THE_ADDRESS.items():
        bodies[model.__name__]["required"].remove(name)
    described["components"]["schemas"] |= _schemas([Problem]) | bodies
    _leave_out_what_is_never_answered(described)
    _tell_scopes(described)
    _tell_headers(described)
    for route in chain.from_iterable(each.routes for each in routers):
        if isinstance(route, APIRoute) and route.include_in_schema:
            _restore_examples(route, described["paths"][route.path_format])


def _schemas(models: Iterable[type[BaseModel]]) -> dict[str, Any]:
    given: list[tuple[type[BaseModel], JsonSchemaMode]] = [(model, "validation") for model in models]
    schemas = models_json_schema(given, ref_template=REF, schema_generator=Described)[1]["$defs"]
    return with_unions_named(schemas, REF)


def _tell_defaults(schema: dict[str, Any]) -> None:
    # In words: what has a default always has a value, says openapi-typescript, and makes everybody give one.
    for name, field in schema.get("properties", {}).items():
        if default := field.pop("default", None):
            told = BY_KEY if name == "source" else f"Left out, it is `{json.dumps(default, ensure_ascii=False)}`."
            field["description"] = f"{field.get('description', '')} {told}".strip()


def _leave_out_what_is_never_answered(described: dict[str, Any]) -> None:
    # FastAPI adds its own answer to every route with parameters. Ours to a wrong one is a problem, and declared.
    for operation in chain.from_iterable(path.values() for path in described["paths"].values()):
        if "HTTPValidationError" in str(operation["responses"].get("422")):
            del operation["responses"]["422"]
    for name in ("HTTPValidationError", "ValidationError"):
        described["components"]["schemas"].pop(name, None)


def _tell_scopes(described: dict[str, Any]) -> None:
    # In words too: pages that show the document leave out what a bearer key must be good for.
    for operation in chain.from_iterable(path.values() for path in described["paths"].values()):
        for scope in chain.from_iterable(chain.from_iterable(each.values()) for each in operation.get("security", [])):
            operation["description"] += f"\n\nNeeds a key with the scope `{scope}`."


def _tell_headers(described: dict[str, Any]) -> None:
    described["components"]["headers"] = {
        name: {"description": meaning, "schema": {"type": kind}, "example": example}
        for name, (meaning, kind, example) in {**HEADERS, **AFTER}.items()
    }
    for operation in chain.from_iterable(path.values() for path in described["paths"].values()):
        for status, answer in operation["responses"].items():
            named = [*(HEADERS if "security" in operation else ()), *(AFTER if status in ("429", "503") else ())]
            if named:
                answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in named}


def _restore_examples(route: APIRoute, described: dict[str, Any]) -> None:
    # FastAPI leaves out whatever is null, also within examples, where null is what is to be shown.
    for status, answer in route.responses.items():
        for media_type, content in answer.get("content", {}).items():
            for method in route.methods or ():
                if "example" in content:
                    answers = described[method.lower()]["responses"]
                    answers[str(status)]["content"][media_type]["example"] = content["example"]


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> HTMLResponse:
    """This API, to be read and tried."""
    page = get_swagger_ui_html(
        openapi_url=str(request.app.openapi_url),
        title="Sojourn",
        swagger_js_url=f"{STATIC}/swagger-ui-bundle.js",
        swagger_css_url=f"{STATIC}/swagger-ui.css",
        swagger_favicon_url=f"{STATIC}/favicon.png",
        swagger_ui_parameters={"validatorUrl": None},  # else it would ask a server elsewhere whether we are valid
    )
    page.headers["Content-Security-Policy"] = CSP
    return page


EXAMPLE = {
    "type": "/problems/unknown",
    "title": "There is nothing by that name",
    "status": 404,
    "meaning": "Nothing has that name or id.",
}


@router.get("/problems", response_model=list[ProblemType], responses={200: gives([EXAMPLE])})
async def list_problems() -> list[ProblemType]:
    """All types of errors."""
    return [_type_of(kind) for kind in KINDS]


@router.get("/problems/{slug}", response_model=ProblemType, responses=declare(Unknown) | {200: gives(EXAMPLE)})
async def get_problem(
    request: Request, slug: Annotated[str, Path(description="The end of a problem's `type`.", examples=["unknown"])]
) -> ProblemType | HTMLResponse:
    """What one type of error means. A page for browsers, JSON for others."""
    if slug not in BY_SLUG:
        raise Unknown(f'There is no type of problem "{slug}". {did_you_mean(slug, BY_SLUG)}')
    kind = _type_of(BY_SLUG[slug])
    return HTMLResponse(_page(kind)) if "text/html" in request.headers.get("accept", "") else kind


def _type_of(kind: type[SojournError]) -> ProblemType:
    meaning = " ".join((getdoc(kind) or "").split())
    if kind is SojournError:
        meaning = "A bug of ours, or something outside failed. It has been logged."
    return ProblemType(type=f"/problems/{kind.slug}", title=kind.title, status=kind.status, meaning=meaning)


def _page(kind: ProblemType) -> str:
    title = escape(f"{kind.status} {kind.title}")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f"<h1>{title}</h1><p>{escape(kind.meaning)}</p><p><a href='/docs'>All of the API</a></p></html>"
    )
