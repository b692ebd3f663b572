"""What is otherwise in a new version of a journey, step by step, in words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from journeys.changes import whole
from journeys.changes.places import moved, places
from journeys.definition import Journey
from journeys.models import Frozen
from journeys.steps import AnyStep

What = Literal["added", "removed", "moved", "renamed", "changed"]

ANOTHER_WAY = "is written in another way"
"""Said where all that people are told of is as it was: an order of attributes, or a default that is written out."""

_NO_NAMES: Mapping[str, str] = {}


class Change(Frozen):
    """One thing that is otherwise. *step*: its id, in the new version unless it is gone; None: of the journey itself.

    *words*: for people, whole: ``wait-1 waits 3 days instead of 7 days``.
    """

    what: What
    step: str | None
    words: str


def changes(old: Journey, new: Journey, names: Mapping[str, str] = _NO_NAMES) -> tuple[Change, ...]:
    """All that is otherwise in *new*: of the journey, of its steps in the order they are written, and what is gone.

    There is something exactly where a version of the one is another one than a version of the other.
    *names*: what steps of *old* are called in *new*, where that is another name.
    """
    return tuple(_changes(old, new, names))


def _changes(old: Journey, new: Journey, names: Mapping[str, str]) -> Iterator[Change]:
    for words in _otherwise(whole.parts(old), whole.parts(new), same=_own_of(old) == _own_of(new)):
        yield Change(what="changed", step=None, words=f"the journey {words}")
    before, now = places(old.steps), places(new.steps)
    called = {names.get(id, id): id for id in before}
    elsewhere = moved(before, now, names)
    for id, (step, place) in now.items():
        if id not in called:
            yield Change(what="added", step=id, words=f"{id} is new, {place.words}: it {step.words}")
            continue
        if called[id] != id:
            yield Change(what="renamed", step=id, words=f"{id} is what {called[id]} was")
        if id in elsewhere:
            yield Change(what="moved", step=id, words=f"{id} comes {place.words} now")
        for words in _of_step(before[called[id]][0], step):
            yield Change(what="changed", step=id, words=f"{id} {words}")
    for id, (step, _) in before.items():
        if names.get(id, id) not in now:
            yield Change(what="removed", step=id, words=f"{id} is gone: it {step.words}")


def _of_step(old: AnyStep, new: AnyStep) -> Iterator[str]:
    if type(old) is not type(new):
        yield f"is another kind of step: it {new.words}, and before, it {old.words}"
    else:
        yield from _otherwise(old.parts, new.parts, same=_own(old) == _own(new))


def _otherwise(old: Mapping[str, str], new: Mapping[str, str], *, same: bool) -> Iterator[str]:
    if same:
        return
    told = [*_parts(old, new)]
    yield from told or [ANOTHER_WAY]


def _parts(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    for verb, what in new.items():
        if verb not in old:
            yield f"{verb} {what}, which is new"
        elif old[verb] != what:
            yield f"{verb} {what} instead of {old[verb]}"
    yield from (f"{verb} {what} no more" for verb, what in old.items() if verb not in new)


def _own_of(journey: Journey) -> str:
    """A journey's meaning without its steps."""
    return journey.model_dump_json(by_alias=True, exclude={"title", "steps"}, exclude_defaults=True)


def _own(step: AnyStep) -> str:
    """A step's meaning without its id and the steps in its arms."""
    written = step.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"id"})
    for arm in step.arms:
        _leave_out(written, arm.field)
    return json.dumps(written)


def _leave_out(written: dict[str, Any], field: str) -> None:
    *way, last = re.findall(r"\w+", field)
    within: Any = written
    for part in way:
        within = within[int(part) if part.isdigit() else part]
    within.pop(last, None)
