"""Repair: runs that are parked where something has failed are told to try it again, or to go on without it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Literal

from pydantic import AwareDatetime
from sqlalchemy import Connection, Text, bindparam, delete, func, insert, literal, select, update

from journeys.language.durations import Duration
from journeys.models import Frozen
from journeys.nearest import did_you_mean
from journeys.problems import Unknown
from store.audit import Change, record
from store.effects import tell_each
from store.journeys import find_journey, still_to_go
from store.lifecycle_parked import Wanted, park_no_more, some_to_repair
from store.policy import in_force
from store.schema import AnyRow, Time, actions, among, calls, repairs, runs, sends, versions
from store.store import Store, read_transaction, write_transaction
from store.turns import A_REQUEST, TOGETHER, in_lots, in_turns
from store.versions import load

MOST_REASONS = 100
"""So many reasons are told at most, those of most runs first."""

AGAIN = "it is to be tried again"
WITHOUT = "it goes on without it"


class ParkedRuns(Frozen):
    """How many runs are parked at a step, why, and since when the first of them is. The reason names no customer."""

    step: str
    why: str
    count: int
    since: AwareDatetime


class Repaired(Frozen):
    """What becomes of runs that are parked: they try again what has failed, or *instead* go on without it.

    *parked*: those that it is about, by step and reason; of very many reasons, the first hundred. *count*: all of them.
    Messages go out one after the other, over *spread* at the pace of their runs. *to_go*: so many runs and starts of
    the journey are still to be told: a worker goes on with them. *dry_run*: it is what would be done.
    """

    journey: str
    count: int
    parked: tuple[ParkedRuns, ...]
    instead: Literal["go on"] | None
    spread: Duration
    to_go: int = 0
    dry_run: bool


async def repair(
    store: Store,
    name: str,
    wanted: Wanted,
    change: Change,
    *,
    instead: Literal["go on"] | None = None,
    dry_run: bool = False,
) -> Repaired:
    """Tell exactly the runs that are *wanted* to look again, with everything checked anew.

    Of very many, workers tell the others. Where none is parked, nothing changes.
    Raises Unknown where there is no such journey, or no such step in it.
    """
    if dry_run:
        return await _would(store, name, wanted, instead)
    answer = await _begin(store, name, wanted, instead, change)
    await _go_on(store, change.at, name, A_REQUEST)
    return answer.model_copy(update={"to_go": await still_to_go(store, name)})


async def finish_repairs(store: Store, now: datetime) -> int:
    """Tell for some seconds those runs of repairs that were begun and that nobody told yet. Returns how many."""
    return await in_turns(await _begun(store), partial(_go_on, store, now))


async def _go_on(store: Store, now: datetime, name: str, seconds: float) -> int:
    return await in_lots(seconds, partial(_tell_some, store, name, now))


@read_transaction
def _begun(connection: Connection) -> Sequence[str]:
    return connection.execute(_BEGUN).scalars().all()


@read_transaction
def _would(connection: Connection, name: str, wanted: Wanted, instead: Literal["go on"] | None) -> Repaired:
    return _repaired(connection, name, wanted, instead, dry_run=True)


@write_transaction
def _begin(
    connection: Connection, name: str, wanted: Wanted, instead: Literal["go on"] | None, change: Change
) -> Repaired:
    answer = _repaired(connection, name, wanted, instead, dry_run=False)
    if answer.count:
        # Who is parked later is none of those that were counted.
        at = max(change.at, _latest(connection, name, wanted) or change.at)
        begun = {"journey": name, **wanted.model_dump(), "instead": instead, "at": at, "after": ""}
        connection.execute(insert(repairs), begun)
        detail = {"count": answer.count, **wanted.model_dump(mode="json", exclude_none=True)}
        record(connection, change, "runs let go on" if instead else "runs repaired", f"journey/{name}", detail)
    return answer


def _repaired(
    connection: Connection, name: str, wanted: Wanted, instead: Literal["go on"] | None, *, dry_run: bool
) -> Repaired:
    find_journey(connection, name)
    if wanted.step is not None:
        _find_step(connection, name, wanted.step)
    which = wanted.of(name)
    parked = (
        select(
            runs.c.step,
            runs.c.held_why.label("why"),
            func.count().label("count"),
            func.min(runs.c.held_since, type_=Time()).label("since"),
        )
        .where(which)
        .group_by(runs.c.step, runs.c.held_why)
        .order_by(func.count().desc(), runs.c.step, runs.c.held_why)
        .limit(MOST_REASONS)
    )
    return Repaired(
        journey=name,
        count=connection.execute(select(func.count()).select_from(runs).where(which)).scalar_one(),
        parked=tuple(ParkedRuns(**row._asdict()) for row in connection.execute(parked)),
        instead=instead,
        spread=in_force(connection).policy.spread,
        dry_run=dry_run,
    )


def _latest(connection: Connection, name: str, wanted: Wanted) -> datetime | None:
    """Since when the last of them is parked: clocks differ, and by ours that may be to come."""
    latest = select(func.max(runs.c.held_since, type_=Time())).where(wanted.of(name))
    since: datetime | None = connection.execute(latest).scalar_one()
    return since


def _find_step(connection: Connection, name: str, step: str) -> None:
    """Raises Unknown where no version of the journey has the step."""
    numbers = connection.execute(_NUMBERS, {"named": name}).scalars()
    steps = {id for version in load(connection, [(name, each) for each in numbers]).values() for id in version.steps}
    if step not in steps:
        raise Unknown(f'Journey "{name}" has no step "{step}". {did_you_mean(step, steps)}')


@write_transaction
def _tell_some(connection: Connection, name: str, now: datetime) -> int:
    """Tell the next runs of the oldest repair of a journey that has any left, each once. Returns how many."""
    while begun := connection.execute(_NEXT, {"named": name}).one_or_none():
        if told := _tell(connection, begun, now):
            return told
    return 0


def _tell(connection: Connection, begun: AnyRow, now: datetime) -> int:
    """Tell the next runs of a repair. Where none is left, it is over."""
    ids = some_to_repair(connection, begun, TOGETHER)
    if not ids:
        connection.execute(_DONE, {"repair": begun.id})
        return 0
    told = park_no_more(connection, ids, WITHOUT if begun.instead else AGAIN, now)
    if begun.instead:
        _settle(connection, told, now)
    else:
        connection.execute(_TRY_ANEW, {"runs": told})
    tell_each(connection, told, "let go", now)
    connection.execute(_GO_ON_FROM, {"repair": begun.id, "to_after": ids[-1]})
    return len(told)


def _settle(connection: Connection, ids: Sequence[str], now: datetime) -> None:
    """What has failed stays failed: whoever comes to it next finds it so, and passes the step."""
    connection.execute(_SENDS_FAILED, {"runs": list(ids), "to_at": now})
    connection.execute(_CALLS_FAILED, {"runs": list(ids), "to_at": now})
    connection.execute(_FORGET, {"runs": list(ids)})


_named = bindparam("named", type_=Text())
_BEGUN = select(repairs.c.journey).distinct().order_by(repairs.c.journey)
_NEXT = select(repairs).where(repairs.c.journey == _named).order_by(repairs.c.id).limit(1).with_for_update()
_DONE = delete(repairs).where(repairs.c.id == bindparam("repair"))
_GO_ON_FROM = update(repairs).where(repairs.c.id == bindparam("repair")).values(after=bindparam("to_after"))

_NUMBERS = select(versions.c.number).where(versions.c.journey == _named)
_send_there = select(runs.c.id).where(runs.c.id == sends.c.run, runs.c.step == sends.c.step).exists()
_call_there = select(runs.c.id).where(runs.c.id == calls.c.run, runs.c.step == calls.c.step).exists()
_SENDS_FAILED = (
    update(sends)
    .where(among(sends.c.run, "runs"), sends.c.state == "released", _send_there)
    .values(state="failed", at=bindparam("to_at"))
)
_CALLS_FAILED = insert(actions).from_select(
    ["run", "step", "outcome", "at", "reason"],
    select(
        calls.c.run, calls.c.step, literal("failed", Text()), bindparam("to_at", type_=Time()), calls.c.reason
    ).where(among(calls.c.run, "runs"), _call_there),
)
_those = among(calls.c.run, "runs") & _call_there
_FORGET = update(calls).where(_those).values(data=None, next_at=None)
_TRY_ANEW = update(calls).where(_those).values(tries=0)
