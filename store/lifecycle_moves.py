"""Runs that go on in another version: a part of ``lifecycle.py``, which alone writes runs, diary and counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, or_, select, update

from journeys.moving import Names, another, posts_another, say_move
from journeys.problems import Unknown
from journeys.versions import Version
from journeys.walk.diary import Entry
from store.diaries import entry_of
from store.lifecycle import ADD_LINES, FORGET_CALLS, THESE, Counted, Row, RunState, add_counts, line_row
from store.lifecycle_names import rename_steps
from store.lifecycle_parked import park_no_more
from store.many import write_each
from store.schema import calls, diary, runs, sends


@dataclass(frozen=True)
class Moving:
    """A run that is locked, and the version in which it goes on, at the step at which it stands."""

    state: RunState
    to: Version


def busy(connection: Connection, ids: Collection[str]) -> frozenset[str]:
    """Which of these runs wait for what becomes of something that they do: they are not to be moved now.

    A message is between its claim and its outcome, or in doubt; or an endpoint is being called.
    """
    return frozenset(connection.execute(_BUSY, {"runs": sorted(ids)}).scalars())


def set_versions(connection: Connection, moves: Sequence[Moving], now: datetime, names: Names) -> None:
    """Let runs that lock_states() locked walk other versions, whose steps may have other *names*.

    Since when they stand where they stand stays, and so does what holds them there, and the call that is to be tried
    again. Raises Unknown where the version does not have the step.
    """
    ids = [move.state.id for move in moves]
    steps = {move.state.id: _step(move, names) for move in moves}
    rename_steps(connection, ids, names)
    stand = {row.run: entry_of(row) for row in connection.execute(_STAND, {"runs": ids})}
    lines: list[Row] = []
    rows: list[Row] = []
    for move in moves:
        run, step, n = move.state.id, steps[move.state.id], move.state.lines
        told = Entry(n=n, at=now, step=step, did="moved", why=say_move(move.state.version, move.to))
        lines += [line_row(run, entry) for entry in (told, _stands(move, step, stand[run]))]
        rows.append({"of_run": run, "to_version": move.to.number, "to_step": step, "to_lines": n + 2})
    write_each(connection, ADD_LINES, lines)
    write_each(connection, _MOVE, rows)
    _try_what_is_another(connection, moves, names, now)
    _count(connection, moves)


def _step(move: Moving, names: Names) -> str:
    step = move.state.step or ""
    there = names.get(step, step)
    if there not in move.to.steps:
        raise Unknown(f'Version {move.to.number} of "{move.to.name}" has no step "{there}".')
    return there


def _stands(move: Moving, step: str, stood: Entry) -> Entry:
    """The line that says where the run stands, since when it has stood there."""
    returned = stood.did == "returned" and step in move.to.series
    return Entry(n=move.state.lines + 1, at=stood.at, step=step, did="returned" if returned else "entered")


def _try_what_is_another(connection: Connection, moves: Sequence[Moving], names: Names, now: datetime) -> None:
    """What failed is tried again, where its step is another one now; and what is posted is worked out again."""
    parked = [move for move in moves if move.state.held_by == "park"]
    to_repair, to_post = (
        [move.state.id for move in some if is_so(move.state.version, move.to, move.state.step or "", names)]
        for some, is_so in ((parked, another), (moves, posts_another))
    )
    if to_repair:
        park_no_more(connection, to_repair, f"its step is another one in version {moves[0].to.number}", now)
    if to_post:
        connection.execute(FORGET_CALLS, {"runs": to_post})


def _count(connection: Connection, moves: Sequence[Moving]) -> None:
    counted = Counter[Counted]()
    for move in moves:
        counted[move.to.name, move.state.version.number, "moved out"] += 1
        counted[move.to.name, move.to.number, "moved in"] += 1
    add_counts(connection, counted)


IS_BUSY = or_(
    select(sends.c.id)
    .where(sends.c.run == runs.c.id, sends.c.step == runs.c.step, sends.c.state.in_(("claimed", "unknown")))
    .exists(),
    select(calls.c.run)
    .where(calls.c.run == runs.c.id, calls.c.step == runs.c.step, calls.c.next_at.is_(None), calls.c.tries > 0)
    .where(runs.c.held_by.is_(None))  # else nobody calls now
    .exists(),
)
"""Whether a run waits for what becomes of something that it does."""

_BUSY = select(runs.c.id).where(THESE).where(IS_BUSY)
_STAND = select(diary).join(runs, (runs.c.id == diary.c.run) & (diary.c.n == runs.c.lines - 1)).where(THESE)
_MOVE = (
    update(runs)
    .where(runs.c.id == bindparam("of_run"))
    .values(version=bindparam("to_version"), step=bindparam("to_step"), step_until=None, lines=bindparam("to_lines"))
)
