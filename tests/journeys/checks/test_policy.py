"""A policy before it holds: quiet times that leave time to send, caps that are reached, conditions on customers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from journeys.catalogue import CUSTOMER
from journeys.checks.caps import most
from journeys.checks.policy import check_policy
from journeys.clearance.policy import NO_POLICY, Cap, Policy
from journeys.findings import Findings
from journeys.reading import read

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
SCHEMA = {**CUSTOMER, "country": "text?", "vip": "boolean?"}


def checked(text: str, now: datetime | None = NOW) -> Findings:
    return check_policy(read(Policy, text, "policy"), SCHEMA, now)


def flaws(text: str) -> list[str]:
    return [str(flaw) for flaw in checked(text).flaws]


def warnings(text: str, now: datetime | None = NOW) -> list[str]:
    found = checked(text, now)
    assert found.flaws == ()
    return [str(warning) for warning in found.warnings]


def quiet(*rules: str) -> str:
    return "\n".join(["quiet:", *(f"  - {rule}" for rule in rules)])


def caps(*rules: str) -> str:
    return "\n".join(["caps:", *(f"  - {rule}" for rule in rules)])


NIGHT, DAYTIME = '{from: "20:00", to: "08:00"}', '{from: "08:00", to: "20:00"}'
TEXTS_BY_DAY = '{channels: text, from: "08:00", to: "20:00"}'
IN_FRANCE = "where: 'customer.country == \"FR\"'"
TO_FRANCE = 'to those for whom customer.country == "FR" holds.'


def test_nothing_is_wrong_with_a_usual_policy() -> None:
    text = """
time_zone: Europe/Oslo
quiet:
  - {channels: [text, push], from: "21:00", to: "08:00"}
  - {channels: [email, text, push], on: [sun]}
  - {from: 2026-12-24, to: 2026-12-26}
  - {channels: [text], where: customer.country == "FR", from: "20:00", to: "10:00"}
caps:
  - {channels: [email], at_most: 3, per: 7 days}
  - {channels: [email, text, push], at_most: 1, per: 24 hours, over: hold}
brake:
  same_content: {at_most: 3, per: 24 hours}
  entries: {at_most: 50000, per: 1 hour}
