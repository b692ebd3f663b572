"""An operator's cancel: of one run, or of all that a customer is in. The reason is kept, and told to Temporal."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Connection, Text, bindparam, insert, or_, select

from journeys.models import Frozen
from journeys.problems import Unknown
from journeys.walk.diary import Ended
from store.audit import Change, record
from store.effects import job
from store.inside import count_in_flight, in_flight_to
from store.journeys import find_journey
from store.lifecycle import RunState, RunWrites, lock_run, lock_states, no_such_run
from store.locks import lock_customers
from store.many import write_each
from store.schema import AnyRow, customers, outbox, runs, storable, waiting_starts
from store.store import Store, read_transaction, write_transaction
from store.turns import BREATH, TOGETHER
from store.waiting_starts import drop_waiting_of, waiting_of


class CancelledRun(Frozen):
    """A run and how it has *ended*: by this, or before, and then nothing was done (*changed*).

    *in_flight*: how many of its messages may be on their way to a provider, also where it was over. *dry_run*: this is
    what would be done.
    """

    run: str
    journey: str
    version: int
    ended: Ended
    in_flight: int
    changed: bool
    dry_run: bool


class InJourney(Frozen):
    """How many runs of a *journey*."""

    journey: str
    runs: int


class CancelledRuns(Frozen):
    """The runs of a customer that were ended: by journey, and all of them.

    *in_flight*: how many messages to the customer may be on their way to a provider, of runs that were over too.
    *waiting*: how many starts waited for a journey to be resumed, and were dropped. *dry_run*: this is what would be
    done.
    """

    customer: str
    inside: tuple[InJourney, ...]
    runs: int
    in_flight: int
    waiting: int
    dry_run: bool


async def cancel_run(store: Store, run: str, reason: str, change: Change, *, dry_run: bool = False) -> CancelledRun:
    """End one run where it stands: at once nothing of it is sent any more. One that is over stays as it is.

    Raises Unknown.
    """
    if dry_run:
        return await _would_cancel_run(store, run)
    return await _cancel_run(store, run, storable(reason), change)


async def cancel_runs(
    store: Store, customer: str, reason: str, change: Change, *, journey: str | None = None, dry_run: bool = False
) -> CancelledRuns:
    """End all that a customer is in now, or all in one *journey*, as cancel_run() does; and nothing starts that waits.

    Raises Unknown.
    Somebody may have thousands of runs: they end some at a time, and others come in between.
    """
    would = await _would_cancel_runs(store, customer, journey)
    if dry_run:
        return would
    # First, so that none of them starts behind the runs that are found then.
    waiting = await _drop_waiting(store, customer, journey, storable(reason), change)
    ids, inside = await _find(store, customer, journey), Counter[str]()
    for first in range(0, len(ids), TOGETHER):
        inside += await _cancel_some(store, customer, ids[first : first + TOGETHER], storable(reason), change)
        await asyncio.sleep(BREATH if len(ids) > TOGETHER else 0)
    in_flight = await _in_flight(store, customer, journey)
    return _told(customer, inside, in_flight, waiting, dry_run=False)


@read_transaction
def _would_cancel_run(connection: Connection, run: str) -> CancelledRun:
    return _cancelling(connection, run, dry_run=True)


@write_transaction
def _cancel_run(connection: Connection, run: str, reason: str, change: Change) -> CancelledRun:
    state = lock_run(connection, run)
    answer = _cancelling(connection, run, dry_run=False)
    if answer.changed:
        _end(connection, [state], reason, change)
        detail = {"run": run.rpartition("/")[2], "version": answer.version, "reason": reason}
        record(connection, change, "run cancelled", f"journey/{answer.journey}", detail)
    return answer


def _cancelling(connection: Connection, run: str, *, dry_run: bool) -> CancelledRun:
    row = connection.execute(_RUN, {"run": run}).one_or_none()
    if row is None:
        raise no_such_run(connection, run)
    return CancelledRun(
        run=run,
        journey=row.journey,
        version=row.version,
        ended=row.ended or "cancelled",
        in_flight=count_in_flight(connection, [run]),
        changed=row.ended is None,
        dry_run=dry_run,
    )


@read_transaction
def _would_cancel_runs(connection: Connection, customer: str, journey: str | None) -> CancelledRuns:
    if not connection.execute(_IS_KNOWN, {"customer": customer}).scalar_one():
        raise Unknown(f'There is no customer "{customer}".')
    if journey is not None:
        find_journey(connection, journey)
    inside = Counter(row.journey for row in _of_customer(connection, customer, journey))
    waiting = sum(waiting_of(connection, customer, journey).values())
    return _told(customer, inside, in_flight_to(connection, customer, journey), waiting, dry_run=True)


@write_transaction
def _drop_waiting(connection: Connection, customer: str, journey: str | None, reason: str, change: Change) -> int:
    lock_customers(connection, [customer])
    dropped = drop_waiting_of(connection, customer, journey, f"cancelled: {reason}")
    for name, number in dropped.items():
        record(connection, change, "starts cancelled", f"journey/{name}", {"starts": number, "reason": reason})
    return sum(dropped.values())


@read_transaction
def _find(connection: Connection, customer: str, journey: str | None) -> list[str]:
    return [row.id for row in _of_customer(connection, customer, journey)]


@read_transaction
def _in_flight(connection: Connection, customer: str, journey: str | None) -> int:
    return in_flight_to(connection, customer, journey)


def _of_customer(connection: Connection, customer: str, journey: str | None) -> Sequence[AnyRow]:
    """The runs that are under way."""
    return connection.execute(_OF_CUSTOMER, {"customer": customer, "journey": journey}).all()


@write_transaction
def _cancel_some(
    connection: Connection, customer: str, ids: Sequence[str], reason: str, change: Change
) -> Counter[str]:
    """How many were ended by journey. Others may have ended some."""
    lock_customers(connection, [customer])
    under_way = lock_states(connection, ids)
    _end(connection, list(under_way.values()), reason, change)
    ended = Counter(state.version.name for state in under_way.values())
    for journey, number in sorted(ended.items()):
        record(connection, change, "runs cancelled", f"journey/{journey}", {"runs": number, "reason": reason})
    return ended


def _end(connection: Connection, states: Sequence[RunState], reason: str, change: Change) -> None:
    """The fence, as for an exit: once this is committed, no send of these runs is claimed. They are locked."""
    writes = RunWrites()
    for state in states:
        writes.end(state, "operator", reason, change.at)
    writes.write(connection)
    told = {"reason": f"cancelled: {reason}"}
    write_each(connection, insert(outbox), [job(state.id, "cancel", told, change.at) for state in states])


def _told(customer: str, inside: Counter[str], in_flight: int, waiting: int, *, dry_run: bool) -> CancelledRuns:
    return CancelledRuns(
        customer=customer,
        inside=tuple(InJourney(journey=journey, runs=number) for journey, number in sorted(inside.items())),
        runs=inside.total(),
        in_flight=in_flight,
        waiting=waiting,
        dry_run=dry_run,
    )


_customer, _journey = bindparam("customer", type_=Text()), bindparam("journey", type_=Text())

_RUN = select(runs.c.journey, runs.c.version, runs.c.ended).where(runs.c.id == bindparam("run"))
_IS_KNOWN = select(
    or_(
        select(customers.c.id).where(customers.c.id == _customer).exists(),
        select(runs.c.id).where(runs.c.customer == _customer).exists(),
        select(waiting_starts.c.id).where(waiting_starts.c.customer == _customer).exists(),
    )
)
_OF_CUSTOMER = (
    select(runs.c.id, runs.c.journey)
    .where(runs.c.customer == _customer, runs.c.ended.is_(None), or_(_journey.is_(None), runs.c.journey == _journey))
    .order_by(runs.c.id)
)
