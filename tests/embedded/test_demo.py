"""The demonstration: told for real once, and its verdict on stories that went wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from embedded.story import Found, differences
from journeys.interactions import Kind
from store.journeys import GoalCount
from tests.programs import program, temporals

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
GOAL = GoalCount(entered=4, met=2, target="50%", reached=True)


def found(*sent: tuple[Kind, timedelta], ended: str, goal: bool = False) -> Found:
    return Found(
        sent=sent,
        recorded=tuple(kind for kind, _ in sent),
        runs=1,
        ended=ended,
        ended_at=2 * DAY,
        why="",
        goal=goal,
    )


EMAIL: tuple[Kind, timedelta] = ("email", HOUR)
TEXT: tuple[Kind, timedelta] = ("text", DAY + HOUR)
PUSH: tuple[Kind, timedelta] = ("push", 2 * DAY + 3 * HOUR)
RIGHT = {
    "ada": found(EMAIL, ended="completed"),
    "bo": found(EMAIL, ended="exited", goal=True),
    "cy": found(EMAIL, TEXT, PUSH, ended="completed"),
    "di": found(EMAIL, TEXT, ended="exited", goal=True),
}
WRONG = {
    "ada gets the text after she opened": ("ada", found(EMAIL, TEXT, ended="completed"), "text on day 1"),
    "bo gets the text after he bought": ("bo", found(EMAIL, TEXT, ended="exited", goal=True), "text on day 1"),
    "bo gets the email twice": ("bo", found(EMAIL, EMAIL, ended="exited", goal=True), "email on day 0, email"),
    "bo never exits": ("bo", found(EMAIL, ended="completed", goal=True), "completed"),
    "bo's purchase is not counted": ("bo", found(EMAIL, ended="exited"), "goal not met"),
    "cy gets no push": ("cy", found(EMAIL, TEXT, ended="completed"), "found email on day 0, text on day 1, completed"),
    "cy gets the text too early": ("cy", found(EMAIL, ("text", DAY - HOUR), PUSH, ended="completed"), "text on day 0"),
    "cy gets the push a day late": ("cy", found(EMAIL, TEXT, ("push", 3 * DAY), ended="completed"), "push on day 3"),
    "di gets the push after she bought": ("di", found(EMAIL, TEXT, PUSH, ended="exited", goal=True), "push on day 2"),
    "di's run never ends": ("di", replace(RIGHT["di"], ended=None, ended_at=None), "still under way"),
    "di has two runs": ("di", replace(RIGHT["di"], runs=2), "expected 1 run; found 2"),
    "the API tells of a message that the channel never saw": (
        "di",
        replace(RIGHT["di"], recorded=("email", "text", "push")),
        "the API tells of",
    ),
    "nobody saw cy": ("cy", Found(), "nothing sent"),
}


def test_the_right_story_passes() -> None:
    assert differences(RIGHT, GOAL) == []


@pytest.mark.parametrize(("customer", "instead", "named"), WRONG.values(), ids=WRONG)
def test_a_wrong_story_is_told_apart(customer: str, instead: Found, named: str) -> None:
    wrong = differences({**RIGHT, customer: instead}, GOAL)

    assert len(wrong) >= 1
    assert all(line.startswith(f"{customer.capitalize()}: ") for line in wrong)
    assert named in "\n".join(wrong)


@pytest.mark.parametrize(
    "goal",
    [
        None,
        GOAL.model_copy(update={"met": 1, "reached": False}),
        GOAL.model_copy(update={"entered": 5}),
        GOAL.model_copy(update={"target": "60%", "reached": False}),
        GOAL.model_copy(update={"reached": False}),
    ],
    ids=["none", "one", "five entered", "another target", "not reached"],
)
def test_a_wrong_count_of_the_goal_is_told_apart(goal: GoalCount | None) -> None:
    [wrong] = differences(RIGHT, goal)

    assert wrong.startswith("expected goal 2 of 4, target 50%, reached; found ")


@pytest.mark.parametrize(
    "options",
    [
        pytest.param((), id="console"),
        pytest.param(("--providers", "fake"), id="through the real SDKs, with the opens from signed webhooks"),
    ],
)
def test_the_story_is_told_for_real(options: tuple[str, ...], tmp_path: Path) -> None:
    with program("demo", "--day", "4s", *options, folder=tmp_path, TMPDIR=str(tmp_path)) as demo:
        code = demo.wait()

    assert code == 0, demo.printed
    assert "Bo   ■ exited  exit: purchase-completed" in demo.printed
    assert "in flight 0: from now on nothing is sent" in demo.printed
    assert "Goal: 2 of 4 bought (50%); the target of 50% is reached." in demo.printed
    assert "✓ Exactly what must be, and nothing else." in demo.printed
    assert "Traceback" not in demo.printed
    assert temporals(tmp_path) == []
    assert list(tmp_path.iterdir()) == []
