"""Journeys by chance: of steps of all types, as deep as they may come."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import strategies as st
from pydantic import TypeAdapter

from journeys.catalogue import CUSTOMER
from journeys.definition import Journey
from journeys.interactions import INTERACTIONS, Kind
from journeys.language.attributes import Schema
from journeys.reading import read_journey
from journeys.steps import AnyStep, Step
from journeys.walk.diary import Outcome
from journeys.walk.script import DEFAULT_START
from tests.samples import abandoned_cart

_STEP: TypeAdapter[Step] = TypeAdapter(AnyStep)

STARTS = (["abandoned-cart"], ["trial-started"], ["abandoned-cart", "trial-started"])
"""Only a trial has a date, and only a cart a coupon: where both start a run, its steps can name neither."""

RENEWS: Schema = {**CUSTOMER, "renews_at": "time?"}
"""What customers of these journeys may have."""

SWEDISH = 'customer.country == "SE"'

FATES: Mapping[str, Outcome] = {
    "takes": "accepted",
    "takes-the-second-time": "accepted",
    "refuses": "failed",
    "is-busy": "failed",
    "is-gone": "failed",
}
"""What becomes of a call, by its endpoint."""


class Names:
    """Ids for the steps of one journey, which are their kinds with numbers, and what its steps can name.

    *dated*: whether a step waits until the very date of the event. No other one does, as it may be a moment late.
    """

    def __init__(self, starts: Sequence[str] = STARTS[0]) -> None:
        self._numbers = count(1)
        self.dated = False
        self.ends, self.coupon = starts == ["trial-started"], starts == ["abandoned-cart"]

    def among(self, written: Sequence[Any]) -> list[Any]:
        """Those that name nothing that is not there."""
        unknown = [name for name, there in (("event.ends_at", self.ends), ("event.coupon", self.coupon)) if not there]
        return [each for each in written if not any(name in str(each) for name in unknown)]

    def next(self, what: str) -> str:
        return f"{what}-{next(self._numbers)}"

    def a_minute(self, id: str) -> int:
        """A minute of its own, so that no moment comes together with a limit, of which it might be a moment short."""
        return 1 + 7 * int(id.rpartition("-")[2]) % 58


MESSAGES: dict[Kind, dict[str, Any]] = {
    "email": {"email": "initial-email-reminder", "to": "customer.email"},
    "text": {"text": "second-text-reminder", "to": ["customer.phone", "customer.email"]},
    "push": {"push": "final-push-notification", "to": "customer.push_token"},
}
EXPIRES: list[dict[str, Any]] = [
    {"expires": "1 hour"},
    {"expires": {"at": "event.ends_at"}},
    {"expires": {"at": "customer.renews_at", "before": "5 hours"}},
]
IGNORES: list[dict[str, str]] = [*({},) * 6, {"quiet": "ignore"}, {"caps": "ignore"}]
REACTIONS = ("delivered", "opened", "clicked", "replied")
"""What may be asked of a message, and happen to it."""

ACTIONS: list[dict[str, Any]] = [
    {"raise": "store-visit", "with": {"city": "'Oslo'"}},
    {"raise": "store-visit", "with": {"city": "event.coupon"}},  # which may be missing
    {"raise": "purchase-completed"},
    {"set": {"country": "'NO'"}},
    {"set": {"country": "'SE'"}},
    {"set": {"country": None}},
    {"set": {"renews_at": "event.ends_at"}},
]
CALLS: list[dict[str, Any]] = [
    {"webhook": name, "with": {"total": "event.total", "country": "customer.country", "n": "1"}}
    | ({"within": "0 seconds"} if name == "is-busy" else {})
    for name in FATES
]
LEAVES = ("message", "message", "message", "wait", "wait", "moment", "action", "call", "end")
FORKS = ("if", "await", "until", "branch", "split", "test")


def kind_of(id: str) -> Kind | None:
    """What kind of message the step of that id sends, if it sends one."""
    return next((kind for kind in MESSAGES if id.startswith(f"{kind}-")), None)


@st.composite
def step_lists(draw: st.DrawFn, names: Names, certain: tuple[str, ...], deep: int) -> list[dict[str, Any]]:
    """Some steps of all types. Questions are about what is *certain* to precede, about visits, and about the customer.

    What is certain are messages and actions, which have an outcome.
    """
    steps: list[dict[str, Any]] = []
    for what in draw(st.lists(st.sampled_from(LEAVES + FORKS), min_size=1, max_size=4)):
        match what:
            case "message":
                kind = draw(st.sampled_from(list(MESSAGES)))
                expires = draw(st.sampled_from([{}, {}, {}, *names.among(EXPIRES)]))
                ignores = draw(st.sampled_from(IGNORES))
                steps.append({"id": names.next(kind), **MESSAGES[kind], **expires, **ignores})
            case "action" | "call":
                does = names.among(ACTIONS if what == "action" else CALLS)
                steps.append({"id": names.next(what), **draw(st.sampled_from(does))})
            case "end":
                steps.append({"id": names.next("e"), "end": "enough"})
            case "moment":
                steps.append(draw(moments(names, certain, deep)))
            case "if" | "await" | "until" if deep:
                steps.append(draw(asking(what, names, certain, deep)))
            case "branch" | "split" | "test" if deep:
                steps.append(draw(choosing(what, names, certain, deep)))
            case _:
                steps.append({"id": names.next("w"), "wait": f"{draw(st.integers(1, 48))} hours"})
        step = _STEP.validate_python(steps[-1])
        if step.has_outcome:
            certain = (*certain, step.id)
        if not step.leads_on:
            break
    return steps


@st.composite
def letters(draw: st.DrawFn, names: Names) -> list[dict[str, Any]]:
    """Many messages with little time between them, perhaps until something happens."""
    steps: list[dict[str, Any]] = []
    for kind in draw(st.lists(st.sampled_from(list(MESSAGES)), min_size=3, max_size=9)):
        told = {**draw(st.sampled_from([{}, {}, {}, EXPIRES[0]])), **draw(st.sampled_from(IGNORES))}
        steps.append({"id": names.next(kind), **MESSAGES[kind], **told})
        steps += draw(st.sampled_from([[], [{"id": names.next("w"), "wait": f"{draw(st.integers(1, 14))} hours"}]]))
    if not draw(st.booleans()):
        return steps
    question = {**draw(st.sampled_from(EVENTS)), "within": f"{draw(st.integers(12, 72))} hours"}
    thanks = {"id": names.next("push"), **MESSAGES["push"]}
    return [{"id": names.next("q"), "until": question, "steps": steps, "then": [thanks]}]


@st.composite
def moments(draw: st.DrawFn, names: Names, certain: tuple[str, ...], deep: int) -> dict[str, Any]:
    """A wait until a time of day, an instant or a date, for a story that begins at the usual time."""
    id = names.next("t")
    at = DEFAULT_START + timedelta(hours=draw(st.integers(1, 60)), minutes=names.a_minute(id))
    kinds = ["time", "day", "instant", "before", "after", "at"] + ["date"] * (names.ends and not names.dated)
    match draw(st.sampled_from(kinds)):
        case "time":
            return {"id": id, "wait": {"until": f"{at:%H:%M:%S}"}}
        case "day":
            return {"id": id, "wait": {"until": f"{at:%H:%M:%S}", "on": [f"{at:%a}".lower()]}}
        case "instant":
            until: dict[str, Any] = {"until": at.isoformat()}
        case "date":
            names.dated = True
            until = {"until": "event.ends_at"}
        case how:
            until = draw(around_a_date(how, at, names))
    arms = {}
    if deep and draw(st.booleans()):
        arms = {arm: draw(step_lists(names=names, certain=certain, deep=deep - 1)) for arm in ("then", "late")}
    return {"id": id, "wait": until, **arms}


@st.composite
def around_a_date(draw: st.DrawFn, how: str, at: datetime, names: Names) -> dict[str, Any]:
    """So long before or after a date, or at a time on the days around it."""
    until = {"until": draw(st.sampled_from(names.among(["event.ends_at", "customer.renews_at"])))}
    hours, minute = draw(st.integers(0, 40)), at.minute
    match how:
        case "before":
            return {**until, "before": f"{hours} hours {60 - minute} minutes"}
        case "after":
            return {**until, "after": f"{hours} hours {minute} minutes"}
        case _:
            shift = draw(st.sampled_from([{}, {"before": "1 day"}, {"after": "1 day"}]))
            return {**until, "at": f"{at:%H:%M}", **shift}


def beginning(written: Any, begin: datetime) -> Any:
    """The same, as it is written, for a story that begins so many weeks later: all dates come as long after that."""
    match written:
        case Journey():
            return read_journey(beginning(written.model_dump(mode="json", by_alias=True, exclude_unset=True), begin))
        case dict():
            return {name: beginning(value, begin) for name, value in written.items()}
        case list():
            return [beginning(value, begin) for value in written]
        case str() if re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T", written):
            return (datetime.fromisoformat(written) + (begin - DEFAULT_START)).isoformat()
        case _:
            return written


def reactions(certain: tuple[str, ...]) -> list[dict[str, Any]]:
    """All that may be asked of the messages that are certain to precede."""
    asked: list[dict[str, Any]] = []
    for id in certain:
        kind = kind_of(id)
        asked += [{"message": id, "is": each} for each in REACTIONS if kind and each in INTERACTIONS[kind]]
        asked += [{"message": id, "is": "replied", "reply": ["yes", "ja"]}] if kind == "text" else []
    return asked


EVENTS: list[dict[str, Any]] = [
    {"trigger": "store-visit"},
    {"trigger": "store-visit", "where": 'event.city == "Oslo"'},
    {"trigger": "customer-changed", "where": f'before.country == "NO" && {SWEDISH}'},
    {"becomes": SWEDISH},
    {"becomes": "has(customer.renews_at)"},
]


@st.composite
def asking(draw: st.DrawFn, what: str, names: Names, certain: tuple[str, ...], deep: int) -> dict[str, Any]:
    """A step that asks one question, or several, or one while others are walked."""

    def question() -> dict[str, Any]:
        asked = reactions(certain) or EVENTS
        return draw(st.sampled_from(asked) | st.sampled_from(EVENTS))

    def steps() -> list[dict[str, Any]]:
        return draw(st.just([]) | step_lists(names=names, certain=certain, deep=deep - 1))

    within = f"{draw(st.integers(1, 72))} hours"
    if what == "await":
        arms = [{"arm": arm, **question(), "then": steps()} for arm in ("a", "b")]
        return {"id": names.next("q"), "await": {"within": within, "arms": arms, "otherwise": steps()}}
    written = {"id": names.next("q"), what: {**question(), "within": within}, "then": steps(), "else": steps()}
    if what == "until":
        written["steps"] = draw(step_lists(names=names, certain=certain, deep=deep - 1))
    return written


@st.composite
def choosing(draw: st.DrawFn, what: str, names: Names, certain: tuple[str, ...], deep: int) -> dict[str, Any]:
    """A step that chooses by what is known, by chance or number, or by chance until a test is over."""

    def steps() -> list[dict[str, Any]]:
        return draw(st.just([]) | step_lists(names=names, certain=certain, deep=deep - 1))

    id = names.next("c")
    halves = [{"arm": arm, "share": share, "then": steps()} for arm, share in (("a", "50%"), ("b", "50%"))]
    if what == "branch":
        asked = [f'sent["{id}"] == "accepted"' for id in certain]
        known = ["event.total > 50", "event.total > 100", 'event.coupon == "X"', SWEDISH, "has(event.ends_at)"]
        condition = st.sampled_from(names.among([*known, *asked]))
        arms = [{"arm": arm, "when": draw(condition), "then": steps()} for arm in ("a", "b")]
        return {"id": id, "branch": arms, "otherwise": steps()}
    if what == "test":
        # No wait and no limit of these journeys ends at that minute, as the server's clock goes on while we work.
        winner = {"by": "goal", "after": "3 days 12 hours 30 minutes"}
        return {"id": id, "test": {"winner": winner, "arms": halves, "default": draw(st.sampled_from(["a", "b"]))}}
    if draw(st.booleans()):
        return {"id": id, "split": halves}
    return {"id": id, "split": [{"arm": "a", "first": 1, "then": steps()}], "otherwise": steps()}


EXITS: tuple[list[dict[str, str]], ...] = (
    [],
    [{"trigger": "purchase-completed"}],
    [{"when": SWEDISH}],
    [{"trigger": "store-visit", "where": 'event.city == "Bergen"'}, {"when": "has(customer.renews_at)"}],
    [{"trigger": "customer-changed", "where": f'before.country == "NO" && {SWEDISH}'}],
)


@st.composite
def journeys(draw: st.DrawFn, /, *, talkative: bool = False, **changes: object) -> Journey:
    """A journey of steps of all types. *talkative*: as often, it is one of many messages instead."""
    starts = draw(st.sampled_from(STARTS))
    start = {
        "trigger": starts,
        "key": "event.cart_id",
        "repeat": draw(st.sampled_from(["immediately", "immediately", "never", {"after": "1 day"}])),
        "overlap": draw(st.sampled_from(["ignore", "parallel", "restart"])),
    }
    names = Names(starts)
    steps = draw(letters(names) if talkative and draw(st.booleans()) else step_lists(names=names, certain=(), deep=3))
    return abandoned_cart(**{"steps": steps, "start": start, "exit": draw(st.sampled_from(EXITS)), **changes})
