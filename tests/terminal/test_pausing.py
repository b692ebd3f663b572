"""What is said of a journey that is paused or resumed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from journeys.clearance.releases import CatchUp, Over
from store.counts import JourneyHolding, JourneyPause
from store.pausing import Paused, Resumed
from terminal.pausing import paused, resumed
from tests.shop import NOON

PAUSE = JourneyPause(since=NOON, waiting_messages=1, waiting_starts=40)


@pytest.mark.parametrize(
    ("active", "changed", "dry_run", "said"),
    [
        (2, True, False, "welcome is paused: nobody enters, and nothing goes out.\n2 people are inside."),
        (1, True, True, "welcome would be paused: nobody enters, and nothing goes out.\n1 person is inside."),
        (2, False, False, "welcome is paused already, since 24 Nov 2026 12:00 UTC; 1 message and 40 starts wait."),
        (2, False, True, "welcome is paused already, since 24 Nov 2026 12:00 UTC; 1 message and 40 starts wait."),
    ],
)
def test_what_a_pause_does(active: int, said: str, *, changed: bool, dry_run: bool) -> None:
    told = Paused(journey="welcome", paused=PAUSE, active=active, in_flight=2, changed=changed, dry_run=dry_run)

    *lines, last = [line.plain for line in paused(told)]
    assert "\n".join(lines).startswith(said)
    assert last == "2 messages are on the way to a provider, and may still arrive."


@pytest.mark.parametrize(
    ("catch_up", "dry_run", "said"),
    [
        ("now", False, "What waited goes out within 15 minutes, one after the other"),
        (Over(over=timedelta(hours=2)), False, "What waited goes out within 2 hours, one after the other"),
        ("now", True, "Resumed, what waits would go out within 15 minutes, one after the other"),
        ("skip", False, "All that is left out."),
        ("skip", True, "Resumed, all that would be left out."),
    ],
)
def test_what_a_resume_does(catch_up: CatchUp, said: str, *, dry_run: bool) -> None:
    spread = catch_up.over if isinstance(catch_up, Over) else timedelta(minutes=15)
    told = Resumed(journey="welcome", paused=PAUSE, catch_up=catch_up, spread=spread, dry_run=dry_run)

    first, second, *_ = resumed(told)

    begins = "welcome is paused" if dry_run else "welcome goes on. It was paused"
    assert (
        first.plain
        == f"{begins} since 24 Nov 2026 12:00 UTC; 1 message and 40 starts {'wait' if dry_run else 'waited'}."
    )
    assert second.plain.startswith(said)


@pytest.mark.parametrize("catch_up", ["now", "skip"])
def test_a_resume_says_that_the_brake_holds_it_too(catch_up: CatchUp) -> None:
    held = JourneyHolding(since=NOON, why="the brake: so many", waiting=3)
    told = Resumed(
        journey="welcome", paused=PAUSE, held=held, catch_up=catch_up, spread=timedelta(minutes=15), dry_run=True
    )

    *_, last = resumed(told)

    assert last.plain == "The brake holds it too: nothing goes out before sojourn release welcome."


def test_what_is_not_paused() -> None:
    told = Resumed(journey="welcome", paused=None, catch_up="now", spread=timedelta(), dry_run=False)

    assert [line.plain for line in resumed(told)] == ["welcome is not paused: there is nothing to resume."]
