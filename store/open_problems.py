"""What needs somebody now: journeys held, runs parked, channels down, endpoints closed, jobs refused, runs lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import AwareDatetime
from sqlalchemy import Connection, func, literal_column, select

from journeys.models import Frozen
from store.channels import channels_down
from store.endpoints import endpoints_closed
from store.held_journeys import read_held
from store.house import read_set_back
from store.missing import read_missing
from store.schema import IS_HELD, Time, outbox, runs
from store.store import read_transaction

ProblemKind = Literal[
    "journey held",
    "runs parked",
    "channel down",
    "endpoint closed",
    "job refused",
    "runs missing",
    "database set back",
]


class OpenProblem(Frozen):
    """One thing that does not get better by itself, or that somebody should know of.

    *name*: of the journey, the channel or the endpoint; of jobs and of runs, the first run. *count*: how many messages,
    jobs or runs it is about, where that is counted. *help*: what to do about it.
    """

    kind: ProblemKind
    name: str
    since: AwareDatetime
    why: str
    count: int | None
    help: str


class OpenProblems(Frozen):
    """What needs somebody now, the oldest first; nothing where all is well."""

    problems: tuple[OpenProblem, ...]


@read_transaction
def open_problems(connection: Connection) -> OpenProblems:
    """All of them as of one moment."""
    found = [
        *_held(connection),
        *_parked(connection),
        *_down(connection),
        *_closed(connection),
        *_refused(connection),
        *_missing(connection),
        *_set_back(connection),
    ]
    return OpenProblems(problems=tuple(sorted(found, key=lambda problem: (problem.since, problem.kind, problem.name))))


def _held(connection: Connection) -> Iterator[OpenProblem]:
    for name, held in read_held(connection).items():
        yield OpenProblem(
            kind="journey held",
            name=name,
            since=held.since,
            why=held.why,
            count=held.waiting,
            help=f"Find out why, then let it go: sojourn release {name}. Or end it: sojourn stop {name}",
        )


def _parked(connection: Connection) -> Iterator[OpenProblem]:
    for row in connection.execute(_PARKED):
        others = f"; and {row.reasons - 1} other reasons" if row.reasons > 1 else ""
        yield OpenProblem(
            kind="runs parked",
            name=row.journey,
            since=row.since,
            why=f"{'1 run is' if row.n == 1 else f'{row.n} runs are'} parked at {row.step}: {row.why}{others}",
            count=row.n,
            help=f"Mend what the reason names, then: sojourn repair {row.journey} --step {row.step}. "
            "Or let them go on without it: add --go-on",
        )


def _down(connection: Connection) -> Iterator[OpenProblem]:
    for channel in channels_down(connection):
        yield OpenProblem(
            kind="channel down",
            name=channel.kind,
            since=channel.since,
            why=channel.reason,
            count=None,
            help="Mend what the reason names, such as a key of its provider. Its messages wait, and it is tried again "
            "by itself, once a minute or more often.",
        )


def _closed(connection: Connection) -> Iterator[OpenProblem]:
    for row in endpoints_closed(connection):
        yield OpenProblem(
            kind="endpoint closed",
            name=row.name,
            since=row.since,
            why=row.reason,
            count=None,
            help=f"Mend it, then open it: POST /v1/endpoints/{row.name}/open",
        )


def _refused(connection: Connection) -> Iterator[OpenProblem]:
    first = connection.execute(_FIRST_REFUSED).first()
    if first is not None:
        yield OpenProblem(
            kind="job refused",
            name=first.run,
            since=first.refused_at,
            why=first.error,
            count=connection.execute(_REFUSED).scalar_one(),
            help="Temporal does not take what it is to be told of runs. Mend what the reason names: it is told again "
            f"by itself. Or end the run: sojourn cancel {first.run} --reason WHY",
        )


def _missing(connection: Connection) -> Iterator[OpenProblem]:
    if missing := read_missing(connection):
        yield OpenProblem(
            kind="runs missing",
            name=missing.example,
            since=missing.since,
            why="Temporal does not know runs that are under way: it was set back or lost its data, or is another one",
            count=missing.number,
            help="If TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE are right, see what would be started again where it "
            "stands: sojourn rebuild --dry-run. Then: sojourn rebuild",
        )


def _set_back(connection: Connection) -> Iterator[OpenProblem]:
    if held := read_set_back(connection):
        yield OpenProblem(
            kind="database set back",
            name="everything",
            since=held.since,
            why=f"{held.why}. Nothing is sent or done until somebody says so",
            count=None,
            help="Was a backup of the database put back? Then see what would become of whom: sojourn rebuild "
            "--database-went-back --dry-run, and without --dry-run all goes on. Or does another Sojourn, with a "
            "database of its own, work on the same namespace and task queue? Then give it its own SOJOURN_TASK_QUEUE "
            "first: see docs/rebuild.md",
        )


_PARKED = (
    select(
        runs.c.journey,
        runs.c.step,
        func.count().label("n"),
        func.min(runs.c.held_since, type_=Time()).label("since"),
        func.min(runs.c.held_why).label("why"),
        func.count(runs.c.held_why.distinct()).label("reasons"),
    )
    .where(literal_column(IS_HELD), runs.c.held_by == "park")
    .group_by(runs.c.journey, runs.c.step)
)
_is_refused = outbox.c.refused_at.is_not(None)
_FIRST_REFUSED = (
    select(outbox.c.run, outbox.c.refused_at, outbox.c.error)
    .where(_is_refused)
    .order_by(outbox.c.refused_at, outbox.c.id)
    .limit(1)
)
_REFUSED = select(func.count()).select_from(outbox).where(_is_refused)
