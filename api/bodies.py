"""Bodies in and out: JSON or YAML, read with a limit while they stream, with every flaw named at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, PlainSerializer

from api.problems import TooLarge, WrongType
from journeys.reading import write

Written = TypeVar("Written", bound=BaseModel)

MOST_BYTES = 512 * 1024

# curl's own word for a body comes last: whoever forgets the header is understood all the same.
READ = ("application/json", "application/yaml", "application/x-yaml", "text/yaml", "text/plain")
READ_TOO = frozenset({*READ, "", "text/x-yaml", "application/x-www-form-urlencoded"})
JSON = "application/json"
YAML = "application/yaml"


async def body_of(request: Request) -> bytes:
    """The whole body. Raises TooLarge as soon as it is, without reading on, and WrongType."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in READ_TOO:
        raise WrongType(f"Found {media_type}; expected {' or '.join(READ[:2])}.")
    return await whole_body(request, MOST_BYTES)


Body = Annotated[bytes, Depends(body_of)]


async def whole_body(request: Request, most: int) -> bytes:
    """The body as it came. Raises TooLarge as soon as it has more than *most* bytes."""
    if request.headers.get("content-length", "0").isdigit():
        _check(int(request.headers.get("content-length", "0")), most)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        _check(len(body), most)
    return bytes(body)


def _check(size: int, most: int) -> None:
    if size > most:
        raise TooLarge(f"The body is larger than {most} bytes. Send it in parts.")


async def wants_yaml(request: Request) -> bool:
    """Whether the Accept header asks for YAML. JSON is the default."""
    accepted = request.headers.get("accept", "")
    return any(media_type in accepted for media_type in (YAML, "application/x-yaml", "text/yaml"))


Yaml = Annotated[bool, Depends(wants_yaml)]


def in_yaml(model: BaseModel) -> Response:
    """A definition as the file it was, or could have been, written as."""
    return Response(write(model), media_type=YAML)


def _as_written(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(mode="json", by_alias=True, exclude_unset=True)


AsWritten = Annotated[Written, PlainSerializer(_as_written)]
"""A definition that is answered with the fields it was written with, and no others."""


def takes(schema: Mapping[str, Any], examples: Mapping[str, Any], *, yaml_too: bool = False) -> dict[str, Any]:
    """The ``openapi_extra=`` of a route that reads its body itself. *examples* are JSON values by title."""
    named = {title: {"summary": title, "value": value} for title, value in examples.items()}
    content: dict[str, Any] = {"application/json": {"schema": schema, "examples": named}}
    if yaml_too:
        content[YAML] = {"schema": schema, "examples": named}
    return {"requestBody": {"required": True, "content": content}}


def ref(model: type[BaseModel]) -> dict[str, str]:
    """The place of a model's schema in the OpenAPI document."""
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def gives(example: object, *, yaml: type[BaseModel] | None = None) -> dict[str, Any]:
    """What a success looks like, for ``responses=``. *yaml*: the model that can be had as YAML instead."""
    content: dict[str, Any] = {"application/json": {"example": example}}
    if yaml:
        content[YAML] = {"schema": ref(yaml)}
    return {"content": content}
