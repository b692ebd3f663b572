"""Commands that wait until workers have done all of what was asked for, and show how far they are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from time import monotonic
from typing import TypeVar

from rich.text import Text

from journeys.problems import Forbidden, Unavailable
from store.counts import JourneyView
from store.held_journeys import LetGo
from store.pausing import Resumed
from store.repairs import Repaired
from store.stopping import Stopped
from terminal.bars import Bars
from terminal.client import Api

State = TypeVar("State")
Answer = TypeVar("Answer", Stopped, Resumed, LetGo, Repaired)

LOOK_EVERY = 1.0
"""Seconds between two looks at how far it is."""

STANDS_STILL = 60.0
"""After so many seconds in which nothing was done, nobody waits for it any longer."""


async def do_all(
    api: Api, kind: type[Answer], name: str, act: str, asked: dict[str, object], *, dry_run: bool
) -> Answer:
    """*act* upon a journey as it is *asked*, and wait until everybody is told: runs and starts, however many."""
    told = await api.post(kind, "journeys", name, act, body={**asked, "dry_run": dry_run})
    if dry_run or not told.to_go:
        return told

    async def look() -> int | None:
        view = await find_view(api, name)
        return view.to_go if view else None

    left = await until_done(told.to_go, look, lambda left: left, told.to_go, "telling runs and starts")
    return told.model_copy(update={"to_go": left})


async def until_done(
    seen: State, look: Callable[[], Awaitable[State | None]], left: Callable[[State], int], of: int, what: str
) -> State:
    """Look again and again until nothing is *left* to be done, or nothing was for a minute. Returns what was seen last.

    *look*: None where nobody can tell just now; nobody waits where who asked for it may not see how far it is. *of*:
    how much there is to do of *what*.
    """
    changed_at = monotonic()
    with Bars() as bars:
        while left(seen) and monotonic() - changed_at < STANDS_STILL:
            await asyncio.sleep(LOOK_EVERY)
            try:
                before, now = seen, await look()
            except Forbidden:
                return seen
            seen = before if now is None else now
            changed_at = changed_at if left(seen) == left(before) else monotonic()
            bars.tell(what, of - left(seen), of)
    return seen


async def find_view(api: Api, name: str) -> JourneyView | None:
    """How it stands with a journey; None where nobody can tell just now, such as while the API is started anew."""
    try:
        return await api.get(JourneyView, "journeys", name)
    except Unavailable:
        return None


def left_over(name: str, to_go: int) -> Iterator[Text]:
    """That not all is done although it was waited for, if so."""
    if to_go:
        yield Text(f"{still_to_go(to_go)}: workers go on with them.", "yellow")
        yield Text(how_far(name))


def how_far(name: str) -> str:
    """Where to look at how far it is, and what to do."""
    return f"How far it is: sojourn journey {name}. Where it stands still, see that a worker runs."


def still_to_go(to_go: int) -> str:
    """How many runs and starts nobody has told yet that their journey was stopped, or that they go on."""
    return "1 run or start is still to be told" if to_go == 1 else f"{to_go} runs and starts are still to be told"
