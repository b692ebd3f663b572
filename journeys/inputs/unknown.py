"""What is said of a field, a step or a question that is none of those there are: what was meant, or where it goes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from pydantic import BaseModel

from journeys.catalogue import Customer, Event
from journeys.clearance.policy import Cap, Policy, QuietTime, SameContent
from journeys.definition import ConditionExit, EventExit, Goal, Journey, JourneyBrake
from journeys.inputs.arms import AN_AWAIT, WITH_STEPS, belongs_into, out_of_its_arm
from journeys.inputs.expected import A_NAME, short, shown
from journeys.inputs.places import Place, below, fields, models
from journeys.interactions import INTERACTIONS
from journeys.language.moments import out_of_place
from journeys.nearest import did_you_mean, nearest
from journeys.steps import STEP_TYPES, BecomesQuestion, EventQuestion, MessageQuestion, Step
from journeys.steps.asking import BecomesArm, EventArm, MessageArm
from journeys.steps.choosing import BranchArm
from journeys.steps.messages import AtDate


def belongs(place: Place) -> tuple[int | str, ...]:
    """The place where a field should have been that is unknown where it is, if there is one."""
    if place.model and _belongs_elsewhere(place.model, place.name):
        needed = next((name for name, each in place.model.model_fields.items() if each.is_required()), "")
        return (*place.path[:-1], needed)
    if place.model and (within := belongs_into(place.model, place.name)):
        return (*place.path[:-1], within, place.name)
    if further_in := _belongs_below(place):
        return (*place.path[:-1], *further_in)
    if place.outer and _belongs_around(place):
        return (*place.outer.home, place.name)
    return (*place.path[:-1], _meant_by(place) or "")


def _belongs_below(place: Place) -> tuple[str, ...]:
    """The way from beside an unknown field to where it goes: ``("await", "within")``."""
    for field, known in _known_below(place.model) if place.model else ():
        # Only these are worth looking for what is written alike: of thousands of names that takes minutes.
        if place.name in known or (place.name in WITH_STEPS and nearest(place.name, known) and not _meant_by(place)):
            return field, nearest(place.name, known) or place.name
    return ()


@cache
def _known_below(model: type[BaseModel]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The fields of a model with those of the models in them, steps left out."""
    return tuple(
        (field, () if issubclass(within, Step) else tuple(fields(within)))
        for field in fields(model)
        for within in models(below(model, field))
    )


def _belongs_around(place: Place) -> bool:
    """Whether an unknown field goes beside what it was put into."""
    outer = place.outer.model if place.outer else None
    return outer is not None and place.name in fields(outer) and place.name != place.container


def unknown_field(place: Place) -> tuple[str, str]:
    """What is wrong with a field, and what to do."""
    model, name = place.model, place.name
    if told := out_of_place(model, name) or (model and _belongs_elsewhere(model, name)):
        return told
    if model in (EventExit, ConditionExit) and name in ("trigger", "where", "when"):
        return "an exit is on a trigger, with or without where, or on a condition: when.", _EXITS
    if model in _ASKING and name in ("message", "trigger", "becomes"):
        other = next(each for each in ("message", "trigger", "becomes") if each in fields(model))
        return f"one question asks for a {other} or a {name}, not for both.", "Leave one of them out."
    if told := (_beside_a_type(model, name) if model else None) or _on_another_level(place):
        return told
    if told := _of_another_step(place):
        return told
    if model and issubclass(model, Event | Customer) and not _meant_by(place):
        return "there is no such field.", f"What you want to know of it goes into attributes: {{{name}: …}}."
    return "there is no such field.", did_you_mean(name, fields(model) if model else [])


def _beside_a_type(model: type[BaseModel], name: str) -> tuple[str, str] | None:
    """What is said of a field beside the one that makes a step what it is."""
    if not issubclass(model, Step):
        return out_of_its_arm(model, name)
    if name in STEP_TYPES:
        mine = next(each for each, step in STEP_TYPES.items() if step is model)
        return f'a step is one thing, and this one is "{mine}" already.', "Make two steps of it, each with its id."
    if "late" in model.model_fields and name in _ARMS_OF_OTHERS:
        return "the arms of a wait are then and late.", "Write late for those who come after the moment."
    if told := out_of_its_arm(model, name):
        return told
    if "await" in fields(model) and name == "then":
        return "an await has then in each of its arms, not beside them.", f"Write {AN_AWAIT}."
    return None


