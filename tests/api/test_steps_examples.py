"""The examples of steps: one of every type at least, and each can be published as it stands."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from secrets import token_hex

import pytest

from api.steps_examples import JOURNEYS
from journeys.reading import read_journey
from journeys.steps import STEP_TYPES, every_step
from store.store import Store
from tests.api.door import NOW, Clock, Door, deps_for, opened
from tests.shop import Shop


@pytest.fixture
async def door(store: Store, clock: Clock) -> AsyncIterator[Door]:
    async with opened(deps_for(store, clock, secret=token_hex())) as (app, http):
        yield Door(app, http, clock, store)


def types() -> Iterator[str]:
    for example in JOURNEYS.values():
        for step in every_step(read_journey(example).steps):
            yield next(name for name, model in STEP_TYPES.items() if isinstance(step, model))


def test_every_type_of_step_is_shown() -> None:
    assert set(types()) == set(STEP_TYPES)


@pytest.mark.parametrize("title", JOURNEYS)
async def test_it_can_be_published(title: str, door: Door) -> None:
    await Shop(door.store, NOW).stock()
    await door.put("/v1/endpoints/crm", {"url": "https://crm.example.com/hooks"})
    name = JOURNEYS[title]["journey"]
    await door.put(f"/v1/journeys/{name}", JOURNEYS[title])

    published = await door.post(f"/v1/journeys/{name}/publish")

    assert (published["version"], published["new"]) == (1, True)


async def test_the_api_shows_them_all(door: Door) -> None:
    described = await door.get("/openapi.json")

    body = described["paths"]["/v1/journeys/{name}"]["put"]["requestBody"]["content"]

    assert JOURNEYS.keys() <= body["application/json"]["examples"].keys()
    assert body["application/json"]["examples"] == body["application/yaml"]["examples"]


async def test_a_field_says_what_it_is_for(door: Door) -> None:
    schemas = (await door.get("/openapi.json"))["components"]["schemas"]

    steps = [schemas[model.__name__] for model in STEP_TYPES.values()]

    assert all(field.get("description") for step in steps for field in step["properties"].values())
    assert schemas["MessageQuestion"]["properties"]["within"]["description"].startswith("Counts from the send")
    assert schemas["Webhook"]["properties"]["within"]["description"].endswith('Left out, it is `"1 day"`.')


async def test_a_union_that_many_arms_have_is_said_once(door: Door) -> None:
    """Through arms within arms, whoever follows all references would else go for hours."""
    schemas = (await door.get("/openapi.json"))["components"]["schemas"]
    every = [{"$ref": f"#/components/schemas/{model.__name__}"} for model in STEP_TYPES.values()]

    assert schemas["Step"] == {"oneOf": every}
    assert json.dumps(schemas).count(json.dumps(every)) == 1
    assert schemas["If"]["properties"]["then"]["items"] == {"$ref": "#/components/schemas/Step"}
    assert schemas["If"]["properties"]["if"]["$ref"] == "#/components/schemas/Question"
