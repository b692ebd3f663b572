"""What is said of a new version, what is asked before, and how long a command waits for people to be moved."""

from __future__ import annotations

import asyncio
import json
import sys

import httpx
import pytest

from api.journeys_examples import JOURNEY_VIEW, PUBLISHED
from journeys.problems import Forbidden, Invalid, SojournError
from store.counts import JourneyView
from store.move_progress import Move, Staying
from store.publishing import PublishedFor
from terminal.client import Api, Connection
from terminal.listing import journey
from terminal.publishing import publish, published, question, question_of_all
from terminal.values import pairs
from tests.typed import Terminal

TOLD = PublishedFor.model_validate(PUBLISHED)
BUSY = Staying(why="its message is being sent", people=1, runs=("abandoned-cart/ada/k3v9x2mq",))


def move(moved: int = 229, *, to_move: int = 0, gone: int = 0) -> Move:
    return Move(moved=moved, steps={"rest": moved}, to_move=to_move, stayed=1, stays=(BUSY,), gone=gone)


def said(told: PublishedFor) -> list[str]:
    return [line.plain for line in published(told)]


def test_what_is_otherwise_is_said_with_the_people_and_what_became_of_them() -> None:
    assert said(TOLD) == [
        "From v1, with 230 people inside:",
        "  rest is what pause was  (100 before, 90 at, 40 behind it)",
        "  rest waits 12 hours instead of 1 day  (100 before, 90 at, 40 behind it)",
        "229 people went on in v2.",
        "  100 at opened",
        "  89 at rest",
        "  40 at final-reminder",
        "1 person stayed: its message is being sent. Such as abandoned-cart/ada/k3v9x2mq",
        "abandoned-cart is published as v2. Newcomers take it.",
    ]


def test_a_dry_run_says_what_would_be() -> None:
    *_, go, _, stay, last = said(TOLD.model_copy(update={"dry_run": True, "move": move()}))

    assert go == "229 people would go on in v2."
    assert stay == "1 person would stay: its message is being sent. Such as abandoned-cart/ada/k3v9x2mq"
    assert last == "abandoned-cart would be published as v2. Newcomers take it."


def test_who_stays_unasked_is_said_with_the_version() -> None:
    told = TOLD.model_copy(update={"people": "stay", "move": None})

    assert said(told)[-1] == "abandoned-cart is published as v2. Newcomers take it; people inside stay on theirs."


def test_nobody_is_said_to_stay_or_to_go_on_where_nobody_is_inside() -> None:
    nobody = Move(moved=0, steps={}, stayed=0, stays=())
    stay = TOLD.model_copy(update={"people": "stay", "move": None, "changes": ()})
    go_on = TOLD.model_copy(update={"changes": (), "move": nobody, "new": False})

    assert said(stay) == ["abandoned-cart is published as v2. Newcomers take it."]
    assert said(go_on) == [
        "Nobody is inside an older version.",
        "abandoned-cart is live already, as v2. Newcomers take it.",
    ]


def test_where_people_stand_at_a_step_that_is_gone_it_is_said_how_they_go_on() -> None:
    [before] = TOLD.changes
    gone = before.changes[0].model_copy(update={"what": "removed", "step": "pause", "words": "pause is gone"})
    told = TOLD.model_copy(update={"changes": (before.model_copy(update={"changes": (gone,)}),)})

    assert "Where such a step has another name now: sojourn publish abandoned-cart --people move --map pause=…" in said(
        told
    )


def test_what_is_live_already_is_said_to_be_so() -> None:
    told = TOLD.model_copy(update={"new": False, "changes": (), "move": move(0, gone=2)})

    assert said(told)[0] == "0 people went on in v2."
    assert said(told)[-2:] == [
        "2 people had come to their end meanwhile.",
        "abandoned-cart is live already, as v2. Newcomers take it.",
    ]


def test_who_is_still_to_be_moved_is_said_here_and_of_the_journey() -> None:
    under_way = move(3, to_move=1000)
    view = JourneyView.model_validate(JOURNEY_VIEW)
    view = view.model_copy(update={"versions": (view.versions[0].model_copy(update={"move": under_way}),)})

    assert said(TOLD.model_copy(update={"move": under_way}))[-3:-1] == [
        "1000 people are still to be moved: workers go on with them.",
        "How far it is: sojourn journey abandoned-cart. Where it stands still, see that a worker runs.",
    ]
    assert "1000 people are still to be moved to v1, 3 were so far." in [line.plain for line in journey(view)]


