"""New versions by chance: a journey with some of its steps taken away, moved, put in, or said otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime
from itertools import count
from typing import Any

from hypothesis import strategies as st

from journeys.checks.review import Catalogue
from journeys.definition import Journey
from journeys.publishing import check
from journeys.reading import read_journey
from journeys.walk.script import DEFAULT_START
from tests.random_journeys import FATES, MESSAGES, RENEWS
from tests.samples import catalogue

_Written = dict[str, Any]
_ARMS = ("then", "else", "late", "steps", "otherwise")

MUTATIONS = ("take away", "put in", "move", "swap", "wait otherwise", "send otherwise", "limit otherwise", "lift out")


@st.composite
def new_versions(draw: st.DrawFn, journey: Journey, now: datetime = DEFAULT_START) -> Journey:
    """The same journey, otherwise in one to four ways; where that could not be published, in fewer of them."""
    written = journey.model_dump(mode="json", by_alias=True, exclude_unset=True)
    names = (f"new-{number}" for number in count(1))
    for mutation in draw(st.lists(st.sampled_from(MUTATIONS), min_size=1, max_size=4)):
        tried = deepcopy(written)
        mutate(draw, mutation, tried, names)
        if can_be_published(tried, now):
            written = tried
    return read_journey(written)


def can_be_published(written: _Written, now: datetime = DEFAULT_START) -> bool:
    """Whether nothing speaks against it that depends on the journey alone."""
    try:
        journey = read_journey(written)
    except Exception:  # noqa: BLE001 - whatever is wrong with it
        return False
    known = catalogue()
    stocked = Catalogue(known.triggers, known.contents, RENEWS, endpoints=dict.fromkeys(FATES, "open"))
    return not check(journey, stocked, now=now)


def mutate(draw: st.DrawFn, mutation: str, written: _Written, names: Iterator[str]) -> None:
    """Change what is written, in one way."""
    lists = [*every_list(written["steps"])]
    where = draw(st.sampled_from(lists))
    at = draw(st.integers(0, max(0, len(where) - 1)))
    match mutation:
        case "take away" if where:
            where.pop(at)
        case "put in":
            put_in = draw(st.sampled_from([{"wait": "5 hours"}, *MESSAGES.values()]))
            where.insert(at, {"id": next(names), **put_in})
        case "move" if where:
            step = where.pop(at)
            draw(st.sampled_from([*every_list(written["steps"])])).append(step)
        case "swap" if len(where) > 1:
            where[at - 1], where[at] = where[at], where[at - 1]
        case "wait otherwise":
            _otherwise(draw, written, "wait", draw(st.sampled_from(["1 hour", "20 hours", "4 days"])))
        case "send otherwise":
            _otherwise(draw, written, "expires", "3 hours", only="to")
        case "limit otherwise":
            within = draw(st.sampled_from(["1 hour", "30 hours", "5 days"]))
            questions = [
                step[name] for step in every_step(written) for name in ("if", "await", "until") if name in step
            ]
            if questions:
                draw(st.sampled_from(questions))["within"] = within
        case "lift out" if where:
            arms = [arm for arm in arms_of(where[at]) if arm]
            if arms:
                where[at : at + 1] = draw(st.sampled_from(arms))


def _otherwise(draw: st.DrawFn, written: _Written, field: str, value: str, only: str | None = None) -> None:
    steps = [step for step in every_step(written) if (only or field) in step and not (step.keys() & {"then", "late"})]
    if steps:
        draw(st.sampled_from(steps))[field] = value


def every_step(written: _Written) -> Iterator[_Written]:
    """All steps, as they are written."""
    for steps in every_list(written["steps"]):
        yield from steps


def every_list(steps: list[_Written]) -> Iterator[list[_Written]]:
    """These steps, and all those in their arms."""
    yield steps
    for step in steps:
        for arm in arms_of(step):
            yield from every_list(arm)


def arms_of(step: _Written) -> list[list[_Written]]:
    """The steps in the arms of a step, as far as they are written."""
    within = [step, *(step.get(name) for name in ("await", "test")), *step.get("branch", ()), *step.get("split", ())]
    within += [arm for name in ("await", "test") for arm in step.get(name, {}).get("arms", ())]
    return [each[name] for each in within if each for name in _ARMS if isinstance(each.get(name), list)]
