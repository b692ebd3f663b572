"""A journey as it is shown in a terminal, and what is said where one ends."""

from __future__ import annotations

import pytest

from api.journeys_examples import JOURNEY_VIEW
from store.completing import Completed
from store.counts import JourneyHolding, JourneyPause, JourneyView
from store.inside import Inside
from terminal.ending import completed
from terminal.listing import journey, journeys
from tests.shop import NOON

HELD = JourneyHolding(since=NOON, why="the brake: so many", waiting=3)
PAUSED = JourneyPause(since=NOON, waiting_messages=2, waiting_starts=1)

SAYS_HELD = [
    "held since 24 Nov 2026 12:00 UTC: the brake: so many. Messages that wait: 3",
    "Once all is well: sojourn release abandoned-cart",
]
SAYS_PAUSED = [
    "paused since 24 Nov 2026 12:00 UTC; 2 messages and 1 start wait.",
    "To let it go on: sojourn resume abandoned-cart",
]


@pytest.mark.parametrize(
    ("held", "paused", "said"),
    [
        (None, None, []),
        (HELD, None, SAYS_HELD),
        (None, PAUSED, SAYS_PAUSED),
        (HELD, PAUSED, SAYS_HELD + SAYS_PAUSED),
    ],
    ids=["neither", "held", "paused", "both"],
)
def test_what_keeps_messages_back_is_told_with_what_helps(
    held: JourneyHolding | None, paused: JourneyPause | None, said: list[str]
) -> None:
    view = JourneyView.model_validate(JOURNEY_VIEW).model_copy(update={"held": held, "paused": paused})

    lines = [line.plain.strip() for line in journey(view)]

    assert lines[1 : lines.index("")] == said


def test_where_there_is_none_the_archived_ones_are_named() -> None:
    assert [line.plain for line in journeys([])] == ["No journeys. Archived ones: sojourn journeys --archived"]


def test_who_is_parked_is_told_with_what_says_why() -> None:
    view = JourneyView.model_validate(JOURNEY_VIEW).model_copy(update={"parked": 2})

    lines = [line.plain.strip() for line in journey(view)]

    assert lines[1:3] == [
        "parked, until they are repaired: 2.",
        "To see why: sojourn repair abandoned-cart --dry-run",
    ]


def test_who_is_parked_keeps_a_journey_from_being_completed() -> None:
    inside = (Inside(version=1, runs=3),)
    told = Completed(
        journey="cart", inside=inside, runs=3, in_flight=0, waiting=0, parked=1, changed=True, dry_run=True
    )

    *_, last = completed(told)

    assert last.plain == "1 of them is parked, and finishes once repaired: sojourn repair cart"
