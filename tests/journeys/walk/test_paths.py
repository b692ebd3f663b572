"""Every way through a journey, with when each message would go."""

from __future__ import annotations

from datetime import timedelta

import pytest

from journeys.problems import Invalid
from journeys.walk.paths import MOST_PATHS, every_path
from tests.samples import abandoned_cart

DAY = timedelta(days=1)
MAIL = {"id": "mail", "email": "initial-email-reminder", "to": "customer.email"}


def test_the_abandoned_cart_has_two_ways() -> None:
    paths = every_path(abandoned_cart())

    assert [[choice.arm for choice in path.choices] for path in paths] == [["no"], ["yes"]]
    assert [(message.step, message.earliest, message.latest) for message in paths[0].messages] == [
        ("initial-reminder", timedelta(0), timedelta(0)),
        ("second-reminder", DAY, DAY),
        ("final-reminder", 2 * DAY, 2 * DAY),
    ]
    assert (paths[1].earliest_end, paths[1].latest_end) == (timedelta(0), DAY)


def test_a_message_after_a_yes_has_an_earliest_and_a_latest_time() -> None:
    steps = [
        MAIL,
        {"id": "ask", "if": {"message": "mail", "is": "opened", "within": "1 day"}},
        {"id": "pause", "wait": "2 hours"},
        {"id": "after", "text": "second-text-reminder", "to": "customer.phone"},
    ]

    no, yes = every_path(abandoned_cart(steps=steps))

    assert (yes.messages[1].earliest, yes.messages[1].latest) == (timedelta(hours=2), timedelta(hours=26))
    assert (no.messages[1].earliest, no.messages[1].latest) == (timedelta(hours=26), timedelta(hours=26))


def test_nested_and_successive_questions_give_every_combination_once() -> None:
    def ask(name: str, **arms: object) -> dict[str, object]:
        return {"id": name, "if": {"trigger": "store-visit", "within": "1 day"}, **arms}

    paths = every_path(abandoned_cart(steps=[ask("a", then=[ask("b")]), ask("c")]))

    ways = [tuple(f"{choice.step} {choice.arm}" for choice in path.choices) for path in paths]
    assert sorted(ways) == sorted(set(ways))
    assert set(ways) == {
        ("a no", "c no"),
        ("a no", "c yes"),
        ("a yes", "b no", "c no"),
        ("a yes", "b no", "c yes"),
        ("a yes", "b yes", "c no"),
        ("a yes", "b yes", "c yes"),
    }


CHOOSING = [
    {
        "id": "tier",
        "branch": [{"arm": "gold", "when": "event.total  >  100", "then": [MAIL]}],
        "otherwise": [{"id": "enough", "end": "too little"}],
    },
    {"id": "pilot", "split": [{"arm": "new", "first": 10}], "otherwise": []},
    {"id": "half", "split": [{"arm": "a", "share": "50%"}, {"arm": "b", "share": "50%"}]},
    {
        "id": "subject",
        "test": {
            "winner": {"by": "goal", "after": "2 weeks"},
            "arms": [{"arm": "plain", "share": "40%"}, {"arm": "witty", "share": "60%"}],
            "default": "plain",
        },
    },
]


def test_every_arm_that_may_be_chosen_is_a_way_with_what_decides() -> None:
    paths = every_path(abandoned_cart(steps=CHOOSING))

    ways = {tuple(choice.arm for choice in path.choices) for path in paths}
    gold = {("gold", pilot, half, of) for pilot in ("new", "otherwise") for half in "ab" for of in ("plain", "witty")}
    assert ways == gold | {("otherwise",)}
    assert len(paths) == len(ways)
    assert {(choice.step, choice.arm, choice.why) for path in paths for choice in path.choices} == {
        ("tier", "gold", "event.total > 100"),
        ("tier", "otherwise", ""),
        ("pilot", "new", "the first 10"),
        ("pilot", "otherwise", ""),
        ("half", "a", "50%"),
        ("half", "b", "50%"),
        ("subject", "plain", "40%"),
        ("subject", "witty", "60%"),
    }
    assert [len(path.messages) for path in paths].count(1) == 8


def test_an_end_ends_its_path() -> None:
    question = {"trigger": "store-visit", "within": "1 day"}
    steps = [{"id": "ask", "if": question, "then": [{"id": "enough", "end": "was here"}]}, MAIL]

    no, yes = every_path(abandoned_cart(steps=steps))

    assert [message.step for message in no.messages] == ["mail"]
    assert (yes.messages, yes.latest_end) == ((), DAY)


def test_the_list_is_bounded() -> None:
    steps = [{"id": f"a-{n}", "if": {"trigger": "store-visit", "within": "1 day"}} for n in range(12)]

    assert len(every_path(abandoned_cart(steps=steps))) == MOST_PATHS


def test_of_a_long_journey_fewer_paths_are_listed() -> None:
    steps = [{"id": f"a-{n}", "if": {"trigger": "store-visit", "within": "1 day"}} for n in range(200)]

    assert len(every_path(abandoned_cart(steps=steps))) == 100


def test_a_draft_that_nobody_could_walk_has_no_paths() -> None:
    asks = {"id": "ask", "if": {"message": "nothing", "is": "opened", "within": "1 day"}}

    with pytest.raises(Invalid) as refused:
        every_path(abandoned_cart(steps=[asks, asks, MAIL]))

    assert [flaw.path for flaw in refused.value.flaws] == ["steps[1].id", "steps[0].if.message", "steps[1].if.message"]
