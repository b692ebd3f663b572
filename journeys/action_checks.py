"""What must be right about a step that raises an event or sets attributes, before it may be published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from journeys.catalogue import CUSTOMER_TRIGGERS, INTERACTION_TRIGGERS, State, Trigger
from journeys.language.attributes import AttributeType, Schema, types, under
from journeys.language.expressions import Expression, ExpressionError, compile_expression
from journeys.language.scopes import Scope
from journeys.problems import Flaw, did_you_mean, nearest
from journeys.steps.uses import ExpressionUse, RaiseUse, SetUse, Written


class Found(NamedTuple):
    """What was found at a step, with paths from there on: what keeps it from going live, and what does not."""

    flaws: list[Flaw]
    warnings: list[Flaw]

    def add(self, path: str, more: Found) -> None:
        """Add what was found at *path*."""
        self.flaws.extend(flaw.within(path) for flaw in more.flaws)
        self.warnings.extend(warning.within(path) for warning in more.warnings)


class KnownThen(NamedTuple):
    """What is known of a run at a step: the *scope* of its expressions, with what the start and customers declare."""

    scope: Scope
    event: Schema
    customer: Schema

    def may_be_missing(self, name: str) -> bool:
        """Whether ``event.coupon`` may have no value."""
        declared = under("event", self.event) | under("customer", self.customer)
        return declared.get(name, "").endswith("?")


def check_raise(use: RaiseUse, triggers: Mapping[str, tuple[Trigger, State]], known: KnownThen) -> Found:
    """What is wrong with a raise."""
    if use.trigger in CUSTOMER_TRIGGERS:
        message = f'"{use.trigger}" is built in: a change of the customer makes it, and nothing else.'
        return _flaw(use.path, message, "Write set: {stage: '\"warm\"'} to change one.")
    if use.trigger in INTERACTION_TRIGGERS:
        message = f'"{use.trigger}" is built in: it tells what became of a message, and nobody can raise it.'
        return _flaw(use.path, message, "Raise a trigger of your own.")
    if use.trigger not in triggers:
        return _flaw(use.path, f'no trigger "{use.trigger}".', did_you_mean(use.trigger, triggers))
    (trigger, state), found = triggers[use.trigger], Found([], [])
    if state != "ready":
        hint = f"Mark it ready: POST /v1/triggers/{use.trigger}/ready."
        found.flaws.extend(_flaw(use.path, f'trigger "{use.trigger}" is {state}, not ready.', hint).flaws)
    for name, written in use.attributes.items():
        found.add(f"with.{name}", _attribute(use.trigger, name, written, trigger.attributes, known))
    found.flaws.extend(_not_given(use, trigger.attributes))
    return found


def check_told(use: ExpressionUse, known: KnownThen) -> Found:
    """What is wrong with what an endpoint is told."""
    try:
        expression = compile_expression(use.expression, known.scope)
    except ExpressionError as error:
        return Found([flaw.within(use.path) for flaw in error.flaws], [])
    return Found([], [flaw.within(use.path) for flaw in expression.warnings])


def check_set(use: SetUse, known: KnownThen) -> Found:
    """What is wrong with what is set of a customer."""
    found = Found([], [])
    for name, written in use.attributes.items():
        path = f"{use.path}.{name}"
        if name not in known.customer:
            found.add(path, _undeclared(name, written, known))
        elif written is not None:
            found.add(path, _expression(written, known, types(known.customer)[name])[1])
    return found


def _attribute(trigger: str, name: str, written: Written, schema: Schema, known: KnownThen) -> Found:
    if name not in schema:
        return _flaw("", f'trigger "{trigger}" has no attribute "{name}".', did_you_mean(name, schema))
    expression, found = _expression(written, known, types(schema)[name])
    taken = expression.source.strip() if expression else ""
    if known.may_be_missing(taken) and not schema[name].endswith("?"):
        message = f'{taken} may be missing, and "{trigger}" requires it: then nothing is raised.'
        hint = f"Give another value for then: has({taken}) ? {taken} : …"
        found.warnings.append(Flaw(path="", message=message, hint=hint))
    return found


def _not_given(use: RaiseUse, schema: Schema) -> Iterator[Flaw]:
    meant = {nearest(name, schema) for name in use.attributes if name not in schema}  # one mistake is one flaw
    for name, declared in schema.items():
        if name not in {*use.attributes, *meant} and not declared.endswith("?"):
            message = f'trigger "{use.trigger}" requires {name} ({declared}), which is not given.'
            yield Flaw(path="with", message=message, hint=f"Write with: {{{name}: …}}.")


def _undeclared(name: str, written: Written | None, known: KnownThen) -> Found:
    """Nobody has such an attribute, and of which type it is would be left to chance."""
    message = f'customers have no attribute "{name}".'
    if near := nearest(name, known.customer):
        return _flaw("", message, f'Did you mean "{near}"?')
    expression = _expression(written, known)[0] if written is not None else None
    kind = expression.gives if expression else "text"
    file = f"{{attribute: {name}, type: {kind}}}"
    return _flaw("", message, f"Declare it: {file} in a file to apply, or PUT /v1/customer-attributes/{name}.")


def _expression(
    written: Written, known: KnownThen, expected: AttributeType | None = None
) -> tuple[Expression | None, Found]:
    try:
        expression = compile_expression(written, known.scope, expected)
    except ExpressionError as error:
        return None, Found(list(error.flaws), [])
    return expression, Found([], list(expression.warnings))


def _flaw(path: str, message: str, hint: str) -> Found:
    return Found([Flaw(path=path, message=message, hint=hint)], [])
