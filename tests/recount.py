"""What the counters must say: counted anew, from the runs themselves, and from what is left of those pruned."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import case, func, select, union_all

from store.schema import counts, decisions, diary, entries, pruned_counts, runs
from store.store import Store
from tests.transactions import rows

Counted = Counter[tuple[str, int | None, str]]
"""By journey, version and what is counted. People are counted in a journey, whatever the version."""

PEOPLE = {"first entered", "first goal"}

_RUNS = select(runs.c.journey, runs.c.version, runs.c.ended, func.count().label("n")).group_by(
    runs.c.journey, runs.c.version, runs.c.ended
)
_MOVES = (
    select(runs.c.journey, diary.c.why, func.count().label("n"))
    .join(diary, diary.c.run == runs.c.id)
    .where(diary.c.did == "moved")
    .group_by(runs.c.journey, diary.c.why)
)
_REFUSED = (
    select(decisions.c.journey, decisions.c.version, func.count().label("n"))
    .where(decisions.c.did == "refused")
    .group_by(decisions.c.journey, decisions.c.version)
)
_entered = union_all(
    select(runs.c.journey, runs.c.customer, case((runs.c.goal_met_at.is_not(None), runs.c.customer)).label("met")),
    select(entries.c.journey, entries.c.customer, case((entries.c.met_goal, entries.c.customer))),
).subquery()
_CUSTOMERS = select(
    _entered.c.journey,
    func.count(_entered.c.customer.distinct()).label("entered"),
    func.count(_entered.c.met.distinct()).label("met"),
).group_by(_entered.c.journey)


async def check_counts(store: Store) -> None:
    """Compare the counters with a recount."""
    kept, recounted = await _kept(store), await _recounted(store)
    assert kept == recounted


async def _kept(store: Store) -> Counted:
    kept = Counted()
    for row in await rows(store, select(counts)):
        kept[row.journey, None if row.did in PEOPLE else row.version, row.did] += row.n
    return kept


async def _recounted(store: Store) -> Counted:
    recounted = Counted()
    for row in await rows(store, _MOVES):
        before, after = map(int, row.why.removeprefix("version ").split(" → "))
        recounted[row.journey, before, "moved out"] += row.n
        recounted[row.journey, after, "moved in"] += row.n
        # A run is counted where it entered, which is not where it is.
        recounted[row.journey, before, "entered"] += row.n
        recounted[row.journey, after, "entered"] -= row.n
    for row in await rows(store, _RUNS):
        recounted[row.journey, row.version, "entered"] += row.n
        if row.ended:
            recounted[row.journey, row.version, row.ended] += row.n
    for row in await rows(store, _REFUSED):
        recounted[row.journey, row.version, "refused"] += row.n
    for row in await rows(store, select(pruned_counts)):
        recounted[row.journey, row.version, row.did] += row.n
    for row in await rows(store, _CUSTOMERS):
        recounted[row.journey, None, "first entered"] = row.entered
        recounted[row.journey, None, "first goal"] = row.met
    return recounted
