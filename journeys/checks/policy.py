"""What must be right about a policy before it holds: its zone, its conditions, and that rules leave something to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from journeys.checks.caps import check_brake, check_caps
from journeys.checks.keeping import check_keep
from journeys.checks.quiet import check_dates, check_together
from journeys.clearance.policy import LONGEST_SPREAD, Policy
from journeys.clearance.quiet import scope_of_rules
from journeys.findings import Findings, flaw, gathered, warning
from journeys.language.attributes import Schema
from journeys.language.cel_source import names_root
from journeys.language.conditions import ConditionError, compile_condition
from journeys.language.durations import say
from journeys.language.zones import check_zone
from journeys.problems import Flaw


def check_policy(policy: Policy, customer: Schema, now: datetime | None = None) -> Findings:
    """What is wrong with *policy*, and what its author should know.

    *customer*: the attributes that customers have. *now*: when it would begin to hold, if what has passed by then is
    to be told.
    """
    conditions = {index: _condition(rule.where, customer) for index, rule in enumerate(policy.quiet)}
    clear = [index for index, found in conditions.items() if not found.flaws]
    return gathered(
        [
            *_zone(policy),
            *(found.within(f"quiet[{index}].where") for index, found in conditions.items()),
            *check_dates(policy.quiet, now),
            *check_together({index: policy.quiet[index] for index in clear}),
            *check_caps(policy.caps),
            *_spread(policy),
            *check_brake(policy.brake),
            *check_keep(policy),
        ]
    )


def _zone(policy: Policy) -> Iterator[Findings]:
    if wrong := check_zone(policy.time_zone):
        yield Findings((wrong,)).within("time_zone")


def _spread(policy: Policy) -> Iterator[Findings]:
    if policy.spread > LONGEST_SPREAD:
        message = f"found {say(policy.spread)}; at most {say(LONGEST_SPREAD)} goes."
        yield flaw("spread", message, "What was held is to go out soon after; 0 seconds lets it go all at once.")


def _condition(where: str | None, customer: Schema) -> Findings:
    if where is None:
        return Findings()
    try:
        condition = compile_condition(where, scope_of_rules(customer))
    except ConditionError as error:
        elsewhere = [flaw for root, flaw in _ELSEWHERE.items() if names_root(where, root)]
        return Findings(tuple(elsewhere[:1] or error.flaws))
    match condition.constant:
        case True:
            return warning("", "this always holds.", "Leave it out.")
        case False:
            return warning("", "this never holds, so the rule applies to nobody.")
        case None:
            return Findings(warnings=condition.warnings)


_ONLY = "so it asks for customer.* only."
_ELSEWHERE: Mapping[str, Flaw] = {
    "now": Flaw(
        path="",
        message="now does not go here: the rule itself says when.",
        hint='Write from: "21:00", to: "08:00", or on: [sun], or dates.',
    ),
    "event": Flaw(
        path="",
        message=f"a policy is over all journeys and their events, {_ONLY}",
        hint="What is known of an event alone is asked by a branch of its journey.",
    ),
    "before": Flaw(path="", message=f"a policy is about customers as they are, {_ONLY}"),
    "sent": Flaw(
        path="",
        message=f"a policy is over all journeys, {_ONLY}",
        hint="How many messages somebody gets is what caps are for.",
    ),
}
"""Why names of other roots cannot be asked for in the condition of a rule, and what to do."""
