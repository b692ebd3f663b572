"""Errors as answers: each is an ``application/problem+json`` (RFC 9457) whose type is a page that explains it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any

from fastapi import FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from journeys.inputs.flaws import flaws_of
from journeys.models import Frozen
from journeys.problems import (
    Conflict,
    Flaw,
    Forbidden,
    Invalid,
    SojournError,
    TooMany,
    Unauthorized,
    Unavailable,
    Unknown,
)

MEDIA_TYPE = "application/problem+json"
MOST_FLAWS = 100


class Malformed(SojournError):
    """The request is not one that HTTP allows here."""

    status = 400
    slug = "malformed"
    title = "The request cannot be read"


class Forged(SojournError):
    """A webhook that its provider has not signed, that was altered on the way, or that is too old. Why is not told."""

    status = 403
    slug = "forged"
    title = "The signature does not fit"


class WrongMethod(SojournError):
    """The address exists, but not for this method. The Allow header lists those it has."""

    status = 405
    slug = "wrong-method"
    title = "This address does not take that method"


class TooLarge(SojournError):
    """The body, or one event in it, is larger than is accepted. Send less at a time."""

    status = 413
    slug = "too-large"
    title = "The body is too large"


class WrongType(SojournError):
    """The body's Content-Type is not one that is read here."""

    status = 415
    slug = "wrong-type"
    title = "This kind of body is not read here"


class HeadTooLarge(SojournError):
    """The address or the headers are longer than is accepted. The connection is closed."""

    status = 431
    slug = "head-too-large"
    title = "The head of the request is too large"


KINDS: tuple[type[SojournError], ...] = (
    Malformed,
    Unauthorized,
    Forged,
    Forbidden,
    Unknown,
    WrongMethod,
    Conflict,
    TooLarge,
    WrongType,
    Invalid,
    TooMany,
    HeadTooLarge,
    SojournError,
    Unavailable,
)
BY_SLUG = {kind.slug: kind for kind in KINDS}
BY_STATUS = {kind.status: kind for kind in KINDS}


class Problem(Frozen):
    """An error: what kind it is, what happened, and every single thing to mend."""

    type: str
    title: str
    status: int
    detail: str
    errors: tuple[Flaw, ...] = ()


def problem_of(error: SojournError) -> Problem:
    """The error as it is answered. Of very many flaws the first ones are listed."""
    return Problem(
        type=f"/problems/{error.slug}",
        title=error.title,
        status=error.status,
        detail=error.detail,
        errors=error.flaws[:MOST_FLAWS],
    )


def answer(error: SojournError, headers: Mapping[str, str] | None = None) -> Response:
    """The response for an error, with the headers that its kind asks for."""
    extra: dict[str, str] = dict(headers or {})
    if isinstance(error, Unauthorized):
        extra["WWW-Authenticate"] = "Bearer"
    if isinstance(error, Unavailable):
        extra["Retry-After"] = "1"
    if isinstance(error, TooMany):
        extra["Retry-After"] = str(max(1, ceil(error.after.total_seconds())))
    body = problem_of(error).model_dump_json()
    return Response(body, status_code=error.status, headers=extra, media_type=MEDIA_TYPE)


def declare(*kinds: type[SojournError]) -> dict[int | str, dict[str, Any]]:
    """The ``responses=`` of a route that can answer with these errors, for OpenAPI."""
    return {kind.status: _declared(kind) for kind in kinds}


def _declared(kind: type[SojournError]) -> dict[str, Any]:
    example = problem_of(kind(EXAMPLES[kind.slug], [EXAMPLE_FLAW] if kind is Invalid else []))
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example.model_dump(mode="json")}
    return {"description": kind.title, "content": {MEDIA_TYPE: content}}


EXAMPLES = {
    "malformed": "The request has no valid header.",
    "unauthorized": "No key was given. Send it as: Authorization: Bearer <key>.",
    "forbidden": 'This needs the scope publish, which the key "shop" has not got: it has events:write.',
    "forged": "This webhook is not taken.",
    "unknown": 'There is no journey "abandoned-card". Did you mean "abandoned-cart"?',
    "wrong-method": "DELETE is not possible here. Possible: GET, PUT.",
    "conflict": 'Content "initial-email-reminder" is sent by the live journey abandoned-cart.',
    "too-large": "The body is larger than 524288 bytes. Send it in parts.",
    "wrong-type": "Found image/png; expected application/json or application/yaml.",
    "invalid": "1 of 4 events is not valid, so none was accepted.",
    "too-many": "At most 10 messages an hour are sent as a test to one address.",
    "head-too-large": "The headers do not end within 65536 bytes.",
    "internal": "This is a fault of ours, and it has been logged.",
    "unavailable": "The database does not answer. Nothing was done; send the same request again.",
}
EXAMPLE_FLAW = Flaw(path="[3].attributes.total", message='"12,50" was found, a number was expected.')


def install(app: FastAPI) -> None:
    """Answer every error of *app* as a problem. Errors that nobody foresaw are the door's to catch."""
    app.add_exception_handler(SojournError, _of_the_family)
    app.add_exception_handler(RequestValidationError, _of_the_request)
    app.add_exception_handler(HTTPException, _of_http)


STANDARD = declare(Unauthorized, Forbidden, Invalid, TooMany, SojournError, Unavailable)
"""What every route under /v1 can answer."""


async def _of_the_family(_: Request, error: Exception) -> Response:
    assert isinstance(error, SojournError)  # noqa: S101 - registered for it
    return answer(error)


async def _of_the_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    flaws = [flaw for found in error.errors() for flaw in _flaws_of(found, request)]
    return answer(Invalid("The request is not valid.", flaws))


def _flaws_of(error: ErrorDetails, request: Request) -> list[Flaw]:
    """What is wrong with a part of the address or a header: its first place says in which of them it is."""
    name, *below = error["loc"][1:] or ("",)
    meant = next((param for param in _params(request.scope["route"].dependant) if param.alias == name), None)
    flaws = flaws_of([{**error, "loc": tuple(below)}], meant and meant.field_info.rebuild_annotation())
    return [flaw.within(str(name)) for flaw in flaws]


def _params(dependant: Dependant) -> Iterator[Any]:
    yield from (*dependant.path_params, *dependant.query_params, *dependant.header_params)
    for below in dependant.dependencies:
        yield from _params(below)


async def _of_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    match error.status_code:
        case 404:
            return answer(Unknown(f"There is nothing at {request.url.path}. {_elsewhere(request.url.path)}"))
        case 405:
            allowed = _allowed(request) or (error.headers or {}).get("Allow", "")
            wrong = WrongMethod(f"{request.method} is not possible here. Possible: {allowed}.")
            return answer(wrong, {"Allow": allowed})
        case status:
            return answer(BY_STATUS.get(status, Malformed)(error.detail), error.headers)


def _elsewhere(path: str) -> str:
    if path.endswith("/") and path.strip("/"):
        return f"No address ends with a slash: try {path.rstrip('/')}."
    return "All addresses are listed at /docs."


def _allowed(request: Request) -> str:
    """All methods of an address. The error itself knows only those of the first route that it has."""
    described = request.app.openapi()["paths"].items()
    found = {
        method.upper() for path, item in described if compile_path(path)[0].match(request.url.path) for method in item
    }
    return ", ".join(sorted(found))
