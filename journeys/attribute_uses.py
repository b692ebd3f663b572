"""Which attributes of customers a journey names: in conditions, expressions, addresses, dates and contents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from journeys.catalogue import Content
from journeys.definition import ConditionExit, EventExit, Journey
from journeys.language.cel_source import names_in
from journeys.language.templates import names, readable
from journeys.steps import every_step
from journeys.steps.uses import (
    AddressUse,
    BecomesUse,
    ChannelUse,
    ConditionsUse,
    ContentUse,
    DateUse,
    DurationUse,
    EndpointUse,
    ExpressionUse,
    InstantUse,
    LinkUse,
    MessageUse,
    RaiseUse,
    ReplyUse,
    SetUse,
    SharesUse,
    TriggerUse,
    Use,
    WinnerUse,
    Written,
)


def customer_attributes_of(journey: Journey, contents: Mapping[str, Content]) -> frozenset[str]:
    """The names of the attributes of customers that *journey* and its *contents* use, without their root."""
    named = {name for source in _around_steps(journey) for name in names_in(source)}
    for step in every_step(journey.steps):
        for use in step.uses:
            named |= _named_by(use)
    for content in (contents[name] for name in journey.contents if name in contents):
        named |= {name for part in content.parts.values() if readable(part) for name in names(part)}
    apart = (name.partition(".") for name in named)
    return frozenset(attribute for root, _, attribute in apart if root in ("customer", "before"))


def _around_steps(journey: Journey) -> Iterator[str]:
    """The conditions of the start, the goal and the exits."""
    wheres = [journey.start.where, journey.goal.where if journey.goal else None]
    for leaving in journey.exit:
        match leaving:
            case EventExit(where=where):
                wheres.append(where)
            case ConditionExit(when=when):
                wheres.append(when)
    yield from (where for where in wheres if where is not None)


def _named_by(use: Use) -> set[str]:
    """What one use names, with its root."""
    match use:
        case TriggerUse(where=where):
            return _in(where)
        case BecomesUse(condition=condition):
            return _in(condition)
        case ConditionsUse(conditions=conditions):
            return _in(*conditions)
        case ExpressionUse(expression=expression):
            return _in(expression)
        case RaiseUse(attributes=attributes):
            return _in(*attributes.values())
        case SetUse(attributes=attributes):
            return _in(*attributes.values()) | {f"customer.{name}" for name in attributes}
        case AddressUse(attribute=attribute) | DateUse(attribute=attribute):
            return {attribute}
        case ChannelUse() | ContentUse() | DurationUse() | EndpointUse() | InstantUse() | LinkUse():
            return set()
        case MessageUse() | ReplyUse() | SharesUse() | WinnerUse():
            return set()


def _in(*written: Written | None) -> set[str]:
    return {name for formula in written if isinstance(formula, str) for name in names_in(formula)}
