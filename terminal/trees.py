"""A journey as a tree for a terminal: its steps with their arms, as on a whiteboard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import BaseModel
from rich.text import Text

from journeys.definition import Journey
from journeys.steps import Message, Step
from terminal.show import COLOURS, MARKS

_AMONG, _LAST = ("├─ ", "│  "), ("└─ ", "   ")
"""What stands before one of several and before what is below it; and the same for the last one."""


def tree(journey: Journey) -> Iterator[Text]:
    """Who enters, the steps with all that is below them, the end, and what ends a run at any moment."""
    yield Text.assemble((journey.title, "bold"), "  " * bool(journey.title), (journey.journey, "dim"))
    yield Text()
    yield _marked("started", f"enters  {_fields(journey.start)}")
    yield from _steps(journey.steps, "", last=_AMONG)
    yield _marked("completed", "completed")
    if journey.goal:
        yield _marked("goal met", f"goal    {_fields(journey.goal)}")
    for leaving in journey.exit:
        yield _marked("exited", f"exits   {_fields(leaving)}")


def _steps(steps: Sequence[Step], before: str, *, last: tuple[str, str] = _LAST) -> Iterator[Text]:
    """Steps, one below the other, with *before* in front of each line."""
    for number, step in enumerate(steps, 1):
        mark, below = last if number == len(steps) else _AMONG
        colour = COLOURS[step.kind] if isinstance(step, Message) else ""
        yield Text.assemble((before + mark, "dim"), (step.id, "bold"), "  ", (step.words, colour))
        yield from _arms(step, before + below)


def _arms(step: Step, before: str) -> Iterator[Text]:
    for number, arm in enumerate(step.arms, 1):
        mark, below = _LAST if number == len(step.arms) else _AMONG
        condition = step.condition_of(arm.name)
        yield Text.assemble((before + mark, "dim"), (f"◇ {arm.name}", "yellow"), "  " * bool(condition), condition)
        yield from _steps(arm.steps, before + below)


def _marked(what: str, said: str) -> Text:
    return Text.assemble((MARKS[what], COLOURS[what]), f" {said}")


def _fields(model: BaseModel) -> str:
    """The fields that are written, for people: ``trigger abandoned-cart, key event.cart_id``."""
    written = model.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return ", ".join(f"{name} {_value(value)}" for name, value in written.items())


def _value(value: object) -> str:
    match value:
        case list():
            return " or ".join(map(str, value))
        case dict():
            return " ".join(f"{name} {each}" for name, each in value.items())
        case _:
            return " ".join(str(value).split())
