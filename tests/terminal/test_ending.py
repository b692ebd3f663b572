"""What a command says of a customer whose runs it ends."""

from __future__ import annotations

import pytest

from store.cancelling import CancelledRuns, InJourney
from store.completing import Completed
from store.stopping import Stopped
from terminal.ending import cancelled_runs, completed, stopped

NOBODY = {"journey": "welcome", "inside": (), "runs": 0, "in_flight": 0}
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


@pytest.mark.parametrize(("dry_run", "dropped"), [(True, "would be dropped"), (False, "dropped")])
def test_nothing_is_dropped_yet_by_what_is_only_said(*, dry_run: bool, dropped: str) -> None:
    how = {**NOBODY, "waiting": 3, "changed": True, "dry_run": dry_run}

    says = [
        [line.plain for line in stopped(Stopped.model_validate(how | {"version": None}))],
        [line.plain for line in completed(Completed.model_validate(how | {"parked": 0}))],
    ]

    assert [lines[-1] for lines in says] == [f"3 starts waited for it to be resumed: {dropped}."] * 2
