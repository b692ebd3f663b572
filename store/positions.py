"""Where runs stand, whole, by what is kept of them: so much that their walks can begin there anew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, union_all

from journeys.walk.diary import Delivery
from journeys.walk.position import Arrival, Position
from journeys.walk.regained import regained
from store.answers import answers
from store.diaries import diaries
from store.lifecycle import STATE, THESE, RunState, state_of
from store.run_inputs import run_input
from store.schema import actions, among, runs, sends
from store.unsought import unsought
from store.versions import load


def positions(connection: Connection, ids: Sequence[str]) -> dict[str, Position]:
    """The positions of those of these runs that are under way. Who holds their locks knows where they stay."""
    return {run: found.position for run, found in _found(connection, ids).items()}


def run_inputs(connection: Connection, ids: Sequence[str]) -> dict[str, Mapping[str, object]]:
    """What Temporal is to be told of those of these runs that are under way, so that they begin where they stand."""
    return {
        run: run_input(
            run,
            found.state.version,
            customer=found.state.customer,
            trigger=found.trigger,
            entered_at=found.entered_at,
            day=found.state.day,
            position=found.position,
        )
        for run, found in _found(connection, ids).items()
    }


@dataclass(frozen=True)
class _Found:
    state: RunState
    trigger: str
    entered_at: datetime
    position: Position


def _found(connection: Connection, ids: Sequence[str]) -> dict[str, _Found]:
    rows = connection.execute(_RUNS, {"runs": list(ids)}).all()
    under_way = sorted(row.id for row in rows)
    versions = load(connection, {(row.journey, row.version) for row in rows})
    entries, became = diaries(connection, under_way), _became(connection, under_way)
    heard: Mapping[str, tuple[Arrival, ...]] = answers(connection, under_way) if under_way else {}
    found = {}
    for row in rows:
        state = state_of(row, versions[row.journey, row.version])
        steps = state.version.journey.steps
        position = regained(steps, entries[row.id], became[row.id], heard.get(row.id, ()), day=state.day)
        found[row.id] = _Found(state, row.trigger, row.entered_at, position)
    return found


def _became(connection: Connection, ids: Sequence[str]) -> Mapping[str, Mapping[str, Delivery]]:
    """What messages and actions came to. A reason is left out: it may quote a provider, and no walk goes by it."""
    became: dict[str, dict[str, Delivery]] = defaultdict(dict)
    for row in connection.execute(_BECAME, {"runs": list(ids)}) if ids else ():
        became[row.run][row.step] = Delivery(outcome=row.outcome, at=row.at)
    return became


_RUNS = select(*STATE, runs.c.trigger, runs.c.entered_at).where(THESE)
_BECAME = union_all(
    select(sends.c.run, sends.c.step, sends.c.state.label("outcome"), sends.c.at).where(
        among(sends.c.run, "runs"), unsought(sends.c.state).in_(("accepted", "blocked", "failed", "unknown"))
    ),
    select(actions.c.run, actions.c.step, actions.c.outcome, actions.c.at).where(among(actions.c.run, "runs")),
)
