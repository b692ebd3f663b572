"""What annotations say: the members of a union by their tags, and the words that tell people what is expected."""

from __future__ import annotations

from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import Tag

from journeys.models import Expected


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


def meant(annotation: Any) -> tuple[Any, str]:  # noqa: ANN401
    """What an annotation is without its notes and without None, and the words that tell what is expected."""
    words = ""
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *notes = get_args(annotation)
            words = words or next((note.words for note in reversed(notes) if isinstance(note, Expected)), "")
        elif get_origin(annotation) in (Union, UnionType) and len(members(annotation)) == 1:
            (annotation,) = members(annotation)
        else:
            return annotation, words
