"""Tests of arms against each other: the arm that somebody takes, and the winner, decided once.

The end follows from who came when, not from what they did, so that no look at the numbers moves it.
Whoever is the first to come after it decides, with the numbers as they were at the end, however late that is.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from pydantic import AwareDatetime
from sqlalchemy import Connection, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from journeys.ab_tests import AS_BEFORE, BY_LOT, ABTest, after_the_end, all_tests
from journeys.definition import Journey
from journeys.models import Frozen
from journeys.problems import Flaw
from journeys.significance import Tally, Verdict, winner
from journeys.steps import placed
from journeys.walk.diary import Choice
from journeys.walk.pace import later
from store.ab_people import ArmView, draw_arm, find_person, key_of, keyed, tally, time_over
from store.schema import AnyRow, Time, ab_tests
from store.versions import load


class TestEnd(Frozen):
    """How a test ended, and the numbers that decided it."""

    __test__: ClassVar[bool] = False  # what pytest would take for a test of ours

    at: AwareDatetime
    verdict: Verdict
    arms: tuple[ArmView, ...]


def take_arm(connection: Connection, test: ABTest, customer: str, run: str, now: datetime) -> Choice:
    """The arm that *customer* takes in *run*: by lot while the test runs, and the winner's afterwards.

    They are in it once, in the arm of their first time. Take no lock of a customer or a run after it.
    """
    end = decide_test(connection, test, now)
    person = find_person(connection, test, customer)
    if person and person.run == run:
        return Choice(arm=person.arm, why=BY_LOT)
    if end:
        return Choice(arm=end.verdict.winner, why=after_the_end(end.at, decided=end.verdict.decided))
    if person:
        return Choice(arm=person.arm, why=AS_BEFORE)
    arm = draw_arm(connection, test, customer, run, now)
    connection.execute(_COUNT, {**key_of(test), "now": now})
    return Choice(arm=arm, why=BY_LOT)


def decide_test(connection: Connection, test: ABTest, now: datetime) -> TestEnd | None:
    """How the test ended, decided now if nobody has done so before. None while it runs; then nobody else enters it."""
    row = find_test(connection, test)
    if row is None or row.decision is None:
        row = _lock(connection, test)
    if row.decision is None and (end := end_of(connection, test, row, now)):
        connection.execute(_DECIDE, {**key_of(test), "decided": end.model_dump(mode="json")})
        return end
    return end_of(connection, test, row, now)


def find_test(connection: Connection, test: ABTest) -> AnyRow | None:
    """The row of a test; None where nobody has come to it."""
    return connection.execute(_ONE, key_of(test)).one_or_none()


def end_of(connection: Connection, test: ABTest, row: AnyRow, now: datetime) -> TestEnd | None:
    """How the test of a row was decided, or would be if somebody came *now*. None while it runs. Nothing is written."""
    if row.decision:
        return TestEnd.model_validate(row.decision)
    at = ends_at(connection, test, row)
    if at is None or now < at:
        return None
    arms = tally(connection, test, at)
    verdict = winner({arm.arm: Tally(people=arm.counted, hits=arm.hits) for arm in arms}, test.default)
    return TestEnd(at=at, verdict=verdict, arms=arms)


def ends_at(connection: Connection, test: ABTest, row: AnyRow) -> datetime | None:
    """When the test of a row ends; None where nobody can tell yet."""
    if test.after is not None:
        return later(row.started_at, test.after) if row.started_at else None
    if test.people is None or row.people < test.people:
        return None
    return time_over(connection, test, test.people)


def begun_anew(connection: Connection, journey: Journey, before: int) -> tuple[Flaw, ...]:
    """The tests that begin anew because their arms are others than in the version *before*, and people are in those."""
    if not before:
        return ()
    version = load(connection, [(journey.journey, before)])[journey.journey, before]
    were, are = all_tests(version.journey), all_tests(journey)
    flaws = []
    for path, step in placed(journey.steps, "steps"):
        was, test = were.get(step.id), are.get(step.id)
        if was and test and was.arms != test.arms and not find_test(connection, test):
            people = row.people if (row := find_test(connection, was)) else 0
            flaws += [_begun_anew(f"{path}.test.arms", people)] if people else []
    return tuple(flaws)


def _begun_anew(path: str, people: int) -> Flaw:
    who = "1 person who was" if people == 1 else f"{people} people who were"
    message = f"the arms have changed, so the test begins anew, without the {who} in it."
    return Flaw(path=path, message=message, hint="To go on with that test, publish its arms as they were.")


def _lock(connection: Connection, test: ABTest) -> AnyRow:
    """Be the only one who enters this test, or decides it."""
    new = {"journey": test.journey, "step": test.step, "arms": test.arms, "people": 0}
    connection.execute(_OPEN[connection.dialect.name], new)
    return connection.execute(_ONE.with_for_update(), key_of(test)).one()


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
