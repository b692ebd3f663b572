"""The ledger of sends: a claim before the provider is called, and its outcome after.

A claim and the end of a run meet at the run's lock, so that no claim succeeds once an exit is committed.
Whoever writes what became of a claim names its attempt, so that one that comes late does not touch a newer claim.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import AwareDatetime
from sqlalchemy import Connection, Text, bindparam, func, insert, select, update

from journeys.catalogue import Content
from journeys.clearance.addresses import fingerprint
from journeys.clearance.circumstances import Blocked, Clear
from journeys.clearance.clearance import clearance, no_longer_than_it_may_be_sent
from journeys.clearance.consent import Purpose
from journeys.definition import send_id
from journeys.interactions import Kind
from journeys.models import Frozen
from journeys.problems import Unavailable, Unknown
from journeys.standing import SendState
from journeys.steps import Message
from journeys.steps.failing import Failure
from journeys.walk.diary import Delivery, Held, Moved
from journeys.walk.position import Unheard
from journeys.walk.world import Visit
from store.answers import unheard
from store.brake import hold_journey
from store.circumstances import circumstances_of, expiry_of, look, no_sooner_than_skipped
from store.effects import job
from store.fence import elsewhere, gone_on, moved_on, walks_another
from store.house import LOOK_FIRST, WentBack, hold_all, refuse_if_ahead
from store.lifecycle import (
    RunState,
    advance,
    end,
    explain,
    hold,
    hold_no_more,
    lock_customer_and_run,
    lock_run,
    pass_step,
    see_run,
)
from store.lifecycle_parked import parked
from store.schema import AnyRow, outbox, runs, sends, storable
from store.store import Again, Store, read_transaction, write_transaction

_KNOWN = ("accepted", "blocked", "failed")

BEING_STOPPED = "The journey is being stopped."
NEVER_REPORTED = "an attempt was started and never reported"


class Go(Frozen):
    """The send is claimed: call the provider now, and record what became of this *attempt*.

    *values* fill in the content. *expires_at*: from then on it is not to be sent any more.
    """

    send_id: str
    attempt: int
    to: str
    content: Content
    values: dict[str, dict[str, object]]
    expires_at: AwareDatetime | None = None


class Done(Frozen):
    """There is nothing to call: this is what became of the send, and it is recorded."""

    delivery: Delivery


Claim = Go | Done | Held | Unheard | Moved


class SendRecord(Frozen):
    """What the ledger knows of a send. *purpose* and *topic* are those it had when it was sent.

    *recipient* is None where no provider was to be called; *at* is when its outcome came.
    """

    id: str
    step: str
    kind: Kind
    content: str
    purpose: Purpose | None
    topic: str | None
    recipient: str | None
    state: SendState
    attempt: int
    claimed_at: AwareDatetime | None
    expires_at: AwareDatetime | None
    at: AwareDatetime | None
    reason: str
    provider_id: str | None


class Send(SendRecord):
    """One send, and whose it is."""

    run: str
    customer: str


async def claim(store: Store, visit: Visit) -> Claim:
    """Ask for the right to send at a visit, once, and write the diary up to there.

    What is not to be sent is recorded at once, with the lines that record() would write.
    ``unknown`` is no such outcome: it adds no lines before settle() does.
    Unheard: the walk passed a question without an answer that there is, so nothing is written and nothing is claimed.
    Moved: the run is elsewhere than its walk, so neither. Raises Unknown where there is no such run, and WentBack where
    the database shows that it was set back.
    """
    try:
        return await _claim(store, visit)
    except WentBack as error:
        await hold_all(store, error.why, visit.now)
        raise


@write_transaction
def _claim(connection: Connection, visit: Visit) -> Claim:
    run = lock_customer_and_run(connection, visit.run)
    if moved := elsewhere(connection, run, visit):
        return moved
    # Of the version that it walks: what an earlier release told Temporal of a step was not all of it.
    visit = visit.model_copy(update={"step": _message(run, visit.at_step)})
    ledger = look(connection, visit)
    if before := _became(ledger):
        return _claimed_before(connection, run, visit, ledger, before)
    if moved := gone_on(connection, run, visit):
        return moved
    if visit.version and (news := unheard(connection, run, visit.unwritten, visit.known, visit.at_step)):
        return news  # a walk of release 0.1, which names no version, would not understand it
    if ledger.stopped_at and not run.ended:
        # Nothing may be sent any more, and what is written of its end is the stop's to write.
        raise Unavailable(f"{BEING_STOPPED} Ask again in a moment: the run ends with it.")
    if ledger.set_back_at and not run.ended:
        raise Unavailable(LOOK_FIRST)
    refuse_if_ahead(run, visit)
    run = left(connection, advance(connection, run, visit.unwritten), ledger.customer or {}, visit.now)
    if (expiry := expiry_of(run, visit, ledger)) and not run.ended:
        if run.step == visit.at_step:  # not where an attempt comes late, and the run has left a series meanwhile
            explain(connection, run, expiry.why)
        visit = visit.expiring(expiry.at)
    return parked(connection, run, visit) or _claim_anew(connection, run, visit, ledger)


@read_transaction
def expiring(connection: Connection, visit: Visit) -> Visit:
    """The same visit; where its message expires at a date, with that date as it is now. Nothing is claimed."""
    if visit.message.expiry is None:
        return visit
    expiry = expiry_of(see_run(connection, visit.run), visit, look(connection, visit))
    return visit.expiring(expiry.at) if expiry else visit


async def record(store: Store, visit: Visit, attempt: int, delivery: Delivery, provider_id: str | None) -> Moved | None:
    """Write what became of a claimed send, and that its step is passed.

    The following step is entered; where none follows, the run is complete. One that has ended meanwhile stays as it is.
    An acceptance counts whichever attempt it is of: a provider has the message.
    Moved: the run walks another version meanwhile. The outcome is written, and nothing else.
    """
    stands = await settle(store, visit, attempt, delivery, provider_id)
    return stands if isinstance(stands, Moved) else None


async def settle(
    store: Store, visit: Visit, attempt: int, delivery: Delivery, provider_id: str | None = None
) -> Delivery | Moved | None:
    """Write what was found out about an unknown send, as record() does; ``unknown`` where nobody can tell, for good.

    Returns what stands: what is known already goes before what was found. None where a newer attempt is under way.
    Moved, as for record().
    """
    delivery = delivery.model_copy(update={"reason": storable(delivery.reason)})
    provider_id = storable(provider_id) if provider_id else None
    try:
        return await _conclude(store, visit, attempt, delivery, provider_id)
    except Exception as error:
        if isinstance(error, Unavailable) and not isinstance(error, Again):
            raise
        # Whatever keeps the run from going on: what a provider has must be known, or it would be sent again.
        await _write_alone(store, visit, attempt, delivery, provider_id)
        raise


@write_transaction
def release(connection: Connection, visit: Visit, attempt: int, reason: str) -> None:
    """Give a claim back: the provider took nothing for now, and a later attempt may claim again.

    One that was in doubt meanwhile, as its attempt took so long, is so no more.
    """
    run = lock_run(connection, visit.run)
    statement = _RELEASE_DOUBT if run.step == visit.at_step else _RELEASE
    connection.execute(statement, _given_up(visit, attempt, reason))


@write_transaction
def park(
    connection: Connection, visit: Visit, attempt: int, failure: Failure, why: str, reason: str | None = None
) -> Held | None:
    """Give the claim of a send that has failed back, and let its run stand there until somebody repairs it.

    *why* goes to whoever asks about many runs, and holds nothing of a customer; the ledger keeps the *reason*, which
    may. None where the run goes on, as its step says so, or as it has ended or gone on: nothing is written then.
    """
    run = lock_run(connection, visit.run)
    if run.step != visit.at_step or walks_another(connection, run, visit.version):
        return None
    if not _message(run, visit.at_step).parks(failure):
        return None
    if not connection.execute(_RELEASE_DOUBT, _given_up(visit, attempt, reason or why)).rowcount:
        return None
    held = no_longer_than_it_may_be_sent(Held(until=None, why=storable(why), by="park"), visit)
    assert isinstance(held, Held)  # noqa: S101 - what is held stays so
    hold(connection, run, held, visit.now)
    return held


@write_transaction
def lost(connection: Connection, visit: Visit, attempt: int, reason: str) -> None:
    """No answer came: the send is unknown, until it is proved, settled or sent again. Its step is not passed."""
    connection.execute(_LOSE, _given_up(visit, attempt, reason))


@write_transaction
def again(connection: Connection, visit: Visit, attempt: int) -> bool:
    """The provider surely has not got an unknown send, or a repeat does no harm: let it be claimed again.

    Returns False where it may not be: it was proved, settled or claimed meanwhile, or the run has ended.
    """
    run = lock_run(connection, visit.run)
    if run.step != visit.at_step:
        return False
    return bool(connection.execute(_AGAIN, _of(visit, attempt)).rowcount)


async def prove(store: Store, send: str, provider_id: str | None, at: datetime) -> bool:
    """A provider reports on a send, so it has it, whatever we thought. Returns whether that is news.

    An id that no provider was ever given, or that we do not know, changes nothing.
    """
    row = await _find(store, send)
    if row is None or row.state == "accepted":
        return False
    # The run's clock may be ahead of the provider's, and a send is not accepted before it is claimed.
    at = max(at, row.claimed_at or at)
    return await _prove(store, row.run, {"send": send, "to_provider_id": provider_id, "to_at": at})


@write_transaction
def give_up_stale(connection: Connection, now: datetime, older_than: timedelta) -> int:
    """Call those sends of ended runs unknown that were claimed too long ago to be heard of. Returns how many."""
    given_up = connection.execute(_GIVE_UP, {"before": now - older_than})
    return given_up.rowcount


@read_transaction
def get_send(connection: Connection, id: str) -> Send:
    """One send. Raises Unknown."""
    row = connection.execute(_ONE, {"send": id}).one_or_none()
    if row is None:
        raise Unknown(f'There is no send "{id}".')
    return Send(**row._asdict())


@read_transaction
def latest_send(connection: Connection, kind: Kind, address: str) -> Send | None:
    """The latest send to an address that a provider was called for: what an answer from there is about."""
    row = connection.execute(_LATEST, {"kind": kind, "to": fingerprint(kind, address)}).one_or_none()
    return Send(**row._asdict()) if row else None


@read_transaction
def _find(connection: Connection, id: str) -> AnyRow | None:
    return connection.execute(_ONE, {"send": id}).one_or_none()


@write_transaction
def _prove(connection: Connection, run: str, proved: dict[str, object]) -> bool:
    lock_run(connection, run)  # a claim looks first and writes then: not in between
    return bool(connection.execute(_PROVE, proved).rowcount)


_INSERT = insert(sends)
_CAME_TO = update(sends).values({name: bindparam(f"to_{name}") for name in ("state", "at", "reason", "provider_id")})
_named = sends.alias("named")
# Where its step has another name meanwhile, an attempt that comes late is known by the id that it had.
_it = sends.c.id == func.coalesce(
    select(_named.c.id)
    .where(_named.c.run == bindparam("of_run"), _named.c.step == bindparam("of_step"))
    .scalar_subquery(),
    bindparam("send", type_=Text()),
)
_this = _it & (sends.c.attempt == bindparam("of_attempt"))
# An outcome that comes late is better than none, as long as nobody has tried again.
_RECORD = _CAME_TO.where(_this, sends.c.state.in_(("claimed", "released", "unknown")))
# What a provider has accepted stays accepted, whatever earlier or later attempts came to.
_RECORD_ACCEPTED = _CAME_TO.where(_it, sends.c.state != "accepted", sends.c.attempt > 0)
_GIVEN_UP = update(sends).values(at=bindparam("to_at"), reason=bindparam("to_reason"))
_RELEASE = _GIVEN_UP.where(_this, sends.c.state == "claimed").values(state="released")
_RELEASE_DOUBT = _GIVEN_UP.where(_this, sends.c.state.in_(("claimed", "unknown"))).values(state="released")
_LOSE = _GIVEN_UP.where(_this, sends.c.state == "claimed").values(state="unknown")
_AGAIN = (
    update(sends)
    .where(_this, sends.c.state == "unknown")
    .values(state="released", reason="", repeats=sends.c.repeats + 1)
)
# An earlier attempt may have gone out although a later one was refused or blocked.
_PROVE = (
    update(sends)
    .where(sends.c.id == bindparam("send"), sends.c.state != "accepted", sends.c.attempt > 0)
    .values(
        state="accepted",
        at=bindparam("to_at"),
        reason="",
        provider_id=func.coalesce(bindparam("to_provider_id", type_=Text()), sends.c.provider_id),
    )
)
_GIVE_UP = (
    update(sends)
    .where(
        sends.c.state == "claimed",
        sends.c.claimed_at < bindparam("before"),
        select(runs.c.id).where(runs.c.id == sends.c.run, runs.c.ended.is_not(None)).exists(),
    )
    .values(state="unknown", at=sends.c.claimed_at, reason=NEVER_REPORTED)
)
_ONE = select(sends).where(sends.c.id == bindparam("send"))
_IT = select(sends).where(_it)
_LATEST = (
    select(sends)
    .where(sends.c.address == bindparam("to"), sends.c.kind == bindparam("kind"))
    .order_by(sends.c.claimed_at.desc(), sends.c.id)
    .limit(1)
)


def _claimed_before(connection: Connection, run: RunState, visit: Visit, ledger: AnyRow, before: Delivery) -> Done:
    """Nothing is claimed twice: the answer is what became of it."""
    if before.outcome == "unknown":
        _write_row(connection, visit, ledger, _outcome(before))
    else:  # it may have been a report that proved it, and no lines were added then
        pass_step(connection, run, visit.lines_after(before))
    return Done(delivery=before)


def left(connection: Connection, run: RunState, customer: Mapping[str, object], at: datetime) -> RunState:
    """The run, ended where its customer meets an exit on a condition.

    A change has ended it already, as long as whoever made it told of it: an earlier release would not.
    """
    if run.ended or not (why := run.version.exited_by(customer)):
        return run
    reason = f"exit: {why}"
    connection.execute(insert(outbox), job(run.id, "cancel", {"reason": reason}, at))
    return end(connection, run, "exit", reason, at)


def _claim_anew(connection: Connection, run: RunState, visit: Visit, ledger: AnyRow) -> Claim:
    """Ask for clearance, and write what it says: the claim, that it is held, or that nothing is sent."""
    visit = no_sooner_than_skipped(ledger, visit)
    known = circumstances_of(connection, ledger, run, visit)
    row = _as_of_now(known.content, visit.expires_at)
    answer = clearance(visit, known)
    match no_longer_than_it_may_be_sent(answer, visit):
        case Held() as held:
            if run.step == visit.at_step:  # as above
                hold(connection, run, held, visit.now)
            if held.by == "park":
                _write_row(connection, visit, ledger, row | {"state": "released", "at": visit.now, "reason": held.why})
            if isinstance(answer, Held) and answer.by == "brake" and known.held is None:
                # All of the journey is held, and not until this message expires.
                hold_journey(connection, run.version.name, answer.why, known.let_go_at, visit.now)
            return held
        case Blocked(why=why):
            blocked = Delivery(outcome="blocked", at=visit.now, reason=why)
            if known.ended is None:  # else the end is all that there is to know
                _write_row(connection, visit, ledger, row | _outcome(blocked))
                pass_step(connection, run, visit.lines_after(blocked))
            return Done(delivery=blocked)
        case Clear(to=to, notes=notes):
            if run.held_by:
                hold_no_more(connection, run)
            if notes and run.step == visit.at_step:
                explain(connection, run, "; ".join(notes))
            attempt = (ledger.attempt or 0) + 1
            _write_row(connection, visit, ledger, row | _claimed(attempt, visit, to))
            assert known.content is not None  # noqa: S101 - one that is ready is there
            values = {"event": dict(known.event), "customer": dict(known.customer)}
            return Go(
                send_id=_id(visit, ledger),
                attempt=attempt,
                to=to,
                content=known.content,
                values=values,
                expires_at=visit.expires_at,
            )


def _became(ledger: AnyRow) -> Delivery | None:
    """What became of the send before; None where it may be claimed, for the first time or again."""
    if ledger.state == "claimed":
        return Delivery(outcome="unknown", at=ledger.claimed_at, reason=NEVER_REPORTED)
    return None if ledger.state in (None, "released") else _stored(ledger)


def _stored(row: AnyRow) -> Delivery:
    return Delivery(outcome=row.state, at=row.at, reason=row.reason)


def _message(run: RunState, step: str) -> Message:
    version = run.version
    if message := version.journey.message(step):
        return message
    raise LookupError(f'"{step}" is no message step of {version.name}, version {version.number}')


def _write_row(connection: Connection, visit: Visit, ledger: AnyRow, row: dict[str, object]) -> None:
    """Write the send's row: a claim, or the outcome of a send that is not made."""
    id, message = _id(visit, ledger), visit.message
    if ledger.state is None:
        whose = {"id": id, "run": visit.run, "customer": ledger.whose, "step": message.id}
        about = {"kind": message.kind, "content": message.content, "attempt": 0}
        connection.execute(_INSERT, {**whose, **about, **row})
    else:
        connection.execute(update(sends).where(sends.c.id == id).values(row))


