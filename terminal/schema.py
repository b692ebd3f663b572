"""JSON Schemas (2020-12) of all that a folder may hold, by which editors complete, explain and check as one writes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, JsonSchemaValue, models_json_schema
from pydantic_core.core_schema import DatetimeSchema, ModelSchema, TaggedUnionSchema

from api.steps_examples import JOURNEYS
from journeys.described import Described, with_unions_named
from journeys.language.durations import DURATION, FORM
from journeys.nearest import did_you_mean
from journeys.problems import Unknown
from journeys.steps import STEP_TYPES
from journeys.unions import meant
from terminal.folder import MODELS, NAMED

ANY = "definition"
"""What a file is called that may hold any kind that a field names."""

KINDS = (*MODELS, ANY)


def schema_of(kind: str) -> dict[str, Any]:
    """The schema of one kind of file, such as ``journey``, or of any. Raises Unknown."""
    if kind not in KINDS:
        raise Unknown(f'There is no kind of file "{kind}". {did_you_mean(kind, KINDS)}')
    given: list[tuple[type[BaseModel], JsonSchemaMode]]
    given = [(MODELS[each], "validation") for each in (NAMED if kind == ANY else (kind,))]
    places, defined = models_json_schema(given, schema_generator=_ForEditors)
    parts = with_unions_named(defined["$defs"])
    for name, steps in _examples().items():
        if name in parts:
            parts[name]["defaultSnippets"] = [_snippet(step, parts[name]) for step in steps]
    wanted = list(places.values())
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Sojourn: {kind}",
        **(wanted[0] if len(wanted) == 1 else {"anyOf": wanted}),
        "$defs": dict(sorted(parts.items())),
    }


def write_schemas(folder: Path, kind: str | None = None) -> Iterator[Path]:
    """Write ``journey.schema.json`` and so on into *folder*: of one *kind*, or a file for each and one for any."""
    schemas = {name: schema_of(name) for name in ([kind] if kind else KINDS)}
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas.items():
        path = folder / f"{name}.schema.json"
        path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        yield path


class _ForEditors(Described):
    """Made for completion and for errors that people understand.

    A field that may be left out is left out, not null. ``errorMessage``, ``patternErrorMessage`` and
    ``defaultSnippets`` are no words of JSON Schema: the language servers of VS Code and of YAML know them.
    """

    def model_schema(self, schema: ModelSchema) -> JsonSchemaValue:
        model: type[Any] = schema["cls"]
        described = super().model_schema(schema)
        described["title"] = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", model.__name__).capitalize()
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        for name, field in described.get("properties", {}).items():
            _without_null(field)
            for part in _ways(field):
                if part.get("title") == DURATION:
                    part["pattern"] = FORM
            if words := meant(fields[name].rebuild_annotation())[1]:
                _answer(field, f"Expected {words}.")
        if model.exactly_one:
            described["oneOf"] = [{"required": [name]} for name in model.exactly_one]
        if model.at_least_one:
            described["anyOf"] = [{"required": [name]} for name in model.at_least_one]
        return described

    def tagged_union_schema(self, schema: TaggedUnionSchema) -> JsonSchemaValue:
        """Editors gather what they may complete from anyOf; the fields that are required tell the members apart."""
        union = super().tagged_union_schema(schema)
        return {"anyOf": union["oneOf"]} if "oneOf" in union else union

    def datetime_schema(self, schema: DatetimeSchema) -> JsonSchemaValue:
        """An instant as it may be written, also without seconds: format date-time would refuse some of it."""
        del schema
        return {"type": "string", "pattern": _INSTANT, "examples": ["2026-11-24T09:00:00Z"]}

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401 - pydantic's own union is not named
        """What is made of a field's name tells nothing."""
        del schema
        return False


_INSTANT = r"^\d{4}-\d{2}-\d{2}[Tt _]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?\s?([Zz]|[-+−]\d{2}(:?\d{2})?)$"


def _without_null(field: dict[str, Any]) -> None:
    if field.get("default", ...) is not None:
        return
    del field["default"]
    left = [member for member in field.pop("anyOf", []) if member != {"type": "null"}]
    if len(left) == 1:
        about = field.get("description")
        field |= left[0] | ({"description": about} if about else {})
    elif left:
        field["anyOf"] = left


def _answer(field: dict[str, Any], words: str) -> None:
    """Have what does not fit answered in our words."""
    if "$ref" not in field:
        field["errorMessage"] = words
    for part in _ways(field):
        if "pattern" in part:
            part["patternErrorMessage"] = words


def _ways(field: dict[str, Any]) -> list[dict[str, Any]]:
    """The field, and each of the ways in which it may be written."""
    return [field, *field.get("anyOf", [])]


def _snippet(step: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """What an editor offers to write. It makes ``[object Object]`` of examples that are no plain values."""
    return {"label": f"{part['title'].lower()}: {step['id']}", "description": part["description"], "body": step}


def _examples() -> dict[str, list[Any]]:
    """Steps as they are written, by the names of their models."""
    found: dict[str, list[Any]] = {}
    for step in _steps(list(JOURNEYS.values())):
        model: type[BaseModel] = next(model for name, model in STEP_TYPES.items() if name in step)
        examples = found.setdefault(model.__name__, [])
        if step["id"] not in [example["id"] for example in examples]:
            examples.append(step)
    return found


def _steps(part: Sequence[Any] | Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for each in part.values() if isinstance(part, Mapping) else part:
        if isinstance(each, dict) and "id" in each:
            yield each
        if isinstance(each, dict | list):
            yield from _steps(each)
