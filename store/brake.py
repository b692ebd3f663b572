"""The brake: a journey that does what nobody meant is held, with nobody lost, until somebody lets it go or stops it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, Integer, bindparam, func, select, update

from journeys.clearance.policy import Rate
from journeys.language.durations import say
from journeys.versions import Version
from journeys.walk.pace import at_pace
from store.audit import BY_ITSELF, Change, record
from store.policy import in_force
from store.schema import Time, journeys, runs


def hold_journey(connection: Connection, name: str, why: str, let_go_at: datetime | None, now: datetime) -> None:
    """Hold a live journey, unless it is held already: the first reason stays.

    *let_go_at*: when it was let go last, as far as whoever holds it knows. Where it was let go meanwhile, what they
    have counted is forgiven, and whoever waits for it is told to look again.
    """
    about = {"named": name, "to_why": why, "now": now, "known": let_go_at}
    if connection.execute(_HOLD, about).rowcount:
        record(connection, Change(BY_ITSELF, now), "journey held", f"journey/{name}", {"why": why})


def brake_entries(connection: Connection, entered: Mapping[str, Version], now: datetime, day: timedelta) -> None:
    """Hold those journeys, by name, that somebody has just entered, and too many have."""
    if not entered:
        return
    of_the_house = in_force(connection).policy.brake.entries
    for name, version in sorted(entered.items()):  # always in this order: no two wait in a circle
        rule = version.journey.brake.entries if version.journey.brake else of_the_house
        if rule is not None:
            anew = connection.execute(_LET_GO_AT, {"named": name}).scalar_one_or_none()
            if why := _too_many(connection, name, rule, anew, now - at_pace(rule.per, day)):
                hold_journey(connection, name, why, anew, now)


def _too_many(connection: Connection, name: str, rule: Rate, anew: datetime | None, since: datetime) -> str:
    """Why there are too many; nothing where there are not. Those of before it was let go are forgiven."""
    about = {"named": name, "since": max(since, anew or since), "most": rule.at_most + 1}
    if connection.execute(_ENTERED, about).scalar_one() <= rule.at_most:
        return ""
    return f"the brake: more than {rule.at_most} people entered within {say(rule.per)}"


_HOLD = (
    update(journeys)
    .where(
        journeys.c.name == bindparam("named"),
        journeys.c.held_at.is_(None),
        journeys.c.stopped_at.is_(None),  # it may have been so a moment ago
        journeys.c.released_at.is_not_distinct_from(bindparam("known", type_=Time())),
    )
    .values(held_at=bindparam("now"), held_why=bindparam("to_why"))
)
_LET_GO_AT = select(journeys.c.released_at).where(journeys.c.name == bindparam("named"))
_entered = (
    select(runs.c.id)
    .where(runs.c.journey == bindparam("named"), runs.c.started_at > bindparam("since", type_=Time()))
    .limit(bindparam("most", type_=Integer()))
    .subquery()
)
_ENTERED = select(func.count()).select_from(_entered)
