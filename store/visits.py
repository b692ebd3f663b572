"""A run at a step that chooses, acts or waits for a date: one transaction that reads what is known, and goes on."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, union_all

from journeys.acting import Impossible, Setting, action, done, impossible, unfit
from journeys.catalogue import Event
from journeys.chains import maker
from journeys.choices import choose
from journeys.clearance.circumstances import Blocked
from journeys.clearance.clearance import may_act
from journeys.clearance.releases import release_of
from journeys.dates import Dated
from journeys.known import Known
from journeys.language.moments import Moment
from journeys.problems import Conflict, Invalid, Unavailable
from journeys.steps import AnyStep
from journeys.walk.diary import Choice, Delivery, Held, Moved, Over
from journeys.walk.position import Unheard
from journeys.walk.world import Visit
from store.answers import unheard
from store.circumstances import moved_at, no_sooner_than_skipped, resumption, skipped
from store.customers import change_customer
from store.events import accept_here, is_known
from store.fence import elsewhere, gone_on
from store.house import LOOK_FIRST, set_back_at
from store.lifecycle import (
    RunState,
    advance,
    explain,
    explanation,
    hold,
    lock_customer_and_run,
    lock_customer_and_runs,
    lock_run,
    pass_step,
)
from store.lots import StoredLots
from store.policy import in_force
from store.schema import AnyRow, actions, customers, diary, events, journeys, runs, sends, versions
from store.sends import BEING_STOPPED, left
from store.store import write_transaction


@write_transaction
def decide(connection: Connection, visit: Visit) -> Choice | Unheard | Over | Moved | None:
    """Choose an arm by what is known, and write that the step is passed. None: nothing that it asks holds yet.

    What was chosen at this visit before stays: an answer that was lost on its way to Temporal is asked for again.
    Unheard: the walk passed a question without an answer that there is, so nothing is written.
    Moved: the run is elsewhere than its walk, so neither. Raises Unknown.
    """
    locked = lock_customer_and_run(connection, visit.run)
    if moved := elsewhere(connection, locked, visit):
        return moved
    if before := _chosen_before(connection, visit):
        return before
    if moved := gone_on(connection, locked, visit):
        return moved
    run = arrive(connection, locked, visit)
    if not isinstance(run, RunState):
        return run
    step = step_at(run, visit)
    choice = choose(step, known_of(connection, run, visit.now), StoredLots(connection))
    if choice:
        pass_step(connection, run, visit.passed(visit.position.since, choice.why, step, choice.arm))
    return choice


@write_transaction
def moment(connection: Connection, visit: Visit) -> Moment | Unheard | Over | Moved:
    """Until when a run waits, and write it down with the diary up to there.

    It is computed once for a step that is entered, whatever changes afterwards. What is returned tells no more than
    Temporal may know: the instant, if the run waits for it. Unheard and Moved, as for decide(). Raises Unknown.
    """
    locked = lock_customer_and_run(connection, visit.run)
    if moved := elsewhere(connection, locked, visit) or gone_on(connection, locked, visit):
        return moved
    if locked.stands_at(visit.position) and explanation(connection, locked):
        return _told(locked.until)
    run = arrive(connection, locked, visit)
    if not isinstance(run, RunState):
        return run
    until = step_at(run, visit).moment
    if until is None:
        raise LookupError(f'"{visit.at_step}" waits for no moment')
    row = connection.execute(_KNOWN, {"run": run.id}).one()
    house = in_force(connection).policy.time_zone
    dated = Dated(run.version.journey, row.event, row.customer or {}, house, run.day)
    found = dated.moment(until, visit.position.since)
    at = None if found.late else found.at
    if run.stands_at(visit.position):  # not where an attempt comes late, or a run that was reset comes again
        explain(connection, run, found.why, at)
    return _told(at)


def _told(at: datetime | None) -> Moment:
    return Moment(at=at, late=at is None)


@write_transaction
def perform(connection: Connection, visit: Visit) -> Delivery | Held | Unheard | Over | Moved:
    """Do what an action says, once in the life of a run, and write that its step is passed; Held while it may not yet.

    Done again, it is what became of it the first time. What it does may end its own run, which is then all there is.
    Unheard and Moved, as for decide(). Raises Unknown, and Unavailable where the run's journey is being stopped.
    """
    acting = come_to_act(connection, lock_customer_and_runs(connection, visit.run), visit)
    if not isinstance(acting, Acting):
        return acting
    run, known, against, at = acting
    if isinstance(against, Held):
        hold(connection, run, against, visit.now)
        return against
    if against:
        return leave_out(connection, run, visit.at(at), against)
    delivery = _act(connection, run, step_at(run, visit), known)
    did(connection, visit, delivery)
    run = lock_run(connection, run.id)
    pass_step(connection, run, visit.lines_after(delivery))
    return Over(ended=run.ended) if run.ended else delivery


def _act(connection: Connection, run: RunState, step: AnyStep, known: Known) -> Delivery:
    made_by = maker(run.id, step.id, run.version.name, run.chain)
    # An action of a run that was moved may have been called so before, and has the id.
    if is_known(connection, made_by.source, made_by.event):
        made_by = made_by.of_version(run.version.number)
    try:
        match action(step, known, made_by):
            case Event() as event:
                (receipt,) = accept_here(connection, [event], known.now, day=run.day, made_by=made_by)
                return done(receipt.decisions, known.now)
            case Setting(attributes):
                change = change_customer(connection, run.customer, attributes, known.now, day=run.day, named=made_by)
                return done(change.receipt.decisions if change.receipt else (), known.now)
    # Nothing was written then.
    except Impossible as error:
        return impossible(error, known.now)
    except Invalid as error:
        return impossible(Impossible(unfit(error.flaws)), known.now)
    except Conflict:
        return impossible(Impossible("another event has its id"), known.now)


class Acting(NamedTuple):
    """A run that may act now, and what is known of it; or what speaks *against* that, and *at* when it is left out."""

    run: RunState
    known: Known
    against: Held | Blocked | None
    at: datetime


def come_to_act(connection: Connection, run: RunState, visit: Visit) -> Acting | Delivery | Unheard | Over | Moved:
    """All that comes before an action of a run that is locked. A delivery is what became of the action already.

    Unheard and Moved, as for decide(). Raises Unavailable where the run's journey is being stopped.
    """
    if moved := elsewhere(connection, run, visit):
        return moved
    if before := became(connection, visit):
        if run.step == visit.at_step:  # somebody else has said so while it was parked
            pass_step(connection, run, visit.lines_after(before))
        return Over(ended=run.ended) if run.ended and run.ended != "completed" else before
    if moved := gone_on(connection, run, visit):
        return moved
    standing = connection.execute(_STANDING, {"run": run.id}).one()
    _refuse_if_stopped(run, standing)
    arrived = arrive(connection, run, visit)
    if not isinstance(arrived, RunState):
        return arrived
    if arrived.step != visit.at_step:  # it has left a series, and with it this step, before an attempt that comes late
        return Delivery(outcome="blocked", at=visit.now, reason="the run has left this step")
    known = known_of(connection, arrived, visit.now)
    run = left(connection, arrived, known.customer, visit.now)
    if run.ended:
        return Over(ended=run.ended)
    at = no_sooner_than_skipped(standing, visit).now
    return Acting(run, known, _against(connection, run, visit, standing), at)


def _against(connection: Connection, run: RunState, visit: Visit, standing: AnyRow) -> Held | Blocked | None:
    """What speaks against that a run acts now."""
    was_moved_at = moved_at(connection, standing, visit)
    waited = run.held_by or visit.position.since in (standing.resumed_at, was_moved_at)
    released = (
        release_of(
            run.held_by,
            visit.position.since,
            let_go_at=None,  # the brake holds no action
            resumed=resumption(standing),
            spread=in_force(connection).policy.spread,
            moved_at=was_moved_at,
        )
        if waited
        else None
    )
    paused = standing.paused_at is not None
    return may_act(visit, paused=paused, skipped=skipped(standing, visit), released=released, day=run.day)


def leave_out(connection: Connection, run: RunState, visit: Visit, blocked: Blocked) -> Delivery:
    """Write that an action is not done, and that its step is passed."""
    delivery = Delivery(outcome="blocked", at=visit.now, reason=blocked.why)
    did(connection, visit, delivery)
    pass_step(connection, run, visit.lines_after(delivery))
    return delivery


def became(connection: Connection, visit: Visit) -> Delivery | None:
    """What became of an action that was done before."""
    row = connection.execute(_ACTION, {"run": visit.run, "step": visit.at_step}).one_or_none()
    return Delivery(outcome=row.outcome, at=row.at, reason=row.reason) if row else None


def did(connection: Connection, visit: Visit, delivery: Delivery) -> None:
    """Write what became of an action, for good."""
    row = {"run": visit.run, "step": visit.at_step, "outcome": delivery.outcome}
    connection.execute(_DID, row | {"at": delivery.at, "reason": delivery.reason})


def _refuse_if_stopped(run: RunState, standing: AnyRow) -> None:
    """Raises Unavailable where the run's journey is being stopped, or nothing at all is to be done now."""
    if run.ended:
        return
    if standing.stopped_at:
        # Nothing may be done any more, and what is written of its end is the stop's to write.
        raise Unavailable(f"{BEING_STOPPED} Ask again in a moment: the run ends with it.")
    if standing.set_back_at:
        raise Unavailable(LOOK_FIRST)


