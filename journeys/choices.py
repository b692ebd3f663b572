"""Which arm a step takes by what is known: one pure function that production and preview both call."""

from __future__ import annotations

from journeys.known import Known
from journeys.steps import AnyStep, Await, BecomesQuestion, Branch, If, Split, Test, Until
from journeys.walk.diary import Choice


def choose(step: AnyStep, known: Known) -> Choice | None:
    """The arm that *step* takes now, and why. None: it asks for something that does not hold yet."""
    match step:
        case If() | Await() | Until():
            return _holding(step, known)
        case Branch() | Split() | Test():
            raise NotImplementedError
        case _:
            raise TypeError(f'the step "{step.id}" chooses nothing: it {step.words}')


def _holding(step: If | Await | Until, known: Known) -> Choice | None:
    """The first question whose condition on the customer holds already."""
    for arm, question in step.questions.items():
        if isinstance(question, BecomesQuestion) and known.version.holds_now(question.becomes, known.customer).holds:
            return Choice(arm=arm, why=f"{question.words} holds already")
    return None
