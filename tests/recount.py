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
CAME = {"entered": 1, "moved in": 1, "moved out": -1}

_RUNS = select(runs.c.journey, runs.c.version, runs.c.ended, func.count().label("n")).group_by(
    runs.c.journey, runs.c.version, runs.c.ended
)
_MOVES = (
    select(runs.c.journey, diary.c.why, func.count().label("n"))
    .join(diary, diary.c.run == runs.c.id)
    .where(diary.c.did == "moved")
    .group_by(runs.c.journey, diary.c.why)
)
_PRUNED = select(pruned_counts).where(pruned_counts.c.did != "refused")
_REFUSED = union_all(
    select(decisions.c.journey, decisions.c.version, func.count().label("n"))
    .where(decisions.c.did == "refused")
    .group_by(decisions.c.journey, decisions.c.version),
    select(pruned_counts.c.journey, pruned_counts.c.version, pruned_counts.c.n).where(pruned_counts.c.did == "refused"),
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
        if came := CAME.get(row.did):
            kept[row.journey, row.version, "came"] += came * row.n
    # Where runs were pruned, how they came is not known any more, but how many there were of each version is.
    forgotten = ("entered", "moved in", "moved out") if await rows(store, _PRUNED) else ()
    return Counted({name: n for name, n in kept.items() if name[2] not in forgotten})


async def _recounted(store: Store) -> Counted:
    recounted = Counted()
    pruned = bool(await rows(store, _PRUNED))
    for row in await rows(store, _MOVES) if not pruned else ():
        before, after = map(int, row.why.removeprefix("version ").split(" → "))
        recounted[row.journey, before, "moved out"] += row.n
        recounted[row.journey, after, "moved in"] += row.n
        # A run is counted where it entered, which is not where it is.
        recounted[row.journey, before, "entered"] += row.n
        recounted[row.journey, after, "entered"] -= row.n
    for row in await rows(store, union_all(_RUNS, _PRUNED)):
        recounted[row.journey, row.version, "came"] += row.n
        recounted[row.journey, row.version, "entered"] += 0 if pruned else row.n
        if row.ended:
            recounted[row.journey, row.version, row.ended] += row.n
    for row in await rows(store, _REFUSED):
        recounted[row.journey, row.version, "refused"] += row.n
    for row in await rows(store, _CUSTOMERS):
        recounted[row.journey, None, "first entered"] = row.entered
        recounted[row.journey, None, "first goal"] = row.met
    return recounted
