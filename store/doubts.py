"""A send of which nobody knows whether it went out: all that helps to find out."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import AwareDatetime
from sqlalchemy import Connection, bindparam, select

from journeys.catalogue import Content
from journeys.models import Frozen
from journeys.problems import Unknown
from journeys.standing import SendState
from journeys.walk.diary import Delivery
from journeys.walk.world import Visit
from store.schema import Time, contents, customers, events, runs, sends
from store.store import read_transaction

NEAR = timedelta(hours=1)
"""Sends to the same address that were claimed this near may be taken one for another."""


class Doubt(Frozen):
    """A send as it stands, with what it was filled in with.

    *attempt*: the one that is in doubt. *repeats*: how often it was sent again because of that.
    *content* is the one that is ready now, which may be another than was sent. *taken* are the provider's ids of other
    sends to the same address about that time.
    """

    send_id: str
    state: SendState
    attempt: int
    repeats: int
    at: AwareDatetime
    reason: str
    claimed_at: AwareDatetime
    to: str
    content: Content | None
    values: dict[str, dict[str, object]]
    taken: frozenset[str]

    @property
    def known(self) -> Delivery | None:
        """What became of it, where that is no longer in doubt."""
        match self.state:
            case "claimed" | "released" | "unknown":
                return None
            case outcome:
                return Delivery(outcome=outcome, at=self.at, reason=self.reason)


@read_transaction
def look(connection: Connection, visit: Visit) -> Doubt:
    """The send of a visit. Raises Unknown where it was never claimed."""
    run, step = visit.run, visit.at_step
    row = connection.execute(_SEND, {"run": run, "step": step}).one_or_none()
    if row is None or row.claimed_at is None:
        raise Unknown(f'The step "{step}" of run "{run}" was never about to be sent.')
    near = {"near_to": row.address, "but": row.id, **_around(row.claimed_at)}
    taken = connection.execute(_TAKEN, near).scalars()
    return Doubt(
        send_id=row.id,
        state=row.state,
        attempt=row.attempt,
        repeats=row.repeats,
        at=row.at or row.claimed_at,
        reason=row.reason,
        claimed_at=row.claimed_at,
        to=row.recipient or "",
        content=Content.model_validate(row.ready) if row.ready else None,
        values={"event": row.event, "customer": row.customer or {}},
        taken=frozenset(taken),
    )


def _around(at: datetime) -> dict[str, datetime]:
    return {"earliest": at - NEAR, "latest": at + NEAR}


_SEND = (
    select(
        sends.c.id,
        sends.c.state,
        sends.c.attempt,
        sends.c.repeats,
        sends.c.at,
        sends.c.reason,
        sends.c.claimed_at,
        sends.c.recipient,
        sends.c.address,
        contents.c.ready,
        customers.c.attributes.label("customer"),
        events.c.attributes.label("event"),
    )
    .select_from(sends)
    .join(runs, runs.c.id == sends.c.run)
    .join(events, (events.c.id == runs.c.event_id) & (events.c.source == runs.c.event_source))
    .outerjoin(contents, contents.c.name == sends.c.content)
    .outerjoin(customers, customers.c.id == runs.c.customer)
    .where(sends.c.run == bindparam("run"), sends.c.step == bindparam("step"))
)
_TAKEN = select(sends.c.provider_id).where(
    sends.c.address == bindparam("near_to"),
    sends.c.id != bindparam("but"),
    sends.c.provider_id.is_not(None),
    sends.c.claimed_at.between(bindparam("earliest", type_=Time()), bindparam("latest", type_=Time())),
)
