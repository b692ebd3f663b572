"""Conditions of a journey on events and on changes of the customer: what they may name where they are written."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from journeys.catalogue import CHANGED, CREATED, CUSTOMER_TRIGGERS
from journeys.checks.references import check_trigger
from journeys.checks.review import Review
from journeys.findings import Findings, flaw, warning
from journeys.language.cel_source import names_root
from journeys.language.conditions import ConditionError, compile_condition
from journeys.language.scopes import Scope, scope_of
from journeys.problems import Flaw
from journeys.versions import scope_at


def check_listening(review: Review, path: str, trigger: str, where: str | None) -> Iterator[Findings]:
    """What is wrong with a *trigger* that a journey listens to, and with its condition."""
    yield from check_trigger(review, f"{path}.trigger", trigger)
    if where is not None and (schema := review.catalogue.schema(trigger)) is not None:
        scope = scope_at(trigger, schema, review.catalogue.customer)
        yield _condition(review, f"{path}.where", where, scope, _of_changes(where, trigger))


def check_start(review: Review) -> Iterator[Findings]:
    """What is wrong with the condition of a start."""
    where, triggers = review.journey.start.where, review.journey.start.triggers
    if where is None or review.event is None:
        return
    scope = scope_at(triggers[0], review.event, review.catalogue.customer)
    if len(triggers) > 1:
        scope = scope_of(event=review.event, customer=review.catalogue.customer)
    meant = (_of_changes(where, trigger) for trigger in triggers)
    yield _condition(review, "start.where", where, scope, next(filter(None, meant), []))


def check_of_customer(review: Review, path: str, when: str, what: str = "an exit on a condition") -> Iterator[Findings]:
    """What is wrong with a condition that is looked at whenever the customer changes, and never in between."""
    try:
        condition = compile_condition(when, scope_of(customer=review.catalogue.customer))
    except ConditionError as error:
        elsewhere = [flaw for root, flaw in _elsewhere(what).items() if names_root(when, root)]
        yield Findings(tuple(elsewhere[:1] or error.flaws)).within(path)
        return
    yield Findings(warnings=condition.warnings).within(path)
    if not condition.uses:
        message = "it names no attribute of the customer, so no change could make it hold."
        yield flaw(path, message, 'Ask for one, such as customer.status == "churned".')


def _condition(review: Review, path: str, condition: str, scope: Scope, meant: Collection[Flaw] = ()) -> Findings:
    """What is wrong with a condition; *meant* where it is wrong says it better."""
    try:
        compiled = compile_condition(condition, scope)
        never = warning(path, "this never holds.") if compiled.constant is False else Findings()
        return Findings(warnings=compiled.warnings).within(path) + never
    except ConditionError as error:
        return Findings(tuple(meant or _explained(review, error.flaws))).within(path)


def _explained(review: Review, flaws: Iterable[Flaw]) -> Iterator[Flaw]:
    for each in flaws:
        name = _UNKNOWN_NAME.match(each.message)
        why = review.not_shared(name[1]) if name else ""
        yield each.model_copy(update={"hint": why}) if why else each


_UNKNOWN_NAME = re.compile(r'there is no "([a-z0-9_.]+)"')


def _elsewhere(what: str) -> Mapping[str, Flaw]:
    """Why names of other roots cannot be asked for in a condition on the customer, and what to write instead."""
    at_a_time = "To go on at a time, write a step such as wait: {until: customer.renews_at, before: 3 days}."
    of_events = "For what happens, name a trigger: {trigger: purchase-completed, where: event.total > 50}."
    of_changes = 'For a change: {trigger: customer-changed, where: before.plan == "pro" && customer.plan == "free"}.'
    only = "so it asks for customer.* only."
    return {
        "now": Flaw(
            path="",
            message="now does not go here: time alone changes no customer, and so nobody would look.",
            hint=at_a_time,
        ),
        "event": Flaw(path="", message=f"{what} is looked at when the customer changes, {only}", hint=of_events),
        "before": Flaw(path="", message=f"{what} is about the customer as they are, {only}", hint=of_changes),
    }


def _of_changes(where: str, trigger: str) -> list[Flaw]:
    """What is wrong where a condition takes a change for an event with attributes, or an event for a change."""
    if trigger in CUSTOMER_TRIGGERS and names_root(where, "event"):
        message = f"{trigger} has no event.*: what changed is the customer."
        return [Flaw(path="", message=message, hint="Ask for customer.* as it is now, and for before.* as it was.")]
    if trigger == CREATED and names_root(where, "before"):
        message = "before.* is what a customer was before a change, and a new one was nothing."
        return [Flaw(path="", message=message, hint="Leave it out, or listen to customer-changed.")]
    if trigger != CHANGED and names_root(where, "before"):
        message = f"before.* is what a customer was before a change, and {trigger} is none."
        return [Flaw(path="", message=message, hint="Ask for customer.*, or listen to customer-changed.")]
    return []
