"""The API's description: complete, valid, true, and readable without the internet."""

from __future__ import annotations

import functools
import json
import operator
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.openapi.models import OpenAPI
from pydantic import BaseModel, TypeAdapter

from tests.api.door import Door, problem

Json = dict[str, Any]

# Their bodies have the shape that a provider gives them, or are pages for people.
FOR_OTHERS = ("/webhooks", "/u/")


@pytest.fixture
async def described(door: Door) -> Json:
    return await door.get("/openapi.json")


def operations(described: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in described["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def models(root: type[BaseModel] = BaseModel) -> Iterator[type[BaseModel]]:
    for model in root.__subclasses__():
        if model.__module__.split(".")[0] in ("api", "journeys", "store"):
            yield model
        yield from models(model)


def test_nothing_that_is_handed_on_can_be_changed() -> None:
    assert [model.__name__ for model in models() if not model.model_config.get("frozen")] == []


async def test_it_is_valid(described: Json) -> None:
    OpenAPI.model_validate(described)
    known = described["components"]["schemas"]
    used = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(described)))
    ids = [operation["operationId"] for _, _, operation in operations(described)]

    assert used <= known.keys()
    assert len(set(ids)) == len(ids)


async def test_it_has_all_that_was_promised(described: Json) -> None:
    nouns = {
        f"{method} /v1/{noun}{path}"
        for noun in ("triggers", "contents")
        for method, path in [
            ("PUT", "/{name}"),
            ("GET", "/{name}"),
            ("GET", ""),
            ("POST", "/{name}/ready"),
            ("POST", "/{name}/stop"),
        ]
    }

    assert {f"{method} {path}" for method, path, _ in operations(described)} == nouns | {
        "PUT /v1/customers/{id}",
        "DELETE /v1/customers/{id}",
        "PATCH /v1/customers/{id}",
        "GET /v1/customers/{id}",
        "GET /v1/customer-attributes",
        "GET /v1/customer-attributes/{name}",
        "PUT /v1/customer-attributes/{name}",
        "DELETE /v1/customer-attributes/{name}",
        "PUT /v1/journeys/{name}",
        "GET /v1/journeys/{name}",
        "GET /v1/journeys",
        "POST /v1/journeys/{name}/publish",
        "POST /v1/journeys/{name}/stop",
        "POST /v1/journeys/{name}/complete",
        "POST /v1/journeys/{name}/archive",
        "POST /v1/journeys/{name}/release",
        "POST /v1/journeys/{name}/pause",
        "POST /v1/journeys/{name}/resume",
        "POST /v1/journeys/{name}/repair",
        "POST /v1/journeys/{name}/preview",
        "GET /v1/journeys/{name}/paths",
        "GET /v1/journeys/{name}/tests",
        "POST /v1/events",
        "GET /v1/events/{id}",
        "GET /v1/problems",
        "GET /v1/runs",
        "GET /v1/runs/{id}",
        "POST /v1/runs/{id}/cancel",
        "POST /v1/customers/{id}/cancel",
        "GET /v1/sends/{id}",
        "GET /v1/customers/{id}/consents",
        "PUT /v1/customers/{id}/consents",
        "POST /v1/contents/{name}/preview",
        "POST /v1/contents/{name}/test-send",
        "GET /v1/suppressions",
        "GET /v1/suppressions/lifted",
        "POST /v1/suppressions/find",
        "POST /v1/suppressions/{id}/lift",
        "PUT /v1/policy",
        "GET /v1/policy",
        "GET /v1/policy/versions",
        "GET /v1/channels",
        "PUT /v1/endpoints/{name}",
        "GET /v1/endpoints/{name}",
        "GET /v1/endpoints",
        "POST /v1/endpoints/{name}/rotate",
        "POST /v1/endpoints/{name}/open",
        "DELETE /v1/endpoints/{name}",
        "POST /v1/keys",
        "GET /v1/keys",
        "GET /v1/keys/{name}",
        "PUT /v1/keys/{name}",
        "POST /v1/keys/{name}/rotate",
        "DELETE /v1/keys/{name}",
        "DELETE /v1/keys/{name}/secrets/{id}",
        "GET /v1/audit",
        "POST /webhooks/sendgrid",
        "POST /webhooks/twilio",
        "GET /u/{token}",
        "POST /u/{token}",
        "GET /healthz",
        "GET /readyz",
        "GET /problems",
        "GET /problems/{slug}",
    }