def _id(visit: Visit, ledger: AnyRow) -> str:
    """The send's id, for life, whatever its step was called when it was first claimed."""
    if ledger.send is not None:
        return str(ledger.send)
    # A message of a run that was moved may have been called so before, and has the id.
    other = f"{visit.at_step} of version {visit.version}"
    return send_id(visit.run, other if ledger.id_is_taken else visit.at_step)


def _as_of_now(content: Content | None, expires_at: datetime | None) -> dict[str, object]:
    about = {"purpose": content.purpose, "topic": content.topic} if content else {}
    return {**about, "expires_at": expires_at}


def _claimed(attempt: int, visit: Visit, to: str) -> dict[str, object]:
    whereto = {"recipient": to, "address": fingerprint(visit.message.kind, to)}
    return {"state": "claimed", "attempt": attempt, "claimed_at": visit.now, "at": None, "reason": "", **whereto}


def _outcome(delivery: Delivery) -> dict[str, object]:
    return {"state": delivery.outcome, "at": delivery.at, "reason": delivery.reason}


def _of(visit: Visit, attempt: int) -> dict[str, object]:
    named = {"of_run": visit.run, "of_step": visit.at_step}
    return {**named, "send": send_id(visit.run, visit.at_step), "of_attempt": attempt}


def _given_up(visit: Visit, attempt: int, reason: str) -> dict[str, object]:
    return _of(visit, attempt) | {"to_at": visit.now, "to_reason": storable(reason)}


