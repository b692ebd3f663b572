"""A preview as it is shown in a terminal."""

from __future__ import annotations

from typing import Any

from journeys.clearance.policy import NO_POLICY, Policy
from journeys.definition import Journey
from journeys.walk.paths import every_path
from journeys.walk.preview import preview
from terminal.folder import Script
from terminal.pictures import paths, timeline
from tests.samples import CONTENTS, CUSTOMER, abandoned_cart, version

CIRCLE = "it would go in a circle: abandoned-cart → abandoned-cart, and nothing came from outside in between"


def shown(journey: Journey, *lines: dict[str, Any], policy: Policy = NO_POLICY) -> list[str]:
    """The lines of a timeline, without the dates."""
    script = Script.model_validate({"script": "s", "events": [*lines]})
    played = preview(version(journey), script.events, CUSTOMER, contents=CONTENTS, policy=policy, compiled=version)
    return [line.plain[33:].strip() for line in timeline(played, journey, script, "ada")][3:-2]


def test_what_a_run_raises_is_shown_with_what_it_did() -> None:
    tell = {"id": "tell", "raise": "store-visit", "with": {"city": "'Oslo'"}}
    fails = {"id": "fails", "raise": "store-visit", "with": {"city": "event.coupon"}}
    buy = {"id": "buy", "raise": "purchase-completed"}
    again = {"id": "again", "raise": "abandoned-cart", "with": {"cart_id": "'c2'", "total": 1}}
    journey = abandoned_cart(steps=[tell, fails, {"id": "pause", "wait": "1 day"}, again, buy])

    lines = shown(journey, {"trigger": "abandoned-cart", "attributes": {"total": 60, "cart_id": "c1"}})

    assert lines == [
        "abandoned-cart  total 60, cart_id c1",
        "● started",
        "⚑ tell  store-visit",
        "· ignored  nothing listens to it now, or it is no news",
        "✗ fails  failed: with.city cannot be told: event.coupon is missing",
        "⚑ again  abandoned-cart",
        "✗ refused  it would go in a circle: abandoned-cart → abandoned-cart, and nothing came from outside in between",
        "⚑ buy  purchase-completed",
        "★ goal met  purchase-completed during the run",
        "■ exited  exit: purchase-completed",
    ]


def test_a_path_tells_what_its_arms_are_taken_for() -> None:
    journey = abandoned_cart(
        steps=[
            {
                "id": "size",
                "branch": [{"arm": "large", "when": "event.total > 100", "then": [{"id": "e", "end": "x"}]}],
            },
            {"id": "half", "split": [{"arm": "a", "share": "50%"}, {"arm": "b", "share": "50%"}]},
            {"id": "bought", "if": {"trigger": "purchase-completed", "within": "1 day"}},
        ]
    )

    told = [line.plain for line in paths(every_path(journey), journey)]

    assert "1  size: otherwise; half: b (50%); bought: no (no purchase-completed)" in told
    assert "5  size: large (event.total > 100)" in told


def test_a_wait_until_a_moment_says_until_when_and_in_whose_zone() -> None:
    journey = abandoned_cart(steps=[{"id": "morning", "wait": {"until": "09:00", "on": "weekdays"}}])

    lines = shown(journey, {"trigger": "abandoned-cart", "attributes": {"total": 60, "cart_id": "c1"}})

    assert "waits until 09:00 on weekdays: " in lines[2]
    assert lines[2].endswith("09:00 UTC; UTC")


def test_what_is_held_says_until_when_and_without_an_end_so_ends_the_preview() -> None:
    again = [{"id": f"copy-{n}", "email": "initial-email-reminder", "to": "customer.email"} for n in range(4)]
    script = Script.model_validate(
        {"script": "s", "events": [{"trigger": "abandoned-cart", "attributes": {"total": 60}}]}
    )
    quiet = {"quiet": [{"channels": ["email"], "from": "08:00", "to": "10:00"}], "spread": "0 seconds"}
    policy = Policy.model_validate(quiet | {"consent": NO_POLICY.consent})
    journey = abandoned_cart(steps=again)

    played = preview(version(journey), script.events, CUSTOMER, contents=CONTENTS, policy=policy)

    lines = [line.plain for line in timeline(played, journey, script, "ada")]
    assert any("held until 1 Jan 10:00: quiet time 08:00–10:00 (UTC)" in line for line in lines)
    assert any("held until its journey is let go: the brake: 3 copies" in line for line in lines)
    assert lines[-1] == "Sent: email, email, email. Ended: held."


