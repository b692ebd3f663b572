"""The API as its callers see it, on a real store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from fastapi import FastAPI

from api.app import create_app
from api.dependencies import Dependencies
from api.serve import serve
from store.store import Store

KEY = "a key for tests"
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@dataclass
class Clock:
    now: datetime = NOW
    nudges: int = 0

    def nudge(self) -> None:
        self.nudges += 1

    def later(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@dataclass
class Door:
    """The API as its callers see it, and what stands behind it."""

    app: FastAPI
    http: httpx.AsyncClient
    clock: Clock
    store: Store
    posted: list[str] = field(default_factory=list)

    async def put(self, path: str, body: object) -> dict[str, Any]:
        answer: dict[str, Any] = success(await self.http.put(path, json=body))
        return answer

    async def get(self, path: str, **query: object) -> dict[str, Any]:
        asked = {name: str(value) for name, value in query.items()}
        answer: dict[str, Any] = success(await self.http.get(path, params=asked))
        return answer

    async def post(self, path: str, body: object = None) -> Any:
        return success(await self.http.post(path, json=body))

    async def event(self, id: str, trigger: str = "abandoned-cart", **changes: object) -> dict[str, Any]:
        receipt: dict[str, Any] = await self.post("/v1/events", event(id, trigger, **changes))
        return receipt


def event(id: str, trigger: str = "abandoned-cart", **changes: object) -> dict[str, Any]:
    attributes = {"abandoned-cart": {"cart_id": "c1", "total": 60}, "purchase-completed": {"cart_id": "c1"}}
    given = {"id": id, "trigger": trigger, "customer": "ada", "attributes": attributes.get(trigger, {})}
    return given | changes


def success(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()


def problem(answer: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert (body["type"], body["status"]) == (f"/problems/{slug}", status)
    return body


@asynccontextmanager
async def opened(deps: Dependencies) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    app = create_app(deps)
    transport = httpx.ASGITransport(app)
    headers = {"Authorization": f"Bearer {KEY}"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://sojourn", headers=headers) as http,
    ):
        yield app, http


@asynccontextmanager
async def served(deps: Dependencies) -> AsyncIterator[str]:
    """The API on a port of its own: its address."""
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve(create_app(deps), "127.0.0.1", 0, ready=address.set_result))
    try:
        yield await address
    finally:
        serving.cancel()
        await asyncio.wait([serving])


def deps_for(store: Store, clock: Clock, **changes: Any) -> Dependencies:
    deps = Dependencies(
        store=store,
        relay_nudge=clock.nudge,
        key=KEY,
        now=lambda: clock.now,
        drain_for=timedelta(seconds=0.3),
    )
    return replace(deps, **changes)
