"""Where in a model an error of pydantic's lies, and what is expected there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, get_args, get_origin

from pydantic import BaseModel

from journeys.unions import meant, members, tagged


def path_of(places: Iterable[int | str]) -> str:
    """``("steps", 0, "wait")`` as people read it: ``steps[0].wait``."""
    path = ""
    for place in places:
        path += f"[{place}]" if isinstance(place, int) else f".{place}" if path else place
    return path


class Place(NamedTuple):
    """Where an error is. *inside*: what is expected there, *words*: in words; *model*: the one that the place is in.

    *home*: where that model begins; *outer*: the place of the model around it.
    """

    path: tuple[int | str, ...]
    inside: Any
    words: str
    model: type[BaseModel] | None
    of_a_union: bool
    home: tuple[int | str, ...] = ()
    outer: Place | None = None

    @property
    def name(self) -> str:
        return str(self.path[-1]) if self.path else ""

    @property
    def container(self) -> str:
        """The field of the model around it that the place lies in."""
        return str(self.path[len(self.outer.home)]) if self.outer else ""


def place_of(loc: Iterable[int | str], root: Any) -> Place:  # noqa: ANN401
    """The place in the input: pydantic's own notes on keys and on unions are left out."""
    inside, words = meant(root)
    place = Place((), inside, words, None, of_a_union=False)
    for part in loc:
        if part == "[key]":
            continue
        if (member := tagged(place.inside).get(str(part))) is not None:
            place = place._replace(inside=member)
        elif union := members(place.inside):
            place = place._replace(inside=_named(union, part), of_a_union=True)
        else:
            inside, words = meant(below(place.inside, part))
            here = (place.model, place.home, place.outer)
            if is_model(place.inside):
                here = (place.inside, place.path, place if place.model else None)
            place = Place((*place.path, part), inside, words, here[0], False, *here[1:])
    return place


def _named(union: Iterable[Any], name: int | str) -> Any:  # noqa: ANN401
    """The member of a union that pydantic calls by *name*, if it is a model or a list: others have nothing below."""
    inside = [meant(member)[0] for member in union]
    if str(name).startswith("tuple["):
        return next((several for several in inside if get_origin(several) is tuple), None)
    return next((model for model in inside if is_model(model) and model.__name__ == name), None)


def below(inside: Any, part: int | str) -> Any:  # noqa: ANN401
    """What is expected at *part* of what *inside* describes; None where nothing is."""
    if is_model(inside):
        described_by = inside.model_fields.items()
        return next((field.rebuild_annotation() for name, field in described_by if part in (name, field.alias)), None)
    described = get_args(inside)
    if isinstance(get_origin(inside), type) and issubclass(get_origin(inside), Mapping):
        return described[1]
    return described[0] if described else None


def is_model(inside: Any) -> bool:  # noqa: ANN401
    """Whether an annotation is a model."""
    return isinstance(inside, type) and issubclass(inside, BaseModel)


def models(annotation: Any) -> list[type[BaseModel]]:  # noqa: ANN401
    """The models that something may be, or of a list its members."""
    inside, _ = meant(annotation)
    if is_model(inside):
        return [inside]
    several = members(inside) or (get_args(inside)[:1] if get_origin(inside) is tuple else ())
    return [model for member in several for model in models(member)]


def fields(model: type[BaseModel]) -> list[str]:
    """The names of a model's fields, as people write them."""
    return [field.alias or name for name, field in model.model_fields.items()]