async def test_every_endpoint_is_described_with_an_example(described: Json) -> None:
    for method, path, operation in operations(described):
        success = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
        bodies = [*success, *([operation["requestBody"]] if "requestBody" in operation else [])]

        assert operation["summary"], path
        assert operation["description"], path
        if not path.startswith(FOR_OTHERS):
            assert all(examples(body["content"]["application/json"]) for body in bodies), f"{method} {path}"
        assert all(given["description"] and given["schema"] for given in operation.get("parameters", [])), path


async def test_every_route_under_v1_demands_the_key_and_declares_its_errors(door: Door, described: Json) -> None:
    del door.http.headers["Authorization"]

    for method, path, operation in operations(described):
        if not path.startswith("/v1"):
            continue
        assert [*operation["security"][0]] == ["key"], path
        assert {"401", "403", "422", "500", "503"} <= operation["responses"].keys(), path
        assert "404" in operation["responses"] or method in ("PUT", "PATCH") or "{" not in path, path
        assert ("413" in operation["responses"]) == ("requestBody" in operation), path
        for status, answer in operation["responses"].items():
            assert (status[0] in "45") == ("application/problem+json" in answer["content"]), f"{path} {status}"
        problem(await door.http.request(method, re.sub(r"\{\w+\}", "x", path)), 401, "unauthorized")


async def test_webhooks_and_unsubscribe_links_need_no_key(door: Door, described: Json) -> None:
    del door.http.headers["Authorization"]
    others = [(method, path, operation) for method, path, operation in operations(described) if path[:3] != "/v1"]
    assert {path for _, path, _ in others} >= {"/webhooks/sendgrid", "/webhooks/twilio", "/u/{token}"}

    for method, path, operation in others:
        assert "security" not in operation, path
        answer = await door.http.request(method, re.sub(r"\{\w+\}", "x", path))
        assert answer.status_code in (200, 404), f"{method} {path}"


async def test_every_example_is_true_to_its_model(described: Json) -> None:
    known = {model.__name__: model for model in models()}
    seen = 0

    for method, path, operation in operations(described):
        if path.startswith(FOR_OTHERS):
            continue
        contents = [answer["content"] for answer in operation["responses"].values()]
        contents += [operation["requestBody"]["content"]] if "requestBody" in operation else []
        for content in (content for kinds in contents for content in kinds.values()):
            for example in examples(content):
                model = adapter(content["schema"], known)
                read = model.dump_python(model.validate_python(example), mode="json", by_alias=True)
                assert names(example) <= names(read), f"{method} {path}"
                seen += 1
    assert seen > 100


def names(value: Any, path: str = "") -> set[str]:
    match value:
        case dict():
            return set().union(*(names(item, f"{path}.{name}") | {f"{path}.{name}"} for name, item in value.items()))
        case list():
            return set().union(*(names(item, f"{path}[{n}]") for n, item in enumerate(value)))
        case _:
            return set()


def examples(content: Json) -> list[Any]:
    several = [example["value"] for example in content.get("examples", {}).values()]
    return several + ([content["example"]] if "example" in content else [])


def adapter(schema: Json, known: dict[str, type[BaseModel]]) -> TypeAdapter[Any]:
    def type_of(schema: Json) -> Any:
        if "$ref" in schema:
            return known[schema["$ref"].rpartition("/")[2]]
        if schema.get("type") == "array":
            return list[type_of(schema["items"])]  # type: ignore[misc]
        return functools.reduce(operator.or_, map(type_of, schema.get("oneOf") or schema["anyOf"]))

    return TypeAdapter(type_of(schema))


async def test_the_page_needs_nothing_from_elsewhere(door: Door) -> None:
    page = await door.http.get("/docs")

    assert re.findall(r"(?:https?:)?//[\w.-]+", page.text.replace("http://sojourn", "")) == []
    for local in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert (await door.http.get(local)).status_code == 200
