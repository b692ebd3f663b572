"""Steps own their shape: what each type says of itself, and that nobody else knows the list of types."""

from __future__ import annotations

import ast
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from journeys.steps import STEP_TYPES, AnyStep, Step, depth, every_step, placed
from journeys.steps.uses import Use
from tests.samples import abandoned_cart

ROOT = Path(__file__).parents[2]
ROOMS = ("journeys", "store", "activities", "workflows", "api", "terminal", "embedded")
ADAPTER: TypeAdapter[Step] = TypeAdapter(AnyStep)

EXAMPLES: dict[str, tuple[dict[str, Any], str, dict[str, str], timedelta]] = {
    "email": (
        {"id": "hello", "email": "welcome", "to": "customer.email"},
        "sends email welcome",
        {},
        timedelta(0),
    ),
    "text": ({"id": "hello", "text": "welcome", "to": "customer.phone"}, "sends text welcome", {}, timedelta(0)),
    "push": ({"id": "hello", "push": "welcome", "to": "event.token"}, "sends push welcome", {}, timedelta(0)),
    "wait": ({"id": "pause", "wait": "36 hours"}, "waits 1 day 12 hours", {}, timedelta(hours=36)),
    "if": (
        {"id": "bought", "if": {"trigger": "purchase-completed", "within": "3 days"}},
        "waits for purchase-completed, at most 3 days",
        {"yes": "then", "no": "else"},
        timedelta(days=3),
    ),
    "await": (
        {
            "id": "reaction",
            "await": {
                "within": "2 days",
                "arms": [
                    {"arm": "replied", "message": "hello", "is": "replied", "reply": ["yes", "ja"]},
                    {"arm": "visited", "trigger": "store-visit"},
                    {"arm": "upgraded", "becomes": 'customer.plan == "pro"'},
                ],
            },
        },
        'waits for replied yes or ja, store-visit, customer.plan == "pro", at most 2 days',
        {
            "replied": "await.arms[0].then",
            "visited": "await.arms[1].then",
            "upgraded": "await.arms[2].then",
            "otherwise": "await.otherwise",
        },
        timedelta(days=2),
    ),
    "branch": (
        {"id": "tier", "branch": [{"arm": "gold", "when": 'customer.tier == "gold"'}]},
        "looks for gold",
        {"gold": "branch[0].then", "otherwise": "otherwise"},
        timedelta(0),
    ),
    "split": (
        {"id": "half", "split": [{"arm": "a", "share": "50%"}, {"arm": "b", "share": "50%"}]},
        "splits into a, b",
        {"a": "split[0].then", "b": "split[1].then"},
        timedelta(0),
    ),
    "test": (
        {
            "id": "subject",
            "test": {
                "winner": {"by": "goal", "after": "2 weeks"},
                "arms": [{"arm": "plain", "share": "50%"}, {"arm": "witty", "share": "50%"}],
                "default": "plain",
            },
        },
        "tests plain, witty",
        {"plain": "test.arms[0].then", "witty": "test.arms[1].then"},
        timedelta(0),
    ),
    "until": (
        {
            "id": "nudges",
            "until": {"trigger": "profile-completed", "within": "10 days"},
            "steps": [{"id": "pause", "wait": "1 day"}],
        },
        "walks its steps until profile-completed, at most 10 days",
        {"meanwhile": "steps", "yes": "then", "no": "else"},
        timedelta(days=10),
    ),
    "raise": ({"id": "tell", "raise": "cart-reminded"}, "raises cart-reminded", {}, timedelta(0)),
    "set": (
        {"id": "tag", "set": {"stage": '"warm"', "reminded_at": "now"}},
        "sets stage, reminded_at",
        {},
        timedelta(0),
    ),
    "webhook": ({"id": "crm", "webhook": "crm", "within": "2 hours"}, "calls crm", {}, timedelta(hours=2)),
    "end": ({"id": "enough", "end": "a member already"}, "ends: a member already", {}, timedelta(0)),
}
"""For each type: a step as it is written, what it is in words, its arms with their fields, how long it may last."""


def step(type_: str) -> Step:
    return ADAPTER.validate_python(EXAMPLES[type_][0])


def test_every_type_has_an_example() -> None:
    assert set(EXAMPLES) == set(STEP_TYPES)


@pytest.mark.parametrize("type_", STEP_TYPES)
def test_a_step_says_what_it_is_and_how_it_goes_on(type_: str) -> None:
    _, words, arms, longest = EXAMPLES[type_]

    assert (step(type_).words, step(type_).longest) == (words, longest)
    assert {arm.name: arm.field for arm in step(type_).arms} == arms


@pytest.mark.parametrize("type_", STEP_TYPES)
def test_a_step_is_written_as_it_was_read(type_: str) -> None:
    written = step(type_).model_dump(mode="json", by_alias=True, exclude_defaults=True)

    assert ADAPTER.validate_python(written) == step(type_)


@pytest.mark.parametrize("type_", STEP_TYPES)
def test_one_arm_at_least_is_for_no_answer(type_: str) -> None:
    arms = [arm.name for arm in step(type_).arms]

    assert not arms or arms[-1] not in step(type_).questions


def test_an_arm_is_had_by_its_name() -> None:
    assert step("if").arm("no").field == "else"
    with pytest.raises(LookupError, match='"bought" has no arm "perhaps"; it has yes, no'):
        step("if").arm("perhaps")


def test_what_a_step_uses_says_where_it_is_written() -> None:
    def paths(type_: str) -> list[tuple[str, str]]:
        uses: list[Use] = list(step(type_).uses)
        return [(type(use).__name__, use.path) for use in uses]

    assert paths("email") == [("ChannelUse", "email"), ("AddressUse", "to"), ("ContentUse", "email")]
    assert paths("if") == [("DurationUse", "if.within"), ("TriggerUse", "if")]


def test_every_step_of_a_tree_has_a_place() -> None:
    journey = abandoned_cart()

    places = {step.id: path for path, step in placed(journey.steps, "steps")}

    assert places["final-reminder"] == "steps[1].else[2]"
    assert list(places) == [step.id for step in every_step(journey.steps)]
    assert depth(journey.steps) == 2


def test_only_the_definition_and_the_walk_know_the_types_of_steps() -> None:
    classes = {model.__name__ for model in STEP_TYPES.values()}
    knowing = {
        str(file.relative_to(ROOT))
        for file in [*ROOT.glob("*.py"), *(file for room in ROOMS for file in (ROOT / room).rglob("*.py"))]
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("journeys.steps")
        if file.parent.name != "steps"
        if classes & {alias.name for alias in node.names}
    }

    posting = {"journeys/walk/virtual_run.py", "store/calls.py", "workflows/journey.py"}  # a webhook is no transaction
    moving = {"journeys/moving.py"}  # which knows whether another call is to be posted in a new version
    assert knowing == {"journeys/walk/walk.py", "journeys/choices.py", "journeys/acting.py"} | posting | moving
