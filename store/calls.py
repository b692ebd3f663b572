"""Calls of endpoints: what is posted, worked out once, and what became of it. The id is the same for all tries."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pydantic import AwareDatetime
from sqlalchemy import Connection, bindparam, insert, select, update

from journeys.acting import told
from journeys.clearance.circumstances import Blocked
from journeys.definition import call_id
from journeys.known import Known
from journeys.language.attributes import Value
from journeys.language.durations import say
from journeys.models import Frozen
from journeys.steps import Webhook
from journeys.walk.diary import Delivery, Held, Moved, Over
from journeys.walk.position import Unheard
from journeys.walk.world import Visit
from store.fence import moved_on, walks_another
from store.lifecycle import RunState, hold, hold_no_more, lock_customer_and_run, lock_run, pass_step
from store.lifecycle_parked import parked
from store.schema import AnyRow, calls, storable
from store.store import write_transaction
from store.visits import Acting, became, come_to_act, did, step_at

IN_LINE = timedelta(minutes=5)
"""So long a call may wait for its first try, where others at its endpoint come before it and *within* is shorter."""


SKEW = timedelta(seconds=5)
"""By so much clocks of machines may differ: a try that comes so early is in time."""


class Call(Frozen):
    """What is to be posted now. *id* is the same for all tries, and so is *data*; *since*: when the step was entered.

    *tries*: which one it is, from 1 on.
    """

    id: str
    journey: str
    step: str
    endpoint: str
    data: dict[str, Value]
    since: AwareDatetime
    tries: int


@write_transaction
def claim_call(connection: Connection, visit: Visit) -> Call | Delivery | Held | Unheard | Over | Moved:
    """Ask for the right to post at a visit, and work out what, once. A delivery is what became of it before.

    Where its time is over, that is what becomes of it now: unknown, if the last try was never heard of; or its run is
    parked, which is held without an end. Whoever is told to try again has all the time anew. Held while its journey is
    paused, too, and where it is not yet the time for the next try.
    Unheard and Moved, as for decide(). Raises Unknown, and Unavailable where the run's journey is being stopped.
    """
    locked = lock_customer_and_run(connection, visit.run)
    visit = _with_its_time(locked, visit)
    acting = come_to_act(connection, locked, visit)
    if not isinstance(acting, Acting):
        return acting
    run, known, against, at = acting
    if still := parked(connection, run, visit):
        return still
    row = connection.execute(_CALL, _of(visit)).one_or_none()
    if row and _is_over(run, visit, visit.now, row.tries):
        return _conclude(connection, run, visit, _over(run, visit, row.reason, in_doubt=row.next_at is None))
    if isinstance(against, Held):
        hold(connection, run, against, visit.now)
        return against
    if against:
        return _settle(connection, run, visit.at(at), _left_out(visit.at(at), row, against))
    if row and _comes_early(row, visit):
        return Held(until=row.next_at, why="the endpoint takes nothing now")
    if run.held_by:
        hold_no_more(connection, run)
    return _again(connection, run, visit, row, known) if row else _first(connection, run, visit, known)


@write_transaction
def record_call(connection: Connection, visit: Visit, delivery: Delivery) -> Delivery | Held | Moved:
    """Write what became of a call, for good, and that its step is passed. What was written first stays.

    Held: it has failed, and its run is parked.
    Moved: the run walks another version meanwhile. What became of the call is written, and nothing else.
    """
    run = lock_run(connection, visit.run)
    if before := became(connection, visit):
        return moved_on(connection, run, visit.version, visit.now) or before
    return _conclude(connection, run, visit, delivery)


@write_transaction
def postpone_call(
    connection: Connection, visit: Visit, reason: str, next_at: datetime, *, posted: bool = True
) -> Delivery | Held | Moved | None:
    """Note why a try was none. Returns what became of the call where it is not to be tried again at *next_at*.

    Where nothing was *posted*, it was no try. Moved: its run walks another version, and tries again by that.
    """
    run = lock_run(connection, visit.run)
    moved = moved_on(connection, run, visit.version, visit.now)
    visit = _with_its_time(run, visit)
    if before := became(connection, visit):
        return moved or before
    row = connection.execute(_CALL, _of(visit)).one()
    tries = row.tries if posted else row.tries - 1
    told = {"to_reason": storable(reason), "to_next_at": next_at, "to_tries": tries}
    connection.execute(_POSTPONE, {**_of(visit), **told})
    if moved:
        return moved
    if _is_over(run, visit, next_at, tries):
        return _conclude(connection, run, visit, _over(run, visit, reason))
    return None


def _first(connection: Connection, run: RunState, visit: Visit, known: Known) -> Call:
    step = _webhook(run, visit)
    data = told(step, known)
    row = {
        "run": visit.run,
        "step": visit.at_step,
        "id": _new_id(connection, visit),
        "endpoint": step.webhook,
        "data": data,
        "tries": 1,
        "first_at": visit.now,
        "tried_at": visit.now,
        "next_at": None,
        "reason": "",
    }
    connection.execute(_INSERT, row)
    return _call(run, visit, row)


def _new_id(connection: Connection, visit: Visit) -> str:
    id = call_id(visit.run, visit.at_step)
    # A call of a run that was moved may have been called so before, and has the id.
    is_taken = connection.execute(_ID, {"of_run": visit.run, "of_id": id}).first()
    return call_id(visit.run, f"{visit.at_step} of version {visit.version}") if is_taken else id


def _again(connection: Connection, run: RunState, visit: Visit, row: AnyRow, known: Known) -> Call:
    anew: dict[str, object] = {}
    if row.data is None:  # it was moved to where something else is posted
        step = _webhook(run, visit)
        anew = {"endpoint": step.webhook, "data": told(step, known)}
    connection.execute(_TRY.values(anew), {**_of(visit), "to_tried_at": visit.now})
    return _call(run, visit, {**row._asdict(), **anew, "tries": row.tries + 1})


def _comes_early(row: AnyRow, visit: Visit) -> bool:
    """Whether it is not the time yet for the next try: its run begins anew there, and nobody waits for it."""
    return row.data is not None and row.next_at is not None and row.next_at - visit.now > SKEW


def _call(run: RunState, visit: Visit, row: dict[str, Any]) -> Call:
    return Call(
        id=row["id"] or call_id(visit.run, visit.at_step),  # release 0.1 kept none
        journey=run.version.name,
        step=visit.at_step,
        endpoint=row["endpoint"],
        data=row["data"] or {},
        since=visit.position.since,
        tries=row["tries"],
    )


def _is_over(run: RunState, visit: Visit, at: datetime, tries: int) -> bool:
    """Whether the time of a call is over *at* an instant. Who has stood in line only, may for a while."""
    if visit.expires_at is None:
        return False
    since = run.repaired_at or visit.position.since
    return at >= (visit.expires_at if tries else max(visit.expires_at, since + IN_LINE))


def _with_its_time(run: RunState, visit: Visit) -> Visit:
    """The same visit: where it was told to try again, all of its time begins anew then."""
    if run.repaired_at is None or visit.expires_at is None:
        return visit
    return visit.expiring(visit.expires_at + (run.repaired_at - visit.position.since))


def _over(run: RunState, visit: Visit, reason: str, *, in_doubt: bool = False) -> Delivery:
    ends = f"nothing more is tried after {say(_webhook(run, visit).within)}"
    if in_doubt:
        why = f"nobody knows what became of the last try; {ends}"
        return Delivery(outcome="unknown", at=visit.now, reason=why)
    return Delivery(outcome="failed", at=visit.now, reason=f"{reason}; {ends}" if reason else ends)


def _left_out(visit: Visit, row: AnyRow | None, blocked: Blocked) -> Delivery:
    """What becomes of a call that is tried no more. Whether it was, and what became of that, is known."""
    if row is None or not row.tries:
        return Delivery(outcome="blocked", at=visit.now, reason=blocked.why)
    if row.next_at is None:
        why = f"nobody knows what became of the last try; {blocked.why}"
        return Delivery(outcome="unknown", at=visit.now, reason=why)
    return Delivery(outcome="failed", at=visit.now, reason=f"{row.reason}; {blocked.why}")


def _conclude(connection: Connection, run: RunState, visit: Visit, delivery: Delivery) -> Delivery | Held | Moved:
    """What was posted is kept no longer than it is posted, or may be again."""
    delivery = delivery.model_copy(update={"reason": storable(delivery.reason)})
    stands = run.step == visit.at_step and walks_another(connection, run, visit.version) is None
    if stands and delivery.outcome != "accepted" and _webhook(run, visit).failing == "park":
        return _park(connection, run, visit, delivery.reason)
    return _settle(connection, run, visit, delivery)


def _settle(connection: Connection, run: RunState, visit: Visit, delivery: Delivery) -> Delivery | Moved:
    did(connection, visit, delivery)
    connection.execute(_FORGET, _of(visit))
    if moved := moved_on(connection, run, visit.version, visit.now):
        return moved
    pass_step(connection, run, visit.lines_after(delivery))
    return delivery


def _park(connection: Connection, run: RunState, visit: Visit, reason: str) -> Held:
    connection.execute(_GIVE_UP, {**_of(visit), "to_reason": reason})
    held = Held(until=None, why=reason, by="park")
    hold(connection, run, held, visit.now)
    return held


def _webhook(run: RunState, visit: Visit) -> Webhook:
    step = step_at(run, visit)
    if isinstance(step, Webhook):
        return step
    raise TypeError(f'the step "{visit.at_step}" calls nothing: it {step.words}')


def _of(visit: Visit) -> dict[str, str]:
    return {"of_run": visit.run, "of_step": visit.at_step}


_this = (calls.c.run == bindparam("of_run")) & (calls.c.step == bindparam("of_step"))
_CALL = select(calls).where(_this)
_ID = select(calls.c.step).where(calls.c.run == bindparam("of_run"), calls.c.id == bindparam("of_id"))
_INSERT = insert(calls)
_TRY = update(calls).where(_this).values(tries=calls.c.tries + 1, tried_at=bindparam("to_tried_at"), next_at=None)
_POSTPONE = (
    update(calls)
    .where(_this)
    .values(reason=bindparam("to_reason"), next_at=bindparam("to_next_at"), tries=bindparam("to_tries"))
)
_GIVE_UP = update(calls).where(_this).values(reason=bindparam("to_reason"), next_at=None)
_FORGET = update(calls).where(_this).values(data=None, next_at=None)
