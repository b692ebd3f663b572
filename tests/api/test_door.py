"""What every request meets: the key, the headers, and errors as problems."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from api.app import create_app
from api.keys import Refusals
from api.problems import BY_SLUG
from journeys.problems import Invalid, SojournError
from store.store import Store, open_store
from tests.api.door import Clock, Door, deps_for, event, opened, problem
from tests.engine import PATIENCE


async def test_without_a_key_it_says_what_to_do(door: Door) -> None:
    del door.http.headers["Authorization"]

    answer = await door.http.get("/v1/journeys")

    assert "Authorization: Bearer" in problem(answer, 401, "unauthorized")["detail"]
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("given", ["Bearer wrong", "Bearer", "Basic YTpi", "a key for tests", "Bearer kéy"])
async def test_a_wrong_key_opens_nothing(door: Door, given: str) -> None:
    answer = await door.http.get("/v1/journeys", headers={b"Authorization": given.encode("latin-1")})

    problem(answer, 401, "unauthorized")


async def test_refusals_are_told_to_the_log_now_and_then(door: Door) -> None:
    with capture_logs() as logs:
        for given in ("Bearer wrong", "Bearer worse", ""):
            await door.http.get("/v1/journeys", headers={"Authorization": given})

    assert logs == [
        {"event": "refused without the key, or with a wrong one", "log_level": "warning", "requests": 1},
    ]


def test_refusals_that_were_not_told_are_counted() -> None:
    refusals = Refusals(every=10)

    with capture_logs() as logs:
        for now in (0, 1, 2, 11, 12, 30):
            refusals.add(now)

    assert [line["requests"] for line in logs] == [1, 3, 2]


async def test_the_key_comes_before_the_body(door: Door) -> None:
    answer = await door.http.post("/v1/events", content=b"{" * 1_000_000, headers={"Authorization": "Bearer no"})

    problem(answer, 401, "unauthorized")


async def test_an_app_without_a_key_is_not_made(store: Store) -> None:
    with pytest.raises(Invalid, match="SOJOURN_KEY"):
        create_app(deps_for(store, Clock(), key=""))


async def test_the_key_is_not_shown_with_the_parts(store: Store) -> None:
    assert "a key for tests" not in repr(deps_for(store, Clock()))


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/docs", "/openapi.json", "/problems", "/problems/invalid"])
async def test_it_is_open_to_everybody(door: Door, path: str) -> None:
    del door.http.headers["Authorization"]

    assert (await door.http.get(path)).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/v1/journeys", "/nowhere", "/docs"])
async def test_every_answer_carries_the_headers(door: Door, path: str) -> None:
    headers = (await door.http.get(path)).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "access-control-allow-origin" not in headers


async def test_an_address_that_is_not_there_is_unknown(door: Door) -> None:
    assert "/docs" in problem(await door.http.get("/v1/nothing"), 404, "unknown")["detail"]


@pytest.mark.parametrize("path", ["/docs/", "/v1/journeys/", "/v1/journeys/abandoned-cart/", "/healthz/"])
async def test_an_address_with_a_last_slash_is_told_without(door: Door, path: str) -> None:
    answer = await door.http.get(path)

    assert problem(answer, 404, "unknown")["detail"].endswith(f"try {path[:-1]}.")


@pytest.mark.parametrize("path", ["/", "//"])
async def test_an_address_of_nothing_but_slashes_is_unknown(door: Door, path: str) -> None:
    problem(await door.http.get(path), 404, "unknown")


async def test_a_wrong_method_is_answered_with_the_right_ones(door: Door) -> None:
    answer = await door.http.delete("/v1/journeys/abandoned-cart")

    body = problem(answer, 405, "wrong-method")
    assert answer.headers["allow"] == "GET, PUT"
    assert body["detail"] == "DELETE is not possible here. Possible: GET, PUT."


async def test_an_error_that_nobody_foresaw_tells_nothing(live: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr("store.events.accept", broken)

    answer = await live.http.post("/v1/events", json=event("e1"))

    body = problem(answer, 500, "internal")
    assert "hunter2" not in answer.text
    assert body["detail"] == "This is a fault of ours, and it has been logged."


@pytest.mark.parametrize("slug", BY_SLUG)
async def test_every_type_of_problem_has_a_page(door: Door, slug: str) -> None:
    told = await door.get(f"/problems/{slug}")
    page = await door.http.get(f"/problems/{slug}", headers={"Accept": "text/html"})

    assert (told["type"], told["status"]) == (f"/problems/{slug}", BY_SLUG[slug].status)
    assert told["meaning"]
    assert told["title"] in page.text


async def test_all_types_of_problems_are_listed(door: Door) -> None:
    listed = (await door.http.get("/problems")).json()

    assert {kind["type"] for kind in listed} == {f"/problems/{slug}" for slug in BY_SLUG}


async def test_every_error_of_the_family_has_a_type() -> None:
    def family(kind: type[SojournError]) -> set[str]:
        return {kind.slug}.union(*map(family, kind.__subclasses__()))

    assert family(SojournError) == set(BY_SLUG)


async def test_it_is_ready(live: Door) -> None:
    await live.event("e1")

    told = await live.get("/readyz")

    assert told == {
        "status": "ok",
        "outbox": 1,
        "oldest_seconds": 0.0,
        "refused": 0,
        "waiting_events": 0,
        "channels": {},
        "closed_endpoints": 0,
        "webhooks": {},
    }


async def test_it_is_degraded_but_ready_when_temporal_is_behind(live: Door) -> None:
    await live.event("e1")
    live.clock.now = live.clock.now.replace(minute=10)

    assert (await live.get("/readyz"))["status"] == "degraded"


async def test_it_is_up_but_not_ready_without_a_database() -> None:
    async with opened(deps_for(open_store("postgresql://nobody@127.0.0.1:1/nothing"), Clock())) as (_, http):
        assert (await http.get("/healthz")).status_code == 200
        answer = await http.get("/readyz")
        posted = await asyncio.wait_for(http.post("/v1/events", json=event("e1")), PATIENCE)

    assert problem(answer, 503, "unavailable")["detail"] == "The database does not answer."
    problem(posted, 503, "unavailable")
    assert answer.headers["retry-after"] == posted.headers["retry-after"] == "1"
