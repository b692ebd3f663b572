"""Which arm a step takes by what is known, or by chance: one function that production and preview both call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from journeys.ab_tests import ABTest, ab_test
from journeys.chance import arm_of
from journeys.known import Known
from journeys.language import conditions
from journeys.language.shares import say_share
from journeys.steps import AnyStep, Await, BecomesQuestion, Branch, If, Split, Test, Until
from journeys.steps.asking import OTHERWISE
from journeys.walk.diary import Choice

MOST_UNTOLD = 3
"""So many conditions that could not be told are named. A branch may have very many."""


class Lots(Protocol):
    """What is kept of who drew what, so that it stays."""

    def place(self, step: str, places: Mapping[str, int], known: Known) -> str | None:
        """The arm in which the customer has a place, or now takes the first one that is free. None: all are taken."""
        ...

    def arm(self, test: ABTest, known: Known) -> Choice:
        """The arm that the customer takes in a test, or after its end."""
        ...


def choose(step: AnyStep, known: Known, lots: Lots) -> Choice | None:
    """The arm that *step* takes now, and why. None: it asks for something that does not hold yet."""
    match step:
        case If() | Await() | Until():
            return _holding(step, known)
        case Branch():
            return _by_what_is_known(step, known)
        case Split():
            return _by_chance(step, known, lots)
        case Test():
            return lots.arm(ab_test(known.version.journey, step.id, step.test, known.day), known)
        case _:
            raise TypeError(f'the step "{step.id}" chooses nothing: it {step.words}')


def _holding(step: If | Await | Until, known: Known) -> Choice | None:
    """The first question whose condition on the customer holds already."""
    for arm, question in step.questions.items():
        if isinstance(question, BecomesQuestion) and known.version.holds_now(question.becomes, known.customer).holds:
            return Choice(arm=arm, why=f"{question.words} holds already")
    return None


def _by_what_is_known(step: Branch, known: Known) -> Choice:
    scope, values = known.scope, known.values
    untold: list[str] = []
    for arm in step.branch:
        verdict = conditions.ask(arm.when, scope, values)
        if verdict.holds:
            return Choice(arm=arm.arm, why=_why(verdict.clause, untold))
        if not verdict.told:
            untold.append(verdict.clause)
    return Choice(arm=OTHERWISE, why=_why("no condition holds", untold))


def _why(decided: str, untold: list[str]) -> str:
    """What decided, and what could not be told before it, such as for a missing value."""
    return "; ".join([decided, *_some(untold)])


def _some(untold: list[str]) -> Iterable[str]:
    yield from untold[:MOST_UNTOLD]
    if more := len(untold[MOST_UNTOLD:]):
        yield f"{more} more cannot be told"


def _by_chance(step: Split, known: Known, lots: Lots) -> Choice:
    places, shares = step.places, step.shares
    if places and (arm := lots.place(step.id, places, known)):
        return Choice(arm=arm, why=f"one of the first {places[arm]}")
    if not shares:
        return Choice(arm=OTHERWISE, why="all places are taken")
    arm = arm_of(known.version.name, step.id, shares, known.run if step.by == "run" else known.customer_id)
    return Choice(arm=arm, why=f"by lot, with a share of {say_share(shares[arm])}")
