"""What holds under every policy: nothing goes out in a quiet time or above a cap, and nobody is lost.

Held against rules of its own: what the clocks of the customer show, and a count of all sends before.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings

from journeys.clearance.circumstances import Circumstances, Clear, Clearance
from journeys.clearance.clearance import clearance, no_longer_than_it_may_be_sent
from journeys.clearance.policy import Cap, Policy, QuietTime, Rule
from journeys.walk.diary import Held
from journeys.walk.world import Visit
from tests.random_journeys import SWEDISH, kind_of
from tests.random_stories import Played, Scene, stories

EXAMPLES = int(os.environ.get("SOJOURN_TEST_POLICIES", "200"))
QUARTER = timedelta(minutes=15)
A_MICROSECOND = timedelta.resolution


class Asked(NamedTuple):
    """What was asked about a message, and answered."""

    visit: Visit
    known: Circumstances
    answer: Clearance

    @property
    def send(self) -> tuple[str, str]:
        return self.visit.run, self.visit.at_step

    @property
    def at(self) -> datetime:
        return self.visit.now

    def is_about(self, rule: Rule) -> bool:
        return self.visit.message.kind in rule.channels and self.known.purpose in rule.purpose


@contextmanager
def watched() -> Iterator[list[Asked]]:
    """All that is asked of clearance meanwhile, in its order."""
    asked: list[Asked] = []

    def watch(visit: Visit, known: Circumstances) -> Clearance:
        answer = clearance(visit, known)
        asked.append(Asked(visit, known, no_longer_than_it_may_be_sent(answer, visit)))
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("journeys.walk.virtual_run.clearance", watch)
        yield asked


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(story=stories())
def test_under_every_policy(story: Played) -> None:
    with watched() as asked:
        played = story.again("ada", story.scene.begin)

    assert played
    assert played.runs == story.runs
    went = [each for each in asked if isinstance(each.answer, Clear)]
    for each in went:
        assert not quiet(each, story.scene, each.at), f"{each.send} went out in a quiet time, at {each.at}"
    check_caps(story.scene.policy, went)
    check_holds(story.scene, asked)
    check_nobody_is_lost(played, went)


def quiet(asked: Asked, scene: Scene, at: datetime) -> bool:
    """Whether an instant is quiet for a message, by what the clocks of its customer show."""
    if "quiet" in asked.known.ignored:
        return False
    customer = asked.known.customer
    shown = at.astimezone(ZoneInfo(str(customer.get("time_zone") or scene.policy.time_zone))).replace(tzinfo=None)
    rules = [rule for rule in scene.policy.quiet if asked.is_about(rule) and applies(rule, customer)]
    return any(is_within(shown, rule) for rule in rules)


def applies(rule: QuietTime, customer: Mapping[str, object]) -> bool:
    assert rule.where in (None, SWEDISH)
    return rule.where is None or customer.get("country") == "SE"


def is_within(shown: datetime, rule: QuietTime) -> bool:
    """Whether clocks show a time within a rule. The small hours are of the night of the day before."""
    match rule.from_, rule.to:
        case time() as begins, time() as ends if ends <= begins:
            evening = shown.time() >= begins and shown.weekday() in rule.on
            return evening or (shown.time() < ends and (shown - timedelta(days=1)).weekday() in rule.on)
        case time() as begins, time() as ends:
            return begins <= shown.time() < ends and shown.weekday() in rule.on
        case date() as first, date() as last:
            return first <= shown.date() <= last and shown.weekday() in rule.on
        case _:
            return shown.weekday() in rule.on


def check_caps(policy: Policy, went: list[Asked]) -> None:
    """Each had a place in every window that ends with it."""
    for number, each in enumerate(went):
        for cap in policy.caps:
            if each.is_about(cap) and "caps" not in each.known.ignored:
                before = [at for at in places(cap, went[:number]) if at > each.at - cap.per]
                assert len(before) < cap.at_most, f"{each.send} went out above {cap}, after {before}"


def places(cap: Cap, went: list[Asked]) -> list[datetime]:
    return [each.at for each in went if each.is_about(cap)]


def check_holds(scene: Scene, asked: list[Asked]) -> None:
    """No hold is over before it begins, nor followed by one until the same instant, nor longer than it need be."""
    for send in {each.send for each in asked}:
        about = [each for each in asked if each.send == send]
        for each in about:
            if isinstance(each.answer, Held):
                assert each.answer.until is None or each.answer.until > each.at
                assert each.answer.why
                check_length(each, each.answer, scene)
        for first, second in pairwise(about):
            assert isinstance(first.answer, Held), "asked again of what was told for good"
            if isinstance(second.answer, Held) and first.answer.by != "brake":  # which may hold it once more
                assert first.answer.until != second.answer.until


def check_length(each: Asked, held: Held, scene: Scene) -> None:
    """Who is held by quiet times alone is let go as soon as it is not quiet, and the spread later at most."""
    if held.until is None or held.by != "quiet time" or "the cap" in held.why or held.until == each.visit.expires_at:
        return
    ends = each.at - (each.at - scene.begin.replace(minute=0)) % QUARTER  # all edges of these rules are at quarters
    while quiet(each, scene, max(ends, each.at)):
        ends += QUARTER
    assert ends <= held.until <= ends + scene.policy.spread
    assert not quiet(each, scene, held.until)


def check_nobody_is_lost(played: Played, went: list[Asked]) -> None:
    """Everybody has come to an end, and to an outcome at each message on the way, unless something else came of it."""
    for run in played.runs:
        assert run.ended, f"{run.id} stands at {run.diary[-1]}"
        came_to = [entry.step for entry in run.diary if entry.did == "entered" and kind_of(entry.step)]
        left = [entry.step for entry in run.diary if entry.did == "left"]
        assert sorted(came_to) == sorted([*(send.step for send in run.sends), *filter(kind_of, left)])
    sent = [(run.id, send.step) for run in played.runs for send in run.sends if send.outcome == "accepted"]
    assert sorted(sent) == sorted(each.send for each in went)
    assert len(set(sent)) == len(sent)
