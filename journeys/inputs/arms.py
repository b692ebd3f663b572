"""What is said of arms that are written otherwise than arms are, and of fields that stand on the wrong level."""

from __future__ import annotations

import json
from typing import get_args

from pydantic import BaseModel

from journeys.inputs.places import fields
from journeys.nearest import nearest
from journeys.steps import STEP_TYPES, Step
from journeys.steps.asking import OTHERWISE

_BESIDE = (
    f'"{OTHERWISE}" is no arm of the list: it stands beside it.',
    f"Write {OTHERWISE}: [] as far in as the step's id.",
)


_THE_REST = (OTHERWISE, "else", "default", "others", "rest", "fallback")


def is_no_arm(model: type[BaseModel], field: str) -> bool:
    """Whether an arm has a *field* that no arm has, and that means none: what it lacks then need not be told."""
    return "arm" in model.model_fields and nearest(field, fields(model)) is None


def out_of_its_arm(model: type[BaseModel], field: str) -> tuple[str, str] | None:
    """Why a *field* cannot be where it is, and what to do, where it is one of an arm, or beside arms."""
    if within := belongs_into(model, field):
        return f"belongs into {within}.", f"Write it below {within}, and further in."
    if OTHERWISE in model.model_fields and field == "else":
        return "there is no such field.", f'Did you mean "{OTHERWISE}"?'
    if "arm" not in model.model_fields:
        return None
    if field in _THE_REST:
        return _BESIDE
    if {field, *model.model_fields} >= {"share", "first"}:
        return "an arm goes by share, which is chance, or by number, not by both.", "Leave one of them out."
    if is_no_arm(model, field):
        needed = ", ".join(f"{name}: …" for name, each in model.model_fields.items() if each.is_required())
        return "there is no such field.", f"An arm is written as {{{needed}, then: […]}}."
    return None


def stands_beside(found: object, missing: str) -> tuple[str, str] | None:
    """What to say where something is *missing* in an arm that is none: ``{arm: otherwise, then: []}``."""
    named = found.get("arm") if isinstance(found, dict) else None
    is_the_rest = named in _THE_REST and missing in ("when", "share", "first")
    return _BESIDE if is_the_rest else None


def belongs_into(model: type[BaseModel], field: str) -> str | None:
    """The field of a step in which an unknown one has its place: ``test``, for a ``winner`` that is beside it."""
    if not issubclass(model, Step):
        return None
    of_the_type = next(name for name, step in STEP_TYPES.items() if step is model)
    described = next(each for name, each in model.model_fields.items() if of_the_type in (name, each.alias))
    members = [described.annotation, *get_args(described.annotation)]
    inside = [member for member in members if isinstance(member, type) and issubclass(member, BaseModel)]
    return of_the_type if any(field in fields(member) for member in inside) else None


def unknown_share(found: object) -> tuple[str, str]:
    """What is wrong with an arm of a split that says for whom it is neither by share nor by number."""
    example = "{arm: a, share: 50%, then: []}"
    if not isinstance(found, dict):
        return f"found {json.dumps(found, default=str)[:80]}; expected an arm.", f"Write it as {example}."
    if found.get("arm") in _THE_REST or {*_THE_REST} & found.keys():
        return _BESIDE
    if "when" in found:
        return "an arm of a split is taken by chance.", "Write branch in place of split to ask for what is known."
    near = next(filter(None, (nearest(str(name), ("share", "first")) for name in found)), None)
    hint = f'Did you mean "{near}"?' if near else f"Give it one: {example} or {{arm: a, first: 1000, then: []}}."
    return "an arm of a split has a share of people, or a number of those who come first.", hint


_IF = "Such a step waits for something: if: {trigger: purchase-completed, within: 1 day}."
_UNTIL = "Such a step walks others until something happens: until: {trigger: purchase-completed, within: 1 day}."
AN_AWAIT = "await: {within: 1 day, arms: [{arm: bought, trigger: purchase-completed, then: []}]}"
WITH_STEPS = {
    "then": ("if", _IF),
    "else": ("if", _IF),
    "steps": ("until", _UNTIL),
    "otherwise": ("await or branch", f"Such a step waits for several things: {AN_AWAIT}."),
    "arms": ("await or test", f"Such a step waits for several things: {AN_AWAIT}."),
}
"""Fields in which steps are written, the steps that have them, and how such a step is written."""
