"""Who is inside an old version goes on in a new one, at the same step, or stays for a reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace as changed
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeys.definition import Journey
from journeys.moving import Stays, answer_names, flaws_of_names, moved
from journeys.walk.diary import Delivery
from journeys.walk.position import Arrival, Position, Turn, way_to
from journeys.walk.timeline import PreviewRun, Timeline
from tests.random_journeys import beginning
from tests.random_stories import Played, at_last, happen, stories
from tests.random_stories import version as stocked
from tests.random_versions import new_versions
from tests.samples import abandoned_cart, version

SINCE = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
VISIT = {"trigger": "store-visit", "within": "7 days"}
HELLO = {"id": "hello", "email": "initial-email-reminder", "to": "customer.email"}
BYE = {"id": "bye", "email": "initial-email-reminder", "to": "customer.email"}


DOING = ("email", "text", "push", "action", "call", "new")
"""How the ids begin of steps of random journeys that send or act."""


def pause(id: str = "pause", wait: str = "7 days") -> dict[str, Any]:
    return {"id": id, "wait": wait}


def asks(**more: Any) -> dict[str, Any]:
    return {"id": "asks", "if": VISIT, **more}


def after(*steps: str) -> dict[str, Delivery]:
    return {step: Delivery(outcome="accepted", at=SINCE) for step in steps}


CASES: dict[str, tuple[list[Any], list[Any], str, dict[str, str], str]] = {
    "another wait": ([pause()], [pause(wait="3 days")], "pause", {}, ""),
    "put behind others": ([pause()], [HELLO, pause()], "pause", {}, ""),
    "gone": ([pause(), BYE], [BYE], "pause", {}, "pause is no step of version 2"),
    "of another name": ([pause()], [pause("wait-a-week")], "pause", {"pause": "wait-a-week"}, ""),
    "of another name that is not there": ([pause()], [HELLO], "pause", {"pause": "no"}, "no is no step of version 2"),
    "another kind": ([pause()], [HELLO | {"id": "pause"}], "pause", {}, "pause is another kind of step in version 2"),
    "a message by another channel": (
        [HELLO],
        [{"id": "hello", "push": "final-push-notification", "to": "customer.push_token"}],
        "hello",
        {},
        "hello is another kind of step in version 2",
    ),
    "in an arm": ([asks(then=[pause()])], [asks(then=[HELLO, pause()])], "pause", {}, ""),
    "in another arm": (
        [asks(then=[pause()])],
        [asks(**{"else": [pause()]})],
        "pause",
        {},
        "another way leads to pause in version 2",
    ),
    "out of its arm": (
        [asks(then=[pause()])],
        [asks(), pause()],
        "pause",
        {},
        "another way leads to pause in version 2",
    ),
    "in the arm of a step of another name": (
        [asks(then=[pause()])],
        [asks(then=[pause()]) | {"id": "visited"}],
        "pause",
        {"asks": "visited"},
        "",
    ),
    "in the arm of another kind of step": (
        [asks(then=[pause()])],
        [{"id": "asks", "until": VISIT, "steps": [HELLO], "then": [pause()]}],
        "pause",
        {},
        "another way leads to pause in version 2",
    ),
    "in steps that are walked until something happens": (
        [{"id": "s", "until": VISIT, "steps": [pause()]}],
        [{"id": "s", "until": VISIT | {"within": "1 day"}, "steps": [HELLO, pause()]}],
        "pause",
        {},
        "",
    ),
    "out of these": (
        [{"id": "s", "until": VISIT, "steps": [pause()]}],
        [pause()],
        "pause",
        {},
        "another way leads to pause in version 2",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_run_goes_on_at_the_same_step_on_the_same_way(case: str) -> None:
    before, now, step, names, why = CASES[case]
    old, new = (version(abandoned_cart(steps=steps), number) for number, steps in ((1, before), (2, now)))
    at = Position(step=step, since=SINCE, turns=way_to(old.journey.steps, step) or (), lines=5)

    found = moved(old, new, at, names)

    if why:
        assert found == Stays(why=why)
    else:
        there = names.get(step, step)
        way = way_to(new.journey.steps, there)
        assert found == at.model_copy(update={"step": there, "turns": way})


def test_nobody_is_put_before_what_they_had_already() -> None:
    old = version(abandoned_cart(steps=[HELLO, pause(), BYE]))
    new = version(abandoned_cart(steps=[pause(), asks(**{"else": [HELLO]}), BYE]), 2)
    at = Position(step="pause", since=SINCE, sent=after("hello"), lines=3)

    assert moved(old, new, at) == Stays(why="it had hello already, which comes after pause in version 2")
    assert isinstance(moved(old, new, at.model_copy(update={"sent": {}})), Position)


def test_what_it_had_under_another_name_is_the_same() -> None:
    old = version(abandoned_cart(steps=[HELLO, pause(), BYE]))
    new = version(abandoned_cart(steps=[pause(), HELLO | {"id": "hi"}, BYE]), 2)
    at = Position(step="pause", since=SINCE, sent=after("hello"), lines=3)

    assert moved(old, new, at, {"hello": "hi"}) == Stays(why="it had hi already, which comes after pause in version 2")


def test_all_that_names_a_step_names_it_anew() -> None:
    opened = {"message": "hello", "is": "opened", "within": "1 day"}
    series = {"id": "s", "until": VISIT, "steps": [HELLO, {"id": "q", "if": opened}, BYE]}
    renamed = {
        "id": "t",
        "until": VISIT,
        "steps": [HELLO | {"id": "hi"}, {"id": "r", "if": opened | {"message": "hi"}}, BYE],
    }
    old, new = version(abandoned_cart(steps=[series])), version(abandoned_cart(steps=[renamed]), 2)
    heard = (Arrival(event="e", at=SINCE, answers=("q",)), Arrival(event="f", at=SINCE, answers=("s", "q")))
    at = Position(
        step="q",
        since=SINCE,
        turns=(Turn("s", "meanwhile"),),
        sent=after("hello"),
        heard=heard,
        taken={"f": ("s",)},
        inside={"s": SINCE},
        lines=3,
    )

    found = moved(old, new, at, {"s": "t", "hello": "hi", "q": "r"})

    assert found == Position(
        step="r",
        since=SINCE,
        turns=(Turn("t", "meanwhile"),),
        sent=after("hi"),
        heard=(Arrival(event="e", at=SINCE, answers=("r",)), Arrival(event="f", at=SINCE, answers=("t", "r"))),
        taken={"f": ("t",)},
        inside={"t": SINCE},
        lines=3,
    )


def test_an_answer_to_what_is_asked_otherwise_now_is_none() -> None:
    old = version(abandoned_cart(steps=[asks(), pause(), asks() | {"id": "later"}]))
    oslo = VISIT | {"where": 'event.city == "Oslo"'}
    new = version(abandoned_cart(steps=[asks() | {"if": oslo}, pause(), asks() | {"id": "later", "if": oslo}]), 2)

    assert answer_names(old, new, "asks") == {"asks": None, "later": None}
    assert answer_names(old, new, "pause") == {"later": None}  # what was answered before stays so


def test_an_answer_about_a_message_that_has_another_name_is_the_same_answer() -> None:
    opened = {"message": "hello", "is": "opened", "within": "1 day"}
    old = version(abandoned_cart(steps=[HELLO, pause(), {"id": "q", "if": opened}]))
    other = [HELLO | {"id": "hi"}, pause(), {"id": "q", "if": opened | {"message": "hi"}}]
    new = version(abandoned_cart(steps=other), 2)

    assert answer_names(old, new, "pause", {"hello": "hi"}) == {}
    assert answer_names(old, new, "pause") == {"q": None}  # a message of its own


def test_an_answer_is_called_by_its_arm_where_there_are_several() -> None:
    visited, bought = {"arm": "a", "trigger": "store-visit"}, {"arm": "b", "trigger": "purchase-completed"}
    one = {"id": "q", "await": {"within": "1 day", "arms": [visited]}}
    two = {"id": "q", "await": {"within": "1 day", "arms": [bought, visited]}}
    old, new = version(abandoned_cart(steps=[one])), version(abandoned_cart(steps=[two]), 2)

    assert answer_names(old, new, "q") == {"q": "q.a"}
    assert answer_names(new, old, "q") == {"q.a": "q", "q.b": None}


def test_wrong_names_are_told_all_at_once() -> None:
    old = version(abandoned_cart(steps=[HELLO, pause("one"), pause("two"), BYE]))
    new = version(abandoned_cart(steps=[HELLO, pause("uno"), BYE]), 2)

    told = [str(flaw) for flaw in flaws_of_names([old], new, {"on": "uno", "one": "un", "two": "hello", "bye": "uno"})]

    assert told == [
        'map.on: no older version has a step "on". Did you mean "one"?',
        'map.one: version 2 has no step "un". Did you mean "uno"?',
        (
            'map.two: "hello" is a step of a version with people inside too, and goes on as itself. '
            "Name a step that is new, or leave the line out."
        ),
        (
            'map.bye: version 2 has a step "bye" too: nobody could tell who goes on where. '
            "Give one of the two steps a name that is new."
        ),
        'map: on, bye cannot all be "uno". Each step of an old version is one of the new one.',
    ]
    assert not [*flaws_of_names([old], new, {"one": "uno"})]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_is_published_nobody_gets_a_step_twice_and_nobody_is_lost(data: st.DataObject) -> None:
    played = data.draw(stories())
    new = data.draw(new_versions(played.scene.journey))
    after_line = data.draw(st.integers(1, len(played.lines)))

    told = published_within(played, new, after_line)

    for run in told.runs:
        assert run.ended
        had = Counter(send.step for send in run.sends) + Counter(call.step for call in run.calls)
        assert max(had.values(), default=1) == 1
        assert [entry.n for entry in run.diary] == [*range(len(run.diary))]
        passed = Counter(entry.step for entry in run.diary if entry.did == "passed" and entry.step.startswith(DOING))
        assert max(passed.values(), default=1) == 1
    went = {move.run for move in told.moves if not move.stays}
    assert all((run.version == 2) == (run.id in went or began_anew(run, told)) for run in told.runs)


def began_anew(run: PreviewRun, told: Timeline) -> bool:
    """Whether a run entered the new version, and was never in the old one."""
    return run.id not in {move.run for move in told.moves} and run.version == 2


def published_within(played: Played, new: Journey, after_line: int) -> Timeline:
    """The story with a version published after one of its lines, to which people are moved."""
    scene = played.scene
    stage = scene.stage("ada")
    for number, line in enumerate(played.lines, 1):
        happen(stage, scene, line)
        if number == after_line:
            stage.publish(changed(stocked(beginning(new, scene.begin)), number=2), "move")
    list(at_last(stage))
    return stage.finish()
