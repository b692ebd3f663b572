"""The channels' states: a provider that takes nothing from us is down, until it takes something again."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime
from sqlalchemy import Connection, bindparam, insert, select, update

from journeys.interactions import Kind
from journeys.models import Frozen
from store import schema
from store.store import Store, read_transaction, write_transaction

ChannelState = Literal["ok", "down"]


class ChannelView(Frozen):
    """The state of a channel, why, and since when (aware UTC)."""

    kind: Kind
    state: ChannelState
    reason: str
    since: AwareDatetime


async def set_channel(store: Store, kind: Kind, state: ChannelState, reason: str, now: datetime) -> bool:
    """Note that a channel is down, and why, or that it works. Returns whether that is news.

    Asked after every send, so where there is nothing to write it only reads.
    """
    before = (await channels(store)).get(kind)
    if before and (before.state, before.reason) == (state, reason):
        return False
    return await _set(store, ChannelView(kind=kind, state=state, reason=reason, since=now))


@read_transaction
def channels(connection: Connection) -> dict[Kind, ChannelView]:
    """The channels of which anything is known. Others have not been used yet."""
    rows = connection.execute(select(schema.channels))
    return {row.kind: ChannelView(**row._asdict()) for row in rows}


def channels_down(connection: Connection) -> list[ChannelView]:
    """The channels that are down."""
    rows = connection.execute(select(schema.channels).where(schema.channels.c.state == "down"))
    return [ChannelView(**row._asdict()) for row in rows]


@write_transaction
def _set(connection: Connection, now: ChannelView) -> bool:
    before = connection.execute(_ONE, {"channel": now.kind}).one_or_none()
    if before is None:
        connection.execute(insert(schema.channels), now.model_dump())
        return now.state == "down"
    news: bool = before.state != now.state
    since = now.since if news else before.since
    row = {"channel": now.kind, "to_state": now.state, "to_reason": now.reason, "to_since": since}
    connection.execute(_UPDATE, row)
    return news


_ONE = select(schema.channels).where(schema.channels.c.kind == bindparam("channel")).with_for_update()
_UPDATE = (
    update(schema.channels)
    .where(schema.channels.c.kind == bindparam("channel"))
    .values(state=bindparam("to_state"), reason=bindparam("to_reason"), since=bindparam("to_since"))
)