def arrive(connection: Connection, run: RunState, visit: Visit) -> RunState | Unheard | Over:
    """Write the diary of a run that is locked up to the visit.

    Unheard: the walk passed a question without an answer that there is. Over: it has ended. Nothing is written then.
    """
    if run.ended:
        return Over(ended=run.ended)
    if news := unheard(connection, run, visit.unwritten, visit.known, visit.at_step):
        return news
    return advance(connection, run, visit.unwritten)


def step_at(run: RunState, visit: Visit) -> AnyStep:
    """The step of a visit, as it is in the version that the run walks. Raises LookupError."""
    if step := run.version.steps.get(visit.at_step):
        return step
    raise LookupError(f'"{visit.at_step}" is no step of {run.version.name}, version {run.version.number}')


def known_of(connection: Connection, run: RunState, now: datetime) -> Known:
    """What is known of a run that is locked."""
    row = connection.execute(_KNOWN, {"run": run.id}).one()
    became = connection.execute(_BECAME, {"run": run.id}).all()
    return Known(
        version=run.version,
        run=run.id,
        customer_id=run.customer,
        trigger=row.trigger,
        event=row.event,
        customer=row.customer or {},
        now=now,
        sent={sent.step: sent.outcome for sent in became},
        day=run.day,
    )


def _chosen_before(connection: Connection, visit: Visit) -> Choice | None:
    """What the diary has in the line that a choice at this visit writes."""
    line = {"run": visit.run, "n": visit.position.lines, "step": visit.at_step, "at": visit.position.since}
    row = connection.execute(_CHOSEN, line).one_or_none()
    return Choice(arm=row.arm, why=row.why) if row else None


