"""What the events of several triggers have in common: what may be named, whichever of them it is."""

from __future__ import annotations

from collections.abc import Mapping

from journeys.language.attributes import Schema, types


def shared(schemas: Mapping[str, Schema]) -> Schema:
    """The attributes that all triggers have in one type. What may be missing in one of them may be missing."""
    first, *others = schemas.values()
    alike = {name for name, kind in types(first).items() if all(types(other).get(name) == kind for other in others)}
    return {
        name: next((schema[name] for schema in schemas.values() if schema[name].endswith("?")), first[name])
        for name in first
        if name in alike
    }


def why_not_shared(name: str, schemas: Mapping[str, Schema]) -> str:
    """Why an attribute is none of all the triggers although one of them has it, naming a trigger that differs."""
    kinds = {trigger: types(schema).get(name) for trigger, schema in schemas.items()}
    having = {trigger: kind for trigger, kind in kinds.items() if kind}
    if not having:
        return ""
    for trigger, kind in kinds.items():
        if kind is None:
            return f"{trigger} has no event.{name}"
    (one, kind), *others = having.items()
    for other, another in others:
        if another != kind:
            return f"event.{name} is a {kind} in {one}, and a {another} in {other}"
    return ""
