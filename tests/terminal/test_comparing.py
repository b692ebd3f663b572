"""Tests of a journey in a terminal: how they stand, and what decides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from journeys.significance import Tally, winner
from store.ab_views import TestArm, TestView
from terminal import comparing

BEGAN = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
END = BEGAN + timedelta(days=14)


def arm(name: str, people: int, counted: int, hits: int) -> TestArm:
    return TestArm(
        arm=name,
        people=people,
        counted=counted,
        hits=hits,
        left_out=people - counted,
        share=Decimal(50),
        rate=hits / counted if counted else None,
    )


def a_test(**more: Any) -> TestView:
    view = TestView(
        step="subject",
        versions=(3, 2),
        state="running",
        by="goal",
        within=timedelta(days=3),
        default="plain",
        people=2079,
        needed=None,
        started_at=BEGAN,
        ends_at=END,
        arms=(arm("plain", 1041, 1000, 80), arm("witty", 1038, 1000, 160)),
        verdict=None,
    )
    return view.model_copy(update=more)


def told(*views: TestView) -> list[str]:
    return [line.plain for line in comparing.tests(views, "welcome")]


def test_a_test_that_runs() -> None:
    assert told(a_test()) == [
        "subject of v2, v3, by goal: running",
        "  Since 2 Nov 2026 09:00 UTC; is decided on 16 Nov 2026 09:00 UTC.",
        "  Arm     Share   People   Counted   Hits   Rate    Left out",
        "  plain   50%     1041     1000      80     8.0%    41",
        "  witty   50%     1038     1000      160    16.0%   38",
        "  Counted is who came 3 days ago or earlier: what they did within that time is a hit.",
        "  plain is taken by everybody where the difference is not significant.",
    ]


def test_a_test_that_is_decided() -> None:
    verdict = winner({"plain": Tally(people=1000, hits=80), "witty": Tally(people=1000, hits=160)}, "plain")

    lines = told(a_test(state="decided", verdict=verdict))

    assert lines[1] == "  Since 2 Nov 2026 09:00 UTC; decided as of 16 Nov 2026 09:00 UTC."
    assert lines[-2].startswith("  Counted is who came 3 days before its end or earlier: ")
    assert lines[-1].startswith('  witty: "witty" is better than "plain" (16.0% of 1000 against 8.0% of 1000, p = ')


def test_a_test_whose_end_has_come_and_nobody_since() -> None:
    verdict = winner({"plain": Tally(people=4, hits=0), "witty": Tally(people=4, hits=4)}, "plain")

    lines = told(a_test(state="over", verdict=verdict))

    assert lines[1].endswith("; its end was 16 Nov 2026 09:00 UTC, and it is decided within a minute.")
    assert lines[-1].startswith("  plain: too few: ")


def test_a_test_that_nobody_came_to_and_one_by_people() -> None:
    empty = (arm("plain", 0, 0, 0), arm("witty", 0, 0, 0))
    nobody = a_test(state="waiting", people=0, started_at=None, ends_at=None, arms=empty)
    by_people = a_test(ends_at=None, needed=4000)

    lines = told(nobody, by_people)

    assert lines[1] == "  Nobody has come to it yet."
    assert lines[3].split() == ["plain", "50%", "0", "0", "0", "–", "0"]
    assert "" in lines
    assert "  Since 2 Nov 2026 09:00 UTC; ends when the time of 4000 people is over, of whom 2079 have come." in lines


def test_a_journey_without_tests() -> None:
    assert told() == ["welcome has no tests."]
