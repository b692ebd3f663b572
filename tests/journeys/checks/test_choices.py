"""Steps that choose are checked before they are published: conditions, shares, and how a test is decided."""

from __future__ import annotations

from typing import Any

import pytest

from journeys.publishing import check, check_tree, warn
from tests.samples import abandoned_cart, catalogue

HELLO = {"id": "hello", "email": "initial-email-reminder", "to": "customer.email"}
NUDGE = {"id": "nudge", "text": "second-text-reminder", "to": "customer.phone"}
LAST = {"id": "last", "push": "final-push-notification", "to": "customer.push_token"}
PAUSE = {"id": "pause", "wait": "1 day"}


def found(*steps: dict[str, Any], **changes: Any) -> dict[str, str]:
    """The flaws by path, and the warnings."""
    journey = abandoned_cart(steps=list(steps), **changes)
    assert [flaw.path for flaw in check_tree(journey) if not flaw.path.startswith("steps")] == []
    return {flaw.path: str(flaw).partition(": ")[2] for flaw in check(journey, catalogue())}


def warned(*steps: dict[str, Any]) -> dict[str, str]:
    journey = abandoned_cart(steps=list(steps))
    assert check(journey, catalogue()) == []
    return {flaw.path: str(flaw).partition(": ")[2] for flaw in warn(journey, catalogue())}


def branch(*conditions: str, otherwise: list[Any] | None = None, id: str = "tier") -> dict[str, Any]:
    arms = [{"arm": f"arm-{n}", "when": when} for n, when in enumerate(conditions)]
    return {"id": id, "branch": arms, "otherwise": otherwise or []}


def split(*arms: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "half", "split": [{"arm": f"arm-{n}", **arm} for n, arm in enumerate(arms)], **more}


def comparing(
    plain: list[Any] | None = None, witty: list[Any] | None = None, default: str = "plain", **winner: Any
) -> dict[str, Any]:
    arms = [
        {"arm": "plain", "share": "50%", "then": plain or []},
        {"arm": "witty", "share": "50%", "then": witty or []},
    ]
    return {"id": "subject", "test": {"winner": {"by": "goal", **winner}, "arms": arms, "default": default}}


AFTER: dict[str, Any] = {"after": "2 weeks"}

# --- conditions ------------------------------------------------------------------------------------


def test_right_ones_are_let_through() -> None:
    assert found(HELLO, branch("event.total > 5", "customer.country == 'NO'", 'sent["hello"] == "failed"')) == {}
    assert found(split({"share": "33.3%"}, {"share": "33.3%"}, {"share": "33.4%"})) == {}
    assert found(split({"first": 10}, {"share": "100%"})) == {}
    assert found(split({"first": 10}, otherwise=[NUDGE])) == {}
    assert found(comparing(after="2 weeks"), comparing(people=100) | {"id": "other"}) == {}
    assert found(comparing([HELLO], [LAST], by="opened", people=2000)) == {}


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("event.totl > 5", 'there is no "event.totl". Did you mean "event.total"?'),
        ("event.total", "the condition gives a number, it must give true or false."),
        ('event.total == "5"', "a number cannot be compared with text"),
        ("total > 5", "event.total"),
        ('sent["hello"] == "opened"', 'sent["hello"] is never "opened". What was told later is asked by a step'),
        ("sent.hello == 'accepted'", 'Write sent["hello"].'),
    ],
)
def test_conditions_are_typed(condition: str, words: str) -> None:
    flaws = found(HELLO, branch("event.total > 1", condition))

    assert list(flaws) == ["steps[1].branch[1].when"]
    assert words in flaws["steps[1].branch[1].when"]


def test_where_the_trigger_is_not_known_that_alone_is_said() -> None:
    assert list(found(branch("event.total > 5"), start={"trigger": "abandoned"})) == ["start.trigger"]


