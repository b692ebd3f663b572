"""What is said of runs that a new release would break, or of none."""

from __future__ import annotations

from terminal.upgrading import told
from workflows.upgrade import Broken, Upgrade


def said(*broken: Broken, running: int = 30, gone: int = 0) -> list[str]:
    found = Upgrade(running=running, replayed=running - gone, gone=gone, broken=broken)
    return [line.plain for line in told(found, "sojourn")]


def test_where_nobody_is_under_way_nothing_was_checked_and_it_says_so() -> None:
    first, then = said(running=0)

    assert first == 'No run is under way on the task queue "sojourn", so nothing was checked.'
    assert "TEMPORAL_NAMESPACE" in then


def test_each_reason_is_told_once_with_some_of_its_runs() -> None:
    many = [Broken(run=f"cart/c{number}", why="another way") for number in range(12)]

    first, second, *lines = said(*many, Broken(run="cart/di", why="it fails with KeyError"), gone=1)

    assert first == "Runs under way: 30. Replayed: 29. 1 ended meanwhile."
    assert second == "Could not go on under this release, so do not roll it out: 13."
    assert lines == [
        "  another way: 12",
        *(f"    cart/c{number}" for number in range(10)),
        "    and 2 more, which --json names too",
        "  it fails with KeyError: 1",
        "    cart/di",
    ]


def test_all_that_go_on_are_well() -> None:
    assert said()[-1] == "All of these go on under this release."
