"""JSON Schema of the models that people write, with what their docstrings tell of them and of each field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from inspect import cleandoc
from itertools import product
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import ModelSchema

from journeys.language.durations import say
from journeys.steps import AnyStep, Question
from journeys.unions import meant, tagged


class Described(GenerateJsonSchema):
    """JSON Schema as pydantic makes it, with each field described where it stands."""

    def model_schema(self, schema: ModelSchema) -> JsonSchemaValue:
        model: type[BaseModel] = schema["cls"]
        described = super().model_schema(schema)
        if about := about_model(model):
            described["description"] = about
        told = about_fields(model)
        for name, field in described.get("properties", {}).items():
            if name in told:
                field["description"] = told[name]
        return described

    def encode_default(self, dft: Any) -> Any:  # noqa: ANN401 - a default may be anything
        """As people write it: ``3 days``."""
        return say(dft) if isinstance(dft, timedelta) else super().encode_default(dft)


def about_model(model: type[BaseModel]) -> str:
    """What a model is for, without what its docstring tells of single fields."""
    return _split(model)[0]


def about_fields(model: type[BaseModel]) -> dict[str, str]:
    """What is told of each field, by the name that people write: by the docstring, or else what is expected of it."""
    told: dict[str, str] = {}
    for above in reversed(model.__mro__):
        if issubclass(above, BaseModel):
            told |= _split(above)[1]
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    expected = {name: meant(field.rebuild_annotation())[1] for name, field in fields.items()}
    return {name: about for name in fields if (about := told.get(name) or _sentence(expected[name]))}


def with_unions_named(parts: Mapping[str, Any], ref_template: str = "#/$defs/{model}") -> dict[str, Any]:
    """The *parts* of a schema with ``Step`` and ``Question`` said once, where many arms have them.

    Who follows references stops at one that they come from; through unions without a name they go all ways there are,
    for hours.
    """
    members = {
        name: [{"$ref": ref_template.format(model=model.__name__)} for model in tagged(union).values()]
        for name, union in _UNIONS.items()
    }
    found: dict[str, Any] = {}

    def named(part: Any) -> Any:  # noqa: ANN401 - any part of a schema
        if isinstance(part, list):
            return [named(each) for each in part]
        if not isinstance(part, dict):
            return part
        for keyword, (name, refs) in product(("anyOf", "oneOf"), members.items()):
            if part.get(keyword) == refs:
                found[name] = {keyword: refs}
                about = {key: value for key, value in part.items() if key != keyword}
                return {"$ref": ref_template.format(model=name), **about}
        return {key: named(value) for key, value in part.items()}

    return {name: named(part) for name, part in parts.items()} | found


_UNIONS: Mapping[str, Any] = {"Step": AnyStep, "Question": Question}

# Docstrings tell of a field where a sentence begins with it: "*within* counts from the send.", "*to*: the attribute."
_FIELD = re.compile(r"(?:^|(?<=\. ))\*(\w+)\*(?::| is| are)? ")
_SOURCE = re.compile(r"(?:^| )Source: .*")


def _split(model: type[BaseModel]) -> tuple[str, Mapping[str, str]]:
    about: list[str] = []
    fields: dict[str, str] = {}
    for paragraph in cleandoc(model.__dict__.get("__doc__") or "").split("\n\n"):
        # Whoever writes a journey needs the rule, not where it comes from.
        before, *named = _FIELD.split(_SOURCE.sub("", " ".join(paragraph.split())))
        about.append(_sentence(before))
        fields |= {name: _sentence(text) for name, text in zip(named[::2], named[1::2], strict=True)}
    return "\n\n".join(filter(None, about)), fields


def _sentence(text: str) -> str:
    """*text* as a sentence of Markdown."""
    text = text.strip().replace("``", "`")
    return f"{text[0].upper()}{text[1:]}{'' if text.endswith(('.', '?', '!')) else '.'}" if text else ""