ASKS = branch('sent["nudge"] == "accepted"')
WITHIN = {"trigger": "store-visit", "within": "2 days"}


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([NUDGE, ASKS], id="before"),
        pytest.param([branch("event.total > 5", otherwise=[NUDGE], id="b"), ASKS], id="in-an-arm-before"),
        pytest.param([NUDGE, branch("event.total > 5", otherwise=[ASKS], id="b")], id="before-the-arms-around"),
        pytest.param([{"id": "u", "until": WITHIN, "steps": [NUDGE], "then": [ASKS]}], id="in-a-series-that-is-left"),
        pytest.param([{"id": "u", "until": WITHIN, "steps": [NUDGE]}, ASKS], id="in-a-series-before"),
        pytest.param([{"id": "nudge", "webhook": "crm"}, ASKS], id="a-webhook"),
    ],
)
def test_outcomes_of_what_may_have_come_before_can_be_asked(steps: list[dict[str, Any]]) -> None:
    assert [path for path in found(*steps) if path.endswith(".when")] == []


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        pytest.param([ASKS, NUDGE], '"nudge" cannot have come before this step. Ask for one that may have', id="after"),
        pytest.param(
            [HELLO, {**branch("event.total > 5", otherwise=[ASKS], id="b"), "branch": [
                {"arm": "a", "when": "event.total > 5", "then": [NUDGE]}
            ]}],
            '"nudge" cannot have come before this step. Ask for one that may have: hello.',
            id="in-another-arm",
        ),
        pytest.param(
            [{"id": "b", "branch": [
                {"arm": "a", "when": "event.total > 5", "then": [NUDGE, {"id": "e", "end": "over"}]}
            ]}, ASKS],
            '"nudge" cannot have come before this step. Ask for one that may have: there is none yet.',
            id="in-an-arm-that-ends",
        ),
        pytest.param([{**NUDGE, "id": "nudges"}, ASKS], 'no message "nudge". Did you mean "nudges"?', id="mistyped"),
        pytest.param([{**PAUSE, "id": "nudge"}, ASKS], 'nothing becomes of "nudge" that could be', id="a-wait"),
    ],
)  # fmt: skip
def test_other_outcomes_are_refused(steps: list[dict[str, Any]], words: str) -> None:
    flaws = {path: said for path, said in found(*steps).items() if path.endswith(".when")}

    assert len(flaws) == 1
    assert words in "".join(flaws.values())


def test_arms_after_a_condition_that_always_holds_are_named() -> None:
    said = "nobody comes here: the condition at steps[0].branch[1] always holds. Remove it, or put it first."

    assert found(branch("event.total > 5", "true", "event.total > 6", "1 < 2", otherwise=[NUDGE])) == {
        "steps[0].branch[2]": said,
        "steps[0].branch[3]": said,
        "steps[0].otherwise": said,
    }
    assert found(branch("event.total > 5", "true")) == {}


def test_a_condition_that_never_holds_is_told() -> None:
    assert warned(branch("false")) == {"steps[0].branch[0].when": "this never holds, so nobody takes the arm."}


def test_hours_without_a_zone_are_told() -> None:
    assert "means UTC" in warned(branch("now.getHours() < 12"))["steps[0].branch[0].when"]


def test_an_arm_s_name_twice_is_refused_where_it_is_written() -> None:
    twice = {"id": "tier", "branch": [{"arm": "a", "when": "event.total > 5"}, {"arm": "a", "when": "event.total > 6"}]}
    rest = {"id": "tier", "branch": [{"arm": "otherwise", "when": "event.total > 5"}]}

    assert list(found(twice)) == ["steps[0].branch[1].arm"]
    assert list(found(rest)) == ["steps[0].branch[0].arm"]


