"""The members of a union, by the tags that tell them apart."""

from __future__ import annotations

from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import Tag


def bare(annotation: Any) -> Any:  # noqa: ANN401 - an annotation may be anything
    """*annotation* without what ``Annotated`` says about it."""
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def members(annotation: Any) -> tuple[Any, ...]:  # noqa: ANN401
    """What a union is one of, None left out; nothing where it is no union."""
    union = bare(annotation)
    if get_origin(union) not in (Union, UnionType):
        return ()
    return tuple(member for member in get_args(union) if member is not type(None))


def tagged(union: Any) -> dict[str, Any]:  # noqa: ANN401
    """The members of a tagged union by their tags, in the order in which they are written."""
    return {
        note.tag: bare(member)
        for member in members(union)
        if get_origin(member) is Annotated
        for note in get_args(member)[1:]
        if isinstance(note, Tag)
    }
