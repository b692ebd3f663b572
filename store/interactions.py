"""What became of sends, as it was told: what is needed to tell people from programs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, or_, select, true, update

from journeys.interactions import Interaction
from store.schema import Time, among, interactions
from store.store import read_transaction, write_transaction


class Seen(NamedTuple):
    """One interaction with a send, and whether a program is known to have done it. *at* is aware UTC."""

    event: str
    source: str
    send: str
    interaction: Interaction
    at: datetime
    link: str | None
    machine: bool


@read_transaction
def clicks_near(connection: Connection, sends: Sequence[str], since: datetime, until: datetime) -> list[Seen]:
    """When *sends* were delivered, and the clicks on them from *since* to *until*, these included."""
    rows = connection.execute(_NEAR, {"sends": list(sends), "since": since, "until": until})
    return [Seen(**row._asdict()) for row in rows]


@write_transaction
def mark_as_machines(connection: Connection, source: str, events: Sequence[str]) -> None:
    """A program did what *events* of *source* tell, as was found out later."""
    connection.execute(_MARK, {"from_source": source, "events": list(events)})


_NEAR = select(*(interactions.c[field] for field in Seen._fields)).where(
    among(interactions.c.send, "sends"),
    or_(
        interactions.c.interaction == "delivered",
        (interactions.c.interaction == "clicked")
        & interactions.c.at.between(bindparam("since", type_=Time()), bindparam("until", type_=Time())),
    ),
)
_MARK = (
    update(interactions)
    .where(interactions.c.source == bindparam("from_source"), among(interactions.c.event, "events"))
    .values(machine=true())
)
