"""Quiet times: whether nothing goes out at an instant, by what the clocks of the customer show, and until when.

An instant is quiet exactly where the clocks show something that is within a rule. What is quiet by the clocks is the
same each week, and on dates; it is laid out once for a list of rules, and found there by bisection.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from journeys.clearance.consent import Purpose
from journeys.clearance.policy import Policy, QuietTime, say_quiet_time
from journeys.interactions import Kind
from journeys.language.attributes import Schema
from journeys.language.clock_changes import EPOCH, SECOND, steady
from journeys.language.conditions import Verdict, ask
from journeys.language.scopes import Scope, scope_of, values_of
from journeys.language.zones import Zone
from journeys.models import LAST

HORIZON = timedelta(days=400)
"""Nothing is quiet for longer: conditions may leave somebody no time at all, and then it is asked again."""

MOST_NAMED = 5
"""Rules that are named as the reason; how many more there are is said."""


class Quiet(NamedTuple):
    """A quiet time that goes on. Rules that touch or overlap make one of them.

    *until*: the first instant (aware UTC) that is not quiet, or the horizon. *again*: when the next quiet time begins
    after that, within a week; None where none does. *why*: the rules and whose clocks, without any other value of the
    customer's.
    """

    until: datetime
    again: datetime | None
    why: str


def quiet_time(rules: Sequence[QuietTime], zone: Zone, at: datetime) -> Quiet | None:
    """The quiet time that *at* (aware) is in by these rules, each of which applies; None where nothing is quiet."""
    if not rules:
        return None
    plan, asked = quiet_by_clocks(tuple(rules)), (at - EPOCH) // SECOND
    horizon = min(asked + _HORIZON, _LAST)
    until = _end(plan, zone.zone, asked, horizon)
    if until <= asked:
        return None
    again = _beginning(plan, zone.zone, until, min(until + WEEK, _LAST)) if until < horizon else None
    why = _why(rules, zone, asked, until) + (f", with no end within {HORIZON.days} days" if until == horizon else "")
    return Quiet(_instant(until), None if again is None else _instant(again), why)


def next_quiet(rules: Sequence[QuietTime], zone: Zone, at: datetime) -> datetime | None:
    """When the next quiet time begins from *at* (aware) on, within a week; None where none does."""
    asked = (at - EPOCH) // SECOND
    begins = _beginning(quiet_by_clocks(tuple(rules)), zone.zone, asked, min(asked + WEEK, _LAST)) if rules else None
    return None if begins is None else _instant(begins)


def applying(
    policy: Policy, channel: Kind, purpose: Purpose, holds: Callable[[str], Verdict]
) -> tuple[list[QuietTime], list[str]]:
    """The rules about messages of that channel and purpose whose conditions hold, and notes on what cannot be told.

    *holds*: asks the condition of a rule of the customer. A rule of which it cannot be told does not apply.
    """
    rules: list[QuietTime] = []
    notes: list[str] = []
    for rule in policy.quiet:
        if not rule.is_about(channel, purpose):
            continue
        verdict = holds(rule.where) if rule.where is not None else None
        if verdict is None or verdict.holds:
            rules.append(rule)
        elif not verdict.told:
            notes.append(f"quiet time {say_quiet_time(rule)} does not apply: {verdict.clause}")
    return rules, notes


def scope_of_rules(customer: Schema) -> Scope:
    """What the condition of a rule may name: the customer as they are, of whom *customer* says what there is."""
    return scope_of(customer=customer)


def asked_of(schema: Schema, attributes: Mapping[str, object]) -> Callable[[str], Verdict]:
    """How the condition of a rule is asked of a customer with these *attributes*, which *schema* types."""
    scope, values = scope_of_rules(schema), values_of(customer=(schema, attributes))
    return lambda where: ask(where, scope, values)


DAY, WEEK = 86_400, 7 * 86_400
_HORIZON = HORIZON // SECOND
_LAST = (LAST - EPOCH) // SECOND
_MONDAY = -3 * DAY
"""The Monday before 1970, from which weeks are counted."""
_NEVER_ENDS = 1 << 62


class Stretches(NamedTuple):
    """Stretches of seconds in their order, which neither touch nor overlap: each from a start to before its end."""

    starts: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()

    def end(self, second: int) -> int:
        """When the stretch ends that *second* is in; the same second where it is in none."""
        before = bisect_right(self.starts, second)
        return max(second, self.ends[before - 1]) if before else second

    def beginning(self, second: int) -> int | None:
        """The first second in a stretch, from this one on."""
        if self.end(second) > second:
            return second
        after = bisect_right(self.starts, second)
        return self.starts[after] if after < len(self.starts) else None


class QuietByClocks(NamedTuple):
    """What is quiet, in seconds of what clocks show, whatever they are.

    *weekly*: from Monday 00:00 on, with the same of the week before and the one after. *dated*: since 1970.
    """

    weekly: Stretches
    dated: Stretches

    @property
    def always(self) -> bool:
        """Whether no week leaves any time."""
        return any(end - start >= WEEK for start, end in zip(*self.weekly, strict=True))

    def end(self, shown: int) -> int:
        """The first second from *shown* on that is not quiet."""
        while True:
            of_week = (shown - _MONDAY) % WEEK
            by_week = self.weekly.end(of_week) - of_week
            if by_week >= WEEK:
                return _NEVER_ENDS
            ends = max(shown + by_week, self.dated.end(shown))
            if ends == shown:
                return shown
            shown = ends

    def beginning(self, shown: int) -> int | None:
        """The first second from *shown* on that is quiet, if any is."""
        of_week = (shown - _MONDAY) % WEEK
        by_week = self.weekly.beginning(of_week)
        dated = self.dated.beginning(shown)
        found = [*([] if by_week is None else [shown + by_week - of_week]), *([] if dated is None else [dated])]
        return min(found, default=None)


@lru_cache(maxsize=1024)
def quiet_by_clocks(rules: tuple[QuietTime, ...]) -> QuietByClocks:
    """What these rules say together. The same rules are laid out once."""
    weekly = [(start + week, end + week) for rule in rules for start, end in _each_week(rule) for week in _AROUND]
    return QuietByClocks(_joined(weekly), _joined(stretch for rule in rules for stretch in _on_dates(rule)))


_AROUND = (-WEEK, 0, WEEK)


def _each_week(rule: QuietTime) -> Iterator[tuple[int, int]]:
    """A night is of the day on which it begins."""
    if isinstance(rule.from_, date):
        return
    begins, ends = 0, DAY
    if isinstance(rule.from_, time) and isinstance(rule.to, time):
        begins, ends = _of_day(rule.from_), _of_day(rule.to)
    for day in rule.on:
        yield day * DAY + begins, day * DAY + ends + (DAY if ends < begins else 0)


def _on_dates(rule: QuietTime) -> Iterator[tuple[int, int]]:
    if not isinstance(rule.from_, date) or not isinstance(rule.to, date):
        return
    first, last = (day.toordinal() - EPOCH.toordinal() for day in (rule.from_, rule.to))
    if len(rule.on) == 7:
        yield first * DAY, (last + 1) * DAY
        return
    for day in range(first, last + 1):
        if (day * DAY - _MONDAY) // DAY % 7 in rule.on:
            yield day * DAY, (day + 1) * DAY


def _of_day(at: time) -> int:
    return at.hour * 3_600 + at.minute * 60 + at.second


def _joined(stretches: Iterable[tuple[int, int]]) -> Stretches:
    """Those that touch or overlap are one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(stretches):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return Stretches(tuple(start for start, _ in joined), tuple(end for _, end in joined))