# --- shares ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "path", "words"),
    [
        pytest.param(
            split({"share": "45%"}, {"share": "45%"}),
            "steps[0].split",
            "the shares add up to 90%, not to 100%. 10% are missing.",
            id="too-little",
        ),
        pytest.param(
            split({"share": "50%"}, {"share": "50.1%"}), "steps[0].split", "add up to 100.1%", id="too-much"
        ),
        pytest.param(
            split({"share": "33.3%"}, {"share": "33.3%"}, {"share": "33.3%"}), "steps[0].split", "33.4%", id="thirds"
        ),
        pytest.param(
            split({"first": 10}, {"share": "50%"}), "steps[0].split", "add up to 50%", id="the-rest-of-them-too"
        ),
        pytest.param(
            split({"share": "100%"}, otherwise=[NUDGE]),
            "steps[0].otherwise",
            "nobody goes here: the shares take everybody who has no place by number. Leave it out, or give it a share.",
            id="otherwise",
        ),
        pytest.param(split({"first": 10}, by="run"), "steps[0].by", "a person keeps the place", id="places-by-run"),
    ],
)  # fmt: skip
def test_shares_are_checked(step: dict[str, Any], path: str, words: str) -> None:
    flaws = found(step)

    assert list(flaws) == [path]
    assert words in flaws[path]


# --- tests -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "changes", "path", "words"),
    [
        pytest.param(
            comparing(**AFTER), {"goal": None}, "winner.by", "the journey has no goal to measure by.", id="no-goal"
        ),
        pytest.param(
            comparing(**AFTER, default="plane"), {}, "default", 'no arm "plane". Did you mean "plain"?', id="default"
        ),
        pytest.param(
            comparing([HELLO], [], by="opened", **AFTER), {}, "arms[1].then", "found none.", id="sends-nothing"
        ),
        pytest.param(
            comparing([HELLO], [NUDGE], by="opened", **AFTER),
            {},
            "arms[1].then",
            "one message is expected of which it is told whether it was opened; found none. "
            "Put one email or push into the arm, or find the winner by goal.",
            id="a-text-is-never-opened",
        ),
        pytest.param(
            comparing([HELLO, PAUSE, {**HELLO, "id": "again"}], [LAST], by="clicked", **AFTER),
            {},
            "arms[0].then",
            "found hello, again.",
            id="two-messages",
        ),
        pytest.param(
            comparing(after="3 days"),
            {},
            "winner.after",
            "each person is measured for 3 days, so nobody would",
            id="short",
        ),
        pytest.param(
            comparing([HELLO], [LAST], by="opened", after="2 weeks", within="3 weeks"),
            {},
            "winner.after",
            "each person is measured for 21 days",
            id="within-longer-than-after",
        ),
        pytest.param(comparing(after="0 days"), {}, "winner.after", "expected more than nothing", id="no-time"),
        pytest.param(comparing(after="1 day", within="0 days"), {}, "winner.within", "more than nothing", id="at-once"),
    ],
)
def test_a_test_is_checked(step: dict[str, Any], changes: dict[str, Any], path: str, words: str) -> None:
    flaws = found(step, **changes)

    assert list(flaws) == [f"steps[0].test.{path}"]
    assert words in flaws[f"steps[0].test.{path}"]


def test_its_shares_are_checked_too() -> None:
    step = comparing(**AFTER)
    step["test"]["arms"][0]["share"] = "40%"

    assert list(found(step)) == ["steps[0].test.arms"]


def test_people_may_be_measured_for_longer_than_the_goal_counts_after_a_run() -> None:
    assert found(comparing(after="2 weeks", within="5 days")) == {}


def test_by_goal_an_empty_arm_is_fine_and_so_are_many_messages() -> None:
    assert found(comparing([HELLO, NUDGE, LAST], [], **AFTER)) == {}


@pytest.mark.parametrize(
    "inner", [split({"share": "50%"}, {"share": "50%"}), split({"first": 5}), {**comparing(**AFTER), "id": "half"}]
)
def test_who_is_shared_out_again_in_an_arm_is_told(inner: dict[str, Any]) -> None:
    told = warned(comparing([branch("event.total > 5", otherwise=[inner])], [], **AFTER))

    assert told["steps[0].test.arms[0]"].startswith('people are shared out again in this arm, by "half".')
    assert list(told) == ["steps[0].test.arms[0]"]


def test_a_test_beside_a_split_is_fine() -> None:
    assert warned(split({"share": "100%"}), comparing(**AFTER)) == {}
