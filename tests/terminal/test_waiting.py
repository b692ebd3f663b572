"""How long a command waits for very many to be told, and what it says of those who are not."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterable

import httpx
import pytest
from pydantic import BaseModel
from rich.text import Text

from api.journeys_examples import JOURNEY_VIEW, LET_GO, RESUMED, STOPPED
from api.repairs import REPAIRED
from store.counts import JourneyView
from store.held_journeys import LetGo
from store.pausing import Resumed
from store.repairs import Repaired
from store.stopping import Stopped
from terminal import ending, pausing, releasing, repairing
from terminal.client import Api, Connection
from terminal.listing import journey
from terminal.waiting import do_all
from terminal.waiting import how_far as how_far_of
from tests.typed import Terminal

VIEW = JourneyView.model_validate(JOURNEY_VIEW)
NOT_TOLD = "7 runs and starts are still to be told: workers go on with them."


async def waited(monkeypatch: pytest.MonkeyPatch, first: int, *later: int | None, dry_run: bool = False) -> Stopped:
    """What a command ends with, where so much is left *first*, and when asked how far it is *later*.

    None: the API does not answer.
    """
    looks, clock = iter(later), [0.0]

    def answered(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            asked = json.loads(request.content)
            assert (request.url.path, asked["version"]) == ("/v1/journeys/abandoned-cart/stop", 1)
            return httpx.Response(200, json=STOPPED | {"to_go": first, "dry_run": asked["dry_run"]})
        if (left := next(looks)) is None:
            raise httpx.ConnectError("it is started anew")
        seen = VIEW.model_copy(update={"to_go": left})
        return httpx.Response(200, content=seen.model_dump_json(by_alias=True, exclude_unset=True))

    async def sleep(seconds: float) -> None:
        clock[0] += seconds

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr("terminal.waiting.monotonic", lambda: clock[0])
    monkeypatch.setattr(sys, "stderr", Terminal())
    async with Api(Connection(url="http://sojourn", key="k")) as api:
        api._http = httpx.AsyncClient(base_url="http://sojourn", transport=httpx.MockTransport(answered))
        told = await do_all(api, Stopped, "abandoned-cart", "stop", {"version": 1}, dry_run=dry_run)
    assert next(looks, None) is None
    return told


async def test_it_waits_until_everybody_is_told_and_shows_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await waited(monkeypatch, 1000, 900, None, 400, 0)).to_go == 0

    assert isinstance(sys.stderr, Terminal)
    assert "telling runs and starts" in sys.stderr.getvalue()
    assert "1000/1000" in sys.stderr.getvalue()


async def test_it_does_not_wait_where_nothing_is_left_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await waited(monkeypatch, 0)).to_go == 0
    assert (await waited(monkeypatch, 7, dry_run=True)).to_go == 7


async def test_it_gives_up_where_nobody_is_told_for_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await waited(monkeypatch, 9, *[7] * 61)).to_go == 7


@pytest.mark.parametrize(
    ("kind", "answer", "words"),
    [
        (Stopped, STOPPED, ending.stopped),
        (Stopped, STOPPED | {"changed": False, "runs": 0, "inside": []}, ending.stopped),
        (Resumed, RESUMED, pausing.resumed),
        (Resumed, RESUMED | {"paused": None}, pausing.resumed),
        (Resumed, RESUMED | {"catch_up": "skip"}, pausing.resumed),
        (LetGo, LET_GO, releasing.released),
        (LetGo, LET_GO | {"held": None}, releasing.released),
        (Repaired, REPAIRED, repairing.repaired),
        (Repaired, REPAIRED | {"instead": "go on"}, repairing.repaired),
        (Repaired, REPAIRED | {"count": 0, "parked": []}, repairing.repaired),
    ],
    ids=[
        "stopped",
        "stopped before",
        "resumed",
        "resumed before",
        "skipped",
        "let go",
        "let go before",
        "repaired",
        "passed",
        "repaired before",
    ],
)
def test_who_is_still_to_be_told_is_said(
    kind: type[BaseModel], answer: dict[str, object], words: Callable[[BaseModel], Iterable[Text]]
) -> None:
    *_, said, how_far = words(kind.model_validate(answer | {"to_go": 7}))
    done = [line.plain for line in words(kind.model_validate(answer))]

    assert (said.plain, how_far.plain) == (NOT_TOLD, how_far_of("abandoned-cart"))
    assert not any("still to be told" in line for line in done)


def test_a_stop_that_is_not_over_does_not_say_that_all_are_ended() -> None:
    first, *_ = ending.stopped(Stopped.model_validate(STOPPED | {"to_go": 1}))

    assert first.plain == "abandoned-cart is stopped: nobody enters it any more. To be ended: 3 runs."


def test_the_journey_says_who_is_still_to_be_told() -> None:
    said = [line.plain for line in journey(VIEW.model_copy(update={"to_go": 1}))]

    assert "1 run or start is still to be told: workers go on with them." in said
