"""Chance that stays: even, independent of everything else, and moving nobody who need not move."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.chance import arm_of, identity_of_arms

MANY = 100_000

# The values that chi-squared exceeds by chance once in a thousand times, by degrees of freedom.
# Source: NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.4.
ONCE_IN_A_THOUSAND = {1: 10.828, 2: 13.816, 3: 16.266, 8: 26.124}

SHAPES: dict[str, Callable[[int], str]] = {
    "numbers": str,
    "UUIDs": lambda number: str(uuid.uuid5(uuid.NAMESPACE_URL, str(number))),
    "addresses": lambda number: f"user{number}@example.com",
}


def shares(**percent: float) -> dict[str, Decimal]:
    return {arm: Decimal(str(share)) for arm, share in percent.items()}


PARTS = shares(a=45, b=45, c=10)


def taken(
    by: Mapping[str, Decimal], many: int, *, journey: str = "welcome", step: str = "half", shape: str = "numbers"
) -> list[str]:
    """The arms that this many people take."""
    return [arm_of(journey, step, by, SHAPES[shape](number)) for number in range(many)]


def chi_squared(counted: Mapping[str, int], by: Mapping[str, Decimal]) -> float:
    people = sum(counted.values())
    expected = {arm: people * float(share) / 100 for arm, share in by.items()}
    return sum((counted.get(arm, 0) - expected[arm]) ** 2 / expected[arm] for arm in by)


@pytest.mark.parametrize("shape", SHAPES)
def test_whatever_ids_look_like_the_shares_are_met(shape: str) -> None:
    by = shares(a=70, b=30)

    counted = Counter(taken(by, MANY, shape=shape))

    assert chi_squared(counted, by) < ONCE_IN_A_THOUSAND[1]


@pytest.mark.parametrize(
    "by", [shares(a=99.9, b=0.1), shares(a=0.1, b=33.3, c=66.6), shares(a=25, b=25, c=25, d=25)], ids=str
)
def test_shares_are_met_however_large_or_small(by: dict[str, Decimal]) -> None:
    counted = Counter(taken(by, 10_000))

    assert chi_squared(counted, by) < ONCE_IN_A_THOUSAND[len(by) - 1]


@pytest.mark.parametrize("other", [{"step": "other-half"}, {"journey": "welcome-again"}], ids=str)
def test_one_split_says_nothing_about_another(other: dict[str, str]) -> None:
    people = 10_000

    both = Counter(zip(taken(PARTS, people), taken(PARTS, people, **other), strict=True))

    expected = {(one, two): people * float(PARTS[one] * PARTS[two]) / 10_000 for one in PARTS for two in PARTS}
    off = sum((both[pair] - wanted) ** 2 / wanted for pair, wanted in expected.items())
    assert off < ONCE_IN_A_THOUSAND[8]  # nine pairs, all of whose shares are given


@given(who=st.text(), order=st.permutations(["a", "b", "c"]))
def test_the_order_of_the_arms_moves_nobody(who: str, order: list[str]) -> None:
    assert arm_of("welcome", "half", {arm: PARTS[arm] for arm in order}, who) == arm_of("welcome", "half", PARTS, who)


@pytest.mark.parametrize(
    ("before", "after", "into", "percent"),
    [
        (shares(a=50, b=50), shares(a=45, b=45, c=10), "c", 10),
        (shares(a=45, b=45, c=10), shares(a=40, b=40, c=20), "c", 10),
        (shares(a=90, b=10), shares(a=50, b=50), "b", 40),
        (shares(a=99.9, b=0.1), shares(a=99.8, b=0.2), "b", 0.1),
    ],
    ids=str,
)
def test_an_arm_that_grows_takes_just_what_it_needs_from_the_others(
    before: dict[str, Decimal], after: dict[str, Decimal], into: str, percent: float
) -> None:
    people = 10_000

    moved = [(old, new) for old, new in zip(taken(before, people), taken(after, people), strict=True) if old != new]

    assert {new for _, new in moved} == {into}
    needed = people * percent / 100
    assert abs(len(moved) - needed) < 4 * needed**0.5


def test_an_arm_that_is_taken_away_moves_only_its_own_people() -> None:
    before, after = taken(shares(a=45, b=45, c=10), 5_000), taken(shares(a=50, b=50), 5_000)

    assert {old for old, new in zip(before, after, strict=True) if old != new} == {"c"}


@st.composite
def divided(draw: st.DrawFn) -> dict[str, Decimal]:
    """Everybody, among three arms."""
    first = draw(st.integers(1, 998))
    second = draw(st.integers(1, 999 - first))
    return {arm: Decimal(part) / 10 for arm, part in zip("abc", (first, second, 1000 - first - second), strict=True)}


@given(before=divided(), after=divided(), who=st.text())
def test_nobody_moves_to_an_arm_that_grew_no_more_than_their_own(
    before: dict[str, Decimal], after: dict[str, Decimal], who: str
) -> None:
    old, new = arm_of("welcome", "half", before, who), arm_of("welcome", "half", after, who)

    assert old == new or after[new] * before[old] > after[old] * before[new]


GOLDEN = [
    ("welcome", "half", PARTS, "ada", "b"),
    ("welcome", "half", PARTS, "bob", "b"),
    ("welcome", "half", PARTS, "1", "b"),
    ("welcome", "half", PARTS, "", "a"),
    ("welcome", "half", PARTS, "Åse Ødegård", "a"),
    ("welcome", "half", PARTS, "ada@example.com", "a"),
    ("welcome", "half", PARTS, "3f2b8c1e-9d4a-4f6b-8a57-1c2d3e4f5a6b", "b"),
    ("welcome", "other-half", PARTS, "ada", "b"),
    ("win-back", "half", PARTS, "ada", "a"),
    ("win-back", "subject", shares(plain=50, witty=50), "ada", "plain"),
    ("win-back", "subject", shares(plain=50, witty=50), "bob", "plain"),
    ("win-back", "subject", shares(plain=99.9, witty=0.1), "ada", "plain"),
    ("win-back", "subject", shares(plain=50, witty=50), "win-back/ada/k3v9x2mq", "plain"),
]


@pytest.mark.parametrize(("journey", "step", "by", "who", "arm"), GOLDEN, ids=str)
def test_no_release_moves_anybody(journey: str, step: str, by: dict[str, Decimal], who: str, arm: str) -> None:
    assert arm_of(journey, step, by, who) == arm


def test_no_release_moves_anybody_of_ten_thousand() -> None:
    arms = "".join(taken(PARTS, 10_000))

    assert (
        hashlib.sha256(arms.encode()).hexdigest() == "cc74dfb982311d1b0b2d8eb7d80d4bc02003e982c8466e527f413c77bcb14460"
    )


def test_a_test_is_known_by_its_arms() -> None:
    plain, witty = ("plain", Decimal(50), '[{"id":"hello"}]'), ("witty", Decimal("50.0"), "[]")
    same = identity_of_arms([plain, witty])

    assert identity_of_arms([witty, plain]) == same
    assert identity_of_arms([("plain", Decimal("50.0"), plain[2]), ("witty", Decimal(50), "[]")]) == same
    for other in (("plain", Decimal(49), plain[2]), ("plainer", *plain[1:]), (*plain[:2], "[]")):
        assert identity_of_arms([other, witty]) != same
    assert identity_of_arms([plain, witty, ("third", Decimal(1), "[]")]) != same
