"""What must be right about quiet times: that each of them comes, and that all of them leave time to send."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import product
from typing import NamedTuple

from journeys.clearance.consent import Purpose
from journeys.clearance.policy import ALL_CHANNELS, PURPOSES, QuietTime, say_quiet_time
from journeys.clearance.quiet import quiet_by_clocks
from journeys.findings import Findings, flaw, warning
from journeys.interactions import Kind
from journeys.language.clock import say_days


def check_dates(rules: Sequence[QuietTime], now: datetime | None) -> Iterator[Findings]:
    """Dates that never come, or that are over *now*."""
    for index, rule in enumerate(rules):
        plan = quiet_by_clocks((rule,))
        if not plan.weekly.starts and not plan.dated.starts:
            message = f"none of its dates is {say_days(rule.on)}, so it is never quiet."
            yield flaw(f"quiet[{index}].on", message, "Leave on out, or name other dates.")
        elif now is not None and isinstance(rule.to, date) and rule.to < _earliest_today(now):
            message = f"{say_quiet_time(rule)} is over everywhere, and does not come again."
            yield warning(f"quiet[{index}]", message, "Remove it, or write the dates of this year.")


def check_together(rules: Mapping[int, QuietTime]) -> Iterator[Findings]:
    """What rules say together, by their places: whether they leave time to send, and whether each adds something."""
    never = list(_never(rules))
    yield from map(_leaves_no_time, never)
    if not never:
        yield from _adds_nothing(rules)


def _earliest_today(now: datetime) -> date:
    """The date of those who are the furthest behind UTC."""
    return (now - timedelta(hours=12)).date()


class Never(NamedTuple):
    """Rules, by their places, that together leave no time for some messages: *where*, to those for whom it holds."""

    rules: tuple[int, ...]
    where: str | None
    messages: tuple[tuple[Purpose, Kind], ...]


def _never(rules: Mapping[int, QuietTime]) -> Iterator[Never]:
    """What the policy never lets out. To those for whom a condition holds, where it lets it out to others."""
    found: dict[tuple[tuple[int, ...], str | None], list[tuple[Purpose, Kind]]] = {}
    for purpose, channel in product(PURPOSES, ALL_CHANNELS):
        about = {index: rule for index, rule in rules.items() if rule.is_about(channel, purpose)}
        conditions = [None, *dict.fromkeys(filter(None, map(_condition, about.values())))]
        for where in conditions:
            applying = [index for index, rule in about.items() if _condition(rule) in (None, where)]
            if needed := _needed(rules, applying):
                found.setdefault((needed, where), []).append((purpose, channel))
                if where is None:
                    break
    yield from (Never(needed, where, tuple(messages)) for (needed, where), messages in found.items())


def _condition(rule: QuietTime) -> str | None:
    """Its condition, however it is laid out."""
    return None if rule.where is None else " ".join(rule.where.split())


def _needed(rules: Mapping[int, QuietTime], applying: Sequence[int]) -> tuple[int, ...]:
    """Those of *applying* without which there would be some time left; none where there is time."""

    def leave_no_time(some: Sequence[int]) -> bool:
        return quiet_by_clocks(tuple(rules[index] for index in some)).always

    if not leave_no_time(applying):
        return ()
    needed = list(applying)
    for index in reversed(applying):
        if leave_no_time(without := [other for other in needed if other != index]):
            needed = without
    return tuple(needed)


def _leaves_no_time(never: Never) -> Findings:
    *others, last = never.rules
    people = f" to those for whom {never.where} holds" if never.where else ""
    with_others = f"with {' and '.join(f'quiet[{index}]' for index in others)}, " if others else ""
    return flaw(
        f"quiet[{last}]",
        f"{with_others}it leaves no time at which {_said(never.messages)} could go out{people}.",
        _hint(never),
    )


def _hint(never: Never) -> str:
    if len(never.rules) > 1:
        return "Leave some hours free in one of them."
    if never.where:
        return "Whom nothing is to be sent to is left out by where of a journey's start, or has opted out."
    return 'Say when: from: "21:00", to: "08:00", or on: [sun].'


_CALLED: Mapping[Kind, str] = {"email": "emails", "text": "texts", "push": "push notifications"}


def _said(messages: Sequence[tuple[Purpose, Kind]]) -> str:
    """``commercial texts``, ``transactional messages``."""
    purposes, channels = ({*each} for each in zip(*messages, strict=True))
    kinds = [word for channel, word in _CALLED.items() if channel in channels]
    which = [*purposes] if len(purposes) == 1 else []
    return " ".join([*which, "messages" if len(kinds) == len(_CALLED) else " or ".join(kinds)])


def _adds_nothing(rules: Mapping[int, QuietTime]) -> Iterator[Findings]:
    """Rules that say what another one says already."""
    for index, rule in rules.items():
        for other_index, other in rules.items():
            mutual = index < other_index and _is_within(other, rule)
            if index != other_index and not mutual and _is_within(rule, other):
                yield warning(f"quiet[{index}]", f"it adds nothing: quiet[{other_index}] is quiet then.", "Remove it.")
                break


def _is_within(rule: QuietTime, other: QuietTime) -> bool:
    """Whether *other* is about all that *rule* is about, and quiet whenever it is."""
    about_all = {*rule.channels} <= {*other.channels} and {*rule.purpose} <= {*other.purpose}
    if not about_all or _condition(other) not in (None, _condition(rule)):
        return False
    mine, others = quiet_by_clocks((rule,)), quiet_by_clocks((other,))
    weekly = all(others.weekly.end(start) >= end for start, end in zip(*mine.weekly, strict=True))
    return weekly and all(others.end(start) >= end for start, end in zip(*mine.dated, strict=True))
