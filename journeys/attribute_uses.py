"""Which attributes of customers a journey names: in conditions, expressions, addresses, and contents that it sends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from journeys.catalogue import Content
from journeys.definition import ConditionExit, EventExit, Journey
from journeys.language.cel_source import names_in
from journeys.language.templates import names, readable
from journeys.steps import AddressUse, TriggerUse, every_step
from journeys.steps.uses import ExpressionUse, RaiseUse, SetUse


def customer_attributes_of(journey: Journey, contents: Mapping[str, Content]) -> frozenset[str]:
    """The names of the attributes of customers that *journey* and its *contents* use, without their root."""
    asked = (*_conditions(journey), *_expressions(journey))
    named = {name for source in asked for name in names_in(source)} | set(_addresses(journey)) | set(_set(journey))
    for content in (contents[name] for name in journey.contents if name in contents):
        named |= {name for part in content.parts.values() if readable(part) for name in names(part)}
    apart = (name.partition(".") for name in named)
    return frozenset(attribute for root, _, attribute in apart if root in ("customer", "before"))


def _conditions(journey: Journey) -> Iterator[str]:
    wheres = [journey.start.where, journey.goal.where if journey.goal else None]
    for leaving in journey.exit:
        match leaving:
            case EventExit(where=where):
                wheres.append(where)
            case ConditionExit(when=when):
                wheres.append(when)
    uses = (use for step in every_step(journey.steps) for use in step.uses)
    wheres += [use.where for use in uses if isinstance(use, TriggerUse)]
    yield from (where for where in wheres if where is not None)


def _expressions(journey: Journey) -> Iterator[str]:
    for step in every_step(journey.steps):
        for use in step.uses:
            match use:
                case RaiseUse(attributes=attributes) | SetUse(attributes=attributes):
                    yield from (formula for formula in attributes.values() if isinstance(formula, str))
                case ExpressionUse(expression=str() as formula):
                    yield formula
                case _:
                    pass


def _set(journey: Journey) -> Iterator[str]:
    uses = (use for step in every_step(journey.steps) for use in step.uses)
    yield from (f"customer.{name}" for use in uses if isinstance(use, SetUse) for name in use.attributes)


def _addresses(journey: Journey) -> Iterator[str]:
    uses = (use for step in every_step(journey.steps) for use in step.uses)
    yield from (use.attribute for use in uses if isinstance(use, AddressUse))
