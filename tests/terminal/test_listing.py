"""A journey as it is shown in a terminal."""

from __future__ import annotations

import pytest

from api.journeys_examples import JOURNEY_VIEW
from store.counts import JourneyHolding, JourneyPause, JourneyView
from terminal.listing import journey, journeys
from tests.shop import NOON

HELD = JourneyHolding(since=NOON, why="the brake: so many", waiting=3)
PAUSED = JourneyPause(since=NOON, waiting_messages=2, waiting_starts=1)

SAYS_HELD = [
    "held since 24 Nov 12:00: the brake: so many. Messages that wait: 3",
    "Once all is well: sojourn release abandoned-cart",
]
SAYS_PAUSED = [
    "paused since 24 Nov 12:00; 2 messages and 1 start wait.",
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
