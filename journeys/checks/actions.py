"""What must be right about a step that raises an event or sets attributes, before it may be published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from journeys.catalogue import CUSTOMER_TRIGGERS, INTERACTION_TRIGGERS, State, Trigger
from journeys.findings import Findings, flaw, gathered, warning
from journeys.language.attributes import AttributeType, Schema, how_to_declare, nearest_attribute, types, under
from journeys.language.expressions import Expression, ExpressionError, compile_expression
from journeys.language.scopes import Scope
from journeys.nearest import did_you_mean, nearest
from journeys.steps.uses import ExpressionUse, RaiseUse, SetUse, Written


class KnownThen(NamedTuple):
    """What is known of a run at a step: the *scope* of its expressions, with what the start and customers declare."""

    scope: Scope
    event: Schema
    customer: Schema

    def may_be_missing(self, name: str) -> bool:
        """Whether ``event.coupon`` may have no value."""
        declared = under("event", self.event) | under("customer", self.customer)
        return declared.get(name, "").endswith("?")


def check_raise(use: RaiseUse, triggers: Mapping[str, tuple[Trigger, State]], known: KnownThen) -> Findings:
    """What is wrong with a raise. Paths here are those in the step."""
    if use.trigger in CUSTOMER_TRIGGERS:
        message = f'"{use.trigger}" is built in: a change of the customer makes it, and nothing else.'
        return flaw(use.path, message, "Write set: {stage: '\"warm\"'} to change one.")
    if use.trigger in INTERACTION_TRIGGERS:
        message = f'"{use.trigger}" is built in: it tells what became of a message, and nobody can raise it.'
        return flaw(use.path, message, "Raise a trigger of your own.")
    if use.trigger not in triggers:
        return flaw(use.path, f'no trigger "{use.trigger}".', did_you_mean(use.trigger, triggers))
    trigger, state = triggers[use.trigger]
    found = Findings()
    if state != "ready":
        hint = f"Mark it ready: POST /v1/triggers/{use.trigger}/ready."
        found += flaw(use.path, f'trigger "{use.trigger}" is {state}, not ready.', hint)
    for name, written in use.attributes.items():
        found += _attribute(use.trigger, name, written, trigger.attributes, known).within(f"with.{name}")
    return found + gathered(_not_given(use, trigger.attributes))


def check_told(use: ExpressionUse, known: KnownThen) -> Findings:
    """What is wrong with what an endpoint is told."""
    return _expression(use.expression, known)[1].within(use.path)


def check_set(use: SetUse, known: KnownThen) -> Findings:
    """What is wrong with what is set of a customer."""
    found = Findings()
    for name, written in use.attributes.items():
        path = f"{use.path}.{name}"
        if name not in known.customer:
            found += _undeclared(name, written, known).within(path)
        elif written is not None:
            found += _expression(written, known, types(known.customer)[name])[1].within(path)
    return found


def _attribute(trigger: str, name: str, written: Written, schema: Schema, known: KnownThen) -> Findings:
    if name not in schema:
        return flaw("", f'trigger "{trigger}" has no attribute "{name}".', did_you_mean(name, schema))
    expression, found = _expression(written, known, types(schema)[name])
    taken = expression.source.strip() if expression else ""
    if known.may_be_missing(taken) and not schema[name].endswith("?"):
        message = f'{taken} may be missing, and "{trigger}" requires it: then nothing is raised.'
        found += warning("", message, f"Give another value for then: has({taken}) ? {taken} : …")
    return found


def _not_given(use: RaiseUse, schema: Schema) -> Iterator[Findings]:
    meant = {nearest(name, schema) for name in use.attributes if name not in schema}  # one mistake is one flaw
    for name, declared in schema.items():
        if name not in {*use.attributes, *meant} and not declared.endswith("?"):
            message = f'trigger "{use.trigger}" requires {name} ({declared}), which is not given.'
            yield flaw("with", message, f"Write with: {{{name}: …}}.")


def _undeclared(name: str, written: Written | None, known: KnownThen) -> Findings:
    """Nobody has such an attribute, and of which type it is would be left to chance."""
    if name == "id":
        return flaw("", "customer.id is your own id of the customer, and stays.", "Set one of another name.")
    message = f'customers have no attribute "{name}".'
    if near := nearest_attribute(name, known.customer):
        return flaw("", message, f'Did you mean "{near}"?')
    expression = _expression(written, known)[0] if written is not None else None
    return flaw("", message, f"Declare it: {how_to_declare(name, expression.gives if expression else 'text')}")


def _expression(
    written: Written, known: KnownThen, expected: AttributeType | None = None
) -> tuple[Expression | None, Findings]:
    try:
        expression = compile_expression(written, known.scope, expected)
    except ExpressionError as error:
        return None, Findings(tuple(error.flaws))
    return expression, Findings(warnings=expression.warnings)
