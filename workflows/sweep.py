"""The sweep: what nobody else may come to do, such as what a process has left that died, is done every half minute."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import NamedTuple

import structlog

from activities.deliver import ABANDONED_AFTER
from journeys.problems import Unavailable
from store.ab_tests import decide_due_tests
from store.held_journeys import finish_letting_go, held_journeys
from store.pausing import finish_resuming
from store.people import finish_moves
from store.pruning import prune
from store.repairs import finish_repairs
from store.sends import give_up_stale
from store.stopping import finish_stops
from store.store import Store

log = structlog.get_logger()

SWEEP_EVERY = 30.0
GO_ON_EVERY = 2.0
PRUNE_EVERY = 600.0


class Chore(NamedTuple):
    """Something to *do* again and again. *does*: what it is to do; *did*: what the log says where there was some.

    *expected*: whether that is nothing to be warned of.
    """

    does: str
    do: Callable[[Store, datetime], Awaitable[object]]
    did: str = ""
    expected: bool = True

    async def once(self, store: Store, now: datetime) -> None:
        """Do it, and tell the log. Where it fails, that is told, and nobody is kept from their turn."""
        try:
            done = await self.do(store, now)
        except Unavailable:
            return  # of which the health check tells
        except Exception:
            log.warning("a chore was not done, and is tried again", chore=self.does, exc_info=True)
            return
        if done and self.did:
            (log.info if self.expected else log.warning)(self.did, done=done)


async def _give_up_stale(store: Store, now: datetime) -> int:
    return await give_up_stale(store, now, ABANDONED_AFTER)


SWEEP = (
    Chore("give up sends", _give_up_stale, "sends without an outcome are unknown now", expected=False),
    Chore("decide tests", decide_due_tests, "tests were decided"),
)
"""Sends are given up that no retry will report on, as their run is over."""

GO_ON = (
    Chore("move people", finish_moves),
    Chore("end stops", finish_stops, "runs of what was stopped were ended"),
    Chore("repair", finish_repairs, "parked runs were told to go on"),
    Chore("let go", finish_letting_go, "messages were let go"),
    Chore("resume", finish_resuming, "what waited for a pause goes on, messages and starts"),
)
"""Often, and each apart from the others: it may take longer than whoever asked for it waits for an answer."""

PRUNE = Chore("prune", prune, "what was over is kept no longer")
"""Apart from the others, since there may be very much of it."""


async def again_and_again(chores: Sequence[Chore], store: Store, every: float, clock: Callable[[], datetime]) -> None:
    """Do each of these in turn, every so many seconds, until cancelled."""
    while True:
        for chore in chores:
            await chore.once(store, clock())
        await asyncio.sleep(every)


class TellHeld:
    """Tells the log of each journey once that it is held, and once that it is so no more."""

    def __init__(self) -> None:
        self._told: frozenset[str] = frozenset()

    async def tell(self, store: Store, now: datetime) -> None:
        del now
        held = await held_journeys(store)
        for name in sorted(held.keys() - self._told):
            why, waiting = held[name].why, held[name].waiting
            log.warning("journey held", journey=name, why=why, waiting=waiting, help=f"sojourn release {name}")
        for name in sorted(self._told - held.keys()):
            log.info("journey is held no more", journey=name)
        self._told = frozenset(held)

    @property
    def chore(self) -> Chore:
        return Chore("tell of held journeys", self.tell)
