"""Places in arms that are for the first so many people: no more of them, over workers, re-entries and versions."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from store.schema import places, places_taken


def take_place(connection: Connection, journey: str, step: str, arms: Mapping[str, int], customer: str) -> str | None:
    """The arm in which *customer* has a place, or now takes the first one that is free. None where all are taken.

    *arms*: how many people each takes, in the order in which they fill. Take no lock of a customer or a run after it.
    """
    at = {"in_journey": journey, "at_step": step}
    if held := _held(connection, at, arms, customer):
        return held
    # A place that is taken stays taken, so that nobody waits for others once there is none.
    taken = {row.arm: row.n for row in connection.execute(_TAKEN, at)}
    if all(taken.get(arm, 0) >= most for arm, most in arms.items()):
        return None
    taken = _lock(connection, journey, step, arms)
    if held := _held(connection, at, arms, customer):
        return held
    free = next((arm for arm, most in arms.items() if taken[arm] < most), None)
    if free is not None:
        connection.execute(_SIT, {"journey": journey, "step": step, "arm": free, "customer": customer})
        connection.execute(_COUNT, {**at, "of_arm": free})
    return free


def _held(connection: Connection, at: Mapping[str, str], arms: Mapping[str, int], customer: str) -> str | None:
    held = set(connection.execute(_HELD, {**at, "of_customer": customer}).scalars())
    return next((arm for arm in arms if arm in held), None)


def _lock(connection: Connection, journey: str, step: str, arms: Mapping[str, int]) -> dict[str, int]:
    """Be the only one who gives places at this step away, and see how many are taken."""
    # Always in this order: no two wait in a circle.
    rows = [{"journey": journey, "step": step, "arm": arm, "n": 0} for arm in sorted(arms)]
    connection.execute(_OPEN[connection.dialect.name], rows)
    locked = connection.execute(_TAKEN.with_for_update(), {"in_journey": journey, "at_step": step})
    return {row.arm: row.n for row in locked}


_HELD = select(places.c.arm).where(
    places.c.journey == bindparam("in_journey"),
    places.c.step == bindparam("at_step"),
    places.c.customer == bindparam("of_customer"),
)
_HERE = (places_taken.c.journey == bindparam("in_journey")) & (places_taken.c.step == bindparam("at_step"))
_TAKEN = select(places_taken.c.arm, places_taken.c.n).where(_HERE).order_by(places_taken.c.arm)
_SIT = insert(places)
_COUNT = update(places_taken).where(_HERE, places_taken.c.arm == bindparam("of_arm")).values(n=places_taken.c.n + 1)
_OPEN = {
    "postgresql": postgresql.insert(places_taken).on_conflict_do_nothing(),
    "sqlite": sqlite.insert(places_taken).on_conflict_do_nothing(),
}
