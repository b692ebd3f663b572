"""What is said of a field, a step or a question that is none of those there are: what was meant, or where it goes."""

from __future__ import annotations

from journeys.catalogue import Customer, Event
from journeys.definition import ConditionExit, EventExit
from journeys.inputs.arms import AN_AWAIT, WITH_STEPS, belongs_into, out_of_its_arm
from journeys.inputs.expected import A_NAME, short, shown
from journeys.inputs.places import Place, below, fields, models
from journeys.language.moments import out_of_place
from journeys.problems import did_you_mean, nearest
from journeys.steps import STEP_TYPES, BecomesQuestion, EventQuestion, MessageQuestion, Step
from journeys.steps.asking import BecomesArm, EventArm, MessageArm


def belongs(place: Place) -> tuple[int | str, ...]:
    """The place where a field should have been that is unknown where it is, if there is one."""
    if place.model and (within := belongs_into(place.model, place.name)):
        return (*place.path[:-1], within, place.name)
    if further_in := _belongs_below(place):
        return (*place.path[:-1], *further_in)
    if place.outer and _belongs_around(place):
        return (*place.outer.home, place.name)
    return (*place.path[:-1], _meant_by(place) or "")


def _belongs_below(place: Place) -> tuple[str, ...]:
    """The way from beside an unknown field to where it goes: ``("await", "within")``."""
    for field in fields(place.model) if place.model else ():
        for model in models(below(place.model, field)):
            known = [name for name in fields(model) if not issubclass(model, Step)]
            near = nearest(place.name, known)
            if place.name in known or (near and not _meant_by(place) and place.name in WITH_STEPS):
                return field, near or place.name
    return ()


def _belongs_around(place: Place) -> bool:
    """Whether an unknown field goes beside what it was put into."""
    outer = place.outer.model if place.outer else None
    return outer is not None and place.name in fields(outer) and place.name != place.container


def unknown_field(place: Place) -> tuple[str, str]:  # noqa: PLR0911 - a sentence for each way to err
    """What is wrong with a field, and what to do."""
    model = place.model
    if told := out_of_place(model, place.name):
        return told
    if model and issubclass(model, Step) and place.name in STEP_TYPES:
        mine = next(name for name, step in STEP_TYPES.items() if step is model)
        return f'a step is one thing, and this one is "{mine}" already.', "Make two steps of it, each with its id."
    if model and issubclass(model, Step) and "late" in model.model_fields and place.name in ("else", "otherwise"):
        return "the arms of a wait are then and late.", "Write late for those who come after the moment."
    if model in (EventExit, ConditionExit) and place.name in ("trigger", "where", "when"):
        return "an exit is on a trigger, with or without where, or on a condition: when.", _EXITS
    if model in _ASKING and place.name in ("message", "trigger", "becomes"):
        other = next(name for name in ("message", "trigger", "becomes") if name in fields(model))
        return f"one question asks for a {other} or a {place.name}, not for both.", "Leave one of them out."
    if model and (told := out_of_its_arm(model, place.name)):
        return told
    if model and issubclass(model, Step) and "await" in fields(model) and place.name == "then":
        return "an await has then in each of its arms, not beside them.", f"Write {AN_AWAIT}."
    if further_in := _belongs_below(place):
        field, name = further_in
        return f"goes into {field}, not beside it.", f"Write {field}: {{…, {name}: …}}."
    if _belongs_around(place):
        return f"goes beside {place.container}, not into it.", "Move it out by one level."
    if model and issubclass(model, Step) and place.name in WITH_STEPS and not _meant_by(place):
        return f"belongs to a step with {WITH_STEPS[place.name][0]}, and this is none.", WITH_STEPS[place.name][1]
    if model and issubclass(model, Event | Customer) and not _meant_by(place):
        return "there is no such field.", f"What you want to know of it goes into attributes: {{{place.name}: …}}."
    return "there is no such field.", did_you_mean(place.name, fields(model) if model else [])


def _meant_by(place: Place) -> str | None:
    """The field beside it that an unknown name means, if any."""
    return nearest(place.name, fields(place.model)) if place.model else None


_EXITS = 'Write {trigger: purchase-completed, where: event.total > 50} or {when: customer.status == "churned"}.'
_ASKING = (MessageQuestion, EventQuestion, BecomesQuestion, MessageArm, EventArm, BecomesArm)


def unknown_step(found: object) -> tuple[str, str]:
    """What is wrong with a step of no type."""
    if not isinstance(found, dict):
        return f"found {shown(found)}; expected a step.", "Write it as an object, such as {id: pause, wait: 1 day}."
    near = next(filter(None, (nearest(str(name), STEP_TYPES) for name in found if name not in WITH_STEPS)), None)
    hint = f'Did you mean "{near}"?' if near else f"A step has one of: {', '.join(STEP_TYPES)}."
    arms = min(WITH_STEPS.keys() & {*found}, key=[*WITH_STEPS].index, default=None)  # the order of the table
    hint = WITH_STEPS["steps" if "steps" in found else arms][1] if arms and not near else hint
    return f"is no step: it has {', '.join(short(str(name)) for name in found) or 'nothing'}.", hint


def unknown_question(found: object, place: Place) -> tuple[str, str]:
    """What is wrong with a question that asks neither for a message nor for anything else."""
    asks = place.name if isinstance(place.path[-1], str) else "await"
    within = "" if asks == "await" else ", within: 1 day"
    example = f"{{message: <id of a step>, is: opened{within}}} or {{trigger: purchase-completed{within}}}"
    known = isinstance(found, dict) and not found.keys().isdisjoint(("where", "when"))
    if known or (isinstance(found, str) and not A_NAME.fullmatch(found)):
        return (
            f"`{asks}` asks whether something happens while a run waits, not what is known already.",
            f"Write {example}. What is known already is asked by a branch, or in where of start or of a trigger.",
        )
    return f"found {shown(found)}; expected what is waited for.", f"Write {example}."
