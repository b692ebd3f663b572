"""Every way through a journey, with when each message would go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from journeys.definition import Journey
from journeys.problems import Invalid
from journeys.steps import AnyStep, Message, every_step
from journeys.walk.paths import MOST_PATHS, Path, PathMessage, Stretch, apart, every_path, path_by
from journeys.walk.position import Turn
from journeys.walk.ways import LEFT, Way, Ways
from tests.big import big_journey
from tests.samples import abandoned_cart

DAY = timedelta(days=1)
VISIT = {"trigger": "store-visit", "within": "1 day"}


def mail(id: str) -> dict[str, Any]:
    return {"id": id, "email": "initial-email-reminder", "to": "customer.email"}


def ask(id: str, within: str = "1 day", **arms: object) -> dict[str, Any]:
    return {"id": id, "if": {"trigger": "store-visit", "within": within}, **arms}


MAIL = mail("mail")


def paths_of(journey: Journey) -> tuple[Path, ...]:
    """All its ways: there are few, so that all are shown."""
    found = every_path(journey)
    assert found.ways == str(len(found.paths))
    return found.paths


def span(message: PathMessage) -> tuple[float, float]:
    """Its earliest and its latest time, in days."""
    return message.earliest / DAY, message.latest / DAY


@st.composite
def step_lists(draw: st.DrawFn, deep: int, numbers: Iterator[int]) -> list[dict[str, Any]]:
    """Some steps of every shape: with and without arms, in series, and with ends."""
    some: st.SearchStrategy[list[dict[str, Any]]] = st.just([]) | step_lists(deep - 1, numbers) if deep else st.just([])
    steps: list[dict[str, Any]] = []
    for what in draw(st.lists(st.sampled_from(["mail", "wait", "if", "about", "await", "until", "end"]), max_size=3)):
        id = f"{what}-{next(numbers)}"
        visit = {"trigger": "store-visit", "within": f"{draw(st.integers(1, 72))} hours"}
        match what:
            case "mail":
                steps.append(mail(id))
            case "wait":
                steps.append({"id": id, "wait": f"{draw(st.integers(1, 48))} hours"})
            case "if":
                steps.append({"id": id, "if": visit, "then": draw(some), "else": draw(some)})
            case "about":
                about = {"message": f"m-{id}", "is": "opened", "within": visit["within"]}
                pause = {"id": f"p-{id}", "wait": "1 hour"}
                steps += [mail(f"m-{id}"), pause, {"id": id, "if": about, "then": draw(some)}]
            case "await":
                arms = [{"arm": f"arm-{n}", "trigger": "store-visit", "then": draw(some)} for n in range(2)]
                steps.append({"id": id, "await": {"within": visit["within"], "arms": arms, "otherwise": draw(some)}})
            case "until":
                inner = draw(some) or [mail(f"m-{id}")]
                visit["within"] = "1000 days"  # longer than all within, so that nothing is cut off
                steps.append({"id": id, "until": visit, "steps": inner, "then": draw(some), "else": draw(some)})
            case _:
                return [*steps, {"id": id, "end": "enough"}]
    return steps


@st.composite
def journeys(draw: st.DrawFn) -> Journey:
    return abandoned_cart(steps=[mail("begin"), *draw(step_lists(2, count(1)))])


def met(steps: Sequence[AnyStep], arms: Mapping[str, str]) -> Iterator[str]:
    """The steps that a way comes to, as far as they are not said to end it."""
    for step in steps:
        yield step.id
        ways = [arm for arm in step.arms if arm.meanwhile or arm.name == arms.get(step.id)]
        if len(ways) == 2 and ways[1].name == "yes":
            ways = ways[1:]
        for arm in ways:
            yield from met(arm.steps, arms)


def trace(steps: tuple[AnyStep, ...], way: Way) -> Path:
    """A way as one walk."""
    return path_by([Stretch(steps)], way)


def test_the_abandoned_cart_has_two_ways() -> None:
    paths = paths_of(abandoned_cart())

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

    no, yes = paths_of(abandoned_cart(steps=steps))

    assert (yes.messages[1].earliest, yes.messages[1].latest) == (timedelta(hours=2), timedelta(hours=26))
    assert (no.messages[1].earliest, no.messages[1].latest) == (timedelta(hours=26), timedelta(hours=26))


def test_nested_and_successive_questions_give_every_combination_once() -> None:
    paths = paths_of(abandoned_cart(steps=[ask("a", then=[ask("b")]), ask("c")]))

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
    paths = every_path(abandoned_cart(steps=CHOOSING)).paths

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

    no, yes = paths_of(abandoned_cart(steps=steps))

    assert [message.step for message in no.messages] == ["mail"]
    assert (yes.messages, yes.latest_end) == ((), DAY)


def test_arms_multiply_and_the_first_ways_are_shown() -> None:
    found = every_path(abandoned_cart(steps=[ask(f"a-{n}") for n in range(200)]))

    assert found.ways == str(2**200)
    assert len(found.paths) == 100

    assert len(every_path(abandoned_cart(steps=[ask(f"a-{n}") for n in range(12)])).paths) == MOST_PATHS


def test_every_step_is_on_a_path_that_is_shown_whatever_it_takes() -> None:
    arms = [{"arm": f"arm-{n}", "trigger": "store-visit", "then": [mail(f"mail-{n}")]} for n in range(MOST_PATHS + 10)]
    steps = [{"id": "many", "await": {"within": "1 day", "arms": arms}}, *(ask(f"a-{n}") for n in range(10))]

    found = every_path(abandoned_cart(steps=steps))

    assert found.ways == str((MOST_PATHS + 11) * 2**10)
    assert {message.step for path in found.paths for message in path.messages} == {
        f"mail-{n}" for n in range(MOST_PATHS + 10)
    }


def test_a_series_is_answered_at_once_or_walked() -> None:
    series = {
        "id": "series",
        "until": {"trigger": "store-visit", "within": "4 days"},
        "steps": [mail("first"), ask("inner", then=[mail("inside")]), {"id": "long", "wait": "2 days"}, mail("last")],
        "then": [mail("came")],
        "else": [mail("did-not")],
    }

    found = every_path(abandoned_cart(steps=[series, mail("after")]))

    assert found.ways == "3"
    assert {tuple((sent.step, *span(sent)) for sent in path.messages) for path in found.paths} == {
        (("first", 0, 0), ("last", 3, 3), ("did-not", 3, 3), ("after", 3, 3)),
        (("first", 0, 0), ("inside", 0, 1), ("last", 2, 3), ("did-not", 2, 3), ("after", 2, 3)),
        (("came", 0, 4), ("after", 0, 4)),
    }


def test_what_a_series_cuts_off_at_the_last_moment_goes_out_before_its_limit() -> None:
    series = {
        "id": "series",
        "until": {"trigger": "store-visit", "within": "2 days"},
        "steps": [ask("inner", "5 days", then=[mail("inside"), ask("more", then=[mail("more-inside")])])],
    }

    found = every_path(abandoned_cart(steps=[series, ask("after", then=[mail("then")])]))

    ways = {tuple((sent.step, *span(sent)) for sent in path.messages) for path in found.paths}
    assert (("inside", 0, 2), ("more-inside", 0, 2), ("then", 0, 3)) in ways


def test_an_end_in_a_series_that_is_left_at_the_last_moment_comes_no_later() -> None:
    inner = {"id": "inner", "until": VISIT, "steps": [MAIL], "then": [{"id": "enough", "end": "visited"}]}
    outer = {"id": "outer", "until": VISIT, "steps": [inner]}
    steps = [{"id": "morning", "wait": {"until": "09:00"}}, outer, {"id": "pause", "wait": "1 hour"}]

    ends: dict[tuple[str, ...], timedelta] = {}
    for path in paths_of(abandoned_cart(steps=steps)):  # that which ends within comes before that which is left
        ends.setdefault(tuple(choice.arm for choice in path.choices), path.latest_end)

    assert ends["no", "yes"] - ends["no", "no"] == DAY - timedelta(hours=1)


def test_a_series_that_ends_within_may_come_to_its_limit_before() -> None:
    end = {"id": "end", "end": "enough"}
    series = {
        "id": "series",
        "until": {"trigger": "store-visit", "within": "1 day"},
        "steps": [ask("inner", "1 day", then=[mail("inside")]), end],
        "else": [ask("asked", then=[mail("then")])],
    }

    ways = [
        (tuple(choice.arm for choice in path.choices), tuple((sent.step, *span(sent)) for sent in path.messages))
        for path in paths_of(abandoned_cart(steps=[series, mail("after")]))
    ]

    assert (("no", "yes"), (("inside", 0, 1),)) in ways
    assert (("no", "no", "yes"), (("then", 1, 2), ("after", 1, 2))) in ways
    assert (("no", "yes", "yes"), (("inside", 0, 1), ("then", 1, 2), ("after", 1, 2))) in ways


def test_a_series_whose_limit_is_over_may_have_been_answered_before() -> None:
    asked = {"message": "mail", "is": "clicked"}
    first = {"id": "first", "if": {**asked, "is": "opened", "within": "3 days"}}
    series = {"id": "series", "until": {**asked, "within": "1 day"}, "steps": [mail("inside")], "then": [mail("then")]}

    ways = {
        tuple(choice.arm for choice in path.choices): [(sent.step, *span(sent)) for sent in path.messages]
        for path in paths_of(abandoned_cart(steps=[MAIL, first, series]))
    }

    assert ways["yes", "yes"] == [("mail", 0, 0), ("then", 0, 3)]


def test_a_series_whose_limit_is_over_and_that_was_answered_walks_none_of_its_arms_at_either_end() -> None:
    delivered = {"message": "hello", "is": "delivered", "within": "1 hour"}
    late = {"id": "late", "email": "initial-email-reminder", "to": "customer.email"}
    series = {"id": "series", "until": delivered, "steps": [late | {"id": "within"}], "else": [late]}
    hello = {"id": "hello", "email": "initial-email-reminder", "to": "customer.email"}

    found = every_path(abandoned_cart(steps=[hello, {"id": "pause", "wait": "3 hours"}, series]))

    answered = next(path for path in found.paths if path.choices[0].arm == "yes")
    assert [message.step for message in answered.messages] == ["hello"]


def test_an_end_that_is_come_to_in_time_is_the_only_way_on() -> None:
    series = {
        "id": "series",
        "until": {"trigger": "store-visit", "within": "2 days"},
        "steps": [ask("inner", "1 day"), {"id": "end", "end": "enough"}],
        "else": [mail("never")],
    }

    found = every_path(abandoned_cart(steps=[series]))

    assert found.ways == "3"
    assert not [sent for path in found.paths for sent in path.messages]


@given(journeys())
def test_ways_are_counted_as_they_are_walked(journey: Journey) -> None:
    ways = Ways(journey.steps)
    assume(ways.number <= 100)

    all_of_them = [ways.nth(number) for number in range(ways.number)]

    assert len(set(all_of_them)) == ways.number
    assert set(ways.covering()) <= set(all_of_them)
    on_all, on_some = (
        {id for way in some for id in met(journey.steps, dict(way))} for some in (all_of_them, ways.covering())
    )
    assert on_all == on_some
    for way in all_of_them:
        walked = trace(journey.steps, way)
        taken = [turn for turn in way if turn.arm != LEFT]
        assert [Turn(choice.step, choice.arm) for choice in walked.choices] == taken


@given(journeys())
def test_stretches_apart_take_as_long_as_all_in_one_walk(journey: Journey) -> None:
    ways = Ways(journey.steps)

    for way in ways.covering():
        assert path_by(list(map(Stretch, apart(journey.steps))), way) == trace(journey.steps, way)


def test_the_largest_journey_is_counted_and_shown() -> None:
    journey = big_journey()

    found = every_path(journey)

    assert len(found.ways) > 100
    assert len(found.paths) <= MOST_PATHS
    messages = {step.id for step in every_step(journey.steps) if isinstance(step, Message)}
    assert messages == {message.step for path in found.paths for message in path.messages}


def test_a_draft_that_nobody_could_walk_has_no_paths() -> None:
    asks = {"id": "ask", "if": {"message": "nothing", "is": "opened", "within": "1 day"}}

    with pytest.raises(Invalid) as refused:
        every_path(abandoned_cart(steps=[asks, asks, MAIL]))

    assert [flaw.path for flaw in refused.value.flaws] == ["steps[1].id", "steps[0].if.message", "steps[1].if.message"]


def test_what_follows_a_call_may_be_as_late_as_the_call_is_tried() -> None:
    tell = {"id": "tell", "webhook": "crm", "within": "2 hours"}
    mail = {"id": "mail", "email": "initial-email-reminder", "to": "customer.email"}

    (path,) = every_path(abandoned_cart(steps=[tell, mail])).paths

    assert [(message.earliest, message.latest) for message in path.messages] == [(timedelta(0), timedelta(hours=2))]
    assert (path.earliest_end, path.latest_end) == (timedelta(0), timedelta(hours=2))


def test_a_series_is_left_at_its_limit_though_a_call_within_may_be_tried_for_longer() -> None:
    tell = {"id": "tell", "webhook": "crm", "within": "2 hours"}
    within, after = ({"id": id, "email": "initial-email-reminder", "to": "customer.email"} for id in ("a", "b"))
    bought = {"trigger": "purchase-completed", "within": "1 hour"}

    nobody, _ = every_path(abandoned_cart(steps=[{"id": "s", "until": bought, "steps": [tell, within]}, after])).paths

    assert [(message.step, message.latest) for message in nobody.messages] == [
        ("a", timedelta(hours=1)),
        ("b", timedelta(hours=1)),
    ]
