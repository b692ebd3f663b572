"""How far a send has come: the same, whatever the order of the reports."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.interactions import Interaction
from journeys.standing import RANKS, Reported, SendState, standing

DELIVERED, BOUNCED, OPENED, CLICKED = (Reported(what) for what in ("delivered", "bounced", "opened", "clicked"))
BY_A_MACHINE = Reported("opened", machine=True)

REPORTS = st.builds(Reported, st.sampled_from(get_args(Interaction)), st.booleans())


def test_every_interaction_has_a_rank() -> None:
    assert sorted(RANKS) == sorted(get_args(Interaction))


@pytest.mark.parametrize("state", ["claimed", "released", "accepted", "blocked", "failed", "unknown"])
def test_where_nothing_was_reported_the_ledger_speaks(state: SendState) -> None:
    assert standing(state, []) == state


@pytest.mark.parametrize(
    ("reports", "stands"),
    [
        pytest.param([DELIVERED], "delivered", id="delivered"),
        pytest.param([DELIVERED, BOUNCED], "bounced", id="a bounce retracts delivered"),
        pytest.param([DELIVERED, OPENED, CLICKED], "clicked", id="clicked"),
        pytest.param([OPENED, BOUNCED], "opened", id="what was read has arrived"),
        pytest.param([BY_A_MACHINE], "delivered", id="a machine's open"),
        pytest.param([DELIVERED, BY_A_MACHINE, BOUNCED], "bounced", id="a machine's open, and a bounce"),
        pytest.param([BY_A_MACHINE, OPENED], "opened", id="a machine's open, and a person's"),
        pytest.param([CLICKED, Reported("unsubscribed")], "unsubscribed", id="unsubscribed"),
    ],
)
def test_what_is_reported_ranks(reports: list[Reported], stands: str) -> None:
    assert standing("accepted", reports) == stands
    assert standing("accepted", reversed(reports)) == stands


@given(reports=st.lists(REPORTS, max_size=8), data=st.data())
def test_the_order_and_repetitions_make_no_difference(reports: list[Reported], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(reports * 2))

    assert standing("accepted", shuffled) == standing("accepted", reports)


@given(reports=st.lists(REPORTS, max_size=8), more=REPORTS)
def test_a_rank_never_goes_down(reports: list[Reported], more: Reported) -> None:
    ranks = ("accepted", *RANKS)

    before, after = standing("accepted", reports), standing("accepted", [*reports, more])

    assert ranks.index(after) >= ranks.index(before)
