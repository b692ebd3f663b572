"""Runs that are moved, as whoever publishes a version moves them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection

from store.lifecycle import lock_states
from store.lifecycle_moves import Moving, busy
from store.moves import move
from store.store import Store
from store.versions import load


async def move_runs(
    store: Store,
    ids: list[str],
    to: int,
    now: datetime,
    *,
    names: Mapping[str, str] | None = None,
    though_busy: bool = False,
) -> list[str]:
    """Move those of these runs that are not busy to version *to*, where steps may have other *names*. Returns which."""

    def work(connection: Connection) -> list[str]:
        states = lock_states(connection, ids)
        left = frozenset[str]() if though_busy else busy(connection, ids)
        moves = [
            Moving(state, load(connection, [(state.version.name, to)])[state.version.name, to])
            for state in states.values()
            if state.id not in left
        ]
        move(connection, moves, now, names or {})
        return [made.state.id for made in moves]

    return await store.write(work)