_CHOSEN = select(diary.c.arm, diary.c.why).where(
    diary.c.run == bindparam("run"),
    diary.c.n == bindparam("n"),
    diary.c.step == bindparam("step"),
    diary.c.at == bindparam("at"),  # not what a question was answered with later
    diary.c.did == "passed",
    diary.c.arm.is_not(None),
)
_KNOWN = (
    select(events.c.trigger, events.c.attributes.label("event"), customers.c.attributes.label("customer"))
    .select_from(runs)
    .join(events, (events.c.id == runs.c.event_id) & (events.c.source == runs.c.event_source))
    .outerjoin(customers, customers.c.id == runs.c.customer)
    .where(runs.c.id == bindparam("run"))
)
_BECAME = union_all(
    select(sends.c.step, sends.c.state.label("outcome")).where(
        sends.c.run == bindparam("run"), sends.c.state.in_(("accepted", "blocked", "failed", "unknown"))
    ),
    select(actions.c.step, actions.c.outcome).where(actions.c.run == bindparam("run")),
)
_DID = insert(actions)
_ACTION = select(actions).where(actions.c.run == bindparam("run"), actions.c.step == bindparam("step"))
_STANDING = (
    select(
        versions.c.stopped_at,
        versions.c.moved_at,
        journeys.c.paused_at,
        journeys.c.resumed_at,
        journeys.c.catch_up,
        journeys.c.catch_up_over,
        runs.c.skip_until,
        runs.c.skip_why,
        set_back_at().label("set_back_at"),
    )
    .select_from(runs)
    .outerjoin(journeys, journeys.c.name == runs.c.journey)
    .outerjoin(versions, (versions.c.journey == runs.c.journey) & (versions.c.number == runs.c.version))
    .where(runs.c.id == bindparam("run"))
)