def test_what_is_held_is_shown_with_until_when_and_why() -> None:
    copies = [{"id": id, "push": "final-push-notification", "to": "customer.push_token"} for id in "abc"]
    journey = abandoned_cart(steps=[{"id": "pause", "wait": "13 hours"}, *copies])
    night, twice = {"from": "21:00", "to": "08:00"}, {"same_content": {"at_most": 2, "per": "1 day"}}
    policy = Policy.model_validate({"quiet": [night], "brake": twice, "spread": "0 seconds"})
    cart = {"trigger": "abandoned-cart", "attributes": {"total": 60, "cart_id": "c1"}}

    copies_went = '2 copies of "final-push-notification" went to one customer within 1 day'
    braked = f"the brake: {copies_went}, and this would be one more"

    stands = shown(journey, cart, policy=policy)
    goes_on = shown(journey, cart, {"at": "2 days", "release": True}, policy=policy)

    assert [line for line in stands if "“" not in line] == [
        "abandoned-cart  total 60, cart_id c1",
        "● started",
        "‖ a  held until 2 Jan 08:00: quiet time 21:00–08:00 (UTC)",
        "→ push  final-push-notification to token-ada",
        "→ push  final-push-notification to token-ada",
        f"‖ c  held until its journey is let go: {braked}",
    ]
    assert goes_on[: len(stands)] == stands
    assert [line for line in goes_on[len(stands) :] if "“" not in line] == [
        "the journey is let go",
        "→ push  final-push-notification to token-ada",
        "✓ completed  all steps done",
    ]


def test_a_pause_is_shown_with_what_waits_and_what_becomes_of_it() -> None:
    a, b = ({"id": id, "push": "final-push-notification", "to": "customer.push_token"} for id in "ab")
    journey = abandoned_cart(
        start={"trigger": "abandoned-cart", "overlap": "parallel"}, steps=[{"id": "hour", "wait": "1 hour"}, a, b]
    )
    cart = {"trigger": "abandoned-cart", "attributes": {"total": 60, "cart_id": "c1"}}
    later = {**cart, "at": "3 hours"}
    pause = {"at": "30 minutes", "pause": True}

    lines = [
        line
        for line in shown(journey, cart, pause, later, {"at": "2 days", "resume": {"over": "1 hour"}})
        if "“" not in line
    ]
    skipped = shown(journey, cart, pause, later, {"at": "2 days", "resume": "skip"})

    assert lines[:8] == [
        "abandoned-cart  total 60, cart_id c1",
        "run 1 ● started",
        "the journey is paused",
        "run 1 ‖ a  held until its journey is resumed",
        "abandoned-cart  total 60, cart_id c1",
        "‖ waiting  the journey is paused",
        "the journey is resumed; all that waited goes out within 1 hour",
        "run 2 ● started  waited for a pause; abandoned-cart",
    ]
    assert lines[8].startswith("run 1 ‖ a  held until 3 Jan 09:")
    assert "its journey was resumed at 3 Jan 09:00" in lines[8]
    assert "the journey is resumed; all that waited is left out" in skipped
    assert "· ignored  waited for a pause; skipped while paused" in skipped
    assert "✗ push  final-push-notification blocked: skipped while paused" in skipped


def test_a_version_that_is_published_is_shown_with_what_becomes_of_whoever_is_inside() -> None:
    pause = {"id": "pause", "wait": "7 days"}
    start = {"trigger": "abandoned-cart", "overlap": "parallel"}
    journey, shorter = (abandoned_cart(start=start, steps=steps) for steps in ([pause, pause | {"id": "b"}], [pause]))
    cart = {"trigger": "abandoned-cart", "attributes": {"total": 60}}

    shown_ = shown(journey, cart, {**cart, "at": "6 days"}, {"at": "8 days", "publish": shorter, "people": "move"})
    stays = shown(journey, cart, {"at": "1 day", "publish": shorter})

    assert shown_[4:7] == [
        "another version is published; people inside go on in it where they can",
        "run 1 stays in its version: b is no step of version 2",
        "run 2 goes on in version 2",
    ]
    assert stays[2:4] == ["another version is published; people inside finish theirs", "✓ completed  all steps done"]


def test_a_preview_that_goes_into_another_year_tells_which() -> None:
    journey = abandoned_cart(steps=[{"id": "rest", "wait": "400 days"}])
    cart = {"trigger": "abandoned-cart", "attributes": {"total": 60, "cart_id": "c1"}}
    script = Script.model_validate({"script": "s", "events": [cart]})
    played = preview(version(journey), script.events, CUSTOMER, contents=CONTENTS, compiled=version)

    lines = [line.plain for line in timeline(played, journey, script, "ada")]

    year = played.started_at.year
    assert not [line for line in lines if "abandoned-cart  total" in line and f" {year} " in line]
    assert [line for line in lines if f" {year + 1} " in line and line.endswith("✓ completed  all steps done")]
