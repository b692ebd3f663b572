"""Which arm a step takes by what is known: one pure function that production and preview both call."""

from __future__ import annotations

from journeys.known import Known
from journeys.language import conditions
from journeys.language.scopes import scope_of, values_of
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
        if isinstance(question, BecomesQuestion) and becomes(question.becomes, known):
            return Choice(arm=arm, why=f"{question.words} holds already")
    return None


def becomes(condition: str, known: Known) -> bool:
    """Whether a condition on the customer holds."""
    schema = known.version.customer
    return conditions.ask(condition, scope_of(customer=schema), values_of(customer=(schema, known.customer))).holds
