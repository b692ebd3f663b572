"""Who is in which arm of a test, and what became of them in the time that each arm is given."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, bindparam, false, func, insert, select

from journeys.ab_tests import ABTest
from journeys.chance import arm_of
from journeys.models import Frozen
from journeys.steps.choosing import By
from journeys.walk.pace import later
from store.lifecycle import measure
from store.schema import AnyRow, Time, ab_people, among, interactions, runs, sends


class ArmView(Frozen):
    """An arm of a test. *people* are in it: *counted*, and *left_out*, as their time is not over.

    *hits*: those of the counted who met the goal, opened or clicked, within their time.
    """

    arm: str
    people: int
    counted: int
    hits: int
    left_out: int


def find_person(connection: Connection, test: ABTest, customer: str) -> AnyRow | None:
    """The run in which *customer* came first, and the arm; None where they are not in the test."""
    return connection.execute(_FIND, {**key_of(test), "of_customer": customer}).one_or_none()


def draw_arm(connection: Connection, test: ABTest, customer: str, run: str, now: datetime) -> str:
    """The arm that *customer* draws, who is in the test from now on."""
    arm, until = arm_of(test.journey, test.step, test.shares, customer), later(now, test.within)
    person = {"customer": customer, "run": run, "arm": arm, "at": now, "until": until}
    connection.execute(_ENTER, {"journey": test.journey, "step": test.step, "arms": test.arms, **person})
    if test.by == "goal":
        measure(connection, run, until)
    return arm


def count_people(connection: Connection, test: ABTest) -> int:
    """How many people are in the test."""
    people: int = connection.execute(_PEOPLE, key_of(test)).scalar_one()
    return people


def time_over(connection: Connection, test: ABTest, people: int) -> datetime | None:
    """When the time of so many people is over; None where fewer are in the test."""
    at: datetime | None = connection.execute(_OVER, {**key_of(test), "before": people - 1}).scalar_one_or_none()
    return at


def tally(connection: Connection, test: ABTest, at: datetime) -> tuple[ArmView, ...]:
    """What became of the people in each arm, as far as their time was over *at*."""
    asked = {} if test.by == "goal" else {"by": test.by, "messages": list(test.messages)}
    counted = connection.execute(_COUNTED[test.by], {**key_of(test), "now": at, **asked})
    found = {row.arm: row for row in counted}
    return tuple(_arm(arm, found.get(arm)) for arm in test.shares)


def _arm(arm: str, row: AnyRow | None) -> ArmView:
    if row is None:
        return ArmView(arm=arm, people=0, counted=0, hits=0, left_out=0)
    return ArmView(arm=arm, people=row.people, counted=row.counted, hits=row.hits, left_out=row.people - row.counted)


def key_of(test: ABTest) -> dict[str, str]:
    """What the statements about a test are given."""
    return {"of_journey": test.journey, "at_step": test.step, "of_arms": test.arms}


def keyed(table: Table) -> ColumnElement[bool]:
    """Those rows of *table* that are about one test."""
    return (
        (table.c.journey == bindparam("of_journey"))
        & (table.c.step == bindparam("at_step"))
        & (table.c.arms == bindparam("of_arms"))
    )


_FIND = select(ab_people.c.run, ab_people.c.arm).where(
    keyed(ab_people), ab_people.c.customer == bindparam("of_customer")
)
_ENTER = insert(ab_people)
_PEOPLE = select(func.count()).where(keyed(ab_people))
_OVER = (
    select(ab_people.c.until).where(keyed(ab_people)).order_by(ab_people.c.until).offset(bindparam("before")).limit(1)
)
_is_over = ab_people.c.until <= bindparam("now", type_=Time())
_met_goal = (
    select(runs.c.id)
    .where(runs.c.id == ab_people.c.run, runs.c.goal_met_at.between(ab_people.c.at, ab_people.c.until))
    .exists()
)
# A program that opens or clicks is not the person whom the message was for.
_answered = (
    select(sends.c.id)
    .join_from(sends, interactions, interactions.c.send == sends.c.id)
    .where(
        sends.c.run == ab_people.c.run,
        among(sends.c.step, "messages"),
        interactions.c.interaction == bindparam("by"),
        interactions.c.machine == false(),
        interactions.c.at.between(ab_people.c.at, ab_people.c.until),
    )
    .exists()
)


def _counting(hit: ColumnElement[bool]) -> Select[Any]:
    """How many people are in each arm, how many of them are counted, and of how many of these *hit* holds."""
    return (
        select(
            ab_people.c.arm,
            func.count().label("people"),
            func.count().filter(_is_over).label("counted"),
            func.count().filter(_is_over, hit).label("hits"),
        )
        .where(keyed(ab_people))
        .group_by(ab_people.c.arm)
    )


_COUNTED: Mapping[By, Select[Any]] = {
    "goal": _counting(_met_goal),
    "clicked": _counting(_answered),
    "opened": _counting(_answered),
}
