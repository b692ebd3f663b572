"""What a command says of a customer whose runs it ends."""

from __future__ import annotations

import pytest

from store.cancelling import CancelledRuns, InJourney
from terminal.ending import cancelled_runs

IN_ONE = (InJourney(journey="welcome", runs=2),)


@pytest.mark.parametrize(
    ("runs", "waiting", "dry_run", "says"),
    [
        (0, 0, False, ["Customer ada is in no journey that could be cancelled."]),
        (2, 0, True, ["Would end where they stand: 2 runs of customer ada.", "  welcome: 2 runs"]),
        (0, 1, False, ["1 start waited for a journey to be resumed: dropped."]),
        (
            2,
            3,
            True,
            [
                "Would end where they stand: 2 runs of customer ada.",
                "  welcome: 2 runs",
                "3 starts waited for a journey to be resumed: would be dropped.",
            ],
        ),
    ],
)
def test_runs_and_starts_that_wait_are_told_of(runs: int, waiting: int, says: list[str], *, dry_run: bool) -> None:
    inside = IN_ONE if runs else ()
    told = CancelledRuns(customer="ada", inside=inside, runs=runs, in_flight=0, waiting=waiting, dry_run=dry_run)

    assert [line.plain for line in cancelled_runs(told)] == says
