"""Journeys by chance: of steps of all types, as deep as they may come."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import strategies as st
from pydantic import TypeAdapter

from journeys.definition import Journey
from journeys.interactions import Kind
from journeys.reading import read_journey
from journeys.steps import AnyStep, Step
from journeys.walk.script import DEFAULT_START
from tests.samples import abandoned_cart

_STEP: TypeAdapter[Step] = TypeAdapter(AnyStep)


class Names:
    """Ids for the steps of one journey, and the messages that surely precede."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def next(self, what: str) -> str:
        return f"{what}-{next(self._numbers)}"


MESSAGES: dict[Kind, dict[str, str]] = {
    "email": {"email": "initial-email-reminder", "to": "customer.email"},
    "text": {"text": "second-text-reminder", "to": "customer.phone"},
    "push": {"push": "final-push-notification", "to": "customer.push_token"},
}


EVENTS: list[dict[str, Any]] = [
    {"raise": "store-visit", "with": {"city": "'Oslo'"}},
    {"raise": "store-visit", "with": {"city": "event.coupon"}},  # which is missing
    {"raise": "purchase-completed"},
    {"set": {"country": "'NO'"}},
]


@st.composite
def step_lists(draw: st.DrawFn, names: Names, certain: tuple[str, ...], deep: int) -> list[dict[str, Any]]:
    """Some steps of all types. Questions are about the messages that are *certain* to precede, or about visits."""
    steps: list[dict[str, Any]] = []
    for what in draw(
        st.lists(
            st.sampled_from(
                ["message", "wait", "moment", "raise", "if", "await", "until", "branch", "split", "test", "end"]
            ),
            min_size=1,
            max_size=3,
        )
    ):
        if what == "message":
            id = names.next("m")
            steps.append({"id": id, **MESSAGES[draw(st.sampled_from(list(MESSAGES)))]})
            certain = (*certain, id)
        elif what == "end":
            steps.append({"id": names.next("e"), "end": "enough"})
        elif what == "moment":
            steps.append(draw(moments(names, certain, deep)))
        elif what == "raise":
            steps.append({"id": names.next("r"), **draw(st.sampled_from(EVENTS))})
        elif what == "wait" or not deep:
            steps.append({"id": names.next("w"), "wait": f"{draw(st.integers(1, 48))} hours"})
        elif what in ("if", "await", "until"):
            steps.append(draw(asking(what, names, certain, deep)))
        else:
            steps.append(draw(choosing(what, names, certain, deep)))
        if not _STEP.validate_python(steps[-1]).leads_on:
            break
    return steps


@st.composite
def moments(draw: st.DrawFn, names: Names, certain: tuple[str, ...], deep: int) -> dict[str, Any]:
    """A wait until clocks of UTC show a time, or until an instant, as of a story that begins at the usual time."""
    id = names.next("t")
    # To a minute of its own, so that it never comes together with a limit, of which it might be a moment short.
    minutes = 1 + 7 * int(id.removeprefix("t-")) % 58
    at = DEFAULT_START + timedelta(hours=draw(st.integers(1, 60)), minutes=minutes)
    if draw(st.booleans()):
        return {"id": id, "wait": {"until": f"{at:%H:%M:%S}"}}
    arms = {}
    if deep and draw(st.booleans()):
        arms = {arm: draw(step_lists(names=names, certain=certain, deep=deep - 1)) for arm in ("then", "late")}
    return {"id": id, "wait": {"until": at.isoformat()}, **arms}


def beginning(journey: Journey, begin: datetime) -> Journey:
    """The same journey for a story that begins at another time: what it waits for comes as long after that."""
    written = journey.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return read_journey(_moved(written, begin - DEFAULT_START))


def _moved(part: Any, by: timedelta) -> Any:
    match part:
        case {"until": str(until)} if ":" in until:
            at = datetime.fromisoformat(until if "T" in until else f"2026-01-01T{until}")
            return {**part, "until": (at + by).isoformat() if "T" in until else f"{at + by:%H:%M:%S}"}
        case dict():
            return {name: _moved(value, by) for name, value in part.items()}
        case list():
            return [_moved(value, by) for value in part]
        case _:
            return part


@st.composite
def asking(draw: st.DrawFn, what: str, names: Names, certain: tuple[str, ...], deep: int) -> dict[str, Any]:
    """A step that asks one question, or several, or one while others are walked."""

    def question() -> dict[str, str]:
        asked = {"message": draw(st.sampled_from(certain)), "is": "delivered"} if certain else None
        return asked if asked and draw(st.booleans()) else {"trigger": "store-visit"}

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
        asked = [f'sent["{message}"] == "accepted"' for message in certain]
        condition = st.sampled_from(["event.total > 50", "event.total > 100", 'event.coupon == "X"', *asked])
        arms = [{"arm": arm, "when": draw(condition), "then": steps()} for arm in ("a", "b")]
        return {"id": id, "branch": arms, "otherwise": steps()}
    if what == "test":
        # No wait and no limit of these journeys ends at that minute, as the server's clock goes on while we work.
        winner = {"by": "goal", "after": "3 days 12 hours 30 minutes"}
        return {"id": id, "test": {"winner": winner, "arms": halves, "default": draw(st.sampled_from(["a", "b"]))}}
    if draw(st.booleans()):
        return {"id": id, "split": halves}
    return {"id": id, "split": [{"arm": "a", "first": 1, "then": steps()}], "otherwise": steps()}


@st.composite
def journeys(draw: st.DrawFn, /, **changes: object) -> Journey:
    return abandoned_cart(steps=draw(step_lists(names=Names(), certain=(), deep=3)), **changes)
