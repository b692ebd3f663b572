"""Tests of arms as they stand, to be looked at: no look decides anything, or ends a test sooner."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar, Literal

from pydantic import AwareDatetime
from sqlalchemy import Connection, bindparam, select

from journeys.ab_tests import ABTest, all_tests
from journeys.language.durations import Duration
from journeys.language.shares import Share
from journeys.models import Frozen
from journeys.significance import Verdict
from journeys.steps.choosing import By
from journeys.walk.pace import DAY
from store.ab_people import ArmView, tally
from store.ab_tests import TestEnd, end_of, ends_at, find_test, rules_of
from store.journeys import find_journey
from store.schema import AnyRow, versions
from store.store import read_transaction
from store.versions import load


class TestArm(ArmView):
    """An arm with its *share* of the people who come, and the *rate* of hits among those who were counted."""

    __test__: ClassVar[bool] = False  # what pytest would take for a test of ours

    share: Share
    rate: float | None


class TestView(Frozen):
    """A test as it stands, or as it was when it was decided. Versions with the same arms go on with the same one.

    *people* are in it; *needed*: those that it ends with, if it ends by number. *within*: how long from the split what
    somebody does counts. *ends_at*: None as long as too few people are in it to tell.
    *state*: ``waiting`` for the first one, ``running``, ``over`` until it is ``decided``, which is within a minute.
    *verdict*: how it was decided, or would be now.
    """

    __test__: ClassVar[bool] = False

    step: str
    versions: tuple[int, ...]
    state: Literal["waiting", "running", "over", "decided"]
    by: By
    within: Duration
    default: str
    people: int
    needed: int | None
    started_at: AwareDatetime | None
    ends_at: AwareDatetime | None
    arms: tuple[TestArm, ...]
    verdict: Verdict | None


class Tests(Frozen):
    """The tests of a journey's arms: of its newest version, and those of earlier ones that people are in."""

    tests: tuple[TestView, ...]


@read_transaction
def list_tests(connection: Connection, journey: str, now: datetime, day: timedelta = DAY) -> Tests:
    """The tests of a journey's newest version, and those of earlier ones that people are in, the newest first.

    *day*: how long a day lasts. Raises Unknown.
    """
    find_journey(connection, journey)
    numbers = connection.execute(_NUMBERS, {"named": journey}).scalars().all()
    published = load(connection, [(journey, number) for number in numbers])
    found: dict[tuple[str, str], ABTest] = {}
    used: dict[tuple[str, str], list[int]] = {}
    for number in numbers:
        for test in all_tests(published[journey, number].journey, day).values():
            found.setdefault((test.step, test.arms), test)
            used.setdefault((test.step, test.arms), []).append(number)
    rows = {name: find_test(connection, test) for name, test in found.items()}
    views = [
        view_test(connection, test, rows[name], used[name], now)
        for name, test in found.items()
        if used[name][0] == numbers[0] or rows[name] is not None
    ]
    return Tests(tests=tuple(views))


def view_test(connection: Connection, test: ABTest, row: AnyRow | None, used_by: list[int], now: datetime) -> TestView:
    """The test of a row as it stands; without a row nobody has come yet. *used_by*: the versions that have it."""
    test = rules_of(row) if row else test
    end = end_of(connection, row, now) if row else None
    until = end.at if end else ends_at(connection, row) if row else None
    arms = end.arms if end else tally(connection, test, now)
    return TestView(
        step=test.step,
        versions=tuple(used_by),
        state=_state(row, end),
        by=test.by,
        within=test.within,
        default=test.default,
        people=sum(arm.people for arm in arms),
        needed=test.people,
        started_at=row.started_at if row else None,
        ends_at=until,
        arms=tuple(_arm(arm, test) for arm in arms),
        verdict=end.verdict if end else None,
    )


def _state(row: AnyRow | None, end: TestEnd | None) -> Literal["waiting", "running", "over", "decided"]:
    if row is None:
        return "waiting"
    return "decided" if row.decision else "over" if end else "running"


def _arm(arm: ArmView, test: ABTest) -> TestArm:
    rate = arm.hits / arm.counted if arm.counted else None
    return TestArm(**dict(arm), share=test.shares[arm.arm], rate=rate)


_NUMBERS = select(versions.c.number).where(versions.c.journey == bindparam("named")).order_by(versions.c.number.desc())
