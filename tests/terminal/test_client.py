"""The API as a client of it: it waits where a limit is reached, as long as it is told to, and not for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from api.problems import answer
from journeys.problems import SojournError, TooMany, Unavailable
from terminal.client import Api, Connection

TOO_MANY = TooMany("It is too much just now.")


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long it waited each time, on a clock that does not."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return waits


def refusal(error: SojournError, **headers: str) -> httpx.Response:
    refused = answer(error)
    told = {**refused.headers, **{name.replace("_", "-").lower(): value for name, value in headers.items()}}
    return httpx.Response(error.status, headers=told, content=bytes(refused.body))


async def said(*answers: httpx.Response) -> list[str]:
    """What is sent, where the API gives these answers."""
    given: Iterator[httpx.Response] = iter(answers)
    sent: list[str] = []

    def answered(request: httpx.Request) -> httpx.Response:
        sent.append(request.content.decode())
        return next(given)

    async with Api(Connection(url="http://sojourn", key="k")) as api:
        api._http = httpx.AsyncClient(base_url="http://sojourn", transport=httpx.MockTransport(answered))
        await api.put("triggers", "visit", body=b"title: A visit")
    return sent


async def test_it_sends_the_same_again_after_as_long_as_it_is_told(waited: list[float]) -> None:
    sent = await said(refusal(TOO_MANY, Retry_After="3"), refusal(TOO_MANY), httpx.Response(200))

    assert sent == ["title: A visit"] * 3
    assert waited == [3, 1]


async def test_it_gives_up_after_a_few_times(waited: list[float]) -> None:
    with pytest.raises(TooMany, match="too much just now"):
        await said(*(refusal(TOO_MANY) for _ in range(6)))

    assert waited == [1] * 5


@pytest.mark.parametrize(
    "refused",
    [
        refusal(TOO_MANY, Retry_After="61"),
        refusal(TOO_MANY, Retry_After="Wed, 21 Oct 2026 07:28:00 GMT"),
        refusal(Unavailable("The database does not answer.")),
    ],
    ids=["too long", "no number", "no limit"],
)
async def test_it_does_not_wait_for_what_is_not_soon(waited: list[float], refused: httpx.Response) -> None:
    with pytest.raises(SojournError):
        await said(refused)

    assert waited == []
