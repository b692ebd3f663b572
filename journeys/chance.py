"""Chance that stays: which arm somebody takes, the same on every machine, in every release, and for life.

It is weighted rendezvous hashing: each arm draws a number from a hash of journey, step, arm and person, and the arm
with the best draw for its share is taken. An arm's draw knows nothing of the other arms, so the order in which they
are written moves nobody, and of arms whose shares change nobody moves to one that grew no more than their own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal

from journeys.language.shares import say_share


def arm_of(journey: str, step: str, shares: Mapping[str, Decimal], who: str) -> str:
    """The arm that *who* takes: the id of a customer, or that of a run where it is drawn for each run anew.

    *shares* are percent by the arms' names; only their ratios count.
    """

    def score(arm: str) -> tuple[Decimal, str]:
        return _EXACT.divide(_waiting(journey, step, arm, who), shares[arm]), arm

    return min(shares, key=score)


def identity_of_arms(arms: Iterable[tuple[str, Decimal, str]]) -> str:
    """What tells one test from another at the same step: the same for the same names, shares and steps. 16 hex digits.

    Each arm is its name, its share, and its steps as JSON. The order of the arms does not count.
    """
    hashed = hashlib.sha256()
    for name, share, steps in sorted(arms):
        hashed.update("\0".join((name, say_share(share), steps, "")).encode())
    return hashed.hexdigest()[:16]


# Decimal rounds a logarithm the same way on every machine; math.log may differ in its last digit, and move somebody.
_EXACT = Context(prec=28, rounding=ROUND_HALF_EVEN)
_HALVES = Decimal(2**65)


def _waiting(journey: str, step: str, arm: str, who: str) -> Decimal:
    """How long this person would wait for this arm, if all had the same share: −ln of a number between 0 and 1."""
    # Names hold no NUL, so that no two questions are hashed alike.
    hashed = hashlib.sha256(f"{journey}\0{step}\0{arm}\0{who}".encode()).digest()
    odd = 2 * int.from_bytes(hashed[:8]) + 1  # the middle of one of 2**64 equal parts: never 0, never 1
    return _EXACT.minus(_EXACT.ln(_EXACT.divide(Decimal(odd), _HALVES)))
