"""Runs that go on in another version: moved here at once, and Temporal is told where each of them begins anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, insert

from journeys.moving import NO_NAMES, Names
from store.effects import job
from store.lifecycle_moves import Moving, set_versions
from store.many import write_each
from store.positions import run_inputs
from store.schema import outbox


def move(
    connection: Connection, moves: Sequence[Moving], now: datetime, names: Names = NO_NAMES, *, bulk: bool = True
) -> None:
    """Move runs that lock_states() has locked and that are not busy(), a few dozen at once.

    *names*: what their steps are called now, where that is another name.
    What a walk of their old version still says is not written from now on, and Temporal is told where to go on.
    *bulk*: they are some of very many, so that all others are told first. Raises Unknown where there is no such step.
    """
    set_versions(connection, moves, now, names)
    tell(connection, [move.state.id for move in moves], now, bulk=bulk)


def tell(connection: Connection, ids: Sequence[str], now: datetime, *, bulk: bool = True) -> None:
    """Tell Temporal where those of these runs stand that are under way. One that has come as far goes on as it does."""
    told: Mapping[str, Mapping[str, object]] = run_inputs(connection, ids)
    rows = [job(run, "move", payload, now) | {"bulk": bulk} for run, payload in sorted(told.items())]
    write_each(connection, insert(outbox), rows)
