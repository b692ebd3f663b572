"""The app on a real port."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.serve import serve
from journeys.problems import Conflict
from store.runs import get_run
from store.store import Store
from tests.api.door import KEY, Clock, deps_for, event, success
from tests.engine import until
from tests.shop import Shop


async def test_it_serves_until_it_is_cancelled(store: Store) -> None:
    shop = Shop(store)
    await shop.stock()
    await shop.publish()
    clock = Clock(shop.now)
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    serving = asyncio.create_task(serve(create_app(deps_for(store, clock)), "127.0.0.1", 0, ready=address.set_result))
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(base_url=await address, headers=headers, trust_env=False) as http:
        receipt = success(await http.post("/v1/events", json=event("e1")))
    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving

    assert receipt["decisions"][0]["did"] == "started"
    async with httpx.AsyncClient(trust_env=False) as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(await address)


async def test_a_request_under_way_is_answered_before_the_end(store: Store) -> None:
    shop = Shop(store)
    await shop.stock()
    await shop.publish()
    run = await shop.start(cart_id="c1")
    await shop.claim(run)

    async def waits_for_the_send() -> bool:
        return (await get_run(store, run)).ended is not None

    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    app = create_app(deps_for(store, Clock(shop.now)))

    serving = asyncio.create_task(serve(app, "127.0.0.1", 0, ready=address.set_result))
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(base_url=await address, headers=headers, trust_env=False) as http:
        posting = asyncio.create_task(http.post("/v1/events", json=event("p1", "purchase-completed")))
        await until(waits_for_the_send)
        serving.cancel()
        receipt = success(await posting)
    with contextlib.suppress(asyncio.CancelledError):
        await serving

    assert receipt["in_flight"] == 1


async def test_the_description_is_made_before_anybody_asks_for_it_and_in_no_thread(store: Store) -> None:
    app = create_app(deps_for(store, Clock()))
    made: list[threading.Thread] = []
    describe = app.openapi

    def noted() -> dict[str, Any]:
        made.append(threading.current_thread())
        return describe()

    app.openapi = noted  # type: ignore[method-assign]
    ready: asyncio.Future[list[threading.Thread]] = asyncio.get_running_loop().create_future()

    serving = asyncio.create_task(serve(app, "127.0.0.1", 0, ready=lambda _: ready.set_result(list(made))))
    made_before = await asyncio.wait_for(ready, 10)

    serving.cancel()
    await asyncio.wait([serving])
    assert made_before == [threading.main_thread()]


async def test_a_taken_port_is_told_with_what_to_do(store: Store) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(Conflict, match=f"Port {port} on 127.0.0.1 is taken.*SOJOURN_PORT"):
            await serve(create_app(deps_for(store, Clock())), "127.0.0.1", port)


async def test_a_host_of_somebody_else_is_told(store: Store) -> None:
    with pytest.raises(Conflict, match=r"Cannot listen on 192\.0\.2\.1.*SOJOURN_HOST"):
        await serve(create_app(deps_for(store, Clock())), "192.0.2.1", 0)
