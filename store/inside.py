"""Who is inside a journey: how many runs are under way by version, and what is on its way for them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Integer, Text, bindparam, func, or_, select

from journeys.models import Frozen
from store.schema import among, runs, sends, waiting_starts
from store.unsought import unsought


class Inside(Frozen):
    """How many runs of a *version* are under way."""

    version: int
    runs: int


class Affected(Frozen):
    """Who is affected by what is done to a journey.

    *inside*: the runs under way by version, and *runs* all of them; *in_flight*: how many of their messages may be on
    their way to a provider; *waiting*: how many starts wait for the journey to be resumed.
    """

    journey: str
    inside: tuple[Inside, ...]
    runs: int
    in_flight: int
    waiting: int


def read_inside(connection: Connection, journey: str, version: int | None = None) -> Affected:
    """Who is inside a journey, or one version of it. *waiting* is that of the journey."""
    about = {"journey": journey, "only": version}
    inside = tuple(Inside(version=row.version, runs=row.n) for row in connection.execute(_INSIDE, about))
    return Affected(
        journey=journey,
        inside=inside,
        runs=sum(each.runs for each in inside),
        in_flight=in_flight_of(connection, journey, version),
        waiting=connection.execute(_WAITING, about).scalar_one(),
    )


def in_flight_of(connection: Connection, journey: str, version: int | None = None) -> int:
    """How many sends in a journey, or one version of it, are between claim and outcome: of runs inside, or stopped."""
    claimed: int = connection.execute(_IN_FLIGHT, {"journey": journey, "only": version}).scalar_one()
    return claimed


def in_flight_to(connection: Connection, customer: str, journey: str | None = None) -> int:
    """How many of a customer's runs are, in all journeys or in one, of runs that have ended too."""
    claimed: int = connection.execute(_IN_FLIGHT_TO, {"customer": customer, "only": journey}).scalar_one()
    return claimed


def count_in_flight(connection: Connection, ids: Sequence[str]) -> int:
    """How many sends of these runs are between claim and outcome."""
    claimed: int = connection.execute(_CLAIMED, {"runs": list(ids)}).scalar_one()
    return claimed


_only = bindparam("only", type_=Integer())
_there = (runs.c.journey == bindparam("journey", type_=Text())) & or_(_only.is_(None), runs.c.version == _only)
_under_way = runs.c.ended.is_(None)
_INSIDE = (
    select(runs.c.version, func.count().label("n"))
    .where(_there, _under_way)
    .group_by(runs.c.version)
    .order_by(runs.c.version)
)
_IN_FLIGHT = (
    select(func.count())
    .select_from(sends)
    .join(runs, runs.c.id == sends.c.run)
    .where(sends.c.state == "claimed", _there, _under_way | (runs.c.ended_by == "stop"))
)
_only_journey = bindparam("only", type_=Text())
_IN_FLIGHT_TO = (
    select(func.count())
    .select_from(sends)
    .join(runs, runs.c.id == sends.c.run)
    .where(
        sends.c.customer == bindparam("customer"),
        unsought(sends.c.state) == "claimed",
        or_(_only_journey.is_(None), runs.c.journey == _only_journey),
    )
)
_WAITING = (
    select(func.count())
    .select_from(waiting_starts)
    .where(waiting_starts.c.journey == bindparam("journey", type_=Text()))
)
_CLAIMED = select(func.count()).select_from(sends).where(among(sends.c.run, "runs"), sends.c.state == "claimed")
