"""What publishing warns of that the policy does not let through: quiet times, caps and the brake."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from journeys.clearance.policy import Policy
from journeys.problems import Flaw
from journeys.publishing import check, warn
from journeys.reading import read_content
from journeys.steps import placed
from journeys.walk.preview import preview
from journeys.walk.script import DEFAULT_START, Happening
from tests.big import big_journey
from tests.samples import CONTENTS, CUSTOMER, abandoned_cart, catalogue, version

NIGHT = {"from": "21:00", "to": "08:00"}
DAYTIME = {"from": "08:00", "to": "22:00"}
WEEKLY = {"at_most": 2, "per": "7 days"}

Written = dict[str, Any]


def mail(id: str, **more: object) -> Written:
    return {"id": id, "email": "initial-email-reminder", "to": "customer.email", **more}


def push(id: str, **more: object) -> Written:
    return {"id": id, "push": "final-push-notification", "to": "customer.push_token", **more}


def wait(id: str, wait: object) -> Written:
    return {"id": id, "wait": wait}


def if_(id: str, within: str = "1 day", then: Sequence[Written] = (), otherwise: Sequence[Written] = ()) -> Written:
    return {"id": id, "if": {"trigger": "store-visit", "within": within}, "then": [*then], "else": [*otherwise]}


def flaws(steps: list[Written], policy: Written, **changes: Any) -> list[Flaw]:
    """What is said of these steps because of the policy."""
    journey = abandoned_cart(steps=steps, **changes)
    receipt = read_content({"content": "receipt", "purpose": "transactional", "text": {"body": "Paid."}})
    known = catalogue()
    known = replace(known, contents={**known.contents, "receipt": (receipt, "ready")})
    assert check(journey, known) == []
    without = warn(journey, known)
    ruled = warn(journey, replace(known, policy=Policy.model_validate({"brake": {}, **policy})))
    return [flaw for flaw in ruled if flaw not in without]


def said(steps: list[Written], policy: Written, **changes: Any) -> dict[str, str]:
    return {flaw.path: flaw.message for flaw in flaws(steps, policy, **changes)}


def about_a(interaction: str) -> Written:
    return {"id": interaction, "if": {"message": "a", "is": interaction, "within": "1 day"}}


MORNING = wait("morning", {"until": "09:00"})
LATE = wait("late", {"until": "23:00"})


@pytest.mark.parametrize(
    ("steps", "quiet", "expected"),
    [
        pytest.param(
            [MORNING, mail("offer", expires="30 minutes")],
            [DAYTIME],
            {
                "steps[1].expires": "it never goes out: it is reached at 09:00, within quiet time 08:00–22:00, and "
                "expires after 30 minutes, before that is over."
            },
            id="never",
        ),
        pytest.param([MORNING, mail("offer", expires="14 hours")], [{**DAYTIME}], None, id="long-enough-but-held"),
        pytest.param(
            [LATE, mail("offer")],
            [NIGHT],
            {"steps[1]": "it is reached at 23:00, within quiet time 21:00–08:00, and so always held, until 08:00."},
            id="always-held",
        ),
        pytest.param([LATE, mail("offer", quiet="ignore")], [NIGHT], {}, id="ignored"),
        pytest.param([LATE, push("offer")], [{**NIGHT, "channels": "email"}], {}, id="another-channel"),
        pytest.param([LATE, {"id": "r", "text": "receipt", "to": "customer.phone"}], [NIGHT], {}, id="transactional"),
        pytest.param([mail("offer", expires="30 minutes")], [NIGHT], {}, id="any-time"),
        pytest.param([MORNING, mail("offer")], [NIGHT], {}, id="by-day"),
        pytest.param([MORNING, mail("offer", expires="1 hour")], [{"on": "sun"}], {}, id="on-some-days-only"),
        pytest.param(
            [wait("sunday", {"until": "09:00", "on": "sun"}), mail("offer")],
            [{"on": "sun"}],
            {"steps[1]": "it is reached at 09:00, within quiet time on Sunday, and so always held, until 00:00."},
            id="on-that-day",
        ),
        pytest.param(
            [LATE, wait("more", "8 hours"), mail("offer")],
            [NIGHT],
            {"steps[2]": "it is reached at 07:00, within quiet time 21:00–08:00, and so always held, until 08:00."},
            id="some-hours-after",
        ),
        pytest.param([LATE, wait("more", "9 hours"), mail("offer")], [NIGHT], {}, id="after-its-end"),
        pytest.param(
            [LATE, if_("came", "2 hours"), mail("offer")],
            [NIGHT],
            {
                "steps[2]": "it is reached between 23:00 and 01:00, within quiet time 21:00–08:00, and so always held, "
                "until 08:00."
            },
            id="whenever-it-is-answered",
        ),
        pytest.param([LATE, if_("came", "10 hours"), mail("offer")], [NIGHT], {}, id="answered-by-day"),
        pytest.param([LATE, if_("came", then=[mail("a")]), mail("b")], [NIGHT], {}, id="one-arm-a-day-later"),
        pytest.param(
            [wait("due", {"until": "event.ends_at", "at": "23:00"}), mail("offer")], [NIGHT], {}, id="late-or-at-23"
        ),
        pytest.param(
            [{"id": "due", "wait": {"until": "event.ends_at", "at": "23:00"}, "then": [mail("offer")]}],
            [NIGHT],
            {
                "steps[0].then[0]": "it is reached at 23:00, within quiet time 21:00–08:00, and so always held, "
                "until 08:00."
            },
            id="at-23-of-a-date",
        ),
        pytest.param([LATE, mail("a"), mail("b")], [{**NIGHT, "channels": "email"}], "steps[1]", id="held-only-once"),
        pytest.param(
            [LATE, mail("offer")],
            [{**NIGHT, "where": "customer.country == 'FR'"}],
            {
                "steps[1]": "it is reached at 23:00, within quiet time 21:00–08:00 (where customer.country == 'FR'), "
                "and so always held, until 08:00."
            },
            id="where",
        ),
        pytest.param(
            [mail("offer")],
            [{"where": "customer.country == 'FR'"}],
            {
                "steps[0]": "for customers of whom customer.country == 'FR' holds, nothing ever lets it out: quiet "
                "time at all times leaves no time of the week."
            },
            id="nobody-there",
        ),
        pytest.param([MORNING, mail("offer")], [{"from": "2026-01-01", "to": "2026-12-31"}], {}, id="dates-pass"),
    ],
)
def test_a_message_that_quiet_times_never_let_out_or_always_hold(
    steps: list[Written], quiet: list[Written], expected: dict[str, str] | str | None
) -> None:
    start = {"trigger": "trial-started"} if "event.ends_at" in str(steps) else {"trigger": "abandoned-cart"}

    found = said(steps, {"quiet": quiet}, start=start)

    match expected:
        case dict():
            assert found == expected
        case str():
            assert list(found) == [expected]
        case None:
            assert "always held, until 22:00" in found["steps[1]"]


def test_what_is_held_is_told_what_to_do() -> None:
    [held] = flaws([LATE, mail("offer")], {"quiet": [NIGHT]})

    assert (
        held.hint
        == "Wait until a time that is not quiet, if that is not meant. If it may go out then, say quiet: ignore."
    )


@pytest.mark.parametrize(
    ("steps", "cap", "expected"),
    [
        pytest.param([mail("a"), mail("b"), mail("c")], {**WEEKLY, "at_most": 3}, {}, id="as-many-as-it-lets"),
        pytest.param(
            [mail("a"), wait("w", "1 day"), mail("b"), wait("x", "1 day"), mail("c")],
            WEEKLY,
            {
                "steps[4]": '3 messages may come due within 7 days ("a", "b" and "c"), and the cap lets 2 through: '
                'what is above it is blocked. "c" can never go out where those before did.'
            },
            id="blocked",
        ),
        pytest.param(
            [mail("a"), wait("w", "1 day"), mail("b"), wait("x", "1 day"), mail("c")],
            {**WEEKLY, "over": "hold"},
            {
                "steps[4]": '3 messages may come due within 7 days ("a", "b" and "c"), and the cap lets 2 through: '
                "what is above it is held until there is a place."
            },
            id="held",
        ),
        pytest.param([mail("a"), mail("b"), wait("w", "7 days"), mail("c")], WEEKLY, {}, id="free-exactly-after-per"),
        pytest.param([mail("a"), mail("b"), push("c")], {**WEEKLY, "channels": "email"}, {}, id="another-channel"),
        pytest.param([mail("a"), mail("b"), mail("c", caps="ignore")], WEEKLY, {}, id="the-last-one-ignores-it"),
        pytest.param(
            [mail("a", caps="ignore"), mail("b"), mail("c")], WEEKLY, "steps[2]", id="what-ignores-it-takes-a-place"
        ),
        pytest.param(
            [mail("a"), if_("came", then=[mail("b")], otherwise=[mail("c")]), mail("d")],
            WEEKLY,
            {
                "steps[2]": '3 messages may come due within 7 days ("a", "b" and "d"; by came: yes), and the cap lets '
                '2 through: what is above it is blocked. "d" can never go out where those before did.'
            },
            id="on-each-way",
        ),
        pytest.param(
            [mail("a"), if_("came", then=[mail("b")], otherwise=[wait("w", "7 days")]), mail("d")],
            WEEKLY,
            {
                "steps[2]": '3 messages may come due within 7 days ("a", "b" and "d"; by came: yes), and the cap lets '
                "2 through: what is above it is blocked."
            },
            id="on-one-way",
        ),
        pytest.param(
            [mail("a"), if_("came", then=[{"id": "over", "end": "came"}], otherwise=[mail("b")]), mail("c")],
            {"at_most": 2, "per": "1 day"},
            {},
            id="without-an-answer-it-takes-a-day",
        ),
        pytest.param(
            [mail("a"), if_("came", then=[mail("b"), {"id": "over", "end": "came"}]), mail("c")],
            {"at_most": 2, "per": "2 days"},
            {},
            id="a-way-that-ends",
        ),
        pytest.param(
            [mail("a"), wait("w", {"until": "09:00"}), mail("b"), wait("x", {"until": "09:00"}), mail("c")],
            {"at_most": 2, "per": "24 hours"},
            {},
            id="a-day-between-two-mornings",
        ),
        pytest.param(
            [mail("a"), wait("w", {"until": "09:00"}), mail("b")],
            {"at_most": 1, "per": "1 hour"},
            {
                "steps[2]": '2 messages may come due within 1 hour ("a" and "b"), and the cap lets 1 through: what is '
                "above it is blocked."
            },
            id="shortly-before-a-morning",
        ),
        pytest.param(
            [
                mail("a"),
                {
                    "id": "series",
                    "until": {"trigger": "store-visit", "within": "30 days"},
                    "steps": [mail("b"), wait("w", "10 days"), mail("c")],
                },
                mail("d"),
            ],
            WEEKLY,
            {
                "steps[2]": '3 messages may come due within 7 days ("a", "b" and "d"; by series: yes), and the cap '
                "lets 2 through: what is above it is blocked."
            },
            id="left-within-a-series",
        ),
        pytest.param(
            [mail("a"), about_a("opened"), mail("b"), about_a("clicked"), mail("c")],
            {"at_most": 1, "per": "1 day"},
            "steps[2]",
            id="a-limit-that-has-passed",
        ),
    ],
)
def test_a_cap_that_is_lower_than_what_a_journey_sends(
    steps: list[Written], cap: Written, expected: dict[str, str] | str
) -> None:
    found = said(steps, {"caps": [cap]})

    assert found == expected if isinstance(expected, dict) else list(found) == [expected]


def test_a_journey_that_ignores_caps_is_told_nothing_of_them() -> None:
    assert said([mail("a"), mail("b"), mail("c")], {"caps": [WEEKLY]}, caps="ignore") == {}


def test_a_journey_that_would_trip_the_brake_by_itself() -> None:
    brake = {"same_content": {"at_most": 3, "per": "24 hours"}}
    copies = [mail("a"), mail("b"), mail("c"), push("p"), mail("d")]

    assert said(copies, {"brake": brake}) == {
        "steps[4]": '4 messages may come due within 1 day ("a", "b", "c" and "d"), all of them '
        '"initial-email-reminder", and the brake lets 3 copies through: at "d" it holds the journey for everybody, '
        "until somebody lets it go."
    }
    assert said([*copies[:3], wait("w", "1 day"), mail("d")], {"brake": brake}) == {}
    assert list(said(copies, {"brake": brake}, caps="ignore")) == ["steps[4]"]


def receipt(**more: object) -> Written:
    return {"id": "receipt", "text": "receipt", "to": "customer.phone", **more}


@pytest.mark.parametrize(
    ("steps", "policy", "changes", "path"),
    [
        pytest.param([receipt(quiet="ignore")], {"quiet": [NIGHT]}, {}, "steps[0].quiet", id="quiet"),
        pytest.param([receipt(caps="ignore")], {"caps": [WEEKLY]}, {}, "steps[0].caps", id="caps"),
        pytest.param([receipt()], {"caps": [WEEKLY]}, {"caps": "ignore"}, "caps", id="journey"),
        pytest.param([receipt(), mail("a")], {"caps": [WEEKLY]}, {"caps": "ignore"}, None, id="some-are-commercial"),
        pytest.param([receipt(quiet="ignore")], {}, {}, None, id="no-rule"),
        pytest.param([receipt(quiet="ignore")], {"quiet": [{**NIGHT, "channels": "push"}]}, {}, None, id="elsewhere"),
        pytest.param([receipt(quiet="ignore")], {"quiet": [{**NIGHT, "purpose": "transactional"}]}, {}, None, id="its"),
        pytest.param([mail("a", quiet="ignore")], {"quiet": [NIGHT]}, {}, None, id="commercial"),
    ],
)
def test_what_is_ignored_and_holds_for_nothing(
    steps: list[Written], policy: Written, changes: Written, path: str | None
) -> None:
    found = said(steps, policy, **changes)

    assert list(found) == ([path] if path else [])
    assert all(message.startswith("changes nothing") for message in found.values())


def test_the_largest_journey_is_held_against_many_rules_in_little_time() -> None:
    caps = [{"at_most": number, "per": f"{number} days"} for number in range(1, 21)]
    quiet = [{**NIGHT, "where": f"customer.country == 'A{number}'"} for number in range(100)]
    policy = Policy.model_validate({"caps": caps, "quiet": quiet})
    journey, known = big_journey(), catalogue()
    warn(journey, known)

    began = time.process_time()
    found = warn(journey, replace(known, policy=policy))

    assert time.process_time() - began < 10  # of a busy machine; every way would take for ever
    assert sum("the cap lets" in flaw.message for flaw in found) == 20


@dataclass
class Made:
    """A random journey of mails, waits and questions, and somebody who sometimes answers."""

    chance: Random
    number: int = 0

    def steps(self, depth: int = 2) -> list[Written]:
        return [self._step(depth) for _ in range(self.chance.randint(1, 4))]

    def _step(self, depth: int) -> Written:
        self.number += 1
        id = f"s{self.number}"
        match self.chance.choice(["mail", "mail", "wait", "until", "if"] if depth else ["mail", "wait"]):
            case "wait":
                return wait(id, f"{self.chance.choice([1, 5, 11, 24, 60])} hours")
            case "until":
                return wait(id, {"until": self.chance.choice(["06:00", "12:00", "23:00"])})
            case "if":
                return if_(id, f"{self.chance.choice([2, 12, 30])} hours", self.steps(depth - 1), self.steps(depth - 1))
            case _:
                return self._mail(id)

    def _mail(self, id: str) -> Written:
        return mail(id, **self.chance.choice([{}, {}, {"expires": "2 hours"}, {"caps": "ignore"}, {"quiet": "ignore"}]))

    def visits(self) -> list[Happening]:
        hours = sorted(self.chance.sample(range(1, 200), self.chance.randint(0, 6)))
        visit = {"trigger": "store-visit", "attributes": {"city": "Oslo"}}
        cart = {"trigger": "abandoned-cart", "attributes": {"total": 60, "cart_id": "c1"}}
        lines = [cart, *({**visit, "at": f"{hour} hours"} for hour in hours)]
        return [Happening.model_validate(line) for line in lines]


@pytest.mark.parametrize("seed", range(100))
def test_what_is_warned_of_is_so_whatever_happens(seed: int) -> None:
    chance = Random(seed)
    cap = {"at_most": chance.randint(1, 3), "per": chance.choice(["6 hours", "1 day", "5 days"])}
    night = {"from": chance.choice(["05:00", "11:00", "21:00"]), "to": chance.choice(["08:00", "13:00", "20:00"])}
    policy: Written = chance.choice([{"caps": [cap]}, {"quiet": [night]}, {"caps": [cap], "quiet": [night]}])
    made = Made(chance)
    steps = made.steps()
    journey, rules = abandoned_cart(steps=steps, exit=[]), Policy.model_validate({"brake": {}, **policy})
    told = [flaw for flaw in warn(journey, replace(catalogue(), policy=rules)) if "the cap" in str(flaw)]
    places = {path: step.id for path, step in placed(journey.steps, "steps")}
    quiet = {places[path.removesuffix(".expires")]: words for path, words in said(steps, policy, exit=[]).items()}
    never = {id for id, words in quiet.items() if "it never goes out" in words}
    held = {id for id, words in quiet.items() if "always held" in words}
    in_vain = {name for flaw in told for name in re.findall(r'"(s\d+)"', flaw.message.partition("is blocked.")[2])}

    for _ in range(8):
        started_at = DEFAULT_START + timedelta(hours=chance.randrange(24))
        script = made.visits()
        [run] = preview(version(journey), script, CUSTOMER, contents=CONTENTS, policy=rules, started_at=started_at).runs

        accepted = {send.step for send in run.sends if send.outcome == "accepted"}
        capped = [send.step for send in run.sends if send.reason.startswith("the cap")]
        assert not never & accepted
        assert held & {send.step for send in run.sends} <= {hold.step for hold in run.holds}
        assert bool(told) >= bool(capped and "quiet" not in policy)
        if not (never or "quiet" in policy):
            assert not in_vain & accepted
