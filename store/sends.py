"""The ledger of sends: a claim before the provider is called, and its outcome after.

A claim and the end of a run meet at the run's lock, so that no claim succeeds once an exit is committed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from journeys.catalogue import Content
from journeys.definition import Message, send_id
from journeys.diary import Delivery, Entry, Outcome, after_send
from journeys.messaging import recipient
from store.diary import Standing, end, go_on, stand
from store.schema import AnyRow, contents, customers, events, runs, sends
from store.store import Store, retried

SendState = Literal["claimed", "released"] | Outcome
NEVER_REPORTED = "an attempt was started and never reported"


class Go(BaseModel):
    """The send is claimed: call the provider now, and record what became of it. *values* fill in the content."""

    model_config = ConfigDict(frozen=True)

    send_id: str
    to: str
    content: Content
    values: dict[str, dict[str, object]]


class Done(BaseModel):
    """There is nothing to call: this is what became of the send, and it is recorded."""

    model_config = ConfigDict(frozen=True)

    delivery: Delivery


Claim = Go | Done


@retried
async def claim(
    store: Store,
    *,
    run: str,
    step: str,
    now: datetime,
    entries: Sequence[Entry],
    n: int,
    following: str | None,
) -> Claim:
    """Ask for the right to send, once, and write the diary up to here (*entries*).

    What is not to be sent is recorded at once, with the lines that record() would write from *n* and *following*.
    Raises Unknown where there is no such run.
    """
    async with store.write() as connection:
        standing = await stand(store, connection, run)
        message = _message(standing, step)
        ledger = await _look(connection, run, message)
        if over := _over(ledger, standing, now):
            return Done(delivery=over)
        standing = await go_on(connection, standing, entries)
        to, refusal = _addressee(ledger, message, now)
        if refusal:
            await _enter(connection, run, message, ledger, _outcome(refusal))
            await _pass(connection, standing, step, refusal, n, following)
            return Done(delivery=refusal)
        await _enter(connection, run, message, ledger, _claimed(ledger, to, now))
        values = {"event": ledger.event, "customer": ledger.customer or {}}
        return Go(send_id=send_id(run, step), to=to, content=Content.model_validate(ledger.ready), values=values)


@retried
async def record(
    store: Store,
    *,
    run: str,
    step: str,
    delivery: Delivery,
    provider_id: str | None,
    following: str | None,
    n: int,
) -> None:
    """Write what became of a claimed send, and that its step is passed: the diary's lines from *n* on.

    *following* is the step that is entered; None completes the run. A run that has ended meanwhile stays as it is.
    """
    async with store.write() as connection:
        standing = await stand(store, connection, run)
        sent = {"send": send_id(run, step), "to_provider_id": provider_id}
        await connection.execute(_RECORD, sent | {f"to_{name}": value for name, value in _outcome(delivery).items()})
        await _pass(connection, standing, step, delivery, n, following)


@retried
async def release(store: Store, *, run: str, step: str, now: datetime, reason: str) -> None:
    """Give a claim back: the provider took nothing for now, and a later attempt may claim again."""
    async with store.write() as connection:
        await connection.execute(_RELEASE, {"send": send_id(run, step), "to_at": now, "to_reason": reason})


@retried
async def give_up_stale(store: Store, now: datetime, older_than: timedelta) -> int:
    """Call those sends of ended runs unknown that were claimed too long ago to be heard of. Returns how many."""
    async with store.write() as connection:
        given_up = await connection.execute(_GIVE_UP, {"before": now - older_than})
        return given_up.rowcount


# An outcome that comes late is better than none, but what a provider has accepted stays accepted.
_RECORD = (
    update(sends)
    .where(sends.c.id == bindparam("send"), sends.c.state.in_(("claimed", "released", "unknown")))
    .values({name: bindparam(f"to_{name}") for name in ("state", "at", "reason", "provider_id")})
)
_RELEASE = (
    update(sends)
    .where(sends.c.id == bindparam("send"), sends.c.state == "claimed")
    .values(state="released", at=bindparam("to_at"), reason=bindparam("to_reason"))
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
_LOOK = (
    select(
        sends.c.state,
        sends.c.attempt,
        sends.c.claimed_at,
        sends.c.at,
        sends.c.reason,
        contents.c.state.label("content_state"),
        contents.c.ready,
        customers.c.attributes.label("customer"),
        events.c.attributes.label("event"),
    )
    .select_from(runs)
    .join(events, (events.c.id == runs.c.event_id) & (events.c.source == runs.c.event_source))
    .outerjoin(sends, (sends.c.run == runs.c.id) & (sends.c.step == bindparam("step")))
    .outerjoin(contents, contents.c.name == bindparam("content"))
    .outerjoin(customers, customers.c.id == runs.c.customer)
    .where(runs.c.id == bindparam("run"))
)


async def _look(connection: AsyncConnection, run: str, message: Message) -> AnyRow:
    # A statement of its own after the lock: in PostgreSQL it sees all that was committed before the lock was given.
    return (await connection.execute(_LOOK, {"run": run, "step": message.id, "content": message.content})).one()


def _over(ledger: AnyRow, standing: Standing, now: datetime) -> Delivery | None:
    """What became of the send before, or what becomes of every send of a run that has ended."""
    if ledger.state not in (None, "claimed", "released"):
        return Delivery(outcome=ledger.state, at=ledger.at, reason=ledger.reason)
    if standing.ended and ledger.state != "claimed":
        return Delivery(outcome="blocked", at=now, reason=f"the run has ended: {standing.why}")
    return None


def _message(standing: Standing, step: str) -> Message:
    version = standing.version
    if message := version.journey.message(step):
        return message
    raise LookupError(f'"{step}" is no message step of {version.name}, version {version.number}')


def _addressee(ledger: AnyRow, message: Message, now: datetime) -> tuple[str, Delivery | None]:
    """The address that the message goes to, or why it does not go out."""
    if ledger.state == "claimed":
        return "", Delivery(outcome="unknown", at=ledger.claimed_at, reason=NEVER_REPORTED)
    if ledger.content_state != "ready":
        why = f'content "{message.content}" is {ledger.content_state or "not there"}, not ready to send'
        return "", Delivery(outcome="blocked", at=now, reason=why)
    to, why = recipient(message, ledger.event, ledger.customer or {})
    return to or "", None if to else Delivery(outcome="blocked", at=now, reason=why)


async def _enter(
    connection: AsyncConnection, run: str, message: Message, ledger: AnyRow, row: dict[str, object]
) -> None:
    """Write the send's row: a claim, or the outcome of a send that is not made."""
    id = send_id(run, message.id)
    if ledger.state is None:
        about = {"id": id, "run": run, "step": message.id, "kind": message.kind, "content": message.content}
        await connection.execute(insert(sends), {**about, "attempt": 0, **row})
    else:
        await connection.execute(update(sends).where(sends.c.id == id).values(row))


def _claimed(ledger: AnyRow, to: str, now: datetime) -> dict[str, object]:
    attempt = (ledger.attempt or 0) + 1
    return {"state": "claimed", "attempt": attempt, "claimed_at": now, "recipient": to, "at": None, "reason": ""}


def _outcome(delivery: Delivery) -> dict[str, object]:
    return {"state": delivery.outcome, "at": delivery.at, "reason": delivery.reason}


async def _pass(
    connection: AsyncConnection, standing: Standing, step: str, delivery: Delivery, n: int, following: str | None
) -> None:
    """The step is passed, and the next one entered, or the run is complete."""
    standing = await go_on(connection, standing, after_send(n, step, delivery, following))
    if following is None:
        await end(connection, standing, "completed", "all steps done", delivery.at)
