"""Runs that go on in another version: a part of ``lifecycle.py``, which alone writes runs, diary and counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, bindparam, or_, select, update

from journeys.problems import Unknown
from journeys.versions import Version
from journeys.walk.diary import Entry
from journeys.walk.regained import entered_at
from store.diaries import diaries, entry_of
from store.lifecycle import ADD_LINES, FORGET_CALLS, NOT_HELD, THESE, Counted, Row, RunState, add_counts, line_row
from store.many import write_each
from store.schema import calls, diary, runs, sends


@dataclass(frozen=True)
class Moving:
    """A run that is locked, and where it is to stand: at *step* of the version *to*.

    *renamed*: what the series around that step are called now that had another name, with that name.
    """

    state: RunState
    to: Version
    step: str
    renamed: Mapping[str, str] = field(default_factory=dict)


def busy(connection: Connection, ids: Collection[str]) -> frozenset[str]:
    """Which of these runs wait for what becomes of something that they do: they are not to be moved now.

    A message is between its claim and its outcome, or in doubt; or an endpoint is being called.
    """
    return frozenset(connection.execute(_BUSY, {"runs": sorted(ids)}).scalars())


def set_versions(connection: Connection, moves: Sequence[Moving], now: datetime) -> None:
    """Let runs that lock_states() locked walk other versions. Since when they stand where they stand stays.

    Raises Unknown where the version does not have the step.
    """
    for move in moves:
        if move.step not in move.to.steps:
            raise Unknown(f'Version {move.to.number} of "{move.to.name}" has no step "{move.step}".')
    since = _since(connection, [move.state.id for move in moves])
    renamed = diaries(connection, [move.state.id for move in moves if move.renamed])
    lines = {move.state.id: list(_lines(move, since, renamed.get(move.state.id, ()), now)) for move in moves}
    write_each(connection, ADD_LINES, [line_row(run, entry) for run, entries in lines.items() for entry in entries])
    rows: list[Row] = []
    for move in moves:
        to = {"to_version": move.to.number, "to_step": move.step, "to_lines": lines[move.state.id][-1].n + 1}
        rows.append({"of_run": move.state.id, **to})
    elsewhere = [move.state.id for move in moves if not _stays(move)]
    write_each(connection, _MOVE, rows)
    if elsewhere:
        connection.execute(_HOLD_NO_MORE, {"runs": elsewhere})
        connection.execute(FORGET_CALLS, {"runs": elsewhere})
    counted = Counter[Counted]()
    for move in moves:
        counted[move.to.name, move.state.version.number, "moved out"] += 1
        counted[move.to.name, move.to.number, "moved in"] += 1
    add_counts(connection, counted)


def _stays(move: Moving) -> bool:
    """Whether it stands before the same message or call, so that what holds it there still may."""
    was = move.state.version.steps.get(move.state.step or "")
    return move.state.step == move.step and type(was) is type(move.to.steps[move.step])


def _lines(move: Moving, since: Mapping[str, Entry], before: Sequence[Entry], now: datetime) -> Iterator[Entry]:
    """What the diary says of a move: that it was one, and where the run has stood since when."""
    stands, n = since[move.state.id], move.state.lines
    why = f"version {move.state.version.number} → {move.to.number}"
    yield Entry(n=n, at=now, step=move.step, did="moved", why=why)
    entered = entered_at(before)
    for series, name in sorted(move.renamed.items()):
        n += 1
        yield Entry(n=n, at=entered.get(name, stands.at), step=series, did="entered", why=f"moved from {name}")
    returned = stands.did == "returned" and move.step in move.to.series
    yield Entry(n=n + 1, at=stands.at, step=move.step, did="returned" if returned else "entered")


def _since(connection: Connection, ids: Sequence[str]) -> dict[str, Entry]:
    """The line of each run's diary that says where it stands."""
    return {row.run: entry_of(row) for row in connection.execute(_STAND, {"runs": list(ids)})}


IS_BUSY = or_(
    select(sends.c.id)
    .where(sends.c.run == runs.c.id, sends.c.step == runs.c.step, sends.c.state.in_(("claimed", "unknown")))
    .exists(),
    select(calls.c.run)
    .where(calls.c.run == runs.c.id, calls.c.step == runs.c.step, calls.c.next_at.is_(None))
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
_HOLD_NO_MORE = update(runs).where(THESE).values(**NOT_HELD)