def _on_another_level(place: Place) -> tuple[str, str] | None:
    if further_in := _belongs_below(place):
        field, name = further_in
        if field == "arms":
            return "goes into an arm.", f"Write arms: [{{arm: a, {name}: …}}]. For one question alone there is if."
        return f"goes into {field}, not beside it.", f"Write {field}: {{…, {name}: …}}."
    if _belongs_around(place):
        return f"goes beside {place.container}, not into it.", "Move it out by one level."
    return None


def _of_another_step(place: Place) -> tuple[str, str] | None:
    """What is said of a field that steps of other types have."""
    if place.model is None or not issubclass(place.model, Step):
        return None
    if place.name in ("quiet", "caps"):
        hint = f"Write {place.name}: ignore at a message, or at the top of the journey for all of them."
        return "the house's rules are about messages, and this step sends none.", hint
    if place.name in _CONDITIONS:
        hint = "Put it into an arm of a branch: branch: [{arm: some, when: …, then: […]}]."
        return "a step has no condition of its own.", hint
    if place.name in WITH_STEPS and not _meant_by(place):
        return f"belongs to a step with {WITH_STEPS[place.name][0]}, and this is none.", WITH_STEPS[place.name][1]
    return None


def _belongs_elsewhere(model: type[BaseModel], field: str) -> tuple[str, str] | None:
    """What is said of a *field* that has no place in *model*, and stands for something that is written otherwise."""
    return _ELSEWHERE.get((model, field))


_A_TEST = "test: {winner: {by: goal, after: 2 weeks}, arms: […], default: a}"
_JOINED = ("is part of what becomes true.", "Join the two in becomes: … && ….")
_BY_CONDITION = ("a goal is an event.", 'Write {trigger: customer-changed, where: customer.plan == "pro"}.')
_BY_MESSAGE = ("a goal is an event.", "Write its trigger, such as email-clicked.")
_IN_TIME = (
    "a message expires at a date, or before it.",
    "So long after the step is entered is written alone: expires: 2 days.",
)
_SPLIT = STEP_TYPES["split"]
_NO_WINNER = ("a split has none: a test ends with a winner.", f"Write {_A_TEST}.")
_BY_CHANCE = ("is of an arm that chance takes.", "Write split in place of branch.")
_FOR_EVERYBODY = ("a cap is for all customers.", "What is not to be held against it has caps: ignore in its journey.")
_ROLLING = ("a cap counts back from each message.", "per: 1 day is any 24 hours, wherever a day begins.")
_OWN_ZONE = ("the zone is the customer's own.", "What holds for the others is time_zone at the top of the policy.")
_FROM_AND_TO = ("dates are written into from and to.", "Such as {from: 2026-12-24, to: 2026-12-26}: both are quiet.")
_OF_A_CAP = ("how many go out is said by caps.", "Write it there, such as caps: [{at_most: 3, per: 7 days}].")
_OF_ONE_CHANNEL = ("a content is of one channel.", "Leave it out: copies of each content are counted by themselves.")
_SAYING_IGNORE: tuple[type[BaseModel], ...] = (Journey, *(STEP_TYPES[kind] for kind in INTERACTIONS))
_EACH_BY_ITSELF = ("rules are ignored one by one.", "Write quiet: ignore, or caps: ignore, or both.")
_ELSEWHERE: Mapping[tuple[type[BaseModel], str], tuple[str, str]] = {
    **dict.fromkeys(((BecomesQuestion, "where"), (BecomesArm, "where")), _JOINED),
    **dict.fromkeys(((Goal, "when"), (Goal, "becomes")), _BY_CONDITION),
    **dict.fromkeys(((Goal, "message"), (Goal, "is")), _BY_MESSAGE),
    **dict.fromkeys(((AtDate, "after"), (AtDate, "in"), (AtDate, "within")), _IN_TIME),
    **dict.fromkeys(((_SPLIT, "winner"), (_SPLIT, "default"), (_SPLIT, "people")), _NO_WINNER),
    **dict.fromkeys(((BranchArm, "share"), (BranchArm, "first")), _BY_CHANCE),
    **dict.fromkeys(((Cap, "where"), (Cap, "when"), (Cap, "if")), _FOR_EVERYBODY),
    **dict.fromkeys(((Cap, "from"), (Cap, "to"), (Cap, "on")), _ROLLING),
    **dict.fromkeys(((QuietTime, zone) for zone in ("time_zone", "timezone", "zone", "tz")), _OWN_ZONE),
    **dict.fromkeys(((QuietTime, "date"), (QuietTime, "dates")), _FROM_AND_TO),
    **dict.fromkeys(((QuietTime, "at_most"), (QuietTime, "per"), (QuietTime, "over")), _OF_A_CAP),
    **dict.fromkeys(((SameContent, "channels"), (SameContent, "channel")), _OF_ONE_CHANNEL),
    **dict.fromkeys(((model, "ignore") for model in _SAYING_IGNORE), _EACH_BY_ITSELF),
    (Journey, "policy"): (
        "the policy is the house's.",
        "A journey says quiet: ignore, caps: ignore, or its own brake.",
    ),
    (JourneyBrake, "same_content"): ("copies are counted over all journeys.", "Write it into the brake of the policy."),
    (Policy, "policy"): ("a house has one policy, and it has no name.", "Remove the line."),
}
_ARMS_OF_OTHERS = ("else", "otherwise", "arms")
_CONDITIONS = frozenset({"when", "where", "condition", "conditions", "only_if", "unless"})