@write_transaction
def _conclude(
    connection: Connection, visit: Visit, attempt: int, delivery: Delivery, provider_id: str | None
) -> Delivery | Moved | None:
    """Write the outcome, or keep the one that there is, and pass the step with what stands."""
    run = lock_run(connection, visit.run)
    stands = _write_outcome(connection, visit, attempt, delivery, provider_id)
    if moved := moved_on(connection, run, visit.version, visit.now):
        return moved
    if stands:
        pass_step(connection, run, visit.lines_after(stands))
    return stands


@write_transaction
def _write_alone(
    connection: Connection, visit: Visit, attempt: int, delivery: Delivery, provider_id: str | None
) -> None:
    _write_outcome(connection, visit, attempt, delivery, provider_id)


def _write_outcome(
    connection: Connection, visit: Visit, attempt: int, delivery: Delivery, provider_id: str | None
) -> Delivery | None:
    """Returns what stands; None where a newer attempt is still to come to its outcome."""
    written = {f"to_{name}": value for name, value in _outcome(delivery).items()}
    sent = _of(visit, attempt) | written | {"to_provider_id": provider_id}
    statement = _RECORD_ACCEPTED if delivery.outcome == "accepted" else _RECORD
    if connection.execute(statement, sent).rowcount:
        return delivery
    row = connection.execute(_IT, sent).one_or_none()
    return _stored(row) if row and row.state in _KNOWN else None
