"""Tests of arms against each other: the arm that somebody takes, and the winner, decided once.

The end follows from who came when, not from what they did, so that no look at the numbers moves it.
Whoever is the first to come after it, or to look for tests that are due, decides, with the numbers as they were at the
end, however late that is. Until then it goes by the rules of the version in which its first person came.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import ClassVar

from pydantic import AwareDatetime, TypeAdapter
from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from journeys.ab_tests import AS_BEFORE, BY_LOT, ABTest, after_the_end, all_tests, say_rules
from journeys.definition import Journey
from journeys.models import Frozen
from journeys.problems import Flaw
from journeys.significance import Tally, Verdict, winner
from journeys.steps import placed
from journeys.walk.diary import Choice
from journeys.walk.pace import later
from store.ab_people import ArmView, count_people, draw_arm, find_person, key_of, keyed, tally, time_over
from store.locks import take_time
from store.schema import AnyRow, Time, ab_tests
from store.store import Store, read_transaction, write_transaction
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
    person = find_person(connection, test, customer)
    if person and person.run == run:
        return Choice(arm=person.arm, why=BY_LOT)
    running = connection.execute(_RUNNING, {**key_of(test), "now": now}).one_or_none()
    if running is None and (end := decide_test(connection, test, now)):
        return Choice(arm=end.verdict.winner, why=after_the_end(end.at, decided=end.verdict.decided))
    if person:
        return Choice(arm=person.arm, why=AS_BEFORE)
    row = running or _begin(connection, test, now)
    return Choice(arm=draw_arm(connection, rules_of(row), customer, run, now), why=BY_LOT)


async def decide_due_tests(store: Store, now: datetime) -> int:
    """Decide the tests whose end has come, as whoever comes next would. Returns how many were decided.

    One that cannot be decided does not keep the others from it, and is raised after them.
    """
    decided, failed = 0, list[Exception]()
    for row in await _due(store, now):
        try:
            decided += await _decide_now(store, row, now)
        except Exception as error:  # noqa: BLE001 - whatever it is, the others are not to wait for it
            failed.append(error)
    if failed:
        raise failed[0]
    return decided


def decide_test(connection: Connection, test: ABTest, now: datetime) -> TestEnd | None:
    """How the test ended, decided now if nobody has done so before. None while it runs; then nobody else enters it."""
    row = find_test(connection, test)
    if row is None or row.decision:
        return end_of(connection, row, now) if row else None
    row = _lock(connection, test)
    end = end_of(connection, row, now)
    if row.decision is None and end:
        connection.execute(_DECIDE, {**key_of(test), "decided": end.model_dump(mode="json")})
    elif row.decision is None and row.due_at <= now:
        connection.execute(_LOOK_AGAIN, {**key_of(test), "to_due_at": _not_before(connection, row, now)})
    return end


def find_test(connection: Connection, test: ABTest) -> AnyRow | None:
    """The row of a test; None where nobody has come to it."""
    return connection.execute(_ONE, key_of(test)).one_or_none()


def rules_of(row: AnyRow) -> ABTest:
    """The test of a row, by the rules with which it began: whoever changes them meanwhile has seen how it stands."""
    return _RULES.validate_python(row.rules)


def end_of(connection: Connection, row: AnyRow, now: datetime) -> TestEnd | None:
    """How the test of a row was decided, or would be if somebody came *now*. None while it runs. Nothing is written."""
    if row.decision:
        return TestEnd.model_validate(row.decision)
    if now < row.due_at or (at := ends_at(connection, row)) is None or now < at:
        return None
    test = rules_of(row)
    arms = tally(connection, test, at)
    verdict = winner({arm.arm: Tally(people=arm.counted, hits=arm.hits) for arm in arms}, test.default)
    return TestEnd(at=at, verdict=verdict, arms=arms)


def ends_at(connection: Connection, row: AnyRow) -> datetime | None:
    """When the test of a row ends; None where nobody can tell yet."""
    test = rules_of(row)
    if test.after is not None:
        return later(row.started_at, test.after)
    return time_over(connection, test, test.people) if test.people else None


def goes_on(connection: Connection, journey: Journey, before: int) -> tuple[Flaw, ...]:
    """What is to be known of the tests that people of the version *before* are in, where those of *journey* differ.

    With other arms a test begins anew; with other rules it goes on by those with which it began.
    """
    if not before:
        return ()
    version = load(connection, [(journey.journey, before)])[journey.journey, before]
    were, are = all_tests(version.journey), all_tests(journey)
    flaws: list[Flaw] = []
    for path, step in placed(journey.steps, "steps"):
        if (test := are.get(step.id)) is None:
            continue
        was = were.get(step.id)
        if row := find_test(connection, test):
            flaws += _as_it_began(f"{path}.test", row, journey, again=was is None or was.arms != test.arms)
        elif was and (people := count_people(connection, was)):
            flaws.append(_begins_anew(f"{path}.test.arms", people))
    return tuple(flaws)


def _as_it_began(path: str, row: AnyRow, journey: Journey, *, again: bool) -> Iterator[Flaw]:
    """*again*: the version before had others arms, or not this test."""
    began = rules_of(row)
    hint = "To test anew, give the step another id."
    if again and row.decision:
        taken = TestEnd.model_validate(row.decision).verdict.winner
        message = f'a test of these arms was decided before, so everybody takes "{taken}".'
        yield Flaw(path=path, message=message, hint=hint)
    elif not row.decision and _rules(began) != _rules(all_tests(journey, began.day)[began.step]):
        message = f"people are in this test, so it goes on by the rules that it began with: {say_rules(began)}."
        yield Flaw(path=path, message=message, hint=hint)


def _rules(test: ABTest) -> tuple[object, ...]:
    return test.by, test.within, test.after, test.people, test.default


def _begins_anew(path: str, people: int) -> Flaw:
    who = "1 person who was" if people == 1 else f"{people} people who were"
    message = f"the arms have changed, so the test begins anew, without the {who} in it."
    return Flaw(path=path, message=message, hint="To go on with that test, publish its arms as they were.")


@read_transaction
def _due(connection: Connection, now: datetime) -> Sequence[AnyRow]:
    return connection.execute(_DUE, {"now": now}).all()


@write_transaction
def _decide_now(connection: Connection, row: AnyRow, now: datetime) -> bool:
    test = rules_of(row)
    take_time(connection)  # to count everybody in it
    return _lock(connection, test).decision is None and decide_test(connection, test, now) is not None


def _lock(connection: Connection, test: ABTest) -> AnyRow:
    """Be the only one who decides a test that somebody has entered; nobody enters it meanwhile."""
    return connection.execute(_ONE.with_for_update(), key_of(test)).one()


def _begin(connection: Connection, test: ABTest, now: datetime) -> AnyRow:
    """The row of a test that somebody enters, who may be the first. Until then nobody decides it."""
    new = {"journey": test.journey, "step": test.step, "arms": test.arms, "started_at": now}
    new |= {"due_at": later(now, test.after or test.within), "rules": _RULES.dump_python(test, mode="json")}
    connection.execute(_OPEN[connection.dialect.name], new)
    return connection.execute(_ONE.with_for_update(read=True), key_of(test)).one()


def _not_before(connection: Connection, row: AnyRow, now: datetime) -> datetime:
    """When the test of a row, which is not over, may be over. Nobody else enters it meanwhile.

    Where too few people are in it, the time of the last of those that it waits for has not even begun.
    """
    return ends_at(connection, row) or later(now, rules_of(row).within)


_RULES = TypeAdapter(ABTest)
_ONE = select(ab_tests).where(keyed(ab_tests))
_now = bindparam("now", type_=Time())
_undecided = ab_tests.c.decision.is_(None)
# Any number of people enter at once, and nobody decides until they are in. Once it is due, one after the other decides.
_RUNNING = _ONE.where(_undecided, ab_tests.c.due_at > _now).with_for_update(read=True)
_DUE = select(ab_tests).where(_undecided, ab_tests.c.due_at <= _now).order_by(ab_tests.c.due_at)
_DECIDE = update(ab_tests).where(keyed(ab_tests)).values(decision=bindparam("decided", type_=ab_tests.c.decision.type))
_LOOK_AGAIN = update(ab_tests).where(keyed(ab_tests)).values(due_at=bindparam("to_due_at", type_=Time()))
_OPEN = {
    "postgresql": postgresql.insert(ab_tests).on_conflict_do_nothing(),
    "sqlite": sqlite.insert(ab_tests).on_conflict_do_nothing(),
}
