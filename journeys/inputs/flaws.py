"""What pydantic says about an input, in the words of people who write journeys. None of its own sentences is shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic_core import ErrorDetails

from journeys.inputs.arms import is_no_arm, stands_beside, unknown_share
from journeys.inputs.expected import expected, shown
from journeys.inputs.hints import hint_for
from journeys.inputs.places import Place, path_of, place_of
from journeys.inputs.unknown import belongs, unknown_field, unknown_question, unknown_step
from journeys.problems import Flaw


def flaws_of(errors: Iterable[ErrorDetails], root: Any = None) -> list[Flaw]:  # noqa: ANN401 - an annotation
    """One flaw for each thing that is wrong with an input for *root*: a model, or what a field is annotated with."""
    found = [(error, place_of(error["loc"], root)) for error in errors]
    # A union tells of each of its members why it is none of them: what is wrong deep in one was meant as that one.
    around = {place.path[:length] for _, place in found for length in range(len(place.path))}
    # A field under another name, or in another place, is one mistake: what is missing is what was meant.
    unknown = [place for error, place in found if error["type"] == "extra_forbidden"]
    meant = {goes[:length] for place in unknown for goes in [belongs(place)] for length in range(len(goes) + 1)}
    # Of a step that is of another type than it seems, the rest is not missing.
    meant |= {(*place.path[:-1], "steps") for error, place in found if error["type"] == "unknown_question"}
    no_arms = {place.path[:-1] for place in unknown if place.model and is_no_arm(place.model, place.name)}
    flaws: dict[str, Flaw] = {}
    for error, place in found:
        # A list is found to be short where something in it is wrong, for that is not counted.
        of_another_member = (place.of_a_union or error["type"] == "too_short") and place.path in around
        missing = error["type"] == "missing" and (place.path in meant or place.path[:-1] in no_arms)
        if not of_another_member and not missing:
            flaws.setdefault(path_of(place.path), _flaw(error, place))
    return list(flaws.values())


def _flaw(error: ErrorDetails, place: Place) -> Flaw:
    path, found = path_of(place.path), error["input"]
    match error["type"]:
        case "missing" if told := stands_beside(found, place.name):
            return Flaw(path=path, message=told[0], hint=told[1])
        case "missing":
            return Flaw(path=path, message="is missing.", hint=f"Expected {place.words}." if place.words else "")
        case "extra_forbidden":
            message, hint = unknown_field(place)
            return Flaw(path=path, message=message, hint=hint)
        case "value_error":
            return Flaw(path=path, message=_sentence(str(error["ctx"]["error"])))
        case "timezone_aware":
            message = f"{shown(found)} has no offset, so it is not one moment."
            return Flaw(path=path, message=message, hint="Add Z or an offset such as +02:00.")
        case "unknown_step":
            message, hint = unknown_step(found)
            return Flaw(path=path, message=message, hint=hint)
        case "unknown_share":
            message, hint = unknown_share(found)
            return Flaw(path=path, message=message, hint=hint)
        case "unknown_question":
            message, hint = unknown_question(found, place)
            return Flaw(path=path, message=message, hint=hint)
        case _:
            message = f"found {shown(found)}; expected {expected(error, place)}."
            return Flaw(path=path, message=message, hint=hint_for(error, place))


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."
