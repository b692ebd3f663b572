"""One caller's large request, and everybody else: they are answered while it is worked on."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Awaitable
from pathlib import Path
from time import process_time
from typing import TypeVar

import httpx
import pytest

import api
from tests.api.door import Door, event, problem

Result = TypeVar("Result")


async def answered_meanwhile(door: Door, work: Awaitable[Result]) -> tuple[Result, int]:
    """What comes of *work*, and how often others were answered until then."""
    working = asyncio.ensure_future(work)
    answered = 0
    while not working.done():
        await door.http.get("/healthz")
        answered += 1
        await asyncio.sleep(0)
    return await working, answered


@pytest.mark.parametrize("module", sorted(Path(api.__file__).parent.glob("*.py")), ids=lambda path: path.stem)
def test_bodies_are_read_aside(module: Path) -> None:
    """A body within the limits takes seconds in bad luck: on the event loop, nobody else would be answered."""
    tree = ast.parse(module.read_text())
    reading = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "journeys.reading"
        for alias in node.names
    } | {"read_events"}

    on_the_loop = [
        call.func.id
        for function in ast.walk(tree)
        if isinstance(function, ast.AsyncFunctionDef)
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in reading
    ]

    assert on_the_loop == []


async def test_while_many_carts_of_one_customer_are_accepted(live: Door) -> None:
    carts = [event(f"e{n}", attributes={"cart_id": f"c{n}", "total": 60}) for n in range(1_000)]

    answer, answered = await answered_meanwhile(live, live.http.post("/v1/events", json=carts))

    assert isinstance(answer, httpx.Response)
    assert answer.status_code == 202
    assert answered > 30


async def test_very_many_attributes_that_nobody_declared_are_refused_at_once(live: Door) -> None:
    await live.put("/v1/triggers/wide", {"attributes": {f"cart_attribute_{n}": "text?" for n in range(40)}})
    await live.post("/v1/triggers/wide/ready")
    wrong = [event(f"e{n}", "wide", attributes={f"carts{k}": 1 for k in range(1_800)}) for n in range(15)]
    began = process_time()

    body = problem(await live.http.post("/v1/events", json=wrong), 422, "invalid")

    assert process_time() - began < 1
    assert body["detail"] == "15 of 15 events are not valid, so none was accepted."
    assert len(body["errors"]) == 100
