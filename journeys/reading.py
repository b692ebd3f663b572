"""YAML or JSON text to a journey, trigger, content or policy, and back. Every flaw is found in one go."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from journeys.catalogue import Content, Trigger
from journeys.clearance.policy import Policy
from journeys.definition import Journey
from journeys.endpoints import Endpoint
from journeys.inputs.flaws import flaws_of
from journeys.models import WRITTEN
from journeys.notation.bounds import MOST_CHARACTERS
from journeys.notation.json_text import read_json
from journeys.notation.unreadable import Unreadable
from journeys.notation.yaml_text import read_yaml, write_yaml
from journeys.problems import Flaw, Invalid
from journeys.storable import flaws_of_data

Read = TypeVar("Read", bound=BaseModel)


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


def read_endpoint(source: str | bytes | Mapping[str, Any], *, name: str | None = None) -> Endpoint:
    """An endpoint from YAML, JSON or plain data. Raises Invalid."""
    return read(Endpoint, source, "endpoint", name)


def read_policy(source: str | bytes | Mapping[str, Any]) -> Policy:
    """The house's policy from YAML, JSON or plain data. Raises Invalid."""
    data = source if isinstance(source, Mapping) else parse(source, "policy")
    return validated(Policy, data, "policy")


def write(model: BaseModel) -> str:
    """YAML that reads back as the same model, in the order and with the fields that it was written with."""
    data = model.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return write_yaml(data)


def read(model: type[Read], source: str | bytes | Mapping[str, Any], what: str, name: str | None = None) -> Read:
    """A *model* from YAML, JSON or plain data. *what* is the field that holds its name."""
    data = dict(source) if isinstance(source, Mapping) else parse(source, what)
    if name is not None and isinstance(given := data.setdefault(what, name), str) and given != name:
        flaw = Flaw(
            path=what,
            message=f'found "{given}", but it is kept as "{name}".',
            hint="Make the two agree.",
        )
        raise Invalid(f"This {what} has two names.", [flaw])
    return validated(model, data, what)


def validated(model: type[Read], data: object, what: str) -> Read:
    """*data* as a *model*. Raises Invalid with one flaw for each thing that is wrong."""
    if unfit := flaws_of_data(data):
        raise Invalid(f"This {what} is not valid.", unfit)
    try:
        return model.model_validate(data, context=WRITTEN)
    except ValidationError as error:
        raise Invalid(f"This {what} is not valid.", flaws_of(error.errors(include_url=False), model)) from None
    except RecursionError:
        raise Invalid(f"This {what} is nested too deeply to read.") from None


def parse(source: str | bytes, what: str) -> dict[str, Any]:
    """The object that a YAML or JSON text holds. Raises Invalid, with the line, where it cannot be read."""
    try:
        data = plain(source)
    except Unreadable as error:
        raise Invalid(f"This {what} cannot be read.", [error.flaw]) from None
    if isinstance(data, dict):
        return data
    found = "it is empty." if data is None else "it is a list."
    flaw = Flaw(path="", message=found, hint="Write its fields, one in each line: name: value.")
    raise Invalid(f"This {what} cannot be read.", [flaw])


def plain(source: str | bytes) -> object:
    """The object or list that a YAML or JSON text holds; None where it is empty. Raises Unreadable."""
    text = text_of(source)
    if len(text) > MOST_CHARACTERS:
        message = f"it has {len(text)} characters; at most {MOST_CHARACTERS} are read."
        raise Unreadable(Flaw(path="", message=message))
    return read_json(text) if _IS_JSON.match(text) else read_yaml(text)


# An object of YAML begins with a brace too, but not with a quote after it.
_IS_JSON = re.compile(r"\s*(?:\{\s*[\"}]|\[\s*[\"{\[\]])")


def text_of(source: str | bytes) -> str:
    """The text that *source* is, in UTF-8. Raises Unreadable."""
    if isinstance(source, str):
        return source.removeprefix("\ufeff")
    try:
        return source.decode().removeprefix("\ufeff")  # which editors put there
    except UnicodeDecodeError as error:
        hint = "Save it as UTF-8."
        if source.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise Unreadable(Flaw(path="", message="it is written in UTF-16.", hint=hint)) from None
        line = source.count(b"\n", 0, error.start) + 1
        raise Unreadable(Flaw(path="", message=f"line {line}: it is not written in UTF-8.", hint=hint)) from None