def _end(plan: QuietByClocks, zone: ZoneInfo, second: int, limit: int) -> int:
    """The first second since 1970 from *second* on that is not quiet, but no later one than *limit*."""
    while second < limit:
        until, ahead = steady(zone, second)
        end = plan.end(second + ahead) - ahead
        if end < until:
            return min(end, limit)
        second = until  # the clocks may change here, and show something that is quiet too
    return limit


def _beginning(plan: QuietByClocks, zone: ZoneInfo, second: int, limit: int) -> int | None:
    """The first second since 1970 from *second* on, and before *limit*, that is quiet."""
    while second < limit:
        until, ahead = steady(zone, second)
        shown = plan.beginning(second + ahead)
        if shown is not None and shown - ahead < until:
            return shown - ahead if shown - ahead < limit else None
        second = until
    return None


def _why(rules: Sequence[QuietTime], zone: Zone, asked: int, until: int) -> str:
    """Every rule that is quiet at some instant of these makes the quiet time what it is."""
    within = (rule for rule in rules if _beginning(quiet_by_clocks((rule,)), zone.zone, asked, until) is not None)
    named = list(dict.fromkeys(map(say_quiet_time, within)))
    more = [f"{len(named) - MOST_NAMED} more"] if len(named) > MOST_NAMED else []
    *others, last = [*named[:MOST_NAMED], *more]
    said = f"{', '.join(others)} and {last}" if others else last
    # Temporal is told of it too, and of no value of a customer's: whose zone it is must do.
    theirs = f"{zone.name} of customer."
    by = f"by customer.{zone.why.removeprefix(theirs)}" if zone.why.startswith(theirs) else zone.why
    return f"quiet time {said} ({by})"


def _instant(second: int) -> datetime:
    return EPOCH + second * SECOND
