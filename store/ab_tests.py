"""Tests of arms against each other: the arm that somebody takes, and the winner, decided once.

The end follows from who came when, not from what they did, so that no look at the numbers moves it.
Whoever is the first to come after it decides, with the numbers as they were at the end, however late that is.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import AwareDatetime
from sqlalchemy import Connection, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from journeys.models import Frozen
from journeys.significance import Tally, Verdict, winner
from journeys.walk.pace import later
from store.ab_people import ABTest, ArmView, By, draw_arm, find_person, keyed, tally, time_over
from store.schema import AnyRow, Time, ab_tests
from store.store import read_transaction

BY_LOT = "by lot, in a test"
AS_BEFORE = "as the first time, in a test"


class Taken(NamedTuple):
    """The arm that somebody takes, and why."""

    arm: str
    why: str


class Decision(Frozen):
    """How a test ended, and the numbers that decided it."""

    at: AwareDatetime
    verdict: Verdict
    arms: tuple[ArmView, ...]


class ABTestView(Frozen):
    """A test as it stands. *ends_at*: None as long as too few people are in it to tell.

    *needed*: the people it ends with. *decision*: None while it runs, and after its end until somebody comes.
    """

    by: By
    within: timedelta
    default: str
    people: int
    needed: int | None
    started_at: AwareDatetime | None
    ends_at: AwareDatetime | None
    arms: tuple[ArmView, ...]
    decision: Decision | None


def take_arm(connection: Connection, test: ABTest, customer: str, run: str, now: datetime) -> Taken:
    """The arm that *customer* takes in *run*: by lot while the test runs, and the winner's afterwards.

    They are in it once, in the arm of their first time. Take no lock of a customer or a run after it.
    """
    row = _look(connection, test)
    if row is None or row.decision is None:
        row = _lock(connection, test)
    person = find_person(connection, test, customer)
    if person and person.run == run:
        return Taken(person.arm, BY_LOT)
    if decision := _read(row) or _decide_if_over(connection, test, row, now):
        return Taken(decision.verdict.winner, _why(decision))
    if person:
        return Taken(person.arm, AS_BEFORE)
    arm = draw_arm(connection, test, customer, run, now)
    connection.execute(_COUNT, {**test.key, "now": now})
    return Taken(arm, BY_LOT)


def decide_test(connection: Connection, test: ABTest, now: datetime) -> Decision | None:
    """How the test ended, decided now if nobody has done so before. None while it runs."""
    row = _lock(connection, test)
    return _read(row) or _decide_if_over(connection, test, row, now)


@read_transaction
def show_test(connection: Connection, test: ABTest, now: datetime) -> ABTestView:
    """The test as it stands: once it is decided, with the numbers that decided it."""
    row = _look(connection, test)
    decision = _read(row) if row else None
    ends_at = decision.at if decision else _ends_at(connection, test, row) if row else None
    return ABTestView(
        by=test.by,
        within=test.within,
        default=test.default,
        people=row.people if row else 0,
        needed=test.people,
        started_at=row.started_at if row else None,
        ends_at=ends_at,
        arms=decision.arms if decision else tally(connection, test, min(now, ends_at or now)),
        decision=decision,
    )


def _look(connection: Connection, test: ABTest) -> AnyRow | None:
    return connection.execute(_ONE, test.key).one_or_none()


def _lock(connection: Connection, test: ABTest) -> AnyRow:
    """Be the only one who enters this test, or decides it."""
    new = {"journey": test.journey, "step": test.step, "arms": test.arms, "people": 0}
    connection.execute(_OPEN[connection.dialect.name], new)
    return connection.execute(_ONE.with_for_update(), test.key).one()


def _read(row: AnyRow) -> Decision | None:
    return Decision.model_validate(row.decision) if row.decision else None


def _decide_if_over(connection: Connection, test: ABTest, row: AnyRow, now: datetime) -> Decision | None:
    ends_at = _ends_at(connection, test, row)
    if ends_at is None or now < ends_at:
        return None
    arms = tally(connection, test, ends_at)
    verdict = winner({arm.arm: Tally(people=arm.counted, hits=arm.hits) for arm in arms}, test.default)
    decision = Decision(at=ends_at, verdict=verdict, arms=arms)
    connection.execute(_DECIDE, {**test.key, "decided": decision.model_dump(mode="json")})
    return decision


def _ends_at(connection: Connection, test: ABTest, row: AnyRow) -> datetime | None:
    """When the test is decided; None where nobody can tell yet."""
    if test.after is not None:
        return later(row.started_at, test.after) if row.started_at else None
    if test.people is None or row.people < test.people:
        return None
    return time_over(connection, test, test.people)


def _why(decision: Decision) -> str:
    how = "the winner" if decision.verdict.decided else "the default"
    return f"{how} of a test that ended on {decision.at:%Y-%m-%d at %H:%M} UTC"


_ONE = select(ab_tests).where(keyed(ab_tests))
_COUNT = (
    update(ab_tests)
    .where(keyed(ab_tests))
    .values(
        people=ab_tests.c.people + 1,
        started_at=func.coalesce(ab_tests.c.started_at, bindparam("now", type_=Time())),
    )
)
_DECIDE = update(ab_tests).where(keyed(ab_tests)).values(decision=bindparam("decided", type_=ab_tests.c.decision.type))
_OPEN = {
    "postgresql": postgresql.insert(ab_tests).on_conflict_do_nothing(),
    "sqlite": sqlite.insert(ab_tests).on_conflict_do_nothing(),
}