@pytest.mark.parametrize(
    ("new", "moved", "asked"),
    [
        (True, move(), "Publish abandoned-cart as v2 and move 229 people?"),
        (True, None, "Publish abandoned-cart as v2?"),
        (True, move(0), "Publish abandoned-cart as v2?"),
        (False, move(1), "Move 1 person?"),
        (False, move(0), None),
        (False, None, None),
    ],
)
def test_what_is_asked_before(moved: Move | None, asked: str | None, *, new: bool) -> None:
    assert question(TOLD.model_copy(update={"new": new, "move": moved, "dry_run": True})) == asked


def test_several_journeys_are_asked_about_at_once() -> None:
    there, other = TOLD, TOLD.model_copy(update={"journey": "welcome", "move": move(11)})
    nothing = TOLD.model_copy(update={"new": False, "move": None})

    assert question_of_all([there, nothing, other]) == "Publish 2 journeys anew and move 240 people?"
    assert question_of_all([nothing, other]) == "Publish welcome as v2 and move 11 people?"
    assert question_of_all([nothing]) is None


async def waited(
    monkeypatch: pytest.MonkeyPatch, first: Move, *later: Move | SojournError | None, dry_run: bool = False
) -> Move:
    """What a command ends with, where the API answers with *first*, and when asked how far it is *later*.

    None: it does not answer. An error: it answers that.
    """
    view = JourneyView.model_validate(JOURNEY_VIEW)
    looks, clock = iter(later), [0.0]

    def answered(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            told = TOLD.model_copy(update={"move": first, "dry_run": json.loads(request.content)["dry_run"]})
            return httpx.Response(200, content=told.model_dump_json())
        if (move := next(looks)) is None:
            raise httpx.ConnectError("it is started anew")
        if isinstance(move, SojournError):
            said = {"type": f"/errors/{move.slug}", "title": move.title, "detail": str(move)}
            return httpx.Response(move.status, json=said, headers={"Content-Type": "application/problem+json"})
        second = view.versions[0].model_copy(update={"number": 2, "move": move})
        seen = view.model_copy(update={"versions": (*view.versions, second)})
        return httpx.Response(200, content=seen.model_dump_json(by_alias=True, exclude_unset=True))

    async def sleep(seconds: float) -> None:
        clock[0] += seconds

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr("terminal.waiting.monotonic", lambda: clock[0])
    monkeypatch.setattr(sys, "stderr", Terminal())
    async with Api(Connection(url="http://sojourn", key="k")) as api:
        api._http = httpx.AsyncClient(base_url="http://sojourn", transport=httpx.MockTransport(answered))
        told = await publish(api, "abandoned-cart", {"people": "move"}, dry_run=dry_run)
    assert next(looks, None) is None
    assert told.move
    return told.move


async def test_it_waits_until_everybody_is_moved_and_shows_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    moves = [move(2, to_move=7), move(2, to_move=7), None, move(5, to_move=4), move(8, gone=1)]

    assert await waited(monkeypatch, move(2, to_move=7), *moves) == moves[-1]

    assert isinstance(sys.stderr, Terminal)
    assert "moving people" in sys.stderr.getvalue()
    assert "10/10" in sys.stderr.getvalue()


async def test_it_does_not_wait_where_nothing_is_left_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await waited(monkeypatch, move(2)) == move(2)
    assert await waited(monkeypatch, move(2, to_move=3), dry_run=True) == move(2, to_move=3)


async def test_it_gives_up_where_nobody_is_moved_for_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    stands = move(3, to_move=6)

    assert await waited(monkeypatch, move(2, to_move=7), *[stands] * 61) == stands


async def test_it_does_not_wait_where_its_key_may_not_see_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await waited(monkeypatch, move(2, to_move=7), Forbidden("no scope")) == move(2, to_move=7)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["pause"], "Steps are written as --map OLD=NEW, such as --map pause=rest; found pause."),
        (["pause=rest", "pause=wait"], "Each step is given once; found pause more often."),
    ],
)
def test_a_map_that_is_written_otherwise_is_told_how(given: list[str], said: str) -> None:
    with pytest.raises(Invalid) as refused:
        pairs(given, "step", "--map OLD=NEW, such as --map pause=rest")

    assert refused.value.detail == said
