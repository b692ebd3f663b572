"""The last of a run: what was over long enough is deleted, and what decides later is left of it.

What is counted goes on counting it. This belongs to store/lifecycle.py, which writes these tables else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Insert,
    Select,
    Text,
    and_,
    bindparam,
    delete,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects import postgresql, sqlite

from store.schema import (
    AnyRow,
    Time,
    ab_people,
    ab_tests,
    actions,
    among,
    calls,
    diary,
    entries,
    interactions,
    links,
    outbox,
    pruned_counts,
    runs,
    sends,
)

PrunedCount = tuple[str, int, str]
"""A journey's name, a version's number, and how runs ended there, or ``refused``."""


def some_long_over(
    connection: Connection, before: datetime, now: datetime, after: tuple[datetime, str] | None, most: int
) -> list[tuple[datetime, str]]:
    """Some of the runs that were over *before*, and that nothing needs any more, from the one *after* on.

    Each with when it ended.
    """
    wanted = select(runs.c.ended_at, runs.c.id).where(LONG_OVER).order_by(runs.c.ended_at, runs.c.id).limit(most)
    if after is not None:
        at, id = after
        wanted = wanted.where(runs.c.ended_at >= at, or_(runs.c.ended_at > at, runs.c.id > id))
    return [(row.ended_at, row.id) for row in connection.execute(wanted, {"before": before, "now": now})]


def prune_runs(connection: Connection, ids: Sequence[str], before: datetime, now: datetime) -> Counter[str]:
    """Delete those of these runs that are still as some_long_over() says, with all that is theirs.

    Returns how many rows of which table. Nobody waits for this: what somebody else has locked is left for later.
    """
    rows = connection.execute(_LOCK, {"runs": list(ids), "before": before, "now": now}).all()
    if not rows:
        return Counter()
    theirs = {"runs": [row.id for row in rows]}
    connection.execute(_LEAVE_LINKS[connection.dialect.name], theirs | {"now": now})
    _leave_entries(connection, rows)
    carry_over(connection, Counter((row.journey, row.version, row.ended) for row in rows))
    return Counter({table: connection.execute(statement, theirs).rowcount for table, statement in _DELETE.items()})


def carry_over(connection: Connection, counted: Counter[PrunedCount]) -> None:
    """Note that so many things that were counted are here no more. Counts stay as they are."""
    rows = [
        {"journey": journey, "version": version, "did": did, "n": n}
        for (journey, version, did), n in sorted(counted.items())  # always in this order: no two wait in a circle
    ]
    if rows:
        connection.execute(_CARRY[connection.dialect.name], rows)


def _leave_entries(connection: Connection, rows: Sequence[AnyRow]) -> None:
    """Who entered what, by which key: ``repeat`` asks for it, however long ago that was."""
    left: dict[tuple[str, str, bool, str], dict[str, Any]] = {}
    for row in rows:
        name = (row.customer, row.journey, row.key is not None, row.key or "")
        first, met = row.entered_at, row.goal_met_at is not None
        if before := left.get(name):
            first, met = min(first, before["first_at"]), met or before["met_goal"]
        last = max(row.entered_at, before["last_at"]) if before else row.entered_at
        left[name] = {"first_at": first, "last_at": last, "met_goal": met}
    names = ("customer", "journey", "keyed", "key")
    values = [dict(zip(names, name, strict=True)) | at for name, at in sorted(left.items())]
    connection.execute(_LEAVE[connection.dialect.name], values)


_still_told = select(outbox.c.id).where(outbox.c.run == runs.c.id, outbox.c.refused_at.is_(None)).exists()
_in_a_test = (
    select(ab_people.c.run)
    .join(
        ab_tests,
        and_(
            ab_tests.c.journey == ab_people.c.journey,
            ab_tests.c.step == ab_people.c.step,
            ab_tests.c.arms == ab_people.c.arms,
        ),
    )
    .where(
        ab_tests.c.journey == runs.c.journey,
        ab_tests.c.decision.is_(None),
        ab_people.c.customer == runs.c.customer,
        ab_people.c.run == runs.c.id,
    )
    .correlate(runs)
    .exists()
)
LONG_OVER: ColumnElement[bool] = and_(
    runs.c.ended_at < bindparam("before", type_=Time()),
    or_(runs.c.goal_until.is_(None), runs.c.goal_until < bindparam("now", type_=Time())),
    ~_still_told,
    ~_in_a_test,
)
"""Over since *before*, and neither a goal, nor a test that is not decided, nor Temporal needs to know of it."""

NOT_LONG_OVER = or_(runs.c.ended_at.is_(None), ~LONG_OVER)

_LOCK = (
    select(
        runs.c.id,
        runs.c.journey,
        runs.c.version,
        runs.c.customer,
        runs.c.key,
        runs.c.entered_at,
        runs.c.ended,
        runs.c.goal_met_at,
    )
    .where(among(runs.c.id, "runs"), LONG_OVER)
    .order_by(runs.c.id)
    .with_for_update(skip_locked=True)
)

_theirs = select(sends.c.id).where(among(sends.c.run, "runs"))
_tests_of_theirs = (
    select(ab_tests.c.journey, ab_tests.c.step, ab_tests.c.arms, runs.c.customer)
    .join(runs, runs.c.journey == ab_tests.c.journey)
    .where(among(runs.c.id, "runs"))
)
_DELETE: dict[str, Delete] = {
    "interactions": delete(interactions).where(interactions.c.send.in_(_theirs)),
    "sends": delete(sends).where(among(sends.c.run, "runs")),
    "calls": delete(calls).where(among(calls.c.run, "runs")),
    "actions": delete(actions).where(among(actions.c.run, "runs")),
    "outbox": delete(outbox).where(among(outbox.c.run, "runs")),  # what Temporal has refused of them
    "ab_people": delete(ab_people).where(
        tuple_(*ab_people.primary_key.columns).in_(_tests_of_theirs), among(ab_people.c.run, "runs")
    ),
    "diary": delete(diary).where(among(diary.c.run, "runs")),
    "runs": delete(runs).where(among(runs.c.id, "runs")),
}
"""In this order: the tests of runs are found by the runs."""


def counting(table: str) -> Select[Any]:
    """How many rows of a table _DELETE would delete with all runs that are long over."""
    over = select(runs.c.id).where(LONG_OVER)
    statement = _DELETE[table]
    if table == "interactions":
        over = select(sends.c.id).where(sends.c.run.in_(over))
    column = {"interactions": "send", "runs": "id"}.get(table, "run")
    return select(func.count()).select_from(statement.table).where(statement.table.c[column].in_(over))


TABLES = tuple(_DELETE)
"""What is deleted with a run."""


def _leaving(new: postgresql.Insert | sqlite.Insert) -> Insert:
    first, last = entries.c.first_at, entries.c.last_at
    least, most = (func.least, func.greatest) if isinstance(new, postgresql.Insert) else (func.min, func.max)
    return new.on_conflict_do_update(
        index_elements=entries.primary_key,
        set_={
            "first_at": least(first, new.excluded.first_at),
            "last_at": most(last, new.excluded.last_at),
            "met_goal": or_(entries.c.met_goal, new.excluded.met_goal),
        },
    )


_LEAVE = {"postgresql": _leaving(postgresql.insert(entries)), "sqlite": _leaving(sqlite.insert(entries))}


def _carrying(new: postgresql.Insert | sqlite.Insert) -> Insert:
    added = {"n": pruned_counts.c.n + new.excluded.n}
    return new.on_conflict_do_update(index_elements=pruned_counts.primary_key, set_=added)


_CARRY = {
    "postgresql": _carrying(postgresql.insert(pruned_counts)),
    "sqlite": _carrying(sqlite.insert(pruned_counts)),
}


def _linking(new: postgresql.Insert | sqlite.Insert) -> Insert:
    # What was sent before purposes were kept was commercial.
    purpose = func.coalesce(sends.c.purpose, literal("commercial", Text()))
    sent = sends.c.state.in_(("accepted", "claimed", "unknown"))
    emails = select(sends.c.id, sends.c.customer, purpose, sends.c.topic, bindparam("now", type_=Time())).where(
        among(sends.c.run, "runs"), sends.c.kind == "email", purpose == "commercial", sent
    )
    names = ["send", "customer", "purpose", "topic", "at"]
    return new.from_select(names, emails).on_conflict_do_nothing()


_LEAVE_LINKS = {"postgresql": _linking(postgresql.insert(links)), "sqlite": _linking(sqlite.insert(links))}
