"""Which arm is better, and which only luckier: against statsmodels, and against chance."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

import pytest

from journeys.significance import FEWEST, LEVEL, Tally, holm, winner, z_test


def tallies(**arms: tuple[int, int]) -> dict[str, Tally]:
    """Hits and people of each arm."""
    return {arm: Tally(hits=hits, people=people) for arm, (hits, people) in arms.items()}


@pytest.mark.parametrize(
    ("one", "other", "z", "p"),
    [
        # statsmodels 0.15.0: proportions_ztest. The first is the example of its documentation.
        ((5, 83), (12, 99), -1.4078304151258787, 0.15918129181156992),
        ((15, 50), (25, 50), -2.041241452319315, 0.041226833337163676),
        ((120, 1000), (80, 1000), 2.9814239699997187, 0.0028691127920766196),
        ((30, 200), (10, 190), 3.1679492192330194, 0.0015351833289765989),
        ((1200, 20000), (1100, 19000), 0.8821319295996691, 0.37770546728901744),
        # Heart attacks with placebo and with aspirin: Agresti (2007), section 2.2, where z² = X² = 25.01.
        ((189, 11034), (104, 11037), 5.001388204008378, 5.691896973740836e-07),
    ],
)
def test_z_is_that_of_the_books(one: tuple[int, int], other: tuple[int, int], z: float, p: float) -> None:
    first, second = tallies(one=one, other=other).values()

    assert z_test(first, second) == pytest.approx((z, p), rel=1e-12)
    assert z_test(second, first) == pytest.approx((-z, p), rel=1e-12)


@pytest.mark.parametrize(
    ("ps", "corrected"),
    [
        # statsmodels 0.15.0: multipletests(method="holm")
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.2, 0.001, 0.03, 0.9, 0.01], [0.4, 0.005, 0.09, 0.9, 0.04]),
        ([0.6, 0.7], [1.0, 1.0]),
        ([0.04], [0.04]),
        ([], []),
    ],
)
def test_holm_is_that_of_the_books(ps: list[float], corrected: list[float]) -> None:
    assert holm(ps) == pytest.approx(corrected)


def test_the_better_one_of_two_wins() -> None:
    verdict = winner(tallies(plain=(80, 1000), witty=(120, 1000)), "plain")

    assert (verdict.winner, verdict.decided, verdict.best) == ("witty", True, "witty")
    assert verdict.why == '"witty" is better than "plain" (12.0% of 1000 against 8.0% of 1000, p = 0.0029).'
    [test] = verdict.tests
    assert test.against == "plain"
    assert test.p == test.corrected == pytest.approx(0.00286911279)


def test_the_best_one_must_be_better_than_each_other_one() -> None:
    close = winner(tallies(plain=(80, 1000), witty=(160, 1000), bold=(140, 1000)), "plain")
    clear = winner(tallies(plain=(80, 1000), witty=(160, 1000), bold=(118, 1000)), "plain")

    assert (close.winner, close.decided, close.best) == ("plain", False, "witty")
    assert close.why == (
        '"witty" is not significantly better than "bold" (16.0% of 1000 against 14.0% of 1000, p = 0.21), '
        'so everybody takes the default, "plain".'
    )
    assert (clear.winner, clear.decided) == ("witty", True)
    assert clear.why == (
        '"witty" is better than "bold" (16.0% of 1000 against 11.8% of 1000, p = 0.0066) and than every other arm.'
    )


def test_more_arms_ask_for_more() -> None:
    two = winner(tallies(plain=(100, 1000), witty=(129, 1000)), "plain")
    three = winner(tallies(plain=(100, 1000), witty=(129, 1000), bold=(100, 1000)), "plain")

    assert [test.p for test in two.tests] == pytest.approx([test.p for test in three.tests][:1])
    assert (two.decided, three.decided) == (True, False)
    assert not winner(tallies(plain=(100, 1000), witty=(127, 1000)), "plain").decided
    assert all(test.corrected >= test.p for test in three.tests)
    assert max(test.corrected for test in three.tests) > max(test.p for test in three.tests)


@pytest.mark.parametrize(
    "arms",
    [
        tallies(plain=(0, 5), witty=(5, 5)),
        tallies(plain=(0, 0), witty=(0, 0)),
        tallies(plain=(0, 0), witty=(400, 1000)),
        tallies(plain=(0, 1000), witty=(0, 1000)),
        tallies(plain=(1000, 1000), witty=(1000, 1000)),
        tallies(plain=(0, 1000), witty=(9, 1000)),
        tallies(plain=(1000, 1000), witty=(991, 1000)),
        tallies(plain=(1, 8), witty=(400, 1000)),
        tallies(plain=(100, 1000), witty=(200, 1000), bold=(1, 3)),
    ],
    ids=str,
)
def test_too_few_decide_nothing(arms: Mapping[str, Tally]) -> None:
    verdict = winner(arms, "plain")

    assert (verdict.winner, verdict.decided, verdict.tests) == ("plain", False, ())
    assert verdict.why.startswith("too few: ")


def test_five_expected_hits_in_each_arm_are_enough() -> None:
    assert winner(tallies(plain=(0, 1000), witty=(2 * FEWEST, 1000)), "plain").decided


def test_equals_are_no_winners_whatever_their_order() -> None:
    for default in ("plain", "witty"):
        verdict = winner(tallies(plain=(100, 1000), witty=(200, 2000)), default)

        assert (verdict.winner, verdict.decided, verdict.best) == (default, False, "plain")
        assert [test.p for test in verdict.tests] == [1.0]


def test_the_default_may_win_by_itself() -> None:
    verdict = winner(tallies(plain=(160, 1000), witty=(80, 1000)), "plain")

    assert (verdict.winner, verdict.decided) == ("plain", True)


def hits(chance: Random, people: int, rate: float) -> Tally:
    return Tally(people=people, hits=sum(chance.random() < rate for _ in range(people)))


@pytest.mark.parametrize(("arms", "people", "rate"), [(2, 400, 0.1), (2, 150, 0.4), (3, 300, 0.2), (5, 200, 0.3)])
def test_where_all_do_alike_a_winner_is_named_once_in_twenty_tests_at_most(arms: int, people: int, rate: float) -> None:
    chance = Random(2026)
    tests = 1_000

    named = sum(
        winner({f"arm-{number}": hits(chance, people, rate) for number in range(arms)}, "arm-0").decided
        for _ in range(tests)
    )

    luck = 3 * (LEVEL * (1 - LEVEL) / tests) ** 0.5
    assert named / tests < LEVEL + luck
    assert named > 0


def test_where_two_are_alike_and_others_worse_neither_is_named_more_often() -> None:
    chance = Random(2026)
    tests = 500

    named = sum(
        winner(
            {"worse": hits(chance, 300, 0.05), "good": hits(chance, 300, 0.3), "as-good": hits(chance, 300, 0.3)},
            "worse",
        ).decided
        for _ in range(tests)
    )

    assert named / tests < LEVEL + 3 * (LEVEL * (1 - LEVEL) / tests) ** 0.5


def test_a_difference_that_is_there_is_found() -> None:
    chance = Random(2026)

    named = [
        winner({"plain": hits(chance, 1000, 0.1), "witty": hits(chance, 1000, 0.16)}, "plain").winner
        for _ in range(100)
    ]

    assert named.count("witty") > 90