"""
    assert checked(text) == Findings()
    assert check_policy(NO_POLICY, SCHEMA) == Findings()


# --- a policy under which something is never sent --------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "never"),
    [
        (["{}"], "quiet[0]: it leaves no time at which commercial messages could go out."),
        (["{on: every day, channels: push}"], "quiet[0]: it leaves no time at which commercial push notifications"),
        ([NIGHT, DAYTIME], "quiet[1]: with quiet[0], it leaves no time at which commercial messages could go out."),
        # those that are not needed for it are not named
        (["{on: [sun]}", NIGHT, "{on: [mon]}", DAYTIME, "{on: [sat]}"], "quiet[3]: with quiet[1], it leaves no time"),
        ([NIGHT, TEXTS_BY_DAY], "quiet[1]: with quiet[0], it leaves no time at which commercial texts could go out."),
        (
            ["{on: weekdays, channels: [email, text]}", "{on: [sat]}", "{on: [sun], channels: [text, push]}"],
            "quiet[2]: with quiet[0] and quiet[1], it leaves no time at which commercial texts could go out.",
        ),
        (
            ["{purpose: transactional}"],
            "quiet[0]: it leaves no time at which transactional messages could go out.",
        ),
        (
            ["{purpose: [commercial, transactional], channels: text}"],
            "quiet[0]: it leaves no time at which texts could go out.",
        ),
        (
            [f"{{channels: text, {IN_FRANCE}}}"],
            f"quiet[0]: it leaves no time at which commercial texts could go out {TO_FRANCE}",
        ),
        (
            [NIGHT, '{on: weekends, where: "customer.vip"}', f'{{from: "08:00", to: "20:00", {IN_FRANCE}}}'],
            f"quiet[2]: with quiet[0], it leaves no time at which commercial messages could go out {TO_FRANCE}",
        ),
        # one condition, laid out otherwise
        (
            [
                '{from: "20:00", to: "08:00", where: "customer.vip  == true"}',
                '{from: "08:00", to: "20:00", where: "customer.vip == true"}',
            ],
            "quiet[1]: with quiet[0], it leaves no time at which commercial messages could go out to those for whom",
        ),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_policy_that_never_lets_a_message_out_is_refused_with_the_rules_that_say_so(
    rules: list[str], never: str
) -> None:
    (said,) = flaws(quiet(*rules))

    assert said.startswith(never)


@pytest.mark.parametrize(
    "rules",
    [
        [NIGHT, '{from: "08:00", to: "19:59:59"}'],
        [NIGHT, '{channels: text, from: "08:00", to: "20:00", purpose: transactional}'],
        ["{on: weekdays}", "{on: [sat]}", '{on: [sun], from: "00:00", to: "23:59:59"}'],
        ["{from: 2026-01-01, to: 2035-12-31}"],
        # who is in France and a VIP gets nothing; whether anybody is both nobody can tell
        ['{from: "20:00", to: "08:00", where: customer.vip}', f'{{from: "08:00", to: "20:00", {IN_FRANCE}}}'],
    ],
)
def test_a_policy_that_leaves_some_time_is_taken(rules: list[str]) -> None:
    assert warnings(quiet(*rules)) == []


def test_what_leaves_no_time_to_anybody_is_told_once_and_not_for_each_condition() -> None:
    assert len(flaws(quiet("{}", f"{{on: [sun], {IN_FRANCE}}}", f"{{{IN_FRANCE}}}"))) == 1


# --- dates -----------------------------------------------------------------------------------------


def test_dates_that_have_passed_everywhere_are_told() -> None:
    over = quiet("{from: 2026-11-20, to: 2026-11-26}")

    assert warnings(over, datetime(2026, 11, 27, 11, 59, tzinfo=UTC)) == []
    (told,) = warnings(over, datetime(2026, 11, 27, 12, tzinfo=UTC))
    assert told.startswith("quiet[0]: 2026-11-20 to 2026-11-26 is over everywhere, and does not come again.")
    assert warnings(over, None) == []


# --- rules that add nothing ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "needless"),
    [
        ([NIGHT, NIGHT], [1]),
        ([NIGHT, '{on: [fri], from: "22:00", to: "06:00"}'], [1]),
        (['{on: [fri], from: "22:00", to: "06:00"}', NIGHT], [0]),
        (["{on: [sun]}", "{from: 2026-12-27, to: 2026-12-27}"], [1]),
        (["{from: 2026-12-24, to: 2026-12-26}", "{from: 2026-12-25, to: 2026-12-25}"], [1]),
        ([NIGHT, f'{{from: "22:00", to: "06:00", {IN_FRANCE}}}'], [1]),
        ([f'{{from: "22:00", to: "06:00", {IN_FRANCE}}}', '{from: "22:00", to: "06:00"}'], [0]),
        ([f'{{from: "20:00", to: "08:00", {IN_FRANCE}}}', f'{{from: "22:00", to: "06:00", {IN_FRANCE}}}'], [1]),
        # on Sunday 20:00 to Monday 08:00 there is more than on Sunday
        (["{on: [sun]}", "{on: [sun], from: '20:00', to: '08:00'}"], []),
        ([f'{{from: "20:00", to: "08:00", {IN_FRANCE}}}', '{from: "22:00", to: "06:00"}'], []),
        (['{channels: text, from: "20:00", to: "08:00"}', '{from: "22:00", to: "06:00"}'], []),
        ([NIGHT, '{purpose: transactional, from: "22:00", to: "06:00"}'], []),
        (["{from: 2026-12-24, to: 2026-12-26}", "{on: [sat]}"], []),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_rule_that_says_what_another_one_says_is_told(rules: list[str], needless: list[int]) -> None:
    assert [each.partition(":")[0] for each in warnings(quiet(*rules))] == [f"quiet[{index}]" for index in needless]


# --- caps ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "needless"),
    [
        (["{at_most: 1, per: 1 day}", "{at_most: 7, per: 7 days}"], [1]),
        (["{at_most: 7, per: 7 days}", "{at_most: 1, per: 1 day}"], [0]),
        (["{at_most: 1, per: 1 day}", "{at_most: 6, per: 7 days}"], []),
        (["{at_most: 1, per: 1 day}", "{at_most: 8, per: 7 days 1 second}"], [1]),
        (["{at_most: 1, per: 1 day}", "{at_most: 7, per: 7 days 1 second}"], []),
        (["{at_most: 3, per: 7 days}", "{at_most: 3, per: 1 day}"], [1]),
        (["{at_most: 3, per: 7 days}", "{at_most: 3, per: 1 day, channels: text}"], [1]),
        (["{at_most: 3, per: 7 days, channels: text}", "{at_most: 3, per: 1 day}"], []),
        (["{at_most: 3, per: 7 days}", "{at_most: 3, per: 1 day, purpose: transactional}"], []),
        (["{at_most: 1, per: 1 day}", "{at_most: 1, per: 24 hours}"], [1]),
        # of two that say the same, the one that blocks counts
        (["{at_most: 1, per: 1 day, over: hold}", "{at_most: 1, per: 1 day}"], [0]),
        (["{at_most: 1, per: 1 day}", "{at_most: 1, per: 1 day, over: hold}"], [1]),
    ],
    ids=lambda value: str(value)[:80],
)
def test_a_cap_that_is_never_reached_is_told(rules: list[str], needless: list[int]) -> None:
    assert [each.partition(":")[0] for each in warnings(caps(*rules))] == [f"caps[{index}]" for index in needless]


@given(
    st.integers(1, 4),
    st.integers(1, 20),
    st.integers(1, 60),
    st.lists(st.integers(0, 300), min_size=1, max_size=80).map(sorted),
)
@example(1, 5, 10, [0, 5, 10])
def test_no_more_go_out_within_a_time_than_is_said(at_most: int, per: int, within: int, wanted: list[int]) -> None:
    sent: list[int] = []
    for at in wanted:
        if sum(before > at - per for before in sent) < at_most:
            sent.append(at)
    second = timedelta(seconds=1)

    busiest = max(sum(at - within < before <= at for before in sent) for at in sent)

    assert busiest <= most(Cap(at_most=at_most, per=per * second), within * second)


def test_each_of_many_rules_is_looked_at() -> None:
    rules = [
        f'{{from: "{n % 24:02}:{n % 60:02}", to: "{n % 24:02}:{n % 60 + 1:02}", where: customer.country == "C{n}"}}'
        for n in range(58)
    ]

    assert warnings(quiet(*rules)) == []


def parts(found: Findings) -> Sequence[str]:
    return [flaw.path for flaw in found.flaws]


def test_everything_that_is_wrong_is_told_at_once() -> None:
    text = """
time_zone: Oslo
quiet:
  - {on: [sun], where: customer.contry == "FR"}
  - {from: 2026-12-24, to: 2026-12-26, on: [sun]}
  - {}
caps:
  - {at_most: 3, per: 0 seconds}
  - {at_most: 3, per: 367 days}
spread: 25 hours
brake: {entries: {at_most: 3, per: 400 days}}
"""
    assert parts(checked(text)) == [
        "time_zone",
        "quiet[0].where",
        "quiet[1].on",
        "quiet[2]",
        "caps[0].per",
        "caps[1].per",
        "spread",
        "brake.entries.per",
    ]
