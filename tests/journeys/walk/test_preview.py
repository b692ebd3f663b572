"""The virtual clock: who would get what and when, before anything is published."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from journeys.clearance.policy import Policy
from journeys.definition import Journey
from journeys.language.attributes import Attributes
from journeys.walk.preview import preview
from journeys.walk.script import DEFAULT_START, Happening, check_happening
from journeys.walk.timeline import PreviewRun, Timeline
from tests.samples import CONTENTS, CUSTOMER, abandoned_cart, catalogue, version

DAY = timedelta(days=1)
CART = {"trigger": "abandoned-cart", "attributes": {"cart_id": "c1", "total": 60}}


def play(*lines: dict[str, Any], customer: Attributes | None = None, **changes: object) -> Timeline:
    script = [Happening.model_validate(line) for line in (CART, *lines)]
    return preview(version(abandoned_cart(**changes)), script, customer or {**CUSTOMER}, contents=CONTENTS)


def sends(timeline: Timeline, run: int = 0) -> list[tuple[str, timedelta, str]]:
    return [(sent.step, sent.at - timeline.started_at, sent.outcome) for sent in timeline.runs[run].sends]


def test_who_does_nothing_gets_all_three_a_day_apart() -> None:
    timeline = play()

    assert sends(timeline) == [
        ("initial-reminder", timedelta(0), "accepted"),
        ("second-reminder", timedelta(days=1), "accepted"),
        ("final-reminder", timedelta(days=2), "accepted"),
    ]
    assert timeline.runs[0].ended == "completed"
    assert timeline.runs[0].ended_at == DEFAULT_START + timedelta(days=2)


def test_an_open_ends_the_journey_at_once() -> None:
    timeline = play({"at": "3 hours", "message": "initial-reminder", "is": "opened"})

    assert [step for step, *_ in sends(timeline)] == ["initial-reminder"]
    assert timeline.runs[0].ended_at == DEFAULT_START + timedelta(hours=3)


def test_a_purchase_counts_for_the_goal_and_exits() -> None:
    timeline = play({"at": "36 hours", "trigger": "purchase-completed"})

    run = timeline.runs[0]
    assert [step for step, *_ in sends(timeline)] == ["initial-reminder", "second-reminder"]
    assert (run.ended, run.why, run.goal_met_at) == ("exited", "exit: purchase-completed", run.ended_at)
    assert [decision.did for decision in timeline.events[1].decisions] == ["goal met", "exited"]


def test_messages_are_shown_as_they_would_read() -> None:
    timeline = play()

    first = timeline.runs[0].sends[0]
    assert first.parts["subject"] == "Your cart is waiting, Ada"
    assert first.parts["text"] == "You left 60 in your cart. No more of these: https://journeys.example.com/u/sample"
    assert first.to == "ada@example.com"


def test_a_missing_address_blocks_the_message_and_the_run_goes_on() -> None:
    timeline = play(customer={"email": "ada@example.com", "push_token": "token"})

    assert [outcome for *_, outcome in sends(timeline)] == ["accepted", "blocked", "accepted"]
    assert timeline.runs[0].sends[1].reason == "customer.phone is missing"


def test_the_same_event_twice_is_one_run() -> None:
    timeline = play({**CART, "id": "line-1"})

    assert len(timeline.runs) == 1
    assert timeline.events[1].decisions == ()


def test_the_diary_tells_the_story() -> None:
    diary = play({"at": "3 hours", "message": "initial-reminder", "is": "opened"}).runs[0].diary

    assert [(entry.step, entry.did, entry.arm, entry.why) for entry in diary] == [
        ("initial-reminder", "entered", None, ""),
        ("initial-reminder", "passed", None, "accepted"),
        ("opened", "entered", None, ""),
        ("opened", "passed", "yes", "opened"),
    ]
    assert [entry.n for entry in diary] == [0, 1, 2, 3]


def test_an_event_that_starts_nothing_says_why() -> None:
    start = {"trigger": "abandoned-cart", "where": "event.total > 50"}
    line = {"trigger": "abandoned-cart", "attributes": {"total": 40}}

    timeline = preview(version(abandoned_cart(start=start)), [Happening.model_validate(line)], CUSTOMER)

    assert timeline.runs == ()
    assert timeline.events[0].decisions[0].did == "ignored"
    assert "event.total is 40" in timeline.events[0].decisions[0].why


def test_an_interaction_with_what_was_not_sent_is_an_error_in_the_script() -> None:
    with pytest.raises(ValueError, match="it was not sent by then"):
        play({"at": "3 hours", "message": "second-reminder", "is": "clicked"})


@pytest.mark.parametrize(
    "line",
    [
        pytest.param({"at": "1 day"}, id="neither"),
        pytest.param({"trigger": "a", "message": "b", "is": "opened"}, id="both"),
        pytest.param({"message": "b"}, id="half"),
        pytest.param({"trigger": "a", "customer": {}}, id="trigger and customer"),
        pytest.param({"customer": {}, "attributes": {"a": 1}}, id="customer with attributes"),
        pytest.param({"customer": {}, "occurred_at": "1 day"}, id="customer with a time"),
        pytest.param({"release": True, "trigger": "a"}, id="release and trigger"),
        pytest.param({"release": True, "attributes": {"a": 1}}, id="release with attributes"),
        pytest.param({"publish": abandoned_cart(), "trigger": "a"}, id="publish and trigger"),
        pytest.param({"publish": abandoned_cart(), "occurred_at": "1 day"}, id="publish with another time"),
        pytest.param({"trigger": "a", "people": "move"}, id="people of no version"),
        pytest.param({"release": True, "map": {"a": "b"}}, id="map of no version"),
    ],
)
def test_a_line_of_the_script_is_a_trigger_or_an_interaction(line: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"trigger|message|customer|release|publish"):
        Happening.model_validate(line)


def test_a_line_may_change_the_customer_from_then_on() -> None:
    timeline = play(
        {"at": "12 hours", "customer": {"phone": "+15550199", "first_name": "Augusta"}},
        {"at": "36 hours", "customer": {"push_token": None}},
    )

    assert [(sent.to, sent.outcome) for sent in timeline.runs[0].sends] == [
        ("ada@example.com", "accepted"),
        ("+15550199", "accepted"),
        (None, "blocked"),
    ]
    assert [heard.trigger for heard in timeline.events[1:]] == ["customer-changed"] * 2


def test_what_leaves_the_customer_as_it_was_is_heard_by_nobody() -> None:
    timeline = play(
        {"at": "1 hour", "customer": {"first_name": "Ada", "country": None}},
        {"at": "2 hours", "customer": {"first_name": "Augusta"}},
        exit=[{"trigger": "customer-changed"}],
    )

    assert [[made.did for made in heard.decisions] for heard in timeline.events[1:]] == [[], ["exited"]]


def test_a_customer_may_be_made_in_a_script() -> None:
    line = Happening.model_validate({"trigger": "customer-created"})

    timeline = preview(version(abandoned_cart(start="customer-created")), [line], CUSTOMER)

    assert [made.did for made in timeline.events[0].decisions] == ["started"]


@pytest.mark.parametrize(
    ("line", "flaw"),
    [
        ({"trigger": "customer-changed"}, "trigger: a change is written as what the customer is from then on."),
        ({"customer": {"contry": "NO"}}, 'customer.contry: this attribute is not declared. Did you mean "country"?'),
        ({"customer": {"country": 47}}, "customer.country: 47 was found, text was expected."),
        ({"trigger": "customer-crated"}, 'trigger: no trigger "customer-crated". Did you mean "customer-created"?'),
    ],
)
def test_what_is_wrong_with_a_line_is_told(line: dict[str, Any], flaw: str) -> None:
    [found] = check_happening(Happening.model_validate(line), catalogue())

    assert str(found).startswith(flaw)


def test_to_take_away_what_nobody_has_is_no_flaw() -> None:
    assert list(check_happening(Happening.model_validate({"customer": {"shoe": None}}), catalogue())) == []


def test_a_wait_of_four_hundred_days_ends_to_the_second() -> None:
    timeline = play(
        steps=[
            {"id": "w", "wait": "400 days"},
            {"id": "m", "email": "initial-email-reminder", "to": "customer.email"},
        ]
    )

    assert sends(timeline) == [("m", timedelta(days=400), "accepted")]


def test_the_clock_starts_where_it_is_told() -> None:
    at = datetime(2027, 2, 28, 12, tzinfo=UTC)

    timeline = preview(version(), [Happening.model_validate(CART)], CUSTOMER, started_at=at)

    assert timeline.runs[0].sends[0].at == at


COPIES = [{"id": id, "email": "initial-email-reminder", "to": "customer.email"} for id in "abcde"]


def held(*lines: dict[str, Any], steps: list[dict[str, Any]], **policy: Any) -> PreviewRun:
    """The run of a cart that is abandoned at nine, under a policy."""
    script = [{"trigger": "abandoned-cart", "attributes": {"cart_id": "c1", "total": 60}}, *lines]
    happenings = [Happening.model_validate(line) for line in script]
    rules = Policy.model_validate(policy)
    [run] = preview(version(abandoned_cart(steps=steps)), happenings, CUSTOMER, contents=CONTENTS, policy=rules).runs
    return run


def test_what_is_held_is_told_with_each_until_and_why() -> None:
    night = {"from": "21:00", "to": "08:00"}
    cap = {"at_most": 1, "per": "14 hours", "over": "hold"}

    run = held(steps=[{"id": "w", "wait": "13 hours"}, *COPIES[:2]], quiet=[night], caps=[cap], spread="0 seconds")

    assert [(hold.step, hold.at, hold.until, hold.by) for hold in run.holds] == [
        ("a", DEFAULT_START + timedelta(hours=13), DEFAULT_START + timedelta(hours=23), "quiet time"),
        ("b", DEFAULT_START + timedelta(hours=23), DEFAULT_START + timedelta(hours=47), "cap"),
    ]
    assert "quiet time 21:00–08:00" in run.holds[0].why
    assert [send.at for send in run.sends] == [hold.until for hold in run.holds]
    assert run.held is None


def test_the_brake_holds_a_run_until_a_line_of_the_script_lets_it_go() -> None:
    stands = held(steps=COPIES)
    goes_on = held({"at": "2 days", "release": True}, steps=COPIES)

    assert (len(stands.sends), stands.held and stands.held.by, stands.ended) == (3, "brake", None)
    assert [(hold.step, hold.by) for hold in goes_on.holds] == [("d", "brake"), ("d", "release")]
    assert (len(goes_on.sends), goes_on.held, goes_on.ended) == (5, None, "completed")
    assert timedelta(0) <= goes_on.sends[3].at - (DEFAULT_START + timedelta(days=2)) < timedelta(minutes=15)


def test_to_let_go_what_nothing_holds_changes_nothing() -> None:
    timeline = play({"at": "1 hour", "release": True})

    assert timeline.runs == play().runs
    assert (timeline.events[1].event, timeline.events[1].trigger, timeline.events[1].decisions) == ("line-2", "", ())


PAUSE: dict[str, Any] = {"id": "pause", "wait": "7 days"}


def waiting(*steps: dict[str, Any], **more: Any) -> Journey:
    return abandoned_cart(steps=[*steps], exit=[], **more)


def published(*lines: dict[str, Any]) -> Timeline:
    """A journey that waits, into which somebody enters at the beginning, and whatever is published then."""
    script = [Happening.model_validate(line) for line in (CART, *lines)]
    return preview(version(waiting(PAUSE)), script, CUSTOMER, contents=CONTENTS, compiled=version)


def test_whoever_is_inside_goes_on_in_a_version_that_is_published_or_finishes_theirs() -> None:
    shorter, rest = waiting(PAUSE | {"wait": "3 days"}), waiting(PAUSE | {"id": "rest", "wait": "1 day"})
    later = {"at": "2 days", **CART, "attributes": {"cart_id": "c2", "total": 60}}

    timeline = published(
        {"at": "1 day", "publish": shorter},
        later,
        {"at": "3 days", "publish": rest, "people": "move", "map": {"pause": "rest"}},
    )

    first, second = timeline.runs
    assert [(move.run, move.version, move.stays) for move in timeline.moves] == [(first.id, 3, ""), (second.id, 3, "")]
    assert [(run.version, run.ended_at) for run in (first, second)] == [(3, DEFAULT_START + 3 * DAY)] * 2


def test_who_stays_in_an_older_version_is_told_with_the_reason() -> None:
    timeline = published({"at": "1 day", "publish": waiting(PAUSE | {"id": "rest"}), "people": "move"})

    [move] = timeline.moves
    assert move.stays == "pause is no step of version 2"
    assert timeline.runs[0].ended_at == DEFAULT_START + 7 * DAY


def test_what_is_live_already_is_published_as_it_is() -> None:
    timeline = published({"at": "1 day", "publish": waiting(PAUSE), "people": "move"})

    assert (timeline.moves, timeline.runs[0].version) == ((), 1)


def test_another_journey_is_not_published_in_a_preview() -> None:
    with pytest.raises(ValueError, match='publishes "welcome", which is not the journey of this preview'):
        published({"at": "1 day", "publish": waiting(PAUSE, journey="welcome")})
