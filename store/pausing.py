"""Pausing a journey, so that nobody starts and nothing goes out, and resuming it with all that has waited."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, Float, Text, bindparam, or_, select, update

from journeys.clearance.releases import CatchUp, Over
from journeys.language.durations import Duration
from journeys.models import Frozen
from journeys.problems import Conflict
from store.audit import Change, record
from store.counts import JourneyHolding, JourneyPause, active_in, read_standing
from store.effects import tell_each
from store.inside import in_flight_of
from store.journeys import find_journey, still_to_go
from store.lifecycle_letting_go import IS_RESUMED, resume_some
from store.policy import in_force
from store.schema import AnyRow, journeys
from store.store import Store, read_transaction, write_transaction
from store.turns import A_REQUEST, TOGETHER, in_lots, in_turns
from store.waiting_starts import HAS_STARTS, start_some


class Paused(Frozen):
    """The journey is paused, since when, and how much waits; *active*: people inside, who go on up to a message.

    *in_flight*: how many of their messages may be on their way to a provider, and cannot be held any more.
    *changed*: False where it was paused before, and nothing was done. *dry_run*: this is what would be done.
    """

    journey: str
    paused: JourneyPause
    active: int
    in_flight: int
    changed: bool
    dry_run: bool


class Resumed(Frozen):
    """What waited goes out one after the other, over *spread* at the pace of its runs, or is left out.

    *paused*: since when the journey was, and how much waited; None where it was not, and nothing was done.
    *held*: the brake holds it too, and nothing goes out before it is let go. *to_go*: so many runs and starts are still
    to be told: a worker goes on with them. *dry_run*: this is what would be done.
    """

    journey: str
    paused: JourneyPause | None
    held: JourneyHolding | None = None
    catch_up: CatchUp
    spread: Duration
    to_go: int = 0
    dry_run: bool


async def pause(store: Store, name: str, change: Change, *, dry_run: bool = False) -> Paused:
    """Let nobody enter and nothing go out, until the journey is resumed, however long. Nobody and nothing is lost.

    One that is paused stays as it is. Raises Unknown, and Conflict where nothing could go out anyway.
    """
    return await (_would_pause(store, name, change) if dry_run else _pause(store, name, change))


async def resume(
    store: Store, name: str, change: Change, catch_up: CatchUp = "now", *, dry_run: bool = False
) -> Resumed:
    """Let a journey go on. What waited goes out over the policy's spread, or over so long; or it is left out.

    One that is not paused stays as it is. Raises Unknown.
    """
    if dry_run:
        return await _would_resume(store, name, catch_up)
    answer = await _resume(store, name, change, catch_up)
    await _go_on(store, change.at, name, A_REQUEST)
    return answer.model_copy(update={"to_go": await still_to_go(store, name)})


async def finish_resuming(store: Store, now: datetime) -> int:
    """Start for some seconds who waits to, and tell runs that wait, in journeys that are paused no more.

    Returns how many those are.
    """
    return await in_turns(await _resumed(store), partial(_go_on, store, now))


async def _go_on(store: Store, now: datetime, name: str, seconds: float) -> int:
    # Starts come first: what they find under way is all that was so during the pause.
    return await in_lots(seconds, partial(start_some, store, name, now), partial(_tell_some, store, name, now))


@read_transaction
def _resumed(connection: Connection) -> Sequence[str]:
    return connection.execute(_RESUMED).scalars().all()


@read_transaction
def _would_pause(connection: Connection, name: str, change: Change) -> Paused:
    return _pausing(connection, name, change.at, dry_run=True)


@write_transaction
def _pause(connection: Connection, name: str, change: Change) -> Paused:
    answer = _pausing(connection, name, change.at, dry_run=False)
    if not connection.execute(_PAUSE, {"named": name, "now": change.at}).rowcount:
        return answer.model_copy(update={"changed": False})  # or somebody else has paused it a moment ago
    record(connection, change, "journey paused", f"journey/{name}", {"active": answer.active})
    return answer


def _pausing(connection: Connection, name: str, now: datetime, *, dry_run: bool) -> Paused:
    row = find_journey(connection, name)
    _refuse_where_nothing_goes_out(row)
    before = read_standing(connection, [row])[name].paused
    return Paused(
        journey=name,
        paused=before or JourneyPause(since=now, waiting_messages=0, waiting_starts=0),
        active=active_in(connection, name),
        in_flight=in_flight_of(connection, name),
        changed=before is None,
        dry_run=dry_run,
    )


def _refuse_where_nothing_goes_out(row: AnyRow) -> None:
    if row.live_version is None and row.stopped_at is not None:
        raise Conflict(f'Journey "{row.name}" is stopped: there is nothing to pause.')
    if row.live_version is None and row.closed_at is None:
        raise Conflict(f'Journey "{row.name}" is a draft: there is nothing to pause.')


@read_transaction
def _would_resume(connection: Connection, name: str, catch_up: CatchUp) -> Resumed:
    return _resuming(connection, name, catch_up, dry_run=True)


@write_transaction
def _resume(connection: Connection, name: str, change: Change, catch_up: CatchUp) -> Resumed:
    answer = _resuming(connection, name, catch_up, dry_run=False)
    over = catch_up.over.total_seconds() if isinstance(catch_up, Over) else None
    how = {"to_catch_up": "over" if isinstance(catch_up, Over) else catch_up, "to_over": over}
    if not connection.execute(_RESUME, {"named": name, "now": change.at, **how}).rowcount:
        return answer.model_copy(update={"paused": None})  # or somebody else has resumed it a moment ago
    if answer.paused:
        detail = answer.model_dump(mode="json", include={"paused", "catch_up"})
        record(connection, change, "journey resumed", f"journey/{name}", detail)
    return answer


def _resuming(connection: Connection, name: str, catch_up: CatchUp, *, dry_run: bool) -> Resumed:
    stands = read_standing(connection, [find_journey(connection, name)])[name]
    return Resumed(
        journey=name,
        paused=stands.paused,
        held=stands.held,
        catch_up=catch_up,
        spread=catch_up.over if isinstance(catch_up, Over) else in_force(connection).policy.spread,
        dry_run=dry_run,
    )


@write_transaction
def _tell_some(connection: Connection, name: str, now: datetime) -> int:
    told = resume_some(connection, name, TOGETHER, now)
    tell_each(connection, told, "let go", now)
    return len(told)


_RESUMED = select(journeys.c.name).where(HAS_STARTS | IS_RESUMED).order_by(journeys.c.name)
_named = bindparam("named", type_=Text())
_PAUSE = (
    update(journeys)
    .where(
        journeys.c.name == _named,
        journeys.c.paused_at.is_(None),
        or_(journeys.c.live_version.is_not(None), journeys.c.closed_at.is_not(None)),  # it may just have been stopped
    )
    .values(paused_at=bindparam("now"))
)
_RESUME = (
    update(journeys)
    .where(journeys.c.name == _named, journeys.c.paused_at.is_not(None))
    .values(
        paused_at=None,
        resumed_at=bindparam("now"),
        catch_up=bindparam("to_catch_up"),
        catch_up_over=bindparam("to_over", type_=Float()),
    )
)
