"""The answers to questions of runs that were accepted: what a run is to hear, in this order, however late."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, and_, select

from journeys.catalogue import Event
from journeys.definition import short_id
from journeys.facts import Decision
from journeys.versions import Version
from journeys.walk.diary import Entry
from journeys.walk.position import Arrival, Unheard
from store.lifecycle import RunState
from store.schema import among, decisions, events
from store.store import read_transaction


def arrival(event: Event, decision: Decision) -> Arrival:
    """An event as a run hears of it."""
    assert event.occurred_at is not None  # noqa: S101 - filled in before anything is decided
    return Arrival(event=_name(event.source, event.id), at=event.occurred_at, answers=decision.answers)


def answers(connection: Connection, runs: Iterable[str]) -> dict[str, tuple[Arrival, ...]]:
    """All accepted answers of *runs*. Who holds the locks of the runs misses none."""
    heard: dict[str, list[Arrival]] = defaultdict(list)
    for row in connection.execute(_ANSWERS, {"runs": sorted(runs)}):
        event = _name(row.source, row.event)
        heard[row.run].append(Arrival(event=event, at=row.occurred_at, answers=tuple(row.answers)))
    return {run: tuple(arrivals) for run, arrivals in heard.items()}


@read_transaction
def answers_of(connection: Connection, run: str) -> tuple[Arrival, ...]:
    """All accepted answers of one run."""
    return answers(connection, [run]).get(run, ())


def unheard(
    connection: Connection, run: RunState, entries: Sequence[Entry], known: Sequence[str], at: str | None = None
) -> Unheard | None:
    """The answers of a run that passes a question without one, if there is one that its walk does not know.

    *entries*: the lines that are to be written. *known*: the events that the walk knew when it passed the questions.
    *at*: the step where something is about to be done, which is not done once a series around it is answered.
    """
    unanswered = _unanswered(run.version, (entry for entry in entries if entry.n >= run.lines))
    if at and (around := run.version.around(at)):
        unanswered |= {asked.answer for asked in run.version.questions if asked.step.id in around}
    if run.ended or not unanswered:
        return None
    heard = answers(connection, [run.id]).get(run.id, ())
    if any(unanswered.intersection(new.answers) for new in heard if new.event not in known):
        return Unheard(arrivals=heard)
    return None


def _unanswered(version: Version, entries: Iterable[Entry]) -> set[str]:
    """What answers are called to the steps that ask and were passed by the arm for no answer."""
    arms = {entry.step: entry.arm for entry in entries if entry.arm}
    if not arms:
        return set()
    return {
        asked.answer
        for asked in version.questions
        if asked.step.id in arms and arms[asked.step.id] not in asked.step.questions
    }


def _name(source: str, id: str) -> str:
    # Temporal keeps it in clear, and only has to tell one event from another.
    return short_id(source, id, length=16)


_ANSWERS = (
    select(decisions.c.run, decisions.c.answers, events.c.id.label("event"), events.c.source, events.c.occurred_at)
    .join(events, and_(events.c.id == decisions.c.event, events.c.source == decisions.c.source))
    .where(among(decisions.c.run, "runs"), decisions.c.did == "resumed")
    .order_by(decisions.c.id)
)
