"""Rebuild: what the store has under way is compared with what Temporal has, and begins there again where it stands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

import structlog
from temporalio.client import Client
from temporalio.service import RPCError

from journeys.models import Frozen
from journeys.problems import Unknown
from store.audit import Change
from store.rebuilding import (
    MANY,
    CatchUp,
    Where,
    begin_again,
    count_due,
    give_up,
    keep,
    must_be_there,
    send_on,
    under_way_after,
)
from store.runs import close
from store.store import Store
from workflows.asking import Asked, EndedThere, ask
from workflows.client import register_search_attributes
from workflows.rounds import running

log = structlog.get_logger()

Item = TypeVar("Item")

PAGE = 1000
TOGETHER = 200
ABREAST = 20
LATER = timedelta(minutes=1)
"""By so much the start of a workflow may come after that of its run, if it is its first one."""


class Wish(Frozen):
    """What is wanted. *journey*: of it alone. *all_*: who is there is told where they stand, too. *give_up*: who is
    missing ends.
    """

    journey: str | None = None
    catch_up: CatchUp = "now"
    give_up: bool = False
    all_: bool = False
    dry_run: bool = False


class Rebuilt(Frozen):
    """What was found of runs under way, and what became of them.

    *there*: Temporal has them. *starting*: they wait to be started anyway. *missing*: Temporal does not know them; they
    began again, or were given up. *due*: so many of these had something to do meanwhile. *ended*: they had ended in
    Temporal, and have here now. *sent_on*: Temporal was told where they stand. *went_back*: Temporal was set back.
    """

    under_way: int
    there: int
    starting: int
    missing: int
    due: int
    ended: int
    sent_on: int
    went_back: bool
    given_up: bool
    dry_run: bool


Told = Callable[[str, int, int], None]
"""How far it is: what is done, how much of it, of how many."""


@dataclass
class _Found:
    """Runs under way, by what Temporal says of them."""

    there: list[Where] = field(default_factory=list)
    starting: int = 0
    missing: list[Where] = field(default_factory=list)
    ended: dict[str, EndedThere] = field(default_factory=dict)

    def went_back(self, began: dict[str, datetime]) -> bool:
        """Whether Temporal was set back: it has nobody who started after the first of those that it lacks.

        *began*: when each that is there began in Temporal. One that was begun again there says nothing.
        """
        if not self.missing or not self.there:
            return False
        first = min(run.started_at for run in self.missing)
        return not any(run.started_at > first and began[run.id] < run.started_at + LATER for run in self.there)


class Rebuild:
    """One comparison of a store with a Temporal, and what follows from it.

    It may be cut off at any moment and begun again, and any number may be at it at once: each run begins once, as
    whoever has its lock sees whether somebody else has had it started, and Temporal starts no id twice.
    """

    def __init__(self, store: Store, client: Client, task_queue: str, told: Told = lambda _what, _n, _of: None) -> None:
        self._store = store
        self._client = client
        self._task_queue = task_queue
        self._told = told

    async def do(self, wish: Wish, change: Change) -> Rebuilt:
        """Compare, and do what is wanted, unless it is a dry run.

        Raises Unknown where there is no such journey, and RPCError or RuntimeError where Temporal does not answer.
        """
        if wish.journey is not None:
            await must_be_there(self._store, wish.journey)
        began = await self._there(wish.journey)
        found = await self._compare(began, wish.journey)
        went_back = found.went_back(began)
        missing = [run.id for run in found.missing]
        due = sum([await count_due(self._store, some, change.at) for some in parts(missing, PAGE)])
        to_send_on = [run.id for run in found.there] if (wish.all_ or went_back) and not wish.give_up else []
        rebuilt = Rebuilt(
            under_way=len(found.there) + found.starting + len(missing) + len(found.ended),
            there=len(found.there),
            starting=found.starting,
            missing=len(missing),
            due=due,
            ended=len(found.ended),
            sent_on=len(to_send_on),
            went_back=went_back,
            given_up=wish.give_up,
            dry_run=wish.dry_run,
        )
        if wish.dry_run:
            return rebuilt
        done = await self._act(found, to_send_on, wish, change, due=due)
        return rebuilt.model_copy(update=done)

    async def _there(self, journey: str | None) -> dict[str, datetime]:
        """When each run began that Temporal has under way."""
        # By the id, which begins with the name: a namespace that is new knows no search attributes of ours yet.
        query = running(self._task_queue) + (f" AND WorkflowId STARTS_WITH '{journey}/'" if journey else "")
        began = dict[str, datetime]()
        async for execution in self._client.list_workflows(query, page_size=PAGE):
            began[execution.id] = execution.start_time
            if len(began) % PAGE == 0:
                self._told("Read what Temporal has", len(began), 0)
        return began

    async def _compare(self, began: dict[str, datetime], journey: str | None) -> _Found:
        """Whom Temporal does not list is asked for one by one: its list comes a little late."""
        found, seen = _Found(), 0
        async for page in self._pages(journey):
            found.starting += sum(run.starting for run in page)
            found.there += [run for run in page if run.id in began and not run.starting]
            unseen = [run for run in page if run.id not in began and not run.starting]
            for run, asked in zip(unseen, await self._ask(unseen), strict=True):
                match asked:
                    case EndedThere():
                        found.ended[run.id] = asked
                    case "unknown":
                        found.missing.append(run)
                    case "running":
                        found.there.append(run)
                        began[run.id] = run.started_at
            self._told("Compare", seen := seen + len(page), 0)
        return found

    async def _pages(self, journey: str | None) -> AsyncIterator[list[Where]]:
        after = ""
        while page := await under_way_after(self._store, after, PAGE, journey):
            yield page
            after = page[-1].id

    async def _ask(self, some: Sequence[Where]) -> list[Asked]:
        asked = list[Asked]()
        for abreast in parts(some, ABREAST):
            asked += await asyncio.gather(*(ask(self._client, run.id) for run in abreast))
        return asked

    async def _make_ready(self) -> None:
        """A Temporal that is new takes no run before it knows its search attributes: workers tell as they start."""
        try:
            await register_search_attributes(self._client)
        except RPCError as error:  # as for workers: Temporal Cloud has its own way of adding them
            log.warning("could not add the search attributes; runs cannot start without them", error=error.message)

    async def _act(
        self, found: _Found, to_send_on: Sequence[str], wish: Wish, change: Change, *, due: int
    ) -> dict[str, int]:
        """Returns what became of how many: others may have been at it meanwhile."""
        if found.missing and not wish.give_up:
            await self._make_ready()
        ended = 0
        for run, end in found.ended.items():
            with suppress(Unknown):  # its customer was erased since
                await close(self._store, run, end.by, end.why, end.at or change.at, ())
                ended += 1
        missing, done = [run.id for run in found.missing], 0
        for some in parts(missing, TOGETHER):
            if wish.give_up:
                done += len(await give_up(self._store, some, change.at))
            else:
                done += len(await begin_again(self._store, some, wish.catch_up, change.at, many=due > MANY))
            self._told("Give up" if wish.give_up else "Begin again", done, len(missing))
        sent_on = 0
        for some in parts(to_send_on, TOGETHER):
            sent_on += len(await send_on(self._store, some, change.at))
            self._told("Tell where they stand", sent_on, len(to_send_on))
        if done or sent_on:
            did = "runs given up" if wish.give_up else "runs rebuilt"
            await keep(self._store, change, did, wish.journey, {"runs": done, "sent_on": sent_on})
        return {"missing": done, "ended": ended, "sent_on": sent_on}


def parts(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """*items*, so many at a time."""
    for first in range(0, len(items), size):
        yield items[first : first + size]
