"""Links to unsubscribe: what each is about, also when the send that it came with has been pruned."""

from __future__ import annotations

from sqlalchemy import Connection, Text, bindparam, literal, null, select, union_all

from journeys.clearance.consent import About, Purpose
from journeys.interactions import Kind
from journeys.models import Frozen
from store.schema import links, sends
from store.store import read_transaction


class Linked(Frozen):
    """Whom a link is of, and of what it opts them out. *recipient*: None where the send is pruned, or went nowhere."""

    send: str
    kind: Kind
    customer: str
    purpose: Purpose
    topic: str | None
    recipient: str | None

    @property
    def about(self) -> About:
        """Of what it opts them out."""
        return About(self.kind, self.purpose, self.topic)


@read_transaction
def find_link(connection: Connection, send: str) -> Linked | None:
    """What the link of a send is about; None where there is no such send."""
    return link_of(connection, send)


def link_of(connection: Connection, send: str) -> Linked | None:
    """The same within a transaction."""
    row = connection.execute(_FIND, {"of_send": send}).first()
    if row is None:
        return None
    return Linked(**row._asdict() | {"purpose": row.purpose or "commercial"})


_send = bindparam("of_send", type_=Text())
# One statement, which sees one moment: it is in the one table or the other while its run is pruned.
_FIND = union_all(
    select(
        sends.c.id.label("send"), sends.c.kind, sends.c.customer, sends.c.purpose, sends.c.topic, sends.c.recipient
    ).where(sends.c.id == _send),
    select(links.c.send, literal("email", Text()), links.c.customer, links.c.purpose, links.c.topic, null()).where(
        links.c.send == _send
    ),
)
