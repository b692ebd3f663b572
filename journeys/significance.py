"""Whether one arm of a test is better than the others, or only luckier.

The best arm is held against each other one by a two-sided z-test of two proportions, with the rate of both together as
the rate that would be if both did alike. The more arms, the more chances to be lucky, so the p-values are corrected by
Holm's method. The best arm wins where every difference is significant at 5 %; else all take the default.
Source: Holm (1979), "A simple sequentially rejective multiple test procedure".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import erfc, sqrt

from journeys.models import Frozen

LEVEL = 0.05

FEWEST = 5
"""So many hits, and so many misses, are to be expected in an arm before a rate says anything.

Source: Cochran (1954), "Some methods for strengthening the common chi-squared tests".
"""


class Tally(Frozen):
    """How many people took an arm, and how many of them did what the test is about."""

    people: int
    hits: int


class Comparison(Frozen):
    """The best arm against another one. *corrected* is *p* after Holm's correction for the number of arms."""

    against: str
    z: float
    p: float
    corrected: float


class Verdict(Frozen):
    """Which arm everybody takes from now on. *decided*: because it is better, not because it is the default.

    *best* has the highest rate, whether that means something or not; *tests* are empty where there are too few people.
    """

    winner: str
    decided: bool
    why: str
    best: str
    tests: tuple[Comparison, ...] = ()


def winner(arms: Mapping[str, Tally], default: str) -> Verdict:
    """The verdict on *arms*, of which there are two at least, in the order in which they are written."""
    best = max(arms, key=lambda arm: _rate(arms[arm]))  # of equals the first one, whom no test will call better
    others = [arm for arm in arms if arm != best]
    few = [arm for other in others for arm in (best, other) if _too_few(arms[arm], arms[best], arms[other])]
    if few:
        return Verdict(winner=default, decided=False, why=_why_too_few(few[0], arms, default), best=best)
    tests = _corrected([(other, *z_test(arms[best], arms[other])) for other in others])
    if not_better := [test for test in tests if test.corrected > LEVEL]:
        closest = max(not_better, key=lambda test: test.corrected)
        why = f'"{best}" is not significantly better than "{closest.against}" ({_said(best, closest, arms)})'
        why = f'{why}, so everybody takes the default, "{default}".'
        return Verdict(winner=default, decided=False, why=why, best=best, tests=tests)
    closest = max(tests, key=lambda test: test.corrected)
    why = f'"{best}" is better than "{closest.against}" ({_said(best, closest, arms)})'
    why = f"{why} and than every other arm." if len(tests) > 1 else f"{why}."
    return Verdict(winner=best, decided=True, why=why, best=best, tests=tests)


def z_test(one: Tally, other: Tally) -> tuple[float, float]:
    """z, which is positive where *one* has the higher rate, and the two-sided p-value.

    Neither of them may be empty, and there must be a hit and a miss.
    """
    people = one.people + other.people
    pooled = (one.hits + other.hits) / people
    error = sqrt(pooled * (1 - pooled) * (1 / one.people + 1 / other.people))
    z = (one.hits / one.people - other.hits / other.people) / error
    return z, erfc(abs(z) / sqrt(2))


def holm(ps: Sequence[float]) -> list[float]:
    """P-values, each corrected for how many there are."""
    corrected = [0.0] * len(ps)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        largest = max(largest, min(1.0, (len(ps) - rank) * ps[index]))
        corrected[index] = largest
    return corrected


def _corrected(tests: Sequence[tuple[str, float, float]]) -> tuple[Comparison, ...]:
    corrected = holm([p for _, _, p in tests])
    return tuple(
        Comparison(against=against, z=z, p=p, corrected=after)
        for (against, z, p), after in zip(tests, corrected, strict=True)
    )


def _rate(arm: Tally) -> float:
    return arm.hits / arm.people if arm.people else 0.0


def _too_few(arm: Tally, one: Tally, other: Tally) -> bool:
    """Whether fewer hits or misses than FEWEST would be expected in *arm* if *one* and *other* did alike."""
    people, hits = one.people + other.people, one.hits + other.hits
    return arm.people * min(hits, people - hits) < FEWEST * people or not people


def _why_too_few(arm: str, arms: Mapping[str, Tally], default: str) -> str:
    tally = arms[arm]
    people = "1 person" if tally.people == 1 else f"{tally.people} people"
    return (
        f'too few: {tally.hits} of {people} in "{arm}", where {FEWEST} hits and {FEWEST} misses would have to be '
        f'expected at least, so everybody takes the default, "{default}".'
    )


def _said(best: str, test: Comparison, arms: Mapping[str, Tally]) -> str:
    one, other = arms[best], arms[test.against]
    return f"{_percent(one)} against {_percent(other)}, p = {test.corrected:.2g}"


def _percent(arm: Tally) -> str:
    return f"{100 * _rate(arm):.1f}% of {arm.people}"
