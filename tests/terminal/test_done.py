"""Whoever has read what a command will do, and says yes, is told what was done, and not all of it once more."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from pydantic import BaseModel
from rich.text import Text

from api.journeys_examples import ARCHIVED, COMPLETED, LET_GO, PAUSED, PUBLISHED, RESUMED, STOPPED
from store.cancelling import CancelledRun, CancelledRuns, InJourney
from store.completing import Archived, Completed
from store.erasing import Erasure
from store.held_journeys import LetGo
from store.move_progress import Move
from store.pausing import Paused, Resumed
from store.publishing import PublishedFor
from store.repairs import ParkedRuns, Repaired
from store.stopping import Stopped
from terminal.ending import ARCHIVE, CANCEL_ALL, CANCEL_RUN, COMPLETE, STOP
from terminal.erasing import ERASE
from terminal.pausing import PAUSE, RESUME
from terminal.publishing import WORDS as PUBLISH
from terminal.releasing import RELEASE
from terminal.repairing import REPAIR
from tests.shop import NOON

RUN = "abandoned-cart/ada/k3v9x2mq"


class Said(NamedTuple):
    """What is said of *told*, which was done as it was told before, and where *meanwhile* it has become another."""

    words: Any
    told: BaseModel
    done: list[str]
    meanwhile: dict[str, object]
    otherwise: list[str]


def paused(active: int) -> dict[str, object]:
    return {"active": active, "in_flight": 0}


SAID = {
    "pause": Said(
        PAUSE,
        Paused.model_validate(PAUSED | paused(2)),
        ["abandoned-cart is paused. 2 people are inside.", "To let it go on: sojourn resume abandoned-cart"],
        {"active": 1, "in_flight": 1},
        [
            "abandoned-cart is paused. 1 person is inside (2 when you were asked).",
            "1 message is on the way to a provider, and may still arrive.",
            "To let it go on: sojourn resume abandoned-cart",
        ],
    ),
    "resume": Said(
        RESUME,
        Resumed.model_validate(RESUMED | {"held": None}),
        ["abandoned-cart goes on; 230 messages and 40 starts waited."],
        {"paused": Resumed.model_validate(RESUMED).paused.model_copy(update={"waiting_starts": 0})},  # type: ignore[union-attr]
        ["abandoned-cart goes on; 230 messages waited (230 messages and 40 starts when you were asked)."],
    ),
    "resume-skip": Said(
        RESUME,
        Resumed.model_validate(RESUMED | {"held": None, "catch_up": "skip"}),
        ["abandoned-cart goes on; 230 messages and 40 starts waited, which is left out."],
        {"paused": None},
        ["abandoned-cart is not paused: there is nothing to resume."],
    ),
    "release": Said(
        RELEASE,
        LetGo.model_validate(LET_GO),
        [f"abandoned-cart is let go; {LetGo.model_validate(LET_GO).held.waiting} messages waited."],  # type: ignore[union-attr]
        {"held": None},
        ["abandoned-cart is not held: there is nothing to let go."],
    ),
    "repair": Said(
        REPAIR,
        Repaired(
            journey="welcome",
            count=2,
            parked=(ParkedRuns(step="hello", why="so", count=2, since=NOON),),
            instead=None,
            spread=timedelta(minutes=15),
            dry_run=False,
        ),
        ["welcome: 2 runs are tried again."],
        {"count": 1},
        ["welcome: 1 run (2 when you were asked) is tried again."],
    ),
    "stop": Said(
        STOP,
        Stopped.model_validate(STOPPED | {"runs": 2, "in_flight": 1, "waiting": 0}),
        ["abandoned-cart is stopped. Ended: 2 runs."],
        {"runs": 3, "in_flight": 2, "waiting": 1},
        [
            "abandoned-cart is stopped. Ended: 3 runs (2 when you were asked).",
            "2 messages are on the way to a provider, and may still arrive.",
            "1 start waited for it to be resumed: dropped.",
        ],
    ),
    "complete": Said(
        COMPLETE,
        Completed.model_validate(COMPLETED | {"runs": 2, "parked": 0, "waiting": 0}),
        ["abandoned-cart lets nobody in any more: 2 runs under way."],
        {"runs": 3, "parked": 2},
        [
            "abandoned-cart lets nobody in any more: 3 runs under way (2 when you were asked).",
            "2 of them are parked, and finish once repaired: sojourn repair abandoned-cart",
        ],
    ),
    "archive": Said(
        ARCHIVE,
        Archived.model_validate(ARCHIVED),
        ["abandoned-cart is archived."],
        {"changed": False},
        ["abandoned-cart is already in no list of journeys. Nothing of it is lost."],
    ),
    "archive-undo": Said(
        ARCHIVE,
        Archived.model_validate(ARCHIVED | {"archived": False}),
        ["abandoned-cart is listed again."],
        {"changed": False},
        ["abandoned-cart is already in the list of journeys. Nothing of it is lost."],
    ),
    "cancel": Said(
        CANCEL_RUN,
        CancelledRun(
            run=RUN, journey="welcome", version=1, ended="cancelled", in_flight=0, changed=True, dry_run=False
        ),
        [f"{RUN} is cancelled."],
        {"changed": False, "ended": "completed"},
        [f"{RUN} is over already: completed."],
    ),
    "cancel-all": Said(
        CANCEL_ALL,
        CancelledRuns(
            customer="ada",
            inside=(InJourney(journey="welcome", runs=2),),
            runs=2,
            in_flight=0,
            waiting=0,
            dry_run=False,
        ),
        ["Cancelled: 2 runs of ada."],
        {"runs": 1, "waiting": 3},
        ["Cancelled: 1 run (2 when you were asked) and 3 starts that waited (0 when you were asked) of ada."],
    ),
    "erase": Said(
        ERASE,
        Erasure(customer="ada", rows={"events": 4}, ended=1, in_flight=0, erased_before=None, dry_run=False),
        ["ada is erased for good. 1 run ended."],
        {"rows": {"events": 5, "sends": 1}, "in_flight": 1},
        [
            "ada is erased for good. 1 run ended.",
            "  5 events, with all attributes (4 when you were asked)",
            "  1 message (0 when you were asked)",
            "1 message is on the way to a provider, and may still arrive.",
        ],
    ),
    "publish": Said(
        PUBLISH,
        PublishedFor.model_validate(PUBLISHED | {"move": None, "people": "stay"}),
        ["abandoned-cart is published as v2."],
        {"version": 3, "new": False},
        ["abandoned-cart is live already, as v3."],
    ),
    "publish-and-move": Said(
        PUBLISH,
        PublishedFor.model_validate(PUBLISHED),
        ["abandoned-cart is published as v2.", "229 people went on in it."],
        {"move": Move(moved=228, steps={"opened": 228}, stayed=0, stays=(), gone=2)},
        [
            "abandoned-cart is published as v2.",
            "228 people went on in it (229 when you were asked).",
            "2 people had come to their end meanwhile.",
        ],
    ),
}


def lines(said: Iterable[Text]) -> list[str]:
    return [line.plain for line in said]


@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
def test_it_is_said_in_short_what_was_done(said: Said) -> None:
    would = said.told.model_copy(update={"dry_run": True})
    assert said.words.question(would)
    before = lines(said.words.all(would))

    done = lines(said.words.done(said.told, would))

    assert done == said.done
    assert len(done) <= 2
    assert not set(done) & set(before)


@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
def test_what_has_become_otherwise_meanwhile_is_said(said: Said) -> None:
    would = said.told.model_copy(update={"dry_run": True})
    did = said.told.model_copy(update=said.meanwhile)

    assert lines(said.words.done(did, would)) == said.otherwise
