"""What is said of a journey as a whole, part by part, for people: all but its name, its title and its steps."""

from __future__ import annotations

from collections.abc import Mapping

from journeys.definition import After, EventExit, Exit, Goal, Journey, Repeat, Start
from journeys.language.clock import say_instant
from journeys.language.durations import say


def parts(journey: Journey) -> Mapping[str, str]:
    """By a verb, its object: ``{"starts on": "abandoned-cart"}``."""
    told = _start(journey.start) | _goal(journey.goal)
    if journey.exit:
        told["ends a run on"] = ", ".join(map(_exit, journey.exit))
    if journey.time_zone is not None:
        told["has the time zone"] = journey.time_zone
    told["has quiet times"] = "ignored" if journey.quiet else "kept"
    told["has caps"] = "ignored" if journey.caps else "kept"
    if journey.brake:
        told["is held after"] = f"{journey.brake.entries.at_most} entries in {say(journey.brake.entries.per)}"
    return told


def _start(start: Start) -> dict[str, str]:
    told = {
        "starts on": " or ".join(start.triggers),
        "lets the same person in again": _repeat(start.repeat),
        "does with an entry while a run is under way": start.overlap,
        "starts nothing for events older than": say(start.newest),
    }
    if start.where is not None:
        told["starts where"] = _one_line(start.where)
    if start.key is not None:
        told["tells runs of one person apart by"] = start.key
    if start.from_ is not None:
        told["lets people in from"] = say_instant(start.from_)
    if start.until is not None:
        told["lets people in until"] = say_instant(start.until)
    return told


def _repeat(repeat: Repeat) -> str:
    return f"after {say(repeat.after)}" if isinstance(repeat, After) else repeat


def _goal(goal: Goal | None) -> dict[str, str]:
    if goal is None:
        return {}
    told = {"has the goal": goal.trigger, "counts the goal after the end for": say(goal.within)}
    if goal.where is not None:
        told["counts the goal where"] = _one_line(goal.where)
    if goal.target is not None:
        told["has the target"] = str(goal.target)
    return told


def _exit(leaving: Exit) -> str:
    if isinstance(leaving, EventExit) and leaving.where is not None:
        return f"{leaving.trigger}, where {_one_line(leaving.where)}"
    return leaving.words


def _one_line(condition: str) -> str:
    return " ".join(condition.split())
