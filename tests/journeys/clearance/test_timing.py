"""Quiet times, caps and the brake: what holds a message, until when, and in which order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from journeys.catalogue import Content
from journeys.clearance.circumstances import Blocked, Circumstances, Clear, Clearance
from journeys.clearance.clearance import clearance, no_longer_than_it_may_be_sent
from journeys.clearance.policy import NO_POLICY, Policy
from journeys.clearance.releases import Release, Resumption, release_of
from journeys.clearance.windows import Sent, taken, windows_of
from journeys.language.zones import zone_of
from journeys.steps import Email, Message, Text
from journeys.walk.diary import Held, HeldBy
from journeys.walk.pace import DAY
from tests.samples import CONTENTS, CUSTOMER
from tests.shop import visit

NIGHT = datetime(2026, 11, 24, 22, 0, tzinfo=UTC)  # 23:00 in Oslo
MORNING = datetime(2026, 11, 25, 7, 0, tzinfo=UTC)  # 08:00
NOON = datetime(2026, 11, 25, 11, 0, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
TEXT = Text(id="sms", text="second-text-reminder", to="customer.phone")
EMAIL = Email(id="mail", email="initial-email-reminder", to="customer.email")
NIGHTS = {"channels": ["text"], "from": "21:00", "to": "08:00"}
ONE_A_DAY = {"at_most": 1, "per": "24 hours"}
LET_GO = Release(NOON, 15 * MINUTE, "let go")


def asked(
    step: Message = TEXT,
    now: datetime = NIGHT,
    sent: tuple[Sent, ...] = (),
    expires_at: datetime | None = None,
    run: str = "run",
    content: Content | None = None,
    policy: dict[str, Any] | None = None,
    **known: Any,
) -> Clearance:
    written = {"consent": NO_POLICY.consent, "brake": {}, **(policy or {})}
    ruled = Policy.model_validate(written)
    content = content or CONTENTS[step.content]
    zone = zone_of([("customer.time_zone", "Europe/Oslo")])
    found = Circumstances(event={}, customer={**CUSTOMER}, content=content, policy=ruled, zone=zone)
    found = replace(found, **known)
    windows = windows_of(ruled, step.kind, found.purpose, step.content, now, day=found.day, anew=found.let_go_at)
    stands = visit(run, step, now=now, expires_at=expires_at)
    return no_longer_than_it_may_be_sent(clearance(stands, replace(found, taken=taken(windows, sent))), stands)


def held(answer: Clearance) -> Held:
    assert isinstance(answer, Held), answer
    return answer


def text(at: datetime, content: str = "other") -> Sent:
    return Sent("text", "commercial", content, at)


def transactional() -> Content:
    return CONTENTS[TEXT.content].model_copy(update={"purpose": "transactional"})


def test_a_night_holds_until_the_morning_and_the_spread() -> None:
    answer = held(asked(policy={"quiet": [NIGHTS]}))

    assert answer.by == "quiet time"
    assert answer.until
    assert MORNING <= answer.until < MORNING + 15 * MINUTE
    assert "21:00" in answer.why
    assert "by customer.time_zone" in answer.why


def test_each_send_has_its_own_part_of_the_spread() -> None:
    untils = [held(asked(policy={"quiet": [NIGHTS], "spread": "1 hour"}, run=f"run-{n}")).until for n in range(600)]
    minutes = [(until - MORNING) / MINUTE for until in untils if until]

    quarters = [sum(15 * n <= minute < 15 * (n + 1) for minute in minutes) for n in range(4)]
    assert sum(quarters) == 600
    assert all(110 <= quarter <= 190 for quarter in quarters)
    assert untils == [
        held(asked(policy={"quiet": [NIGHTS], "spread": "1 hour"}, run=f"run-{n}")).until for n in range(600)
    ]


def test_the_spread_ends_before_the_expiry_and_before_it_is_quiet_again() -> None:
    soon = MORNING + 5 * MINUTE
    again = {"channels": ["text"], "from": "08:10", "to": "09:00"}

    for n in range(100):
        by_expiry = held(asked(policy={"quiet": [NIGHTS]}, expires_at=soon, run=f"run-{n}")).until
        by_quiet = held(asked(policy={"quiet": [NIGHTS, again]}, run=f"run-{n}")).until
        assert by_expiry
        assert MORNING <= by_expiry < soon
        assert by_quiet
        assert MORNING <= by_quiet < MORNING + 10 * MINUTE


def test_a_hold_ends_at_the_expiry_as_blocked() -> None:
    expires_at = NIGHT + 2 * HOUR

    assert held(asked(policy={"quiet": [NIGHTS]}, expires_at=expires_at)).until == expires_at
    assert asked(policy={"quiet": [NIGHTS]}, expires_at=expires_at, now=expires_at) == Blocked(
        "it expired at 25 Nov 00:00"
    )


def test_a_cap_blocks_unless_it_says_hold() -> None:
    yesterday = (text(NOON - 23 * HOUR),)
    reached = "the cap of 1 message by email, text and push within 1 day is reached"

    assert asked(now=NOON, sent=yesterday, policy={"caps": [ONE_A_DAY]}) == Blocked(reached)
    answer = held(
        asked(now=NOON, sent=yesterday, policy={"caps": [ONE_A_DAY | {"over": "hold"}], "spread": "0 seconds"})
    )
    assert answer == Held(until=NOON + HOUR, why=reached, by="cap")


def test_a_place_is_free_exactly_after_its_time() -> None:
    cap = {"caps": [ONE_A_DAY]}

    assert isinstance(asked(now=NOON, sent=(text(NOON - DAY + timedelta.resolution),), policy=cap), Blocked)
    assert isinstance(asked(now=NOON, sent=(text(NOON - DAY),), policy=cap), Clear)


def test_where_one_cap_holds_and_another_blocks_it_is_blocked() -> None:
    caps = [ONE_A_DAY | {"over": "hold"}, {"at_most": 1, "per": "7 days"}]

    assert isinstance(asked(now=NOON, sent=(text(NOON - HOUR),), policy={"caps": caps}), Blocked)


def test_a_place_that_is_free_at_night_is_taken_in_the_morning() -> None:
    policy = {"quiet": [NIGHTS], "caps": [ONE_A_DAY | {"over": "hold"}], "spread": "0 seconds"}
    answer = held(asked(now=NOON, sent=(text(NIGHT),), policy=policy))

    assert (answer.until, answer.by) == (MORNING + DAY, "cap")
    assert "the cap of 1" in answer.why
    assert "quiet time" in answer.why


def test_a_cap_over_some_channels_counts_these_alone() -> None:
    cap = {"caps": [ONE_A_DAY | {"channels": ["email"]}]}

    assert isinstance(asked(now=NOON, sent=(text(NOON - HOUR),), policy=cap), Clear)
    assert isinstance(asked(EMAIL, NOON, (text(NOON - HOUR),), policy=cap), Clear)
    sent = (Sent("email", "commercial", "other", NOON - HOUR),)
    assert isinstance(asked(EMAIL, NOON, sent, policy=cap), Blocked)


@pytest.mark.parametrize("policy", [{"quiet": [NIGHTS]}, {"caps": [ONE_A_DAY]}, {"brake": {"same_content": ONE_A_DAY}}])
def test_what_is_transactional_asks_for_rules_that_name_it(policy: dict[str, Any]) -> None:
    sent = (Sent("text", "transactional", TEXT.content, NIGHT - HOUR),)
    named = {
        name: [rule | {"purpose": "transactional"} for rule in rules]
        if isinstance(rules, list)
        else {"same_content": rules["same_content"] | {"purpose": "transactional"}}
        for name, rules in policy.items()
    }

    assert isinstance(asked(sent=sent, content=transactional(), policy=policy), Clear)
    assert not isinstance(asked(sent=sent, content=transactional(), policy=named), Clear)


def test_what_ignores_a_rule_is_not_held_by_it() -> None:
    policy = {"quiet": [NIGHTS], "caps": [ONE_A_DAY]}
    sent = (text(NIGHT - HOUR),)

    assert isinstance(asked(sent=sent, policy=policy, ignored=frozenset({"quiet"})), Blocked)
    assert isinstance(asked(sent=sent, policy=policy, ignored=frozenset({"quiet", "caps"})), Clear)


def test_a_condition_that_asks_for_what_is_missing_does_not_hold_and_says_so() -> None:
    policy = {"quiet": [NIGHTS | {"where": 'customer.country == "FR"'}]}
    schema = {"country": "text?", "phone": "text?"}

    answer = asked(policy=policy, schema=schema)
    assert isinstance(answer, Clear)
    assert "customer.country" in answer.notes[0]
    customer = {**CUSTOMER, "country": "FR"}
    assert isinstance(asked(policy=policy, schema=schema, customer=customer), Held)


def test_so_many_copies_go_out_and_the_next_one_holds_the_journey() -> None:
    brake = {"brake": {"same_content": {"at_most": 3, "per": "24 hours"}}}
    copies = tuple(text(NOON - n * HOUR, TEXT.content) for n in (1, 2, 3))

    assert isinstance(asked(now=NOON, sent=copies[:2], policy=brake), Clear)
    answer = held(asked(now=NOON, sent=copies, policy=brake))
    assert (answer.until, answer.by) == (None, "brake")
    assert answer.why == (
        'the brake: 3 copies of "second-text-reminder" went to one customer within 1 day, and this would be one more'
    )
    # Whoever lets it go has seen them.
    assert isinstance(asked(now=NOON, sent=copies, policy=brake, let_go_at=NOON - MINUTE), Clear)


def test_copies_at_the_instant_at_which_it_was_let_go_have_been_let_go() -> None:
    brake = {"brake": {"same_content": {"at_most": 3, "per": "24 hours"}}}

    at_once = (text(NOON, TEXT.content),) * 3
    assert isinstance(asked(now=NOON, sent=at_once, policy=brake, let_go_at=NOON), Held)
    assert isinstance(asked(now=NOON, sent=at_once[:2], policy=brake, let_go_at=NOON), Clear)


def test_a_journey_that_is_held_holds_until_it_is_let_go_and_then_spreads() -> None:
    answer = held(asked(now=NOON, held="the brake: too many"))
    assert answer == Held(until=None, why="the brake: too many", by="brake")

    waits = held(asked(now=NOON, let_go_at=NOON, released=LET_GO))
    assert waits.by == "release"
    assert waits.until
    assert NOON <= waits.until < NOON + 15 * MINUTE
    assert isinstance(asked(now=waits.until, let_go_at=NOON, released=LET_GO), Clear)
    assert isinstance(asked(now=NOON, let_go_at=NOON), Clear)


def test_what_expires_in_a_journey_that_is_held_is_blocked_then() -> None:
    expires_at = NOON + HOUR

    assert held(asked(now=NOON, held="the brake", expires_at=expires_at)).until == expires_at
    assert isinstance(asked(now=expires_at, held="the brake", expires_at=expires_at), Blocked)


def test_caps_and_the_spread_go_at_the_pace_of_the_run() -> None:
    day = timedelta(seconds=5)
    policy = {"caps": [ONE_A_DAY | {"over": "hold"}]}

    answer = held(asked(now=NOON, sent=(text(NOON - timedelta(seconds=4)),), policy=policy, day=day))
    assert answer.until
    assert timedelta(seconds=1) <= answer.until - NOON < timedelta(seconds=1.1)


def test_a_pause_holds_everything_but_what_expires_until_the_journey_is_resumed() -> None:
    assert asked(now=NOON, paused=True) == Held(until=None, why="its journey is paused", by="pause")
    assert asked(now=NOON, paused=True, customer={}) == asked(now=NOON, paused=True)
    assert asked(now=NOON, paused=True, held="the brake: too many").by == "brake"  # type: ignore[union-attr]
    waits = held(asked(now=NOON, paused=True, expires_at=NOON + HOUR))
    assert (waits.until, waits.by) == (NOON + HOUR, "pause")
    assert asked(now=NOON, paused=True, expires_at=NOON) == Blocked("it expired at 25 Nov 11:00")


def test_what_is_skipped_is_blocked_once_nothing_holds_it() -> None:
    assert asked(now=NOON, skipped="skipped while paused") == Blocked("skipped while paused")
    assert isinstance(asked(now=NOON, skipped="skipped while paused", paused=True), Held)


def test_what_waited_for_a_pause_goes_out_spread_over_as_long_as_was_said() -> None:
    resumed = Release(NOON, 10 * HOUR, "resumed")
    turns = [held(asked(now=NOON, released=resumed, run=f"run-{n}")).until or NOON for n in range(20)]

    assert NOON <= min(turns) < NOON + 2 * HOUR
    assert NOON + 8 * HOUR < max(turns) < NOON + 10 * HOUR
    assert isinstance(asked(now=turns[0], released=resumed, run="run-0"), Clear)


@pytest.mark.parametrize(
    ("held_by", "since", "why"),
    [
        (None, NIGHT, None),
        ("quiet time", NIGHT, None),
        ("brake", NIGHT, "let go"),
        ("pause", NIGHT, "resumed"),
        ("release", NIGHT, "resumed"),
        (None, NOON, "resumed"),
    ],
)
def test_which_release_a_message_waited_for(held_by: HeldBy | None, since: datetime, why: str | None) -> None:
    """The journey was let go an hour before it was resumed. A start that waited is entered as it is resumed."""
    resumed = Resumption(NOON, over=HOUR)

    found = release_of(held_by, since, let_go_at=NOON - HOUR, resumed=resumed, spread=MINUTE)

    assert (found and found.why) == why
    assert (found and found.over) == {None: None, "let go": MINUTE, "resumed": HOUR}[why]
