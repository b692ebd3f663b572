"""Journeys that the brake holds: which they are, and letting them go again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, bindparam, select, update

from journeys.language.durations import Duration
from journeys.models import Frozen
from store.audit import Change, record
from store.counts import JourneyHolding, JourneyPause, read_standing
from store.effects import tell_each
from store.journeys import find_journey, still_to_go
from store.lifecycle_letting_go import HAS_TO_LET_GO, let_go_some
from store.policy import in_force
from store.schema import journeys
from store.store import Store, read_transaction, write_transaction
from store.turns import A_REQUEST, TOGETHER, in_lots, in_turns


class LetGo(Frozen):
    """What waited goes out one after the other, over *spread* at the pace of its runs.

    *held*: what held the journey, and how much waited; None where nothing did, and nothing was done. *paused*: it is
    paused too, and nothing goes out before it is resumed. *to_go*: so many are still to be told: a worker goes on with
    them. *dry_run*: this is what would be done.
    """

    journey: str
    held: JourneyHolding | None
    paused: JourneyPause | None = None
    spread: Duration
    to_go: int = 0
    dry_run: bool


@read_transaction
def held_journeys(connection: Connection) -> dict[str, JourneyHolding]:
    """The journeys that are held, by name."""
    return read_held(connection)


def read_held(connection: Connection) -> dict[str, JourneyHolding]:
    """The same, within a transaction."""
    standing = read_standing(connection, connection.execute(_HELD).all())
    return {name: each.held for name, each in standing.items() if each.held}


async def let_go(store: Store, name: str, change: Change, *, dry_run: bool = False) -> LetGo:
    """Let a journey go: what waited is looked at again, and copies and entries are counted anew.

    One that nothing holds stays as it is. Raises Unknown.
    """
    if dry_run:
        return await _would(store, name)
    answer = await _open(store, name, change)
    await _go_on(store, change.at, name, A_REQUEST)
    return answer.model_copy(update={"to_go": await still_to_go(store, name)})


async def finish_letting_go(store: Store, now: datetime) -> int:
    """Tell for some seconds those runs that wait in journeys which are held no more. Returns how many those are."""
    return await in_turns(await _let_go(store), partial(_go_on, store, now))


async def _go_on(store: Store, now: datetime, name: str, seconds: float) -> int:
    return await in_lots(seconds, partial(_tell_some, store, name, now))


@read_transaction
def _let_go(connection: Connection) -> Sequence[str]:
    return connection.execute(HAS_TO_LET_GO).scalars().all()


@read_transaction
def _would(connection: Connection, name: str) -> LetGo:
    return _letting_go(connection, name, dry_run=True)


@write_transaction
def _open(connection: Connection, name: str, change: Change) -> LetGo:
    answer = _letting_go(connection, name, dry_run=False)
    if not connection.execute(_OPEN, {"named": name, "now": change.at}).rowcount:
        return answer.model_copy(update={"held": None})  # or somebody else has let it go a moment ago
    if answer.held:
        record(connection, change, "journey released", f"journey/{name}", answer.held.model_dump(mode="json"))
    return answer


def _letting_go(connection: Connection, name: str, *, dry_run: bool) -> LetGo:
    stands = read_standing(connection, [find_journey(connection, name)])[name]
    return LetGo(
        journey=name,
        held=stands.held,
        paused=stands.paused,
        spread=in_force(connection).policy.spread,
        dry_run=dry_run,
    )


@write_transaction
def _tell_some(connection: Connection, name: str, now: datetime) -> int:
    told = let_go_some(connection, name, TOGETHER, now)
    tell_each(connection, told, "let go", now)
    return len(told)


_HELD = select(journeys).where(journeys.c.held_at.is_not(None)).order_by(journeys.c.name)
_OPEN = (
    update(journeys)
    .where(journeys.c.name == bindparam("named"), journeys.c.held_at.is_not(None))
    .values(held_at=None, held_why=None, released_at=bindparam("now"))
)
