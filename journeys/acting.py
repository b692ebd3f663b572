"""What an action of a run comes to, worked out of what is known of it. Both worlds call this."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from journeys.catalogue import Event
from journeys.chains import Maker
from journeys.facts import Decision
from journeys.known import Known
from journeys.language.attributes import Attributes, AttributeType, check_attributes, types
from journeys.language.expressions import Worth, work_out
from journeys.problems import Flaw
from journeys.steps import AnyStep, Raise, Set, Webhook
from journeys.steps.uses import Written
from journeys.walk.diary import Delivery


class Impossible(Exception):
    """An action that cannot be done, and why: in words without anybody's values, for the diary and for Temporal."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Setting(NamedTuple):
    """Attributes that a run sets of its customer; None takes one away."""

    attributes: Attributes


def action(step: AnyStep, known: Known, made_by: Maker) -> Event | Setting:
    """What a run does at *step*: the event that it raises, or what it sets. Raises Impossible."""
    match step:
        case Raise():
            return Event(
                id=made_by.event,
                trigger=step.raise_,
                customer=known.customer_id,
                source=made_by.source,
                attributes=_raised(step, known),
            )
        case Set():
            return Setting(_set(step, known))
        case _:
            raise TypeError(f'the step "{step.id}" is no action: it {step.words}')


def told(step: Webhook, known: Known) -> Attributes:
    """What an endpoint is told: each value as its expression gives it, null where it cannot be told."""
    scope, values = known.scope, known.values
    return {name: work_out(written, scope, values).value for name, written in step.with_.items()}


def unfit(flaws: Sequence[Flaw]) -> str:
    """Why an event or a change of a customer is not taken. What was found in its ``attributes`` is not said."""
    # Of a trigger, in events that are valid, they say what became of it; all others may quote what was found.
    own = [flaw.message.rstrip(".") for flaw in flaws if flaw.path.removeprefix("[0].") == "trigger"]
    names = sorted({flaw.path.rpartition(".")[2] for flaw in flaws if flaw.path.removeprefix("[0].") != "trigger"})
    return "; ".join([*own, *([f"it does not fit: {', '.join(names)}"] if names else [])])


def refuse_unfit(flaws: Sequence[Flaw]) -> None:
    """Raises Impossible where attributes have *flaws*, which are at their names."""
    if flaws:
        raise Impossible(unfit([flaw.within("attributes") for flaw in flaws]))


def done(decisions: Iterable[Decision], at: datetime) -> Delivery:
    """What became of an action whose event was accepted: which journeys it started in vain is said."""
    refused = [f"{made.journey} does not start: {made.why}" for made in decisions if made.did == "refused"]
    return Delivery(outcome="accepted", at=at, reason="; ".join(refused))


def impossible(error: Impossible, at: datetime) -> Delivery:
    """What became of an action that could not be done."""
    return Delivery(outcome="failed", at=at, reason=error.why)


def _raised(step: Raise, known: Known) -> Attributes:
    """The attributes of an event. What cannot be told is left out where it may be missing."""
    schema, attributes = known.version.schemas.get(step.raise_, {}), Attributes()
    for name, formula in step.with_.items():
        worth = _worth(formula, known, types(schema).get(name))
        if worth.value is not None:
            attributes[name] = worth.value
        elif not schema.get(name, "").endswith("?"):
            raise Impossible(f"with.{name} cannot be told: {worth.why}")
    refuse_unfit(check_attributes(schema, attributes))
    return attributes


def _set(step: Set, known: Known) -> Attributes:
    """All that is set, or nothing: one attribute that cannot be told keeps the others as they are."""
    expected, attributes = types(known.version.customer), Attributes()
    for name, formula in step.set_.items():
        worth = None if formula is None else _worth(formula, known, expected.get(name))
        if worth and worth.value is None:
            raise Impossible(f"set.{name} cannot be told: {worth.why}")
        attributes[name] = worth.value if worth else None
    refuse_unfit(check_attributes(known.version.customer, attributes))
    return attributes


def _worth(formula: Written, known: Known, expected: AttributeType | None) -> Worth:
    return work_out(formula, known.scope, known.values, expected)
