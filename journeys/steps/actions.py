"""The steps that act otherwise than by a message: on the customer, on other journeys, on other systems, on the run."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from journeys.language.attributes import AttributeName
from journeys.language.cel_source import Formula
from journeys.language.durations import Duration, say
from journeys.models import Expected, Name
from journeys.steps.failing import Failing
from journeys.steps.step import Step
from journeys.steps.uses import EndpointUse, ExpressionUse, RaiseUse, SetUse, Use, Written

Expressions = Annotated[
    dict[AttributeName, Formula], Expected("attributes with expressions, such as {total: event.total}")
]


def say_formula(written: Written) -> str:
    """An expression in one line."""
    return " ".join(written.split()) if isinstance(written, str) else str(written).lower()


def _told(attributes: Mapping[str, Written]) -> dict[str, str]:
    return {f"tells {name} as": say_formula(value) for name, value in attributes.items()}


class Raise(Step):
    """Make an event of this customer, which is accepted like any other.

    *raise*: the trigger of the event.
    *with*: its attributes, as expressions.
    """

    raise_: Annotated[Name, Expected("the name of a trigger; the attributes stand beside it, in with")] = Field(
        alias="raise"
    )
    with_: Expressions = Field(default_factory=dict, alias="with")

    @property
    def has_outcome(self) -> bool:
        return True

    @property
    def words(self) -> str:
        return f"raises {self.raise_}"

    @property
    def parts(self) -> Mapping[str, str]:
        return {"raises": self.raise_, **_told(self.with_)}

    @property
    def uses(self) -> Iterable[Use]:
        yield RaiseUse("raise", self.raise_, self.with_)


class Set(Step):
    """Set attributes of the customer, as expressions; null takes one away.

    *set*: the attributes, each with an expression such as ``now``, ``event.total`` or ``'"warm"'``.
    """

    set_: Annotated[
        Annotated[dict[AttributeName, Formula | None], Field(min_length=1)],
        Expected("attributes with expressions, such as {reminded_at: now}"),
    ] = Field(alias="set")

    @property
    def has_outcome(self) -> bool:
        return True

    @property
    def words(self) -> str:
        return f"sets {', '.join(self.set_)}"

    @property
    def parts(self) -> Mapping[str, str]:
        values = {name: "nothing" if value is None else say_formula(value) for name, value in self.set_.items()}
        return {f"sets {name} to": value for name, value in values.items()}

    @property
    def uses(self) -> Iterable[Use]:
        yield SetUse("set", self.set_)


class Webhook(Step):
    """Call a registered endpoint, signed, and again for *within* where it does not answer.

    *webhook*: the name of the endpoint.
    *with*: what it is told, as expressions.
    *within*: how long it is tried. The run stands here meanwhile; with ``within: 0 seconds`` it is one try.
    *failing*: what the run does where it is tried no more. With ``park`` it stands here until somebody repairs it.
    """

    webhook: Annotated[Name, Expected("the name of a registered endpoint, such as crm")]
    with_: Expressions = Field(default_factory=dict, alias="with")
    within: Duration = timedelta(days=1)
    failing: Failing | None = None

    @property
    def has_outcome(self) -> bool:
        return True

    @property
    def words(self) -> str:
        return f"calls {self.webhook}"

    @property
    def parts(self) -> Mapping[str, str]:
        told = {"calls": self.webhook, **_told(self.with_), "tries for": say(self.within)}
        return {**told, "where it fails lets the run": self.failing or "go on"}

    @property
    def uses(self) -> Iterable[Use]:
        yield EndpointUse("webhook", self.webhook)
        for name, expression in self.with_.items():
            yield ExpressionUse(f"with.{name}", expression)

    @property
    def longest(self) -> timedelta:
        return self.within


def _one_line(reason: str) -> str:
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in reason):
        raise ValueError("one line of text is expected, without control characters")
    return reason


class End(Step):
    """Complete the run here, with a reason for people. No step after it is reached.

    *end*: the reason, in words.
    """

    end: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
        AfterValidator(_one_line),
        Expected("a reason in words, at most 200 characters"),
    ]

    @property
    def words(self) -> str:
        return f"ends: {self.end}"

    @property
    def parts(self) -> Mapping[str, str]:
        return {"ends with": f'"{self.end}"'}

    @property
    def leads_on(self) -> bool:
        return False