def _meant_by(place: Place) -> str | None:
    """The field beside it that an unknown name means, if any."""
    return nearest(place.name, fields(place.model)) if place.model else None


_EXITS = 'Write {trigger: purchase-completed, where: event.total > 50} or {when: customer.status == "churned"}.'
_ASKING = (MessageQuestion, EventQuestion, BecomesQuestion, MessageArm, EventArm, BecomesArm)


def unknown_step(found: object) -> tuple[str, str]:
    """What is wrong with a step of no type."""
    if not isinstance(found, dict):
        return f"found {shown(found)}; expected a step.", "Write it as an object, such as {id: pause, wait: 1 day}."
    return f"is no step: it has {', '.join(short(str(name)) for name in found) or 'nothing'}.", _step_meant(found)


def _step_meant(found: dict[object, object]) -> str:
    names = [str(name) for name in found if name not in (*WITH_STEPS, *_A_MESSAGE, "id", "to", "with", "within")]
    if near := next(filter(None, (nearest(name, STEP_TYPES) for name in names)), None):
        return f'Did you mean "{near}"?'
    if kind := nearest(str(found.get("type", "")), STEP_TYPES):
        return f"Write {kind}: … in place of type."
    if _A_MESSAGE & found.keys():
        return "A message is an email, a text or a push: {id: hello, email: <name of a content>, to: customer.email}."
    if "steps" in found:
        return WITH_STEPS["steps"][1]
    arms = min(WITH_STEPS.keys() & found.keys(), key=[*WITH_STEPS].index, default=None)  # the order of the table
    return WITH_STEPS[arms][1] if arms else f"A step has one of: {', '.join(STEP_TYPES)}."


def unknown_question(found: object, place: Place) -> tuple[str, str]:
    """What is wrong with a question that asks neither for a message nor for anything else."""
    asks = place.name if isinstance(place.path[-1], str) else "await"
    arm, within = ("arm: a, ", "") if asks == "await" else ("", ", within: 1 day")
    example = f"{{{arm}message: <id of a step>, is: opened{within}}} or {{{arm}trigger: purchase-completed{within}}}"
    if asks == "until" and isinstance(found, str) and re.match(r"[0-9P]", found):
        message = f"found {shown(found)}; expected what ends the series."
        return message, f"Write {example}. To wait for a moment write wait: {{until: …}}, without steps."
    if isinstance(found, dict) and "arms" in found and asks != "await":
        return "arms belong to an await.", f"Write {AN_AWAIT}."
    if isinstance(found, list) and asks == "if":
        return f"found {shown(found)}; expected one question.", f"Of several, write {AN_AWAIT}."
    if isinstance(found, dict) and (near := _asked_by(found)):
        message = f"it has {', '.join(map(short, map(str, found)))}; expected message, trigger or becomes."
        return message, f'Did you mean "{near}"?'
    known = isinstance(found, dict) and not found.keys().isdisjoint(("where", "when"))
    if known or (isinstance(found, str) and not A_NAME.fullmatch(found)):
        return (
            f"`{asks}` asks whether something happens while a run waits, not what is known already.",
            f"Write {example}. What is known already is asked by a branch, or in where of start or of a trigger.",
        )
    return f"found {shown(found)}; expected what is waited for.", f"Write {example}."


def _asked_by(found: dict[object, object]) -> str | None:
    """The field of a question that is meant where it has another name: ``event`` is a trigger."""
    names = [str(name) for name in found if name not in ("on", "when", "within", "where", "is")]
    return next(filter(None, (nearest(name, ("message", "trigger", "becomes")) for name in names)), None)


_A_MESSAGE = frozenset({"send", "message", "content", "template", "channel", "type"})
