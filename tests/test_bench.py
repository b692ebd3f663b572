"""The bench runs, so that it cannot rot. What it measures here means nothing: there are too few."""

from __future__ import annotations

import pytest
from rich.progress import Progress

from bench import statements, track
from bench.asked import Asked
from bench.journeys import in_rounds
from bench.sides import BY_HAND
from tests.temporal_fixtures import uses_temporalio

FEW = Asked(count=2, rounds=1, databases=("SQLite",))


async def test_both_sides_walk_their_journeys_and_are_charged_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    uses_temporalio()
    monkeypatch.setattr(track, "QUIET", 0.1)
    monkeypatch.setattr(track, "IDLE", 0.5)

    async with track.track(FEW.databases, FEW.count * 2) as course:
        rounds = await in_rounds(course, FEW, Progress(disable=True))

    assert {*rounds} == {*course.idle} == {BY_HAND, "SQLite"}
    assert [each.journeys for side in rounds.values() for each in side] == [2, 2]
    assert all(each.cost.worker > 0 and each.seconds > 2 for [each] in rounds.values())


async def test_statements_and_commits_are_counted_alike_each_time() -> None:
    counts = [await statements.count("SQLite") for _ in range(2)]

    assert counts[0] == counts[1]
    assert all(seen.statements >= seen.commits > 0 for seen in counts[0].values())
