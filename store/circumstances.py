"""What is known where a message is about to be sent: of its run, its customer, its content, and the house's policy."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, select

from journeys.catalogue import Content
from journeys.clearance.addresses import Unsendable, fingerprint
from journeys.clearance.circumstances import Circumstances
from journeys.clearance.clearance import recipients
from journeys.clearance.releases import Resumption, release_of
from journeys.clearance.windows import windows_of
from journeys.dates import Dated
from journeys.definition import send_id
from journeys.language.moments import Moment
from journeys.walk.world import Visit
from store.consents import said_by
from store.house import set_back_at
from store.lifecycle import RunState
from store.policy import column_in_force, ruling
from store.schema import AnyRow, contents, customers, diary, events, journeys, runs, sends, versions
from store.suppressions import suppressed
from store.windows import taken_by


def look(connection: Connection, visit: Visit) -> AnyRow:
    """The ledger's row of the send that a visit is to make, as far as there is one, with all that is read beside it."""
    # A statement of its own after the lock: in PostgreSQL it sees all that was committed before the lock was given.
    about = {"run": visit.run, "step": visit.at_step, "content": visit.message.content}
    return connection.execute(_LOOK, {**about, "send": send_id(visit.run, visit.at_step)}).one()


def expiry_of(run: RunState, visit: Visit, ledger: AnyRow) -> Moment | None:
    """When the message expires, if that is a date."""
    until = visit.message.expiry
    return None if until is None else _dated(run, ledger).expiry(until, visit.position.since)


def circumstances_of(connection: Connection, ledger: AnyRow, run: RunState, visit: Visit) -> Circumstances:
    """What decides about the message, as of this moment: what the customer has said, and had, and where it may go."""
    message, rules = visit.message, ruling(ledger.policy, ledger.policy_customer)
    known = Circumstances(
        event=ledger.event,
        customer=ledger.customer or {},
        content=Content.model_validate(ledger.ready) if ledger.ready else None,
        content_state=ledger.content_state,
        ended=run.why if run.ended else None,
        held=ledger.held_why,
        let_go_at=ledger.released_at,
        paused=ledger.paused_at is not None,
        released=release_of(
            run.held_by,
            visit.position.since,
            let_go_at=ledger.released_at,
            resumed=resumption(ledger),
            spread=rules.policy.spread,
            repaired_at=run.repaired_at,
            moved_at=moved_at(connection, ledger, visit),
        ),
        skipped=skipped(ledger, visit),
        policy=rules.policy,
        schema=rules.customer,
        ignored=run.version.journey.ignored(message),
        zone=_dated(run, ledger).zone,
        day=run.day,
    )
    try:
        named = recipients(message, known.event, known.customer)
    except Unsendable:  # nothing more decides
        return known
    windows = windows_of(
        known.policy, message.kind, known.purpose, message.content, visit.now, day=run.day, anew=known.let_go_at
    )
    return replace(
        known,
        said=said_by(connection, ledger.whose, message.kind, [fingerprint(message.kind, address) for address in named]),
        suppressed=suppressed(connection, message.kind, named),
        taken=taken_by(connection, ledger.whose, windows),
    )


def resumption(row: AnyRow) -> Resumption | None:
    """When the journey of this row was resumed last with what had waited, if it ever was."""
    if row.resumed_at is None or row.catch_up == "skip":
        return None
    over = timedelta(seconds=row.catch_up_over) if row.catch_up == "over" else None
    return Resumption(row.resumed_at, over)


def moved_at(connection: Connection, row: AnyRow, visit: Visit) -> datetime | None:
    """When the run of this row was moved last, if what it comes to may have come due by that."""
    if row.moved_at is None or visit.position.since > row.moved_at:
        return None
    at: datetime | None = connection.execute(_MOVED_AT, {"run": visit.run}).scalar_one()
    return at


def skipped(row: AnyRow, visit: Visit) -> str | None:
    """Why what the run of this row comes to is left out; None where it is not."""
    return row.skip_why if row.skip_until is not None and visit.position.since < row.skip_until else None


def no_sooner_than_skipped(row: AnyRow, visit: Visit) -> Visit:
    """The visit of a run of this row; one that is left out is no sooner than that is so, by whose clock ever.

    What comes next is entered then, and is not left out.
    """
    return visit.at(max(visit.now, row.skip_until)) if skipped(row, visit) else visit


def _dated(run: RunState, ledger: AnyRow) -> Dated:
    house = ruling(ledger.policy, ledger.policy_customer).policy.time_zone
    return Dated(run.version.journey, ledger.event, ledger.customer or {}, house, run.day)


_MOVED_AT = select(func.max(diary.c.at)).where(diary.c.run == bindparam("run"), diary.c.did == "moved")
_other = sends.alias("other")
_LOOK = (
    select(
        sends.c.id.label("send"),
        select(_other.c.id).where(_other.c.id == bindparam("send")).exists().label("id_is_taken"),
        sends.c.state,
        sends.c.attempt,
        sends.c.claimed_at,
        sends.c.at,
        sends.c.reason,
        contents.c.state.label("content_state"),
        contents.c.ready,
        runs.c.customer.label("whose"),
        customers.c.attributes.label("customer"),
        events.c.attributes.label("event"),
        versions.c.stopped_at,
        versions.c.moved_at,
        journeys.c.held_why,
        journeys.c.released_at,
        journeys.c.paused_at,
        journeys.c.resumed_at,
        journeys.c.catch_up,
        journeys.c.catch_up_over,
        runs.c.skip_until,
        runs.c.skip_why,
        set_back_at().label("set_back_at"),
        column_in_force("policy").label("policy"),
        column_in_force("customer").label("policy_customer"),
    )
    .select_from(runs)
    .outerjoin(journeys, journeys.c.name == runs.c.journey)
    .join(events, (events.c.id == runs.c.event_id) & (events.c.source == runs.c.event_source))
    .outerjoin(versions, (versions.c.journey == runs.c.journey) & (versions.c.number == runs.c.version))
    .outerjoin(sends, (sends.c.run == runs.c.id) & (sends.c.step == bindparam("step")))
    .outerjoin(contents, contents.c.name == bindparam("content"))
    .outerjoin(customers, customers.c.id == runs.c.customer)
    .where(runs.c.id == bindparam("run"))
)
