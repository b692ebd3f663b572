"""Bodies in and out: JSON or YAML in UTF-8, with a limit while they stream, read where nobody has to wait for it."""

from __future__ import annotations

import asyncio
import codecs
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Annotated, Any, ParamSpec, TypeVar

from fastapi import Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, PlainSerializer

from api.problems import TooLarge, WrongType
from journeys.reading import write

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Written = TypeVar("Written", bound=BaseModel)

MOST_BYTES = 1024 * 1024
"""As much as the largest journey takes."""

# curl's own word for a body comes last: whoever forgets the header is understood all the same.
READ = ("application/json", "application/yaml", "application/x-yaml", "text/yaml", "text/plain")
READ_TOO = frozenset({*READ, "", "text/x-yaml", "application/x-www-form-urlencoded"})
UTF_8 = ("utf-8", "utf8", "utf-8-sig", "us-ascii", "ascii")
JSON = "application/json"
YAML = "application/yaml"


# Few, since they share one interpreter with everything else: each more of them makes the others wait longer.
_aside = ThreadPoolExecutor(2, thread_name_prefix="reading")


async def aside(work: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
    """What *work* returns, done in a thread: it takes the processor for a while, and others are not to wait for it."""
    return await asyncio.get_running_loop().run_in_executor(_aside, partial(work, *arguments, **named))


async def body_of(request: Request) -> bytes:
    """The whole body, in UTF-8. Raises TooLarge as soon as it is, without reading on, and WrongType."""
    media_type, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    if media_type.strip() not in READ_TOO:
        raise WrongType(f"Found {media_type.strip()}; expected {' or '.join(READ[:2])}.")
    if (packed := request.headers.get("content-encoding", "").strip().lower()) not in ("", "identity"):
        raise WrongType(f"Found a body that is packed by {packed}; expected one that is not packed.")
    body = await whole_body(request, MOST_BYTES)
    if (encoding := _declared(parameters) or json.detect_encoding(body)) not in UTF_8:
        raise WrongType(f"Found a body in {encoding.upper()}; expected UTF-8.")
    return body.removeprefix(codecs.BOM_UTF8)


def _declared(parameters: str) -> str:
    """The charset that a Content-Type names, if it is not UTF-8."""
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and (charset := value.strip(" \t\"'")) not in UTF_8:
            return charset
    return ""


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


async def in_yaml(model: BaseModel) -> Response:
    """A definition as the file it was, or could have been, written as."""
    return Response(await aside(write, model), media_type=YAML)


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
