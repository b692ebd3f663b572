"""YAML or JSON text to a journey, trigger or content, and back. Every flaw is found in one go."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from journeys.catalogue import Content, Trigger
from journeys.definition import Journey
from journeys.problems import Flaw, Invalid, did_you_mean
from journeys.steps import STEP_TYPES
from journeys.unions import bare, members, tagged

Read = TypeVar("Read", bound=BaseModel)

MOST_CHARACTERS = 1_000_000


def read_journey(source: str | bytes | Mapping[str, Any], *, name: str | None = None) -> Journey:
    """A journey from YAML, JSON or plain data. Raises Invalid with every flaw and its path.

    *name* is what the place it came from calls it: it is filled in where missing, and must agree where not.
    """
    return read(Journey, source, "journey", name)


def read_trigger(source: str | bytes | Mapping[str, Any], *, name: str | None = None) -> Trigger:
    """A trigger from YAML, JSON or plain data. Raises Invalid."""
    return read(Trigger, source, "trigger", name)


def read_content(source: str | bytes | Mapping[str, Any], *, name: str | None = None) -> Content:
    """A content from YAML, JSON or plain data. Raises Invalid."""
    return read(Content, source, "content", name)


def write(model: BaseModel) -> str:
    """YAML that reads back as the same model, in the order and with the fields that it was written with."""
    data = model.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)


def read(model: type[Read], source: str | bytes | Mapping[str, Any], what: str, name: str | None = None) -> Read:
    """A *model* from YAML, JSON or plain data. *what* is the field that holds its name."""
    data = dict(source) if isinstance(source, Mapping) else parse(source, what)
    if name is not None and data.setdefault(what, name) != name:
        flaw = Flaw(
            path=what,
            message=f'found "{data[what]}", but it is kept as "{name}".',
            hint="Make the two agree.",
        )
        raise Invalid(f"This {what} has two names.", [flaw])
    return validated(model, data, what)


def validated(model: type[Read], data: object, what: str) -> Read:
    """*data* as a *model*. Raises Invalid with one flaw for each thing that is wrong."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        found = [_flaw(details, model) for details in error.errors(include_url=False)]
        flaws = {flaw.path: flaw for flaw in found}  # a union tells every way in which it does not fit; one is enough
        raise Invalid(f"This {what} is not valid.", flaws.values()) from None
    except RecursionError:
        raise Invalid(f"This {what} is nested too deeply to read.") from None


def parse(source: str | bytes, what: str) -> dict[str, Any]:
    """The mapping that a YAML or JSON text holds. Raises Invalid, with the line, where it cannot be read."""
    try:
        text = source.decode() if isinstance(source, bytes) else source
        if len(text) > MOST_CHARACTERS:
            raise Invalid(f"This {what} has {len(text)} characters; at most {MOST_CHARACTERS} are read.")
        data = json.loads(text) if text.lstrip().startswith("{") else yaml.load(text, _Loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, ValueError) as error:
        raise Invalid(f"This {what} is neither YAML nor JSON.", [Flaw(path="", message=_one_line(error))]) from None
    except RecursionError:
        raise Invalid(f"This {what} is nested too deeply to read.") from None
    if not isinstance(data, dict):
        found = "nothing" if data is None else type(data).__name__
        raise Invalid(f"Expected a mapping that describes a {what}; found {found}.")
    return data


class _Loader(yaml.SafeLoader):
    """YAML without its traps: a key given twice is an error, and so are anchors, which can grow without bound."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.get_mark()
            raise yaml.MarkedYAMLError(problem="aliases (*name) are not allowed", problem_mark=mark)
        return super().compose_node(parent, index)

    def construct_mapping(  # the signature is PyYAML's own
        self,
        node: yaml.MappingNode,
        deep: bool = False,  # noqa: FBT001, FBT002
    ) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f'"{key.value}" is given twice', problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _one_line(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"line {error.problem_mark.line + 1}: {error.problem or error.context}."
    return " ".join(str(error).split())


UNIONS = {
    "repeat": "expected never, immediately, or {after: 7 days}.",
    "target": "expected a share of the people who entered, such as 50%, or a number of people.",
}


def _flaw(error: ErrorDetails, root: type[BaseModel]) -> Flaw:
    places, model = _places(error["loc"], root)
    path = ""
    for place in places:
        path += f"[{place}]" if isinstance(place, int) else f".{place}" if path else str(place)
    found = error["input"]
    name = places[-1] if places else ""
    kind = error["type"]
    if places and name in UNIONS:
        return Flaw(path=path, message=f"found {_shown(found)}; {UNIONS[str(name)]}")
    if kind == "missing":
        return Flaw(path=path, message="is missing.")
    if kind == "extra_forbidden":
        known = [field.alias or key for key, field in model.model_fields.items()]
        return Flaw(path=path, message="there is no such field.", hint=did_you_mean(str(name), known))
    if kind == "unknown_step":
        return Flaw(
            path=path,
            message=f"is no step: {_keys(found)}.",
            hint=f"A step has one of: {', '.join(STEP_TYPES)}.",
        )
    if kind == "string_pattern_mismatch":
        return Flaw(
            path=path,
            message=f"found {_shown(found)}; {_PATTERNS.get(error['ctx']['pattern'], error['msg'])}",
        )
    message = str(error["ctx"]["error"]) if kind == "value_error" else error["msg"]
    return Flaw(path=path, message=message if kind == "value_error" else f"found {_shown(found)}; {message}.")


_PATTERNS = {
    r"^[a-z][a-z0-9-]{0,62}$": "expected lower-case letters, digits and dashes, such as abandoned-cart.",
    r"^[a-z][a-z0-9_]*$": "expected lower-case letters, digits and underscores, such as cart_id.",
}


def _places(loc: tuple[int | str, ...], root: type[BaseModel]) -> tuple[list[int | str], type[BaseModel]]:
    """The path in the input, and the model that its end is in: pydantic's own notes on unions are left out."""
    places: list[int | str] = []
    inside: Any = root
    model = root
    for part in loc:
        if (member := tagged(inside).get(str(part))) is not None:
            inside = member
            continue
        if places and places[-1] in UNIONS:
            break
        model = _model(inside) or model
        inside = _below(inside, part)
        places.append(part)
    return places, model


def _model(inside: Any) -> type[BaseModel] | None:  # noqa: ANN401 - an annotation may be anything
    """The model that an annotation means, if it means one."""
    named = [bare(member) for member in members(inside)] or [bare(inside)]
    return next((name for name in named if isinstance(name, type) and issubclass(name, BaseModel)), None)


def _below(inside: Any, part: int | str) -> Any:  # noqa: ANN401
    """What is expected at *part* of what *inside* describes; None where nothing is."""
    if isinstance(part, int):
        return next(iter(get_args(bare(inside))), None)
    fields = model.model_fields if (model := _model(inside)) else {}
    return next((field.annotation for name, field in fields.items() if part in (name, field.alias)), None)


def _shown(value: object) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}…"


def _keys(step: object) -> str:
    return f"it has {', '.join(map(str, step))}" if isinstance(step, dict) else f"found {_shown(step)}"
